// The options of the zones, the sites and the apps, and the root; see options.h.
#include "config/options.h"

#include "config/catalogue.h"
#include "config/config.h"
#include "config/crosscheck.h"
#include "config/include.h"
#include "config/options_parts.h"
#include "config/reference.h"
#include "config/rules.h"
#include "schema/hosts.h"
#include "schema/list.h"
#include "schema/number.h"
#include "schema/text.h"
#include "schema/yaml.h"
#include "steer/place.h"
#include "steer/prior.h"

#define METRO_WORD(id, text) {text, METRO_##id},

static const struct option_word metro_rules[] = {METRO_RULES_EACH(METRO_WORD) {NULL, 0}};

#define KIND_WORD(id, text) {text, SITE_##id},

static const struct option_word site_kinds[] = {SITE_KINDS_EACH(KIND_WORD) {NULL, 0}};

static const struct option_word block_checks[] = {
	{"off", BLOCK_CHECK_OFF}, {"warn", BLOCK_CHECK_WARN}, {"enforce", BLOCK_CHECK_ENFORCE}, {NULL, 0},
};

static const struct option_word alias_expiries[] = {{"serve", 0}, {"down", 1}, {NULL, 0}};

#define ACCESS(key_, kind, fallback_, help_) \
	{key_, &number_latency_us, .fallback = fallback_, .min = "0ms", .max = "10s", \
	 FIELD(config_steering, model.access_us[kind]), .help = help_}

static const struct option access_rows[] = {
	ACCESS("wavelength", SITE_WAVELENGTH, "10ms", "A Wavelength Zone, inside the carrier's network."),
	ACCESS("outpost", SITE_OUTPOST, "15ms", "An Outpost, on a customer's premises."),
	ACCESS("local-zone", SITE_LOCAL_ZONE, "18ms", "A Local Zone."),
	ACCESS("az", SITE_AZ, "25ms", "An Availability Zone."),
	ACCESS("region", SITE_REGION, "25ms", "A Region."),
};

static const struct schema access_schema = {
	.path = "steering.access",
	.intro = "The part of the estimated round trip that depends on the kind of site: radio access and the networks on "
	         "the way, without the distance. The defaults are modelling choices, not measurements.",
	ROWS(access_rows),
};

static const struct option hash_prefix_rows[] = {
	{"ipv4", &number_integer, .fallback = "24", .min = "1", .max = "32", FIELD(config_steering, hash_v4),
	 .help = "Bits of an IPv4 client's address."},
	{"ipv6", &number_integer, .fallback = "48", .min = "1", .max = "128", FIELD(config_steering, hash_v6),
	 .help = "Bits of an IPv6 client's address."},
};

static const struct schema hash_prefix_schema = {
	.path = "steering.hash-prefix",
	.intro = "Clients that share this many bits of their address get the same target where weights divide traffic.",
	ROWS(hash_prefix_rows),
};

static const struct option resolver_rows[] = {
	{"servers", &list_endpoints, .otherwise = "those of `/etc/resolv.conf`, read at the start and at each reload", .min = "1",
	 .max = "8", LIST(config_resolver, servers, server_count),
	 .help = "Addresses of resolvers, which must offer recursion, in the order in which they are tried. Without `@PORT` the "
	         "port is 53."},
	{"timeout", &number_duration_ms, .fallback = "2s", .min = "100ms", .max = "1m", FIELD(config_resolver, timeout_ms),
	 .help = "How long a server is waited for at the first attempt. Each further attempt waits twice as long as the one "
	         "before."},
	{"attempts", &number_integer, .fallback = "3", .min = "1", .max = "10", FIELD(config_resolver, attempts),
	 .help = "How often each server is asked before a look-up has failed."},
};

static const struct schema resolver_schema = {
	.path = "resolver",
	.intro = "Who is asked for the addresses of hosts' names: `alias` and `check-address`. DNSSEC is not validated here: use "
	         "a resolver that does, on a path that is trusted.",
	ROWS(resolver_rows),
};

