// The options of what the daemon is fed by: who knows clients, targets and prefixes; see options_parts.h.
#include "config/options_parts.h"

#include "config/config.h"
#include "config/rules.h"
#include "schema/hosts.h"
#include "schema/list.h"
#include "schema/number.h"
#include "schema/text.h"
#include "steer/place.h"

static const struct option_word ready_rules[] = {
	{"both", READY_BOTH}, {"probe", READY_PROBE}, {"endpoints", READY_ENDPOINTS}, {NULL, 0},
};

static const struct option locate_rows[] = {
	{"plugin", &text_word, .required = true, FIELD(config_locate, plugin),
	 .help = "The source. `edgesteerd --plugins` lists the built-in plugins and their keys."},
	{"shrink-limit", &number_percent, .fallback = "50%", .min = "0%", .max = "100%",
	 FIELD(config_locate, shrink_limit), .help = SHRINK_HELP("prefixes", "source, which has the same plugin and options,")},
	{"watch", &text_bool, .otherwise = "whether `server.watch` is `feeds` or `on`", FIELD(config_locate, watch),
	 .help = "Whether a change of the source's files starts a reload; see `server.watch`."},
};

const struct schema options_locate = {
	.path = "locate[]",
	.intro = "The sources of what is known about a client, in order: each field (carrier, class, coordinates, hinted "
	         "sites) comes from the first source that knows it. The other keys of an entry depend on the plugin.",
	ROWS(locate_rows),
	.size = sizeof(struct config_locate),
	.max_entries = PLACE_SOURCES_MAX,
	.finish = rules_locate,
	.mark_offset = offsetof(struct config_locate, mark),
	.open = true,
};

static const struct option provider_rows[] = {
	{"plugin", &text_word, .required = true, FIELD(config_provider, plugin),
	 .help = "The source. `edgesteerd --plugins` lists the built-in plugins and their keys."},
	{"grace", &number_duration_s, .fallback = "60s", .min = "0s", .max = "7d", FIELD(config_provider, grace_s),
	 .help = "How long a target whose object has vanished from the source is still answered. While the source cannot be "
	         "reached, nothing vanishes."},
	{"health", &text_enum, .fallback = "both", .words = ready_rules, FIELD(config_provider, health),
	 .help = "Whose word decides whether its targets are up. `probe`: the check's; without a check they are up. "
	         "`endpoints`: the source's, such as a cluster that says whether any pod is ready; what it says nothing of is "
	         "up. `both`: up where neither says down. The source's word is taken when it has said for `fall` intervals of "
	         "the app's `check` that nothing is ready, or for 30 seconds without a check; with `endpoints` that is all a "
	         "check is for, as nothing is probed."},
};

const struct schema options_provider = {
	.path = "providers[]",
	.intro = "Sources of targets that come and go while the daemon runs: a cluster, a file that another tool writes, a "
	         "program. What they give joins `apps`. Where the config has a target at the same site of the same app, the "
	         "config's is used; an app that only a provider names takes `defaults`. A target's site is one of `sites` or of "
	         "the catalogue, and its app is in one of `domains`; anything else is refused with a line in the log. Of two "
	         "objects that claim the same site of the same app the older one is used. The last targets are kept in "
	         "`state-dir` and served after a start until the source can be reached. `edgesteerctl sources` shows all of them. "
	         "The other keys of an entry depend on the plugin; see edgesteer-plugins(7).",
	ROWS(provider_rows),
	.size = sizeof(struct config_provider),
	.max_entries = PROVIDERS_MAX,
	.finish = rules_provider,
	.mark_offset = offsetof(struct config_provider, mark),
	.open = true,
};

