// The options of the daemon itself; see options_parts.h.
#include "config/options_parts.h"

#include "base/log.h"
#include "config/config.h"
#include "config/rules.h"
#include "schema/hosts.h"
#include "schema/list.h"
#include "schema/number.h"
#include "schema/text.h"

static const struct option_word log_levels[] = {
	{"error", LOG_LEVEL_ERROR}, {"warning", LOG_LEVEL_WARNING}, {"notice", LOG_LEVEL_NOTICE},
	{"info", LOG_LEVEL_INFO},   {"debug", LOG_LEVEL_DEBUG},     {NULL, 0},
};

static const struct option_word watch_words[] = {
	{"off", CONFIG_WATCH_OFF}, {"feeds", CONFIG_WATCH_FEEDS}, {"on", CONFIG_WATCH_ON}, {NULL, 0},
};

static const struct option http_tls_rows[] = {
	{"cert", &text_path, .required = true, FIELD(config_http, cert),
	 .help = "The door's certificate and the certificates of the CAs between it and the root, in PEM."},
	{"key", &text_path, .required = true, FIELD(config_http, key),
	 .help = "Its private key, in PEM, in a file that others than its owner and group cannot read."},
	{"client-ca", &text_path, .otherwise = "certificates of clients are not asked for", FIELD(config_http, client_ca),
	 .help = "The CAs, in PEM, whose certificates let clients in: a CA of your own for this purpose, as every certificate "
	         "of it counts. The organizational units (OU) in a certificate's subject say what its client may do, `read`, "
	         "`report` or `operate`; without one of these it may `read`."},
};

static const struct schema http_tls_schema = {
	.path = "server.http[].tls",
	.intro = "TLS 1.2 or 1.3. The files are read at the start and at each reload, and, unless `server.watch` is `off`, when "
	         "they change; connections that are open stay.",
	ROWS(http_tls_rows),
};

static const struct option http_rows[] = {
	{"listen", &text_endpoint, .required = true, FIELD(config_http, listen),
	 .restart = true, .help = "The address and port."},
	{"tls", &schema_mapping, .schema = &http_tls_schema, .offset = 0, .size = sizeof(struct config_http),
	 .help = "Its certificate. Without, everything is sent as it is."},
	{"tokens", &text_path, .otherwise = "there are none", FIELD(config_http, tokens),
	 .help = "A file of what lets clients in, one a line: `SCOPE[,SCOPE...] NAME TOKEN [vantage=PATTERN[,PATTERN...]]`. The scopes are `read` (what "
	         "edgesteerctl(1) shows), `report` (what agents report) and `operate` (what changes something, and `read`); the "
	         "name is for the log; the token has 16 to 256 characters, or is `sha256:` and the hexadecimal SHA-256 of one. "
	         "One of the scope `report` that has patterns (`*` is any characters, `?` one) may report for the vantages that "
	         "match, and for nobody else, nor pass measurements on, so that a stolen one is of little use. "
	         "Lines that start with `#` are comments. Others than the file's owner and group must not be able to read it. "
	         "Read again like the files of `tls`."},
};

static const struct schema http_schema = {
	.path = "server.http[]",
	.intro = "The HTTP door: `/livez`, `/readyz` and `/metrics` (Prometheus) for everybody who can reach the address, and, for "
	         "those with a token or a client's certificate, `GET /v1/VERB` and `POST /v1/VERB`, the verbs of edgesteerctl(1). "
	         "With neither `tokens` nor `client-ca` anything but the first three is refused. Tokens without TLS are refused "
	         "on an address that is not loopback.",
	ROWS(http_rows),
	.size = sizeof(struct config_http),
	.max_entries = CONFIG_HTTP_MAX,
	.finish = rules_http,
	.mark_offset = offsetof(struct config_http, mark),
};