static const struct option steering_rows[] = {
	{"access", &schema_mapping, .schema = &access_schema, .help = "Milliseconds by kind of site."},
	{"per-km", &number_rate_us, .fallback = "0.02ms", .min = "0ms", .max = "1s",
	 FIELD(config_steering, model.us_per_km),
	 .help = "Round trip for each kilometre of great circle between client and site."},
	{"max-accuracy", &number_distance_km, .fallback = "200km", .min = "0km", .max = "20038km",
	 FIELD(config_steering, max_accuracy_km),
	 .help = "Coordinates with a larger accuracy radius are not used: the centre of a country does not tell which site "
	         "is nearest."},
	{"tie", &number_latency_us, .fallback = "5ms", .min = "0ms", .max = "10s", FIELD(config_steering, tie_us),
	 .help = "Where an app has weights, targets within this of the best one share its traffic."},
	{"unknown-metro", &text_enum, .fallback = "region", .words = metro_rules, FIELD(config_steering, unknown_metro),
	 .help = "Whether a carrier's clients get its sites first when nothing tells where they are: a table of carriers' "
	         "prefixes names the carrier, but no coordinates, and there is no hint. `region`: public sites first, as "
	         "written (targets of providers: in the order of `sites`). `carrier`: the carrier's sites first, as written. "
	         "`sole`: the carrier's site first where the app has "
	         "exactly one in the client's country, else as `region`. `expected`: all sites that can be reached, by their "
	         "expected cost over where the carrier's clients are (see `metros`), so that a Region goes before a zone at the "
	         "other end of the country. `carrier` and `expected` send all of a carrier's clients, or all in a country, to "
	         "one zone: make sure that it can take them. A country that is not known excludes nothing. Apps with `sole` "
	         "that have no table of their own (`own-tables`) take memory and time at each reload as those with weights do."},
	{"hash-prefix", &schema_mapping, .schema = &hash_prefix_schema, .help = "Which clients stay together."},
	{"own-tables", &number_integer, .fallback = "16", .min = "0", .max = "65535", FIELD(config_steering, own_tables),
	 .help = "How many sets of sites have a steering table of their own: those of most apps. All other sets share one "
	         "table. Each table of a set's own takes memory and time at every reload (about 5 MB and an eighth of a "
	         "second for the whole routed Internet) and gives its apps the shortest correct ECS scopes, so that resolvers "
	         "ask least often. With the shared table scopes are longer, answers are the same."},
};

static const struct schema steering_schema = {
	.path = "steering",
	.intro = "How the nearest site is estimated: hinted sites first, in their order; else a measured entry of the latency table; else "
	         "access + kilometres * per-km; plus the site's bias.",
	ROWS(steering_rows),
};