static const struct option discovery_rows[] = {
	{"plugin", &text_word, .required = true, FIELD(config_discovery, plugin),
	 .help = "The service. `edgesteerd --plugins` lists the built-in plugins and their keys."},
	{"carriers", &list_carriers, .required = true, .min = "1", .max = "64",
	 LIST(config_discovery, carriers, carrier_count),
	 .help = "The carriers whose clients it knows. It is asked about no others: a client's carrier is what `locate` says."},
	{"rate", &number_integer, .fallback = "10", .min = "1", .max = "10000", FIELD(config_discovery, rate),
	 .help = "How many questions a second it is asked at most; at once at most a tenth of that. Daemons do not know of one "
	         "another, nor do entries: where a service limits an account, what all name servers and all entries that use it may "
	         "ask together has to be divided among them. Two name servers with one account that may ask 50 a second have a `rate` "
	         "of 25 each; with two entries each, for two carriers, 12. A share in the order of each one's traffic is better than "
	         "equal ones, and some of it is best left for `edgesteerctl discovery register`, which keeps to the rate as well."},
	{"concurrency", &number_integer, .fallback = "10", .min = "1", .max = "512", FIELD(config_discovery, concurrency),
	 .help = "How many questions may be under way."},
	{"timeout", &number_duration_ms, .fallback = "2s", .min = "100ms", .max = "60s", FIELD(config_discovery, timeout_ms),
	 .help = "How long an answer is waited for."},
	{"register", &list_texts, .otherwise = "none", .min = "0", .max = "100",
	 LIST(config_discovery, register_apps, register_count),
	 .help = "The apps whose load balancers `edgesteerctl discovery register` registers with the service, where it has to know "
	         "them: those at sites that its carriers reach. Nothing is registered by itself."},
};

const struct schema options_discovery = {
	.path = "discovery[]",
	.intro = "Services that know where a carrier's clients are, such as a carrier's edge-discovery service. They are asked "
	         "about one client after the other, the busiest prefixes first, never while a query waits; what they say becomes "
	         "learned prefixes (`learned`), which come before the prefix table. A site that the client's carrier cannot reach "
	         "is ignored whoever names it. A service names carriers and classes as it likes, but no "
	         "more than 256 that the config has not: answers with further ones are ignored, and counted. "
	         "Client addresses are sent to the service: the address that has asked, where a "
	         "query came without a client subnet, else one drawn within the prefix of the client subnet. `carriers` and "
	         "`learned.notes-from` limit whose. The other keys of an entry depend on the plugin; see edgesteer-plugins(7).",
	ROWS(discovery_rows),
	.size = sizeof(struct config_discovery),
	.max_entries = DISCOVERY_MAX,
	.finish = rules_discovery,
	.mark_offset = offsetof(struct config_discovery, mark),
	.open = true,
};

static const struct option learned_prefix_rows[] = {
	{"ipv4", &number_integer, .fallback = "24", .min = "8", .max = "32", FIELD(config, learned.prefix_v4),
	 .help = "The length in bits of the IPv4 prefixes that are learned: one client speaks for its prefix. Who asks with a client "
	         "subnet that is shorter may be anywhere in that: no service is asked for it (`edgesteerctl discovery` counts how "
	         "often), and it is answered with what is known of the first address of its subnet. If that is what a carrier's "
	         "resolvers send, make this as short as theirs, as long as all clients of such a prefix have the same best site."},
	{"ipv6", &number_integer, .fallback = "48", .min = "16", .max = "64", FIELD(config, learned.prefix_v6),
	 .help = "The same for IPv6."},
};

static const struct schema learned_prefix_schema = {
	.path = "learned.prefix",
	.intro = "The prefixes that are learned.",
	ROWS(learned_prefix_rows),
};

static const struct option learned_rows[] = {
	{"prefix", &schema_mapping, .schema = &learned_prefix_schema, .offset = 0, .size = sizeof(struct config),
	 .help = "The prefixes that are learned. Neighbours that agree are answered as one; nothing is assumed of those between "
	         "them that were not asked about."},
	{"max", &number_integer, .fallback = "100000", .min = "1", .max = "400000", FIELD(config, learned.max),
	 .help = "How many prefixes are kept at most: those with the most traffic."},
	{"agree", &number_integer, .fallback = "3", .min = "1", .max = "8", FIELD(config, learned.agree),
	 .help = "A prefix is learned, and later moves to another site, when this many clients of it in a row have got the "
	         "same site as their best."},
	{"agree-for", &number_duration_s, .fallback = "10m", .min = "1s", .max = "7d", FIELD(config, learned.agree_for_s),
	 .help = "Or when all answers over this time were the same."},
	{"moves", &number_integer, .fallback = "600", .min = "1", .max = "1000000", FIELD(config, learned.moves),
	 .help = "How many prefixes may move from one answer to another, or to none, in a minute, the busiest first; the others wait."},
	{"tries", &number_integer, .fallback = "3", .min = "1", .max = "16", FIELD(config, learned.tries),
	 .help = "How many clients of a prefix are asked about when the service does not know them."},
	{"max-stale", &number_duration_s, .fallback = "7d", .min = "0s", .max = "365d", FIELD(config, learned.max_stale_s),
	 .help = "How long what was learned still counts when it cannot be confirmed."},
	{"notes-from", &list_prefixes, .otherwise = "all", .min = "0", .max = "1024",
	 LIST(config, learned.notes_from, learned.notes_from_count),
	 .help = "The resolvers whose queries tell which prefixes are busy. A client subnet can be forged, to make any prefix "
	         "look busy: without this, one sender (an IPv4 address, an IPv6 /48) has at most 5 % of a minute's say (or 100 queries)."},
};

