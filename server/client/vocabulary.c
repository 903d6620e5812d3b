// The tables; see vocabulary.h.
#include "client/vocabulary.h"

#include "base/attr.h"
#include "client/feed.h"
#include "client/show.h"

const struct client_option client_options[CLIENT_OPTIONS] = {
	[OPT_APP] = {"app", "NAME", "only this app's target"},
	[OPT_SITE] = {"site", "NAME", "only targets at this site"},
	[OPT_REGION] = {"region", "NAME", "only sites of this Region, and itself"},
	[OPT_CARRIER] = {"carrier", "NAME", "only sites for this carrier's clients; of a report, for whose clients it speaks"},
	[OPT_AT] = {"at", "WHEN", "when it starts: 14:03, '2026-08-09 14:03', with seconds or a time zone too, @SECONDS"},
	[OPT_UNTIL] = {"until", "WHEN", "when it ends, as --at"},
	[OPT_OVER] = {"over", "TIME", "move the clients little by little over this time, like 10m"},
	[OPT_BY] = {"by", "NAME", "on whose behalf; shown to others"},
	[OPT_VOLATILE] = {"volatile", NULL, "if it cannot be saved, hold it in memory until it can be"},
	[OPT_ENDED] = {"ended", NULL, "those of the last week that have ended"},
	[OPT_WAIT] = {"wait", NULL, "until caches have forgotten what it changes"},
	[OPT_FOR] = {"for", "TIME", "how long, like 30m, 2h or 1d12h; without it, until undrain"},
	[OPT_REASON] = {"reason", "TEXT", "why; shown to others and logged"},
	[OPT_CLIENT] = {"client", "ADDR[/LEN]", "the client's address or prefix"},
	[OPT_FORCE] = {"force", NULL, "take what shrink-limit or guard would hold"},
	[OPT_SOURCE] = {"source", "PLUGIN", "only what this service has said"},
	[OPT_ALL] = {"all", NULL, "every one"},
	[OPT_CHECK] = {"check", NULL, "only show who would be answered with another site; take nothing"},
	[OPT_APPLY] = {"apply", NULL, "do it; without it, only say what would be done"},
	[OPT_VANTAGE] = {"vantage", "NAME", "who has seen it"},
	[OPT_TTL] = {"ttl", "TIME", "how long it counts, 1s to 1h; without it, 30s"},
	[OPT_OBSERVED] = {"observed-at", "TIME", "when it was seen, as 2026-11-29T01:02:03Z or seconds since 1970"},
	[OPT_SOCKET] = {"socket", "PATH", "the daemon's control socket"},
	[OPT_JSON] = {"json", NULL, "print the daemon's reply as one JSON object"},
	[OPT_TIMEOUT] = {"timeout", "SECONDS", "how long to wait for the reply, and with --wait at most"},
	[OPT_HELP] = {"help", NULL, "print this"},
	[OPT_VERSION] = {"version", NULL, "print this program's version"},
};

// What a drain is of.
enum { WHAT_OPTIONS = 1 << OPT_APP | 1 << OPT_REGION | 1 << OPT_CARRIER };