static const struct option domain_rows[] = {
	{"file", &text_path, FIELD(config_domain, file),
	 .help = "A master file (RFC 1035 section 5) with the zone's static names. Without one, `ns` is required. `$INCLUDE` "
	         "takes paths relative to the file's folder, and nothing outside of it; eight files deep, 1000 files and 1 GiB "
	         "in all. `$GENERATE` is as in BIND 9, for up to 262144 records of a zone."},
	{"watch", &text_bool, .otherwise = "whether `server.watch` is `on`", FIELD(config_domain, watch),
	 .help = "With a file: whether a change of it, or of what it includes, starts a reload; see `server.watch`."},
	{"ns", &hosts_list, .min = "1", .max = "16", LIST(config_domain, ns, ns_count),
	 .help = "Without a file: the zone's name servers, as its parent delegates to them. One inside the zone needs its "
	         "addresses: `ns: [{ns1.edge.example.com: [192.0.2.53]}, ns2.example.net]`. They are served as its A and AAAA; "
	         "the parent zone needs the same ones as glue."},
	{"hostmaster", &text_mailbox, .otherwise = "hostmaster.NAME", FIELD(config_domain, hostmaster),
	 .help = "Without a file: the mailbox in the zone's SOA."},
	{"serial", &number_integer, .otherwise = "the time of the load in seconds since 1970", .min = "1",
	 .max = "4294967295", FIELD(config_domain, serial),
	 .help = "Without a file: the serial of the zone's SOA; with one, it is the file's. By default it differs between "
	         "servers that loaded the same config at different times, which does no harm, as there are no zone transfers, "
	         "but which monitoring may report. To have the same one everywhere, give it, and raise it with each change."},
	{"ttl", &number_duration_s, .fallback = "1h", .min = "1s", .max = "7d", FIELD(config_domain, ttl_s),
	 .help = "Without a file: the TTL of SOA, NS and the name servers' addresses."},
	{"negative-ttl", &number_duration_s, .fallback = "30s", .min = "0s", .max = "1d",
	 FIELD(config_domain, negative_ttl_s),
	 .help = "Without a file: how long resolvers cache that a name or a type does not exist (RFC 2308)."},
};

static const struct schema domain_schema = {
	.path = "domains.NAME",
	.intro = "The DNS zones to answer for. Static names come from a master file, steered ones from `apps`. In names, "
	         "letters, digits, `-`, `_` and `/` stand for themselves; any other octet is written as `\\DDD`, in decimal, or "
	         "after a backslash: `'0/25.2.0.192.in-addr.arpa'`, `'\\*.example.com'`.",
	ROWS(domain_rows),
	.size = sizeof(struct config_domain),
	.max_entries = 65536,
	.name = rules_domain_name,
	.finish = rules_domain,
	.mark_offset = offsetof(struct config_domain, mark),
};

static const struct option site_rows[] = {
	{"kind", &text_enum, .words = site_kinds, .otherwise = "the catalogue's", FIELD(config_site, kind),
	 .help = "The kind of site."},
	{"location", &number_location, .otherwise = "the catalogue's, or unknown", FIELD(config_site, latitude),
	 .help = "The site's coordinates."},
	{"country", &text_country, .otherwise = "the catalogue's, or unknown", FIELD(config_site, country),
	 .help = "The country it is in, for `unknown-metro: sole`."},
	{"region", &text_word, .otherwise = "the catalogue's, or none", FIELD(config_site, region),
	 .help = "Its parent region."},
	{"reach", &list_reach, .otherwise = "the catalogue's, or `public`", .min = "1", .max = "64",
	 LIST(config_site, carriers, carrier_count),
	 .help = "The clients that can reach it. It is never answered to others. A Wavelength Zone can be reached only from "
	         "its carrier's network; if the catalogue does not know the carrier, it must be given here. Names of "
	         "carriers are the same in capital and small letters."},
	{"block", &list_prefixes, .otherwise = "AWS's, of the network border group of this name", .min = "1", .max = "256",
	 LIST(config_site, block, block_count),
	 .help = "Where the addresses of its load balancers are, for `block-check`. AWS's are known for Wavelength Zones, and "
	         "with `aws-ranges` for every site."},
	{"block-check", &text_enum, .words = block_checks,
	 .otherwise = "`enforce` where `block` is given, and at a Wavelength Zone whose block is known; else none",
	 FIELD(config_site, block_check),
	 .help = "What happens to an address that an `alias` has outside of the block: with `enforce` it is refused, with `warn` "
	         "taken, and told in both cases; with `off` it is taken. An address of another zone's load balancer would be a "
	         "black hole. Loopback and private addresses need a `block` that they are in, or `off`; link-local, multicast and "
	         "unspecified ones are always refused."},
	{"bias", &number_latency_us, .fallback = "0ms", .min = "-10s", .max = "10s", FIELD(config_site, bias_us),
	 .help = "Added to the estimate: a positive bias makes the site look farther away."},
	{"ceiling", &number_integer, .otherwise = "none", .min = "1", .max = "1000000000", FIELD(config_site, ceiling),
	 .help = "Answers a second that the site takes at most, of all apps. What is above it spills to the next site in reach: "
	         "always the same clients, as many as it takes, until the rate is below 0.9 of the ceiling. Where no other "
	         "site in reach is open to them, they are answered with it all the same. Resolvers cache: the load that "
	         "follows an answer is not measured here. At most 4096 sites and targets have one."},
	{"load-ceiling", &number_integer, .otherwise = "none", .min = "1", .max = "1000000000", FIELD(config_site, load_ceiling),
	 .help = "The same by a figure that you push with `edgesteerctl load SITE FIGURE`, in any unit that grows with the clients: "
	         "a percentage, connections. Above it the site takes fewer clients, below 0.9 of it more again; after each change "
	         "it waits for the TTL, as long as caches keep the load where it was. A figure that is not pushed again in time "
	         "counts no more, and the clients come back little by little. Beside `ceiling` the smaller share counts."},
};