const struct schema options_learned = {
	.path = "learned",
	.intro = "How what the services of `discovery` say becomes learned prefixes.",
	ROWS(learned_rows),
};

static const struct option observe_rows[] = {
	{"samples", &number_integer, .fallback = "5", .min = "1", .max = "7", FIELD(config_observe, samples),
	 .help = "How many measurements of a site, from clients of a prefix, make its round trip believable."},
	{"hosts", &number_integer, .fallback = "2", .min = "1", .max = "5", FIELD(config_observe, hosts),
	 .help = "How many hosts they must be from; not asked where no line of the prefix names its host. Where one does, of any site, lines without one count for nothing. Each host has one vote, the "
	         "median of its latest seven measurements, and the median of the votes counts, of two the greater: a host that lies "
	         "persuades nobody by itself."},
	{"margin", &number_percent, .fallback = "10%", .min = "0%", .max = "90%", FIELD(config_observe, margin),
	 .help = "How much less than the site that clients are sent to another must take to take its place."},
	{"window", &number_duration_s, .fallback = "6h", .min = "1m", .max = "30d", FIELD(config_observe, window_s),
	 .help = "How long a measurement counts."},
	{"max", &number_integer, .fallback = "100000", .min = "16", .max = "1000000", FIELD(config_observe, max),
	 .help = "How many pairs of a prefix and a site are kept at most, of 344 octets each (so 34 MB by default), and as many "
	         "pointers more; the prefixes that were measured least recently go first."},
	{"explore", &number_share, .fallback = "0%", .min = "0%", .max = "10%", FIELD(config_observe, explore),
	 .help = "The share of learned prefixes that are sent to their second best site (where only one is known, to what the table says), for as long as the longest TTL of an app, "
	         "to find out how far that is; then others. Never to one that is out of reach, down or drained; scopes stay as they "
	         "are. It costs these clients the difference. Where anything is explored, a prefix whose measurements say what the "
	         "table says is learned too, with the source `explore`: as the table's first two sites, unless that would change an "
	         "app's answer or the app has weights. That is given up with the next reload that changes sites or places."},
	{"file", &text_path, .otherwise = "none", FIELD(config_observe, file),
	 .help = "A file that lines are appended to. What is written while the daemon runs is read within a second, also of "
	         "another file that takes its place; what is in it before is not."},
	{"socket", &text_path, .otherwise = "none", .max = "107", FIELD(config_observe, socket),
	 .help = "A Unix datagram socket that the daemon makes; a datagram has one line or more, up to 65536 octets."},
	{"socket-mode", &text_word, .fallback = "0660", FIELD(config_observe, mode), .help = "The mode of the socket, octal."},
	{"socket-group", &text_word, .otherwise = "the daemon's group", FIELD(config_observe, socket_group),
	 .help = "The group of the socket, one that the daemon's user is in. Its owner is the daemon's user."},
};

const struct schema options_observe = {
	.path = "observe",
	.intro = "Prefixes are learned from round trips that were measured by whoever ends the clients' connections, or by the "
	         "clients themselves; without any service. Without this section nothing is taken. A line is `ADDRESS SITE "
	         "MILLISECONDS [HOST]`: the client, the site that was measured, its round trip, who measured it. Lines come by "
	         "`edgesteerctl observe`, by `file` and by `socket`. Where the round trip to a site is believable, and by `margin` "
	         "less than that to the site which the prefix table or a service gives (as measured, else as estimated; what is of "
	         "unknown cost has to be measured first), the prefix is learned, with the rules of `learned`: "
	         "`agree` clients in a row, `moves` a minute. Sites that a client cannot reach are ignored. Of a client's address "
	         "its prefix is kept, in memory. Recipes for nginx, "
	         "HAProxy, ss(8), clients and browsers are in conf/observe of the source.",
	ROWS(observe_rows),
	.size = sizeof(struct config_observe),
	.finish = rules_observe,
};