const struct verb client_verbs[] = {
	{.name = "status", .args = "", .show = client_show_status, .counts = true,
	 .help = "what is served, from what, and the overrides that hold"},
	{.name = "check", .args = "[APP]", .show = client_show_check, .fields = {"app"}, .monitors = true,
	 .help = "whether all is well, for monitoring: one line, and 0 OK, 1 WARNING, 2 CRITICAL or 3 UNKNOWN"},
	{.name = "sites", .args = "[SITE]", .show = client_show_sites, .fields = {"site"},
	 .help = "the sites, their targets' states, their drains"},
	{.name = "apps", .args = "[APP]", .show = client_show_apps, .fields = {"app"}, .takes = 1 << OPT_SITE,
	 .help = "the apps' targets, their states and their health"},
	{.name = "targets", .args = "[APP]", .show = client_show_targets, .fields = {"app"},
	 .help = "the addresses of targets, where they are from, how old they are, and which were refused"},
	{.name = "drain", .args = "SITE", .show = client_show_drain, .fields = {"site"},
	 .takes = WHAT_OPTIONS | 1 << OPT_AT | 1 << OPT_FOR | 1 << OPT_UNTIL | 1 << OPT_OVER | 1 << OPT_REASON | 1 << OPT_BY |
	          1 << OPT_VOLATILE | 1 << OPT_WAIT,
	 .help = "take traffic away from a site, or from all that match"},
	{.name = "undrain", .args = "SITE", .show = client_show_undrain, .fields = {"site"},
	 .takes = WHAT_OPTIONS | 1 << OPT_OVER | 1 << OPT_BY | 1 << OPT_WAIT, .help = "give it back"},
	{.name = "drains", .args = "", .show = client_show_drains, .takes = 1 << OPT_ENDED,
	 .help = "the drains, how far they have come, and when caches have forgotten what they take away"},
	{.name = "force", .args = "APP/SITE up|down|auto", .show = client_show_force, .fields = {"app", "to"}, .needed = 2,
	 .takes = 1 << OPT_REASON | 1 << OPT_BY,
	 .help = "hold a target up or down, whatever its health"},
	{.name = "report", .args = "APP/SITE up|down", .show = client_show_report, .fields = {"app", "to"}, .needed = 2,
	 .takes = 1 << OPT_VANTAGE | 1 << OPT_CARRIER | 1 << OPT_TTL | 1 << OPT_OBSERVED, .needs = 1 << OPT_VANTAGE,
	 .help = "say how a target is, as seen from elsewhere"},
	{.name = "vantages", .args = "", .show = client_show_vantages,
	 .help = "who reports how targets are, and what the brake holds"},
	{.name = "brake release", .args = "", .show = client_show_released,
	 .help = "let down what the brake holds up"},
	{.name = "explain", .args = "NAME", .show = client_show_explain, .fields = {"name"}, .needed = 1,
	 .takes = 1 << OPT_CLIENT, .needs = 1 << OPT_CLIENT, .help = "which answer a client gets, and why"},
	{.name = "reload", .args = "", .show = client_show_reload, .slow = true, .takes = 1 << OPT_FORCE | 1 << OPT_CHECK,
	 .help = "read the config again; if it is wrong, list the errors and keep the one in use"},
	{.name = "sources", .args = "", .show = client_show_sources,
	 .help = "where targets and places come from, and how their sources stand"},
	{.name = "discovery", .args = "", .show = client_show_discovery,
	 .help = "the services that are asked where clients are, and how they stand"},
	{.name = "discovery register", .args = "", .show = client_show_register, .slow = true, .details = true,
	 .takes = 1 << OPT_APPLY,
	 .help = "what would have to change at the services for the apps in `register` to be registered as their targets are"},
	{.name = "learned", .args = "[PREFIX]", .show = client_show_learned, .fields = {"prefix"},
	 .takes = 1 << OPT_SITE | 1 << OPT_SOURCE, .help = "what is learned of clients, from whom, and how sure it is"},
	{.name = "learned forget", .args = "[PREFIX]", .show = client_show_forgotten, .fields = {"prefix"},
	 .takes = 1 << OPT_ALL, .help = "forget what is learned of a prefix, or all of it"},
	{.name = "observe", .args = "[FILE|-]", .show = client_show_observe, .fields = {"file"}, .feed = client_feed,
	 .help = "pass measured round trips on, lines of ADDRESS SITE MILLISECONDS [HOST]"},
	{.name = "stats", .args = "", .show = client_show_stats, .help = "counters"},
	{.name = "version", .args = "", .show = client_show_version, .help = "the daemon's version"},
};

const size_t client_verb_count = ARRAY_LEN(client_verbs);