_Static_assert(offsetof(struct config_site, longitude) == offsetof(struct config_site, latitude) + sizeof(double),
               "number_location writes both");

static const struct schema site_schema = {
	.path = "sites.NAME",
	.intro = "The places that can serve. A site in the catalogue of AWS's Regions, Availability Zones, Local Zones and "
	         "Wavelength Zones needs only its name; options given here override the catalogue.",
	ROWS(site_rows),
	.size = sizeof(struct config_site),
	.max_entries = SITES_MAX,
	.name = rules_site_name,
	.finish = rules_site,
	.mark_offset = offsetof(struct config_site, mark),
};

static const struct option target_rows[] = {
	{"addresses", &list_addresses, .min = "1", .max = "32", LIST(config_target, addresses, address_count),
	 .help = "The load balancer's addresses, which are the answer. Either this, `alias` or `cname`. Each is probed on its "
	         "own: one that is down leaves the answer, and the target is down when none is left."},
	{"alias", &text_name, FIELD(config_target, alias),
	 .help = "A host name whose addresses are the answer, such as that of an AWS load balancer. It is looked up (see "
	         "`resolver`) again and again, by its TTL, but not more often than every 5 seconds nor less than every hour; after "
	         "a failure every 5 seconds, and less often after a minute. The answer has the app's TTL or the name's, whichever "
	         "is less. While look-ups fail the last addresses stay, also through a restart, with a TTL of 30 seconds at most "
	         "(RFC 8767); `edgesteerctl targets` shows their age. At most 32 addresses and 8 CNAMEs; none of them may be in "
	         "one of `domains`. The name's DNSSEC signatures are not validated."},
	{"cname", &text_name, FIELD(config_target, cname), .help = "A host name to answer with as a CNAME instead."},
	{"check-address", &list_hosts, .min = "1", .max = "32", .otherwise = "each of the target's addresses",
	 LIST(config_target, check_hosts, check_host_count),
	 .help = "The address to probe instead, or a list of them, or a host name, which is looked up as an `alias` is, but may "
	         "have any addresses. The target then stands or falls as a whole, with all of its addresses: it is up while one of "
	         "these is. AWS allows no connections from the Internet into a Wavelength Zone: give the private address there, "
	         "and run the daemon where it can reach it."},
	{"check", &reference_check, .otherwise = "the app's", FIELD(config_target, check),
	 .help = "The health check of this target."},
	{"weight", &number_integer, .fallback = "1", .min = "0", .max = "65535", FIELD(config_target, weight),
	 .help = "Its share among targets that are equally near (within `tie`). 0 makes it a standby: it is answered only "
	         "when no target with a weight is left that the client can reach. Distance must be known for a share: "
	         "a client or site without coordinates gets the first in order."},
	{"ceiling", &number_integer, .otherwise = "the site's alone", .min = "1", .max = "1000000000",
	 FIELD(config_target, ceiling), .help = "As the site's `ceiling`, for this app's target alone; both count."},
	{"load-ceiling", &number_integer, .otherwise = "the site's alone", .min = "1", .max = "1000000000",
	 FIELD(config_target, load_ceiling), .help = "As the site's `load-ceiling`, for this app's target alone; both count."},
};