static const struct option server_rows[] = {
	{"listen", &list_endpoints, .fallback = "[\"0.0.0.0@53\", \"::@53\"]", .min = "1", .max = "64",
	 LIST(config_server, listen, listen_count),
	 .restart = true, .help = "Addresses and ports to serve on, UDP and TCP. Without `@PORT` the port is 53."},
	{"workers", &number_integer, .fallback = "0", .min = "0", .max = "256", FIELD(config_server, workers),
	 .restart = true, .help = "Threads that serve each address over UDP, and as many for TCP. 0: one per CPU."},
	{"control", &text_path, .fallback = "/run/edgesteer/control.sock", .max = "107", FIELD(config_server, control),
	 .restart = true, .help = "The control socket, for edgesteerctl(1)."},
	{"http", &schema_list, .schema = &http_schema, LIST(config_server, http, http_count),
	 .help = "Addresses of the HTTP door, for monitoring and for programs; none without it."},
	{"state-dir", &text_path, .fallback = "/var/lib/edgesteer", FIELD(config_server, state_dir),
	 .restart = true,
	 .help = "The folder for what survives a restart: drains, forces, the last health. Created if missing."},
	{"user", &text_word, .otherwise = "the user it was started as", FIELD(config_server, user),
	 .restart = true,
	 .help = "The user to run as once the sockets are bound. All capabilities are given up then, whoever it runs as; "
	         "started as root, it warns when there is none."},
	{"plugin-dir", &text_path, .otherwise = "only built-in plugins", FIELD(config_server, plugin_dir),
	 .help = "The folder with plugins that are not built in, as NAME.so."},
	{"nsid", &text_any, .max = "128", .otherwise = "no such option in replies", FIELD(config_server, nsid),
	 .help = "The answer to queries that ask for the server's identity (NSID, RFC 5001)."},
	{"udp-size", &number_integer, .fallback = "1232", .min = "512", .max = "4096", FIELD(config_server, udp_size),
	 .help = "The largest UDP reply, in octets. Larger ones are truncated, and the client retries over TCP."},
	{"tcp-clients", &number_integer, .fallback = "256", .min = "1", .max = "65535",
	 FIELD(config_server, tcp_clients),
	 .restart = true, .help = "The maximum number of open TCP connections, for each of the TCP threads."},
	{"tcp-idle", &number_duration_ms, .fallback = "10s", .min = "1s", .max = "1h", FIELD(config_server, tcp_idle_ms),
	 .restart = true, .help = "How long a TCP connection may be idle before it is closed."},
	{"probes", &number_integer, .fallback = "1024", .min = "1", .max = "65535", FIELD(config_server, probes),
	 .help = "The maximum number of concurrent health probes."},
	{"log-level", &text_enum, .fallback = "info", .words = log_levels, FIELD(config_server, log_level),
	 .help = "Log messages of this severity and above."},
	{"rollback", &text_bool, .fallback = "on", FIELD(config_server, rollback),
	 .help = "Keeps in memory what was served before the last reload, for `edgesteerctl rollback`: its config, zones and tables, "
	         "which take about as much as those in use, and during a reload there are three of them instead of two. A reload that has "
	         "read the same as the one before, but for `server`, changes nothing of what is kept."},
	{"require-reason", &text_bool, .fallback = "off", FIELD(config_server, require_reason),
	 .help = "Refuses drains, forces, adoptions and rollbacks that say no reason (`edgesteerctl drain --reason`)."},
	{"ttl-lead", &number_duration_s, .fallback = "0s", .min = "0s", .max = "7d", FIELD(config_server, ttl_lead_s),
	 .help = "So long before a drain that starts later (`edgesteerctl drain --at`), and during a drain over a time, the "
	         "answers that it will take away have a TTL of at most 5 seconds, so that caches have dropped them soon after. "
	         "`0s`: two of the app's TTLs, in which every cache has asked again."},
	{"watch", &text_enum, .fallback = "feeds", .words = watch_words, FIELD(config_server, watch),
	 .help = "Which files are watched: a change of one that has been left alone for a second (or goes on for ten) starts a "
	         "reload, as `edgesteerctl reload` does, with the same checks, of everything that has changed, watched or not. "
	         "What is refused is reported once, and the generation in use stays. `feeds`: the files of `locate` sources, "
	         "`latency`, `metros`, `aws-ranges` and the `ca-file` of checks. `on`: the config with what it includes, its `catalogue` and "
	         "the zones' files too. `off`: none. Zones and sources may say otherwise. Changes are noticed in files that are "
	         "replaced, also by a symbolic link anywhere on the way to them (a ConfigMap), and in files written in place; "
	         "where inotify(7) cannot tell, as with most network file systems, within 30 seconds."},
	{"ecs-ignore", &list_prefixes, .otherwise = "none", .min = "0", .max = "1024",
	 LIST(config_server, ecs_ignore, ecs_ignore_count),
	 .help = "Client subnets (RFC 7871) in these prefixes are ignored: the sender of the query counts as the client. "
	         "For resolvers that send private addresses."},
};

const struct schema options_server = {
	.path = "server",
	.intro = "The daemon itself. A change takes effect at a reload, unless the option says otherwise.",
	ROWS(server_rows),
	.finish = rules_server,
};
