// Every option's good and bad values. A row of options.c without a case here fails.
#include "config/options.h"
#include "config/reference.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/attr.h"
#include "config/config.h"
#include "config/manual.h"
#include "report_text.h"
#include "schema/number.h"

#define DOMAIN "domains: {e.x: {ns: n.x}}\n"
#define SITES DOMAIN "sites: {us-east-1: {}, us-west-2: {}}\n"
#define AT_P DOMAIN "apps: {a.e.x: {targets: {p: {addresses: 1.1.1.1}}}}\n"
#define BOTH "targets: {us-east-1: {addresses: 1.1.1.1}, us-west-2: {addresses: 1.1.1.2}}}}\n"
#define CHECK(key, type) "checks: {c: {type: " type ", " key ": %s}}\n" SITES \
	"apps: {a.e.x: {check: c, " BOTH
#define ONE_TARGET(key, more) "checks: {c: {type: http}}\n" SITES \
	"apps: {a.e.x: {check: c, targets: {us-west-2: {addresses: 1.1.1.2}, us-east-1: {" more key ": %s}}}}\n"

struct option_case {
	const char *option; // as the schema names it
	const char *yaml;   // with one %s for the value
	const char *good[6], *bad[16];
};

static const struct option_case cases[] = {
	{"server.listen", "server: {listen: %s}\n" DOMAIN, {"192.0.2.1", "[\"::1@5300\", 127.0.0.1@53]"},
	 {"[]", "53", "192.0.2.1@0", "192.0.2.1@65536", "192.0.2.1:53", "[[x]]", "{}", "null", "[1.1.1.1, 1.1.1.1@53]"}},
	{"server.workers", "server: {workers: %s}\n" DOMAIN, {"0", "256"}, {"257", "-1", "two", "1.5", "[1]", "~"}},
	{"server.control", "server: {control: %s}\n" DOMAIN, {"/run/x", "x.sock"},
	 {"''", "[]", "\"a\\tb\"", "/123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/"
	                            "123456789/123456789/1234567"}},
	{"server.http[].listen", "server: {http: [{listen: %s}]}\n" DOMAIN, {"127.0.0.1@9153", "\"::1@1\""},
	 {"127.0.0.1", "''", "localhost@80", "127.0.0.1@0", "127.0.0.1@65536", "[\"::1@1\"]"}},
	{"server.http[].tls.cert", "server: {http: [{listen: 127.0.0.1@1, tls: {key: k, cert: %s}}]}\n" DOMAIN, {"c.pem", "/c"},
	 {"''", "[]", "~"}},
	{"server.http[].tls.key", "server: {http: [{listen: 127.0.0.1@1, tls: {cert: c, key: %s}}]}\n" DOMAIN, {"k.pem", "/k"},
	 {"''", "[]", "~"}},
	{"server.http[].tls.client-ca", "server: {http: [{listen: 127.0.0.1@1, tls: {cert: c, key: k, client-ca: %s}}]}\n" DOMAIN,
	 {"ca.pem"}, {"''", "[]", "~"}},
	{"server.http[].tokens", "server: {http: [{listen: 127.0.0.1@1, tokens: %s}]}\n" DOMAIN, {"tokens"}, {"''", "{}", "~"}},
	{"server.state-dir", "server: {state-dir: %s}\n" DOMAIN, {"/var/x"}, {"''", "{}"}},
	{"server.user", "server: {user: %s}\n" DOMAIN, {"edgesteer"}, {"''", "a b", "-a", "a/b"}},
	{"server.plugin-dir", "server: {plugin-dir: %s}\n" DOMAIN, {"/usr/lib/x", "."}, {"''", "[a]"}},
	{"server.nsid", "server: {nsid: %s}\n" DOMAIN, {"ns1", "\"two words\"", "1234"}, {"''", "\"a\\nb\"", "[]"}},
	{"server.udp-size", "server: {udp-size: %s}\n" DOMAIN, {"512", "4096"}, {"511", "4097", "1k"}},
	{"server.tcp-clients", "server: {tcp-clients: %s}\n" DOMAIN, {"1", "65535"}, {"0", "65536"}},
	{"server.rollback", "server: {rollback: %s}\n" DOMAIN, {"on", "off"}, {"sometimes", "1"}},
	{"server.require-reason", "server: {require-reason: %s}\n" DOMAIN, {"on", "off"}, {"sometimes", "1"}},
	{"server.ttl-lead", "server: {ttl-lead: %s}\n" DOMAIN, {"0s", "90s", "7d"}, {"-1s", "8d", "10 s"}},
	{"server.tcp-idle", "server: {tcp-idle: %s}\n" DOMAIN, {"1s", "1h"}, {"999ms", "1h1ms", "10", "10 s", "0"}},
	{"server.probes", "server: {probes: %s}\n" DOMAIN, {"1"}, {"0", "65536"}},
	{"server.log-level", "server: {log-level: %s}\n" DOMAIN, {"error", "debug"}, {"loud", "Debug", "7", "[info]"}},
	{"server.watch", "server: {watch: %s}\n" DOMAIN, {"off", "feeds", "on"}, {"true", "yes", "[]", "~"}},
	{"server.ecs-ignore", "server: {ecs-ignore: %s}\n" DOMAIN, {"[]", "10.0.0.0/8", "[\"fc00::/7\", 192.0.2.1]"},
	 {"10.0.0.0/33", "10.1.0.0/8", "x", "[10.0.0.0/8, 10.0.0.0/8]"}},
	{"steering.access.wavelength", "steering: {access: {wavelength: %s}}\n" DOMAIN, {"0", "1.5ms"},
	 {"-1ms", "11s", "5"}},
	{"steering.access.outpost", "steering: {access: {outpost: %s}}\n" DOMAIN, {"1ms"}, {"-1ms", "x"}},
	{"steering.access.local-zone", "steering: {access: {local-zone: %s}}\n" DOMAIN, {"1ms"}, {"-1ms", "x"}},
	{"steering.access.az", "steering: {access: {az: %s}}\n" DOMAIN, {"1ms"}, {"-1ms", "x"}},
	{"steering.access.region", "steering: {access: {region: %s}}\n" DOMAIN, {"1ms"}, {"-1ms", "x"}},
	{"steering.per-km", "steering: {per-km: %s}\n" DOMAIN, {"0", "0.02ms", "20us"}, {"-1us", "2s", "0.02"}},
	{"steering.max-accuracy", "steering: {max-accuracy: %s}\n" DOMAIN, {"0", "50m"}, {"-1km", "20039km", "200"}},
	{"steering.tie", "steering: {tie: %s}\n" DOMAIN, {"0", "10s"}, {"-1us", "11s"}},
	{"steering.own-tables", "steering: {own-tables: %s}\n" DOMAIN, {"0", "65535"}, {"-1", "65536", "x"}},
	{"steering.unknown-metro", "steering: {unknown-metro: %s}\n" DOMAIN, {"region", "carrier", "sole", "expected"},
	 {"carriers", "[]"}},
	{"steering.hash-prefix.ipv4", "steering: {hash-prefix: {ipv4: %s}}\n" DOMAIN, {"1", "32"}, {"0", "33", "/24"}},
	{"steering.hash-prefix.ipv6", "steering: {hash-prefix: {ipv6: %s}}\n" DOMAIN, {"1", "128"}, {"0", "129"}},
	{"include", "include: %s\n" DOMAIN, {"/nonexistent-*.yaml", "[]"}, {"{}", "[[]]", "'*/a.yaml'"}},
	{"aws-ranges", "aws-ranges: %s\n" DOMAIN, {NULL}, {"''", "[]", "/nonexistent/x.json"}},
	{"resolver.servers", "resolver: {servers: %s}\n" DOMAIN, {"10.0.0.2", "[10.0.0.2, \"127.0.0.1@5353\", \"::1@53\"]"},
	 {"[]", "resolver.example", "10.0.0.2@0", "[10.0.0.2, 10.0.0.2@53]", "10.0.0.2:53"}},
	{"resolver.timeout", "resolver: {timeout: %s}\n" DOMAIN, {"100ms", "1m"}, {"99ms", "61s", "2"}},
	{"resolver.attempts", "resolver: {attempts: %s}\n" DOMAIN, {"1", "10"}, {"0", "11", "x"}},
	{"alias-max-age", "alias-max-age: %s\n" DOMAIN, {"1m", "30d"}, {"59s", "31d", "1"}},
	{"alias-expired", "alias-expired: %s\n" DOMAIN, {"serve", "down"}, {"drop", "[]", "on"}},
	{"latency", "latency: %s\n" DOMAIN, {"l.csv"}, {"''", "[]", "~"}},
	{"metros", "metros: %s\n" DOMAIN, {"m.csv"}, {"''", "[]", "~"}},
	{"catalogue", "catalogue: %s\n" DOMAIN, {NULL}, {"''", "[]", "/nonexistent/x.yaml"}},
	{"domains.NAME.file", "domains: {e.x: {file: %s}}\n", {"e.zone"}, {"''", "{}"}},
	{"domains.NAME.watch", "domains: {e.x: {file: e.zone, watch: %s}}\n", {"on", "off"}, {"feeds", "[]"}},
	{"domains.NAME.ns", "domains: {e.x: {ns: %s}}\n", {"n.x", "[n.x, m.x]", "{n.x: }", "[{n.x: }, {m.e.x: [192.0.2.1, \"2001:db8::1\"], m.x: }]", "{m.e.x: 192.0.2.1}"},
	 {"[]", "[n.x, N.X.]", "n..x", "'n x'", "192.0.2.1:53", ".", "{}", "[[n.x]]", "{m.e.x: x}", "{m.e.x: []}", "[n.x, {n.x: }]", "{'n x': }"}},
	{"domains.NAME.serial", "domains: {e.x: {ns: n.x, serial: %s}}\n", {"1", "4294967295", "2026010100"},
	 {"0", "4294967296", "x", "-1"}},
	{"domains.NAME.hostmaster", "domains: {e.x: {ns: n.x, hostmaster: %s}}\n", {"h.e.x", "a.b@e.x", "'a\\.b.e.x'"},
	 {"h", "a@", "'@x'", "''", "[]"}},
	{"domains.NAME.ttl", "domains: {e.x: {ns: n.x, ttl: %s}}\n", {"1s", "7d"}, {"0", "1500ms", "8d"}},
	{"domains.NAME.negative-ttl", "domains: {e.x: {ns: n.x, negative-ttl: %s}}\n", {"0", "1d"}, {"25h", "x"}},
	{"locate[].plugin", "locate: [{plugin: %s}]\n" DOMAIN, {"ranges", "my_plugin-2"}, {"../x", "''", "a/b", ".so"}},
	{"locate[].watch", "locate: [{plugin: x, watch: %s}]\n" DOMAIN, {"on", "off", "yes"}, {"feeds", "[]", "~"}},
	{"locate[].shrink-limit", "locate: [{plugin: x, shrink-limit: %s}]\n" DOMAIN, {"0%", "100%"}, {"101%", "50", "1.5%", "[]"}},
	{"discovery[].plugin", "discovery: [{carriers: [x], plugin: %s}]\n" DOMAIN, {"exec", "my_plugin-2"}, {"../x", "''", "[]", "~"}},
	{"discovery[].carriers", "discovery: [{plugin: x, carriers: %s}]\n" DOMAIN, {"verizon", "[a, b]"},
	 {"[]", "~", "{}", "[\"\\n\"]", "''", "['']", "'a b'", "[a, A]", "public",
	  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"}},
	{"discovery[].rate", "discovery: [{plugin: x, carriers: [c], rate: %s}]\n" DOMAIN, {"1", "10000"}, {"0", "10001", "-1"}},
	{"discovery[].concurrency", "discovery: [{plugin: x, carriers: [c], concurrency: %s}]\n" DOMAIN, {"1", "512"}, {"0", "513"}},
	{"discovery[].register", "discovery: [{plugin: x, carriers: [c], register: %s}]\n" DOMAIN, {"[]", "a.example.com", "[a, b]"}, {"{}", "[\"\\n\"]"}},
	{"discovery[].timeout", "discovery: [{plugin: x, carriers: [c], timeout: %s}]\n" DOMAIN, {"100ms", "60s"}, {"99ms", "61s", "5"}},
	{"learned.prefix.ipv4", "learned: {prefix: {ipv4: %s}}\n" DOMAIN, {"8", "32"}, {"7", "33"}},
	{"learned.prefix.ipv6", "learned: {prefix: {ipv6: %s}}\n" DOMAIN, {"16", "64"}, {"15", "65"}},
	{"learned.max", "learned: {max: %s}\n" DOMAIN, {"1", "400000"}, {"0", "400001"}},
	{"learned.agree", "learned: {agree: %s}\n" DOMAIN, {"1", "8"}, {"0", "9"}},
	{"learned.agree-for", "learned: {agree-for: %s}\n" DOMAIN, {"1s", "7d"}, {"0", "8d", "1500ms"}},
	{"learned.moves", "learned: {moves: %s}\n" DOMAIN, {"1", "1000000"}, {"0", "1000001"}},
	{"learned.tries", "learned: {tries: %s}\n" DOMAIN, {"1", "16"}, {"0", "17"}},
	{"learned.max-stale", "learned: {max-stale: %s}\n" DOMAIN, {"0s", "365d"}, {"366d", "-1s"}},
	{"observe.samples", "observe: {samples: %s}\n" DOMAIN, {"1", "7"}, {"0", "8", "~"}},
	{"observe.hosts", "observe: {hosts: %s}\n" DOMAIN, {"1", "5"}, {"0", "6"}},
	{"observe.margin", "observe: {margin: %s}\n" DOMAIN, {"0%", "90%"}, {"91%", "10", "-1%", "1.5%"}},
	{"observe.window", "observe: {window: %s}\n" DOMAIN, {"1m", "30d"}, {"59s", "31d"}},
	{"observe.max", "observe: {max: %s}\n" DOMAIN, {"16", "1000000"}, {"15", "1000001"}},
	{"observe.explore", "observe: {explore: %s}\n" DOMAIN, {"0%", "0.5%", "0.0001%", "10%"}, {"10.1%", "11%", "0.5", "-1%", "1.%", "'%'"}},
	{"observe.file", "observe: {file: %s}\n" DOMAIN, {"/var/log/rtt", "rtt.log"}, {"''", "[]", "~"}},
	{"observe.socket", "observe: {socket: %s}\n" DOMAIN, {"/run/x", "x.sock"},
	 {"''", "[]", "/123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/123456789/1234567"}},
	{"observe.socket-mode", "observe: {socket: s, socket-mode: %s}\n" DOMAIN, {"0660", "666", "0777"}, {"0999", "66", "06600", "rw", "1777"}},
	{"observe.socket-group", "observe: {socket: s, socket-group: %s}\n" DOMAIN, {"www-data"}, {"''", "a b", "-a"}},
	{"learned.notes-from", "learned: {notes-from: %s}\n" DOMAIN, {"[]", "10.0.0.0/8"}, {"x", "10.1.0.0/8", "[10.0.0.0/8, 10.0.0.0/8]"}},
	{"providers[].plugin", "providers: [{plugin: %s}]\n" DOMAIN, {"file", "my_plugin-2"}, {"../x", "''", "[]", "~"}},
	{"providers[].grace", "providers: [{plugin: x, grace: %s}]\n" DOMAIN, {"0", "60s", "7d"}, {"8d", "1500ms", "-1s"}},
	{"providers[].health", "providers: [{plugin: x, health: %s}]\n" DOMAIN, {"probe", "endpoints", "both"},
	 {"none", "[]", "[probe]"}},
	{"defaults.ttl", "providers: [{plugin: x}]\ndefaults: {ttl: %s}\n" DOMAIN, {"0", "7d"}, {"8d", "x"}},
	{"defaults.check", "providers: [{plugin: x}]\nchecks: {c: {type: http}}\ndefaults: {check: %s}\n"
	                   "sites: {us-east-1: {}}\napps: {a.e.x: {check: c, targets: {us-east-1: {addresses: 1.1.1.1}}}}\n" DOMAIN,
	 {"c", "none"}, {"d", "[c]"}},
	{"defaults.unknown-metro", "providers: [{plugin: x}]\ndefaults: {unknown-metro: %s}\n" DOMAIN,
	 {"region", "carrier", "sole", "expected"}, {"nearest", "[]"}},
	{"defaults.quorum", "providers: [{plugin: x}]\ndefaults: {quorum: %s}\n" DOMAIN, {"1", "64"}, {"0", "65", "x"}},
	{"defaults.panic", "providers: [{plugin: x}]\ndefaults: {panic: %s}\n" DOMAIN, {"0%", "100%"}, {"101%", "x"}},
	{"defaults.adopt", "providers: [{plugin: x}]\ndefaults: {adopt: %s}\n" DOMAIN, {"0%", "0.5%", "100%"}, {"101%", "-1%", "x"}},
	{"defaults.slow-start", "providers: [{plugin: x}]\ndefaults: {slow-start: %s}\n" DOMAIN, {"0s", "1h"}, {"61m", "x"}},
	{"health.brake-max", "health: {brake-max: %s}\n" DOMAIN, {"0s", "1h"}, {"61m", "x"}},
	{"health.damping.half-life", "health: {damping: {half-life: %s}}\n" DOMAIN, {"0s", "1h"}, {"61m", "x"}},
	{"health.damping.suppress", "health: {damping: {suppress: %s}}\n" DOMAIN, {"1501", "100000"}, {"999", "1500", "100001"}},
	{"health.damping.reuse", "health: {damping: {reuse: %s}}\n" DOMAIN, {"1", "3999"}, {"0", "4000", "x"}},
	{"health.damping.longest", "health: {damping: {longest: %s}}\n" DOMAIN, {"1s", "1d"}, {"999ms", "25h"}},
	{"defaults.last-resort", "providers: [{plugin: x}]\ndefaults: {last-resort: %s}\n" DOMAIN,
	 {"servfail", "[1.1.1.1, \"::2\"]"}, {"nxdomain", "[]"}},
	{"guard", "guard: %s\n" DOMAIN, {"1%", "100%"}, {"0%", "101%"}},
	{"max-drained", "max-drained: %s\n" DOMAIN, {"1%", "100%"}, {"0%", "101%"}},
	{"latency-shrink-limit", "latency-shrink-limit: %s\n" DOMAIN, {"0%", "33%"}, {"-1%", "50 %"}},
	{"sites.NAME.kind", "sites: {p: {kind: %s, reach: c}}\n" AT_P,
	 {"wavelength", "local-zone", "outpost", "az", "region"}, {"zone", "Region", "[]"}},
	{"sites.NAME.location", "sites: {p: {kind: az, location: %s}}\n" AT_P,
	 {"[90, -180]", "[40.7, -74.006]"}, {"[91, 0]", "[0, 181]", "[1]", "[1, 2, 3]", "[a, b]", "1", "[1, ~]"}},
	{"sites.NAME.country", "sites: {p: {kind: az, country: %s}}\n" AT_P, {"US", "NO", "de"}, {"USA", "1", "[]", "''"}},
	{"sites.NAME.region", "sites: {p: {kind: az, region: %s}}\n" AT_P,
	 {"us-east-1", "p"}, {"''", "a b", "[]"}},
	{"sites.NAME.reach", "sites: {p: {kind: az, reach: %s}}\n" AT_P,
	 {"public", "verizon", "[verizon, kddi]"}, {"[]", "[public]", "[a, a]", "'a b'", "{}"}},
	{"sites.NAME.block", "sites: {p: {kind: az, block: %s}}\n" AT_P, {"10.0.0.0/8", "[192.0.2.1, \"2001:db8::/32\"]"},
	 {"[]", "10.1.0.0/8", "x", "[10.0.0.0/8, 10.0.0.0/8]"}},
	{"sites.NAME.block-check", "sites: {p: {kind: az, block: 10.0.0.0/8, block-check: %s}}\n" AT_P, {"off", "warn", "enforce"},
	 {"on", "[]", "2"}},
	{"sites.NAME.ceiling", "sites: {p: {kind: az, ceiling: %s}}\n" AT_P, {"1", "1000000000"}, {"0", "1000000001", "1.5"}},
	{"sites.NAME.load-ceiling", "sites: {p: {kind: az, load-ceiling: %s}}\n" AT_P, {"1", "1000000000"}, {"0", "1000000001", "1.5"}},
	{"sites.NAME.bias", "sites: {p: {kind: az, bias: %s}}\n" AT_P,
	 {"-10s", "0.5ms"}, {"5", "11s", "-11s"}},
	{"apps.NAME.ttl", SITES "apps: {a.e.x: {ttl: %s, " BOTH,
	 {"0", "7d"}, {"8d", "1500ms", "-1s"}},
	{"apps.NAME.check", SITES "checks: {c: {type: http}}\n"
	                          "apps: {b.e.x: {targets: {us-west-2: {addresses: 1.1.1.1, check: c}}},\n"
	                          "       a.e.x: {check: %s, targets: {us-east-1: {addresses: 1.1.1.1}}}}\n",
	 {"c", "none"}, {"d", "''", "[c]"}},
	{"apps.NAME.tie", SITES "apps: {a.e.x: {tie: %s, targets: {us-east-1: {addresses: 1.1.1.1, weight: 1}, us-west-2: "
	                        "{addresses: 1.1.1.2}}}}\n",
	 {"0", "10s"}, {"11s", "x"}},
	{"apps.NAME.unknown-metro", SITES "apps: {a.e.x: {unknown-metro: %s, " BOTH,
	 {"region", "carrier", "sole", "expected"}, {"nearest", "[]"}},
	{"apps.NAME.quorum", SITES "apps: {a.e.x: {quorum: %s, " BOTH, {"1", "64"}, {"0", "65", "x"}},
	{"apps.NAME.panic", SITES "apps: {a.e.x: {panic: %s, " BOTH, {"0%", "100%"}, {"101%", "x"}},
	{"apps.NAME.adopt", SITES "apps: {a.e.x: {adopt: %s, " BOTH, {"0%", "0.5%", "100%"}, {"101%", "-1%", "x"}},
	{"apps.NAME.slow-start", SITES "apps: {a.e.x: {slow-start: %s, " BOTH, {"0s", "1h"}, {"61m", "x"}},
	{"apps.NAME.last-resort", SITES "apps: {a.e.x: {last-resort: %s, " BOTH,
	 {"servfail", "[1.1.1.1, \"::2\"]"}, {"nxdomain", "[]", "[servfail]", "{}"}},
	{"checks.NAME.type", "checks: {c: {type: %s, port: 1}}\n" SITES "apps: {a.e.x: {check: c, " BOTH,
	 {"http", "https", "tcp", "grpc"}, {"udp", "[http]", "~", "HTTP"}},
	{"checks.NAME.port", CHECK("port", "tcp"), {"1", "65535"}, {"0", "65536", "http"}},
	{"checks.NAME.path", CHECK("path", "http"), {"/", "/a?b=c"}, {"x", "'/a b'", "\"/a\\r\\nX: y\"", "/a#b", "''"}},
	{"checks.NAME.host", CHECK("host", "http"), {"h.x", "h.x:8080", "'[2001:db8::1]:80'", "192.0.2.1"},
	 {"'a b'", "\"a\\r\\nX: y\"", "'h:'", "'h:999999'", "'[::1'", "''", "'[::1]x'", "'h:65536'", "'h:0'", "'[]'", "'[:::]'", "'[192.0.2.1]'"}},
	{"checks.NAME.method", CHECK("method", "http"), {"GET", "HEAD", "OPTIONS", "POST", "PUT"}, {"get", "DELETE", "''", "[]", "CONNECT"}},
	{"checks.NAME.headers", CHECK("headers", "http"), {"{X-A: b}", "{X-A: 1, x-b: '  '}", "{User-Agent: me}"},
	 {"{}", "[]", "x", "{'X A': b}", "{X-A: \"a\\r\\nX: y\"}", "{\"X\\r\\nY\": b}", "{X-A: ''}", "{'X:': b}", "{connection: x}",
	  "{Content-Length: 5}", "{X-A: 1, x-a: 2}", "{Host: 'a b'}", "{X-A: [1]}"}},
	{"checks.NAME.http2", CHECK("http2", "https"), {"on", "off"}, {"maybe", "2"}},
	{"checks.NAME.redirects", CHECK("redirects", "http"), {"0", "10"}, {"11", "-1", "on"}},
	{"checks.NAME.client-cert", CHECK("client-key: k, client-cert", "https"), {"c.pem"}, {"''", "[]"}},
	{"checks.NAME.client-key", CHECK("client-cert: c, client-key", "https"), {"k.pem"}, {"''", "[]"}},
	{"checks.NAME.tls-session-resumption", CHECK("tls-session-resumption", "https"), {"on", "off"}, {"maybe", "1"}},
	{"checks.NAME.body", CHECK("body", "http"), {"ok", "'^a.*b$'", "'(?i)ready|\\d+'"},
	 {"''", "'('", "'a[b'", "'(a)\\1'", "'(?<n>a)\\k<n>'", "\"a\\nb\"", "[]", "'(*UTF)x'", "'\\C'"}},
	{"checks.NAME.service", CHECK("port: 1, service", "grpc"), {"a.B", "\"a b\""}, {"''", "[]", "\"a\\nb\""}},
	{"checks.NAME.tls", CHECK("port: 1, tls", "grpc"), {"on", "off"}, {"maybe", "1"}},
	{"checks.NAME.command", CHECK("command", "exec"), {"/bin/true", "[/bin/x, -v, -v, '']"}, {"[]", "true", "[bin/x]", "{}", "[\"/a\\nb\"]", "[[/x]]"}},
	{"checks.NAME.query-name", CHECK("query-name", "dns"), {"a.b", "_x.b"}, {"''", "'a b'", "[]"}},
	{"checks.NAME.query-type", CHECK("query-type", "dns"), {"A", "TXT", "SOA"}, {"a", "ANY", "1", "[]"}},
	{"checks.NAME.expect-rcode", CHECK("expect-rcode", "dns"), {"NOERROR", "REFUSED"}, {"ok", "0", "[]"}},
	{"checks.NAME.expect", CHECK("query-type: TXT, expect", "dns"), {"a", "\"a b\""}, {"''", "\"a\\nb\"", "[]"}},
	{"checks.NAME.sni", CHECK("sni", "https"), {"h.x"}, {"'a b'", "''", "'h:80'"}},
	{"checks.NAME.verify", CHECK("verify", "https"), {"on", "off", "true", "no"}, {"maybe", "0", "[]"}},
	{"checks.NAME.ca-file", CHECK("ca-file", "https"), {"ca.pem"}, {"''", "[]"}},
	{"checks.NAME.expect-status", CHECK("expect-status", "http"), {"200", "[200, 300-399]"},
	 {"[]", "99", "600", "299-200", "2xx", "200-", "200-2999", "[200, 200]"}},
	{"checks.NAME.expect-body", CHECK("expect-body", "http"), {"ok", "\"all is well\""}, {"''", "\"a\\nb\"", "[]"}},
	{"checks.NAME.interval", CHECK("interval", "http"), {"100ms", "1h"}, {"99ms", "61m", "1"}},
	{"checks.NAME.timeout", CHECK("timeout", "http"), {"10ms", "10s"}, {"9ms", "61s", "11s"}},
	{"checks.NAME.rise", CHECK("rise", "http"), {"1", "100"}, {"0", "101"}},
	{"checks.NAME.fall", CHECK("fall", "http"), {"1", "100"}, {"0", "101"}},
	{"apps.NAME.targets.SITE.addresses", ONE_TARGET("addresses", ""), {"192.0.2.1", "[192.0.2.1, \"2001:db8::1\"]"},
	 {"[]", "192.0.2", "0.0.0.0", "\"::\"", "224.0.0.1", "255.255.255.255", "\"ff02::1\"", "\"::ffff:1.2.3.4\"",
	  "[\"::1\", \"0::1\"]"}},
	{"apps.NAME.targets.SITE.cname", ONE_TARGET("cname", "check: none, "), {"lb.example"},
	 {"''", "a..b", "a.e.x", "A.e.X.", "'*.x'"}},
	{"apps.NAME.targets.SITE.alias", ONE_TARGET("alias", ""), {"lb.example.net", "LB.Example.net."},
	 {"lb", "'a b.c'", "e.x", "x.e.x", "[]", "''"}},
	{"apps.NAME.targets.SITE.check-address", ONE_TARGET("check-address", "addresses: 1.1.1.1, "),
	 {"10.0.0.1", "'::1'", "[10.0.0.1, '::1']", "lb.example.net"},
	 {"10.0.0.0/8", "x", "[]", "[10.0.0.1, 10.0.0.1]", "0.0.0.0", "['::1', '0::1']", "[lb.example.net, 10.0.0.1]", "x.e.x"}},
	{"apps.NAME.targets.SITE.check", ONE_TARGET("check", "addresses: 1.1.1.1, "), {"c", "none"}, {"d", "off"}},
	{"apps.NAME.targets.SITE.ceiling", ONE_TARGET("ceiling", "addresses: 1.1.1.1, "), {"1", "1000000000"}, {"0", "x"}},
	{"apps.NAME.targets.SITE.load-ceiling", ONE_TARGET("load-ceiling", "addresses: 1.1.1.1, "), {"1", "1000000000"}, {"0", "x"}},
	{"apps.NAME.targets.SITE.weight", ONE_TARGET("weight", "addresses: 1.1.1.1, "), {"0", "65535"},
	 {"65536", "-1", "1.5"}},
};

// Fills the %s. The caller frees it.
static char *with_value(const char *yaml, const char *value)
{
	const char *hole = strstr(yaml, "%s");
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_non_null(hole);
	fprintf(out, "%.*s%s%s", (int)(hole - yaml), yaml, value, hole + 2);
	fclose(out);
	return text;
}

static void every_option(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		const char *key = strrchr(cases[i].option, '.') ? strrchr(cases[i].option, '.') + 1 : cases[i].option;

		for (size_t j = 0; j < ARRAY_LEN(cases[i].good) && cases[i].good[j]; j++) {
			char *text = with_value(cases[i].yaml, cases[i].good[j]), *reported;
			struct config *config = report_text_config(text, strlen(text), &reported);

			if (!config || strstr(reported, key))
				fail_msg("%s: %s is refused: %s", cases[i].option, cases[i].good[j], reported);
			config_free(config);
			free(reported);
			free(text);
		}
		for (size_t j = 0; j < ARRAY_LEN(cases[i].bad) && cases[i].bad[j]; j++) {
			char *text = with_value(cases[i].yaml, cases[i].bad[j]), *reported;
			struct config *config = report_text_config(text, strlen(text), &reported);

			// One error, which names the option (or the file that an option names) and what was expected.
			if (config || (!strstr(reported, key) && !strstr(reported, "/nonexistent/x.yaml")) ||
			    strchr(reported, '\n')[1])
				fail_msg("%s: %s: %s", cases[i].option, cases[i].bad[j], reported);
			if (!strstr(reported, "expected") && !strstr(reported, "cannot be read") && !strstr(reported, "not text"))
				fail_msg("%s: what was expected is not said: %s", cases[i].option, reported);
			free(reported);
			free(text);
		}
	}
}

// ---- values printed: the inverse of reading

// YAML takes any other value in quotes.
static bool is_list(const struct option *option)
{
	return strcmp(option->type->limits, "entries") == 0 || option->type == &number_location;
}

struct printing {
	const char *wanted;  // of this option, by its name in the schema,
	size_t number;       // the value of this entry, counted from 0,
	bool yaml;           // as YAML,
	FILE *out;           // or, with no option wanted, a line each of all options
	size_t seen;
};

static void print_all(struct printing *printing, const struct schema *schema, const void *target);

static void print_entries(struct printing *printing, const struct option *option, const void *field)
{
	size_t count;
	const char *entries = schema_load_list(option, field, &count);

	for (size_t i = 0; i < count; i++)
		print_all(printing, option->schema, entries + i * option->schema->size);
}

static void print_value(struct printing *printing, const char *name, const struct option *option, const void *field)
{
	const char *quote = printing->yaml && !is_list(option) ? "'" : "";

	if (printing->wanted && (strcmp(printing->wanted, name) != 0 || printing->seen++ != printing->number))
		return;
	fprintf(printing->out, "%s%s", printing->wanted ? "" : name, printing->wanted ? quote : " ");
	if (option->type->format)
		option->type->format(option, field, printing->out);
	fprintf(printing->out, "%s", printing->wanted ? quote : "\n");
}

static void print_all(struct printing *printing, const struct schema *schema, const void *target)
{
	for (size_t i = 0; i < schema->option_count; i++) {
		const struct option *option = &schema->options[i];
		const void *field = (const char *)target + option->offset;
		char name[128];

		snprintf(name, sizeof(name), "%s%s%s", schema->path, *schema->path ? "." : "", option->key);
		if (!option->schema)
			print_value(printing, name, option, field);
		else if (option->type == &schema_mapping)
			print_all(printing, option->schema, field);
		else
			print_entries(printing, option, field);
	}
}

// The caller frees it. NULL: the config is refused, or it has no such entry.
static char *print_config(const char *yaml, const char *wanted, size_t number)
{
	char *reported, *text = NULL;
	struct config *config = report_text_config(yaml, strlen(yaml), &reported);
	struct printing printing = {.wanted = wanted, .number = number, .yaml = wanted != NULL};
	size_t len;

	free(reported);
	if (!config)
		return NULL;
	printing.out = open_memstream(&text, &len);
	print_all(&printing, &options_root, config);
	fclose(printing.out);
	config_free(config);
	if (wanted && printing.seen <= number) {
		free(text);
		return NULL;
	}
	return text;
}

// Whether what is printed of some entry's value gives, when it is read in the place of `value`, the same config.
static bool comes_back(const struct option_case *option_case, const char *value)
{
	char *yaml = with_value(option_case->yaml, value), *before = print_config(yaml, NULL, 0), *printed;
	bool same = false;

	assert_non_null(before);
	for (size_t i = 0; !same && (printed = print_config(yaml, option_case->option, i)); i++) {
		char *again = with_value(option_case->yaml, printed), *after = print_config(again, NULL, 0);

		same = after && strcmp(before, after) == 0;
		free(after);
		free(again);
		free(printed);
	}
	free(before);
	free(yaml);
	return same;
}

static bool is_reference(const char *option)
{
	return strcmp(option, "apps.NAME.check") == 0 || strcmp(option, "defaults.check") == 0 || strcmp(option, "apps.NAME.targets.SITE.check") == 0;
}

static void every_value_comes_back(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		for (size_t j = 0; j < ARRAY_LEN(cases[i].good) && cases[i].good[j]; j++)
			if (!is_reference(cases[i].option) && !comes_back(&cases[i], cases[i].good[j]))
				fail_msg("%s: %s does not come back", cases[i].option, cases[i].good[j]);
}

static void compare_default(void *ctx, const struct schema *schema, const struct option *option, const void *field)
{
	char *text = NULL;
	size_t len;

	++*(size_t *)ctx;
	if (option->type == &reference_check) { // has no format()
		assert_string_equal(option->fallback, "none");
		assert_int_equal(*(const int *)field, CONFIG_CHECK_NONE);
		return;
	}

	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	assert_non_null(option->type->format);
	option->type->format(option, field, out);
	fclose(out);
	if (option->fallback && strcmp(text, option->fallback) != 0)
		fail_msg("%s.%s: %s is printed as %s", schema->path, option->key, option->fallback, text);
	free(text);
}

// A default is printed as its row has it.
static void every_default(void **state)
{
	char *reported;
	struct config *config = report_text_config(DOMAIN, strlen(DOMAIN), &reported);
	size_t count = 0;

	(void)state;
	schema_each(&options_root, config, compare_default, &count);
	assert_true(count >= 25);
	config_free(config);
	free(reported);
}

// ---- restarts

static size_t count_restarts(const struct schema *schema, bool may)
{
	size_t count = 0;

	for (size_t i = 0; i < schema->option_count; i++) {
		const struct option *option = &schema->options[i];

		assert_true(!option->restart || (may && !option->schema && option->type->format));
		count += option->restart;
		if (option->schema)
			count += count_restarts(option->schema, may && option->type != &schema_map);
	}
	return count;
}

static size_t count_in(const char *text, const char *sentence)
{
	size_t count = 0;

	for (const char *at = text; (at = strstr(at, sentence)); at++)
		count++;
	return count;
}

// It is never inside a map, and the manual and the JSON schema have it for as many options.
static void restart_is_said(void **state)
{
	size_t count = count_restarts(&options_root, true), len;
	char *manual = NULL, *json;
	FILE *out = open_memstream(&manual, &len);
	json_t *schema = schema_describe(&options_root);

	(void)state;
	assert_true(count > 0);
	assert_non_null(out);
	manual_print(out);
	fclose(out);
	json = json_dumps(schema, 0);
	assert_non_null(json);
	assert_int_equal(count_in(manual, "\n" SCHEMA_RESTART "\n"), count);
	assert_int_equal(count_in(json, ". " SCHEMA_RESTART "\""), count);
	free(json);
	json_decref(schema);
	free(manual);
}

// ---- every row

static size_t count_cases(const char *option, size_t *bad)
{
	size_t found = 0;

	for (size_t i = 0; i < ARRAY_LEN(cases); i++)
		if (strcmp(cases[i].option, option) == 0) {
			found += cases[i].good[0] != NULL;
			*bad += cases[i].bad[0] != NULL;
		}
	return found;
}

static void look_for_cases(const struct schema *schema)
{
	for (size_t i = 0; i < schema->option_count; i++) {
		const struct option *option = &schema->options[i];
		char name[128];
		size_t bad = 0, found;

		if (option->schema) {
			look_for_cases(option->schema);
			continue;
		}
		snprintf(name, sizeof(name), "%s%s%s", schema->path, *schema->path ? "." : "", option->key);
		found = count_cases(name, &bad);
		if (bad == 0 || (found == 0 && strcmp(name, "catalogue") != 0 && strcmp(name, "aws-ranges") != 0)) // files: test_config.c, test_site_blocks.c
			fail_msg("%s has no test", name);
	}
}

// A new row without a test fails here.
static void every_option_has_a_case(void **state)
{
	(void)state;
	look_for_cases(&options_root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_option),
		cmocka_unit_test(every_option_has_a_case),
		cmocka_unit_test(every_value_comes_back),
		cmocka_unit_test(every_default),
		cmocka_unit_test(restart_is_said),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