_Static_assert(CONFIG_CEILINGS_MAX == 4096, "as the help of `ceiling` says");

static const struct schema target_schema = {
	.path = "apps.NAME.targets.SITE",
	.intro = "The app's load balancer at a site, which must be listed under `sites`. The order matters when nothing is "
	         "known about a client: the first public target is the default.",
	ROWS(target_rows),
	.size = sizeof(struct config_target),
	.max_entries = APP_TARGETS_MAX,
	.name = rules_target_name,
	.finish = rules_target,
	.mark_offset = offsetof(struct config_target, mark),
};

static const struct option app_rows[] = {
	{"ttl", &number_duration_s, .fallback = "30s", .min = "0s", .max = "7d", FIELD(config_app, ttl_s),
	 .help = "How long resolvers cache an answer, and so how long a drain takes to reach all clients."},
	{"check", &reference_check, .fallback = "none", FIELD(config_app, check),
	 .help = "The health check of its targets. A target without a check is always up."},
	{"unknown-metro", &text_enum, .words = metro_rules, .otherwise = "steering.unknown-metro",
	 FIELD(config_app, unknown_metro), .help = "Overrides `steering.unknown-metro` for this app."},
	{"quorum", &number_integer, .fallback = "1", .min = "1", .max = "64", FIELD(config_app, quorum),
	 .help = "How many vantages must say that a target is down: the probes of `check`, what a provider says of the servers "
	         "behind it, and each agent that reports (`edgesteerctl report`). Only those count that are fresh; with fewer "
	         "fresh ones than this, all of them must. For the clients of a carrier only its own vantages count while one of "
	         "them is fresh."},
	{"panic", &number_percent, .fallback = "0%", .min = "0%", .max = "100%", FIELD(config_app, panic_percent),
	 .help = "With a smaller share of its targets up than this, the app's health is ignored, and all are answered as if they "
	         "were up, but those that are forced down or drained: a few targets would not take the clients of all. 0%: never; "
	         "only when no target that a client can reach is up, its health is ignored."},
	{"slow-start", &number_duration_ms, .fallback = "0s", .min = "0s", .max = "1h", FIELD(config_app, slow_start_ms),
	 .help = "How long a target that has come back up takes to get all of its clients again, evenly, beginning with a "
	         "twentieth."},
	{"adopt", &number_share, .fallback = "100%", .min = "0%", .max = "100%", FIELD(config_app, adopt),
	 .help = "The share of its clients that are steered, for the way from weighted records to edgesteer: each of the others, by "
	         "its prefix (`hash-prefix`), has one of all targets that are in its reach and up, by their weights; where no target "
	         "has a weight, all have the same. A larger share steers those who were steered before and some more. `edgesteerctl "
	         "adopt` sets another share, also little by little, until it is taken back."},
	{"last-resort", &list_last_resort, .otherwise = "servfail", .min = "1", .max = "32",
	 LIST(config_app, last_addresses, last_address_count),
	 .help = "The answer to a client that can reach none of the targets, or only drained ones."},
	{"tie", &number_latency_us, .min = "0ms", .max = "10s", .otherwise = "steering.tie", FIELD(config_app, tie_us),
	 .help = "Overrides `steering.tie` for this app."},
	{"targets", &schema_map, .schema = &target_schema, LIST(config_app, targets, target_count),
	 .otherwise = "those that `providers` give", .help = "Its load balancers. Required where there are no `providers`."},
};

static const struct schema defaults_schema = {
	.path = "defaults",
	.intro = "The options of apps that only `providers` name. Those in `apps` have their own.",
	.options = app_rows,
	.option_count = ARRAY_LEN(app_rows) - 2, // all but the targets, and `tie`, for weights, which no provided target has
};

static const struct schema app_schema = {
	.path = "apps.NAME",
	.intro = "The steered names. Each is inside one of `domains`, and written as the names there; its first label "
	         "may be `*`.",
	ROWS(app_rows),
	.size = sizeof(struct config_app),
	.max_entries = CONFIG_APPS_MAX,
	.name = rules_app_name,
	.finish = rules_app,
	.mark_offset = offsetof(struct config_app, mark),
};

_Static_assert(PRIOR_METROS_MAX == 1024, "as the help of `metros` says");
_Static_assert(INCLUDE_DEPTH_MAX == 8 && INCLUDE_FILES_MAX == 4096 && YAML_BYTES_MAX == 256 << 20 &&
               YAML_NODES_MAX == 8388608, "as the help of `include` says");

static const struct option root_rows[] = {
	{"include", &list_texts, .otherwise = "none", .min = "0", .max = "1000", LIST(config, include, include_count),
	 .help = "More files with any of these sections, read after this one. Relative paths start in the folder of the file "
	         "that includes; the last part of a path may have `*`, `?` and `[...]`, and the files that match are read in "
	         "the order of their names. Mappings (`apps`, `sites`, `server`) join entry by entry, and an entry in two "
	         "files is an error; lists (`locate`) join in the order of the files; anything else may be in one file "
	         "only. Included files may include more, 8 deep and 4096 in all. All together have at most 256 MiB and 8388608 "
	         "values."},
	{"server", &schema_mapping, .schema = &options_server, FIELD(config, server), .help = "The daemon itself."},
	{"steering", &schema_mapping, .schema = &steering_schema, FIELD(config, steering),
	 .help = "How the nearest site is estimated."},
	{"resolver", &schema_mapping, .schema = &resolver_schema, FIELD(config, resolver),
	 .help = "Who is asked for the addresses of hosts' names."},
	{"alias-max-age", &number_duration_s, .fallback = "1h", .min = "1m", .max = "30d", FIELD(config, alias_max_age_s),
	 .help = "How old the addresses of an `alias` may become, when look-ups fail, before that is warned of."},
	{"alias-expired", &text_enum, .fallback = "serve", .words = alias_expiries, FIELD(config, alias_expired),
	 .help = "What happens then: `serve` them for as long as it takes, or have the target `down`, without addresses."},
	{"aws-ranges", &text_path, .otherwise = "the built-in extract", FIELD(config, aws_ranges),
	 .help = "AWS's `ip-ranges.json`, for the sites' `block`. A site's are those of the EC2 service in the network border "
	         "group with its name or, for an Availability Zone or a zone in a Local Zone, with its name without the last "
	         "letter. For a group that the file does not have, the built-in extract counts, which has Wavelength Zones "
	         "only. The file is watched (see `server.watch`)."},
	{"latency", &text_path, .otherwise = "none", FIELD(config, latency),
	 .help = "A CSV file of measured round trips with the columns `from` (a prefix or a carrier), `site` and `ms`."},
	{"latency-shrink-limit", &number_percent, .fallback = "50%", .min = "0%", .max = "100%",
	 FIELD(config, latency_shrink_limit), .help = SHRINK_HELP("rows", "file")},
	{"guard", &number_percent, .fallback = "20%", .min = "1%", .max = "100%", FIELD(config, guard),
	 .help = "A reload, of the config or of a file, that would answer a larger share of the recent queries than this with "
	         "another site is refused. Counted are the queries of the last 5 minutes, by a sample of at least 1000 of them, "
	         "with today's health, overrides and learned prefixes; not those whose target is no more. `edgesteerctl reload "
	         "--check` shows who would move where, `edgesteerctl reload --force` takes it. What providers give, health and "
	         "overrides are never held."},
	{"max-drained", &number_percent, .otherwise = "none", .min = "1%", .max = "100%", FIELD(config, max_drained),
	 .help = "Of each carrier's sites (those for the clients of some carriers alone), how many may be drained at a time. A drain "
	         "after which more than this share of a carrier's sites would be drained is refused, unless it is given with "
	         "`--force`. A site counts as drained when all of its targets are, also while a drain over a time has not come to "
	         "its end; of a drain of one app, that app's targets are looked at alone. With `50%`, of three sites one may be "
	         "drained, of four two. Of a carrier with one site that is all of its sites: its drain is refused with any "
	         "share below `100%`, and takes `--force`, which waives what else a drain is refused for too. Sites that "
	         "everybody reaches are not counted."},
	{"metros", &text_path, .otherwise = "the carriers' zones in the catalogue", FIELD(config, metros),
	 .help = "A CSV file of where carriers' clients are, for `unknown-metro: expected`, with the columns `carrier`, "
	         "`country` (two letters, or empty), `latitude`, `longitude` and `share` (in any unit). For a carrier that it "
	         "does not name, clients are assumed at the Wavelength Zones that the carrier has in the catalogue, equally "
	         "many at each. A carrier's metros in the client's country count; all of them where the country is unknown or "
	         "has none. At most 1024 rows."},
	{"catalogue", &text_path, .otherwise = "the built-in one", FIELD(config, catalogue),
	 .help = "A file with a `sites` section, to use instead of the catalogue of AWS sites."},
	{"domains", &schema_map, .required = true, .schema = &domain_schema, LIST(config, domains, domain_count),
	 .help = "The DNS zones."},
	{"locate", &schema_list, .schema = &options_locate, LIST(config, locates, locate_count),
	 .help = "The sources of what is known about a client."},
	{"providers", &schema_list, .schema = &options_provider, LIST(config, providers, provider_count),
	 .help = "Sources of targets that come and go while the daemon runs."},
	{"discovery", &schema_list, .schema = &options_discovery, LIST(config, discoveries, discovery_count),
	 .help = "Services that are asked where clients are."},
	{"learned", &schema_mapping, .schema = &options_learned, .offset = 0, .size = sizeof(struct config),
	 .help = "How what they say becomes learned prefixes."},
	{"health", &schema_mapping, .schema = &options_health, FIELD(config, health),
	 .help = "What is believed of health checks and of what agents report."},
	{"observe", &schema_mapping, .schema = &options_observe, FIELD(config, observe),
	 .help = "Learned prefixes from measured round trips."},
	{"defaults", &schema_mapping, .schema = &defaults_schema, FIELD(config, defaults),
	 .help = "The options of apps that only `providers` name."},
	{"checks", &schema_map, .schema = &options_check, LIST(config, checks, check_count), .help = "Health checks."},
	{"sites", &schema_map, .schema = &site_schema, LIST(config, sites, site_count),
	 .help = "The places that can serve."},
	{"apps", &schema_map, .schema = &app_schema, LIST(config, apps, app_count), .help = "The steered names."},
};

const struct schema options_root = {
	.path = "",
	.intro = "The file is YAML, so JSON works too. Anchors, aliases, tags and a second document are errors. Relative "
	         "paths start in the folder of the file they are written in. All errors are reported at once, as "
	         "FILE:LINE:COLUMN: key: what is wrong, what was expected.",
	ROWS(root_rows),
	.finish = crosscheck_config,
};

static const struct option catalogue_rows[] = {
	{"sites", &schema_map, .required = true, .schema = &site_schema, LIST(catalogue_file, sites, site_count),
	 .help = "The properties of sites by name."},
};

const struct schema options_catalogue = {.path = "", .intro = "", ROWS(catalogue_rows)};
