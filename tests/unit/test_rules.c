// The complete reports about invalid configurations: texts and lines.
#include "config/rules.h"

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
#include "report_text.h"

#define DOMAIN "domains: {e.x: {ns: n.x}}\n"
#define SITES DOMAIN "sites: {us-east-1: {}, us-west-2: {}}\n"

#define UNUSED_SITES \
	"sites:\n  us-east-1a: {}\n  us-east-1b: {}\n  us-east-1c: {}\n  us-east-1d: {}\n  us-east-1e: {}\n" \
	"  us-east-1f: {}\n  us-east-2a: {}\n  us-east-2b: {}\n  us-east-2c: {}\n  us-east-2d: {}\n  us-west-2: {}\n"

// The longest name with room for a label before it: 244 octets as a domain name, and "hostmaster" takes 11.
#define A58 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LONG A58 "." A58 "." A58 "." A58 ".aaaaaa"
#define A80 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
	const char *yaml, *reported;
} rows[] = {
	{"", " is empty, expected a configuration\n"},
	{"[]", " cannot be a list, expected a mapping\n"},
	{"text", " cannot be a text, expected a mapping\n"},
	{"server: {}\n", " domains is missing, expected a mapping of names\n"},
	{"domains:\n", "1:1: domains: has no zones, expected at least one\n"},
	{"server: 7\n" DOMAIN, "1:9: server: cannot be `7`, expected a mapping\n"},
	{DOMAIN "server:\n  wrokers: 2\n  xyzzy: 1\n",
	 "3:3: server.wrokers: unknown key, did you mean `workers`?\n"
	 "4:3: server.xyzzy: unknown key\n"},
	// All at once, in the order written, with what is wrong in the YAML itself.
	{DOMAIN "server: {workers: x}\nserver: {workers: 1}\nsteering: {tie: 5}\nlatency: &l a\n",
	 "3:1: server: duplicate key, expected once: it is on line 2 already\n"
	 "5:10: anchors and aliases are not supported, expected the value itself\n"
	 "2:19: server.workers: cannot be `x`, expected a whole number, 0 to 256\n"
	 "4:17: steering.tie: cannot be `5`, expected a latency such as `5ms` or `250us`, 0ms to 10s\n"},
	{"domains:\n  E.X: {ns: n.x}\n  e.x.: {file: z}\n",
	 "3:3: domains.e.x.: is given twice (case is ignored), expected once\n"},
	{"domains: {'*.x': {ns: n.x}}\n",
	 "1:11: domains.*.x: is not a domain name, expected labels of letters, digits, `-`, `_` and `/`; anything else as `\\DDD`\n"},
	{"domains: {e.x: {ns: n.x, watch: on}}\n",
	 "1:26: domains.e.x.watch: has no place without a `file`, expected one to watch\n"},
	// The HTTP door.
	{DOMAIN "server: {http: [{listen: '127.0.0.1@1', tokens: t}, {listen: '127.255.0.1@1', tokens: t},\n"
	        " {listen: '::1@1', tokens: t}, {listen: '0.0.0.0@1'},\n"
	        " {listen: '0.0.0.0@1', tokens: t, tls: {cert: c, key: k}}, {listen: '::@1', tls: {cert: c, key: k, client-ca: a}}]}\n",
	 ""},
	{DOMAIN "server: {http: [{listen: '192.0.2.1@1', tokens: t}, {listen: '::@1', tokens: t}, {listen: '::ffff:10.0.0.1@1', tokens: t}]}\n",
	 "2:41: server.http[0].tokens: would be sent in the clear to 192.0.2.1@1, which is not a loopback address, expected `tls` "
	 "beside it\n"
	 "2:70: server.http[1].tokens: would be sent in the clear to ::@1, which is not a loopback address, expected `tls` beside it\n"
	 "2:112: server.http[2].tokens: would be sent in the clear to 10.0.0.1@1, which is not a loopback address, expected "
	 "`tls` beside it\n"},
	{DOMAIN "server: {http: [{listen: 127.0.0.1}, {tokens: t}, {listen: '::1@1', tls: {cert: c}}]}\n",
	 "2:26: server.http[0].listen: cannot be `127.0.0.1`, expected ADDRESS@PORT such as `127.0.0.1@9153`\n"
	 "2:38: server.http[1]: listen is missing, expected ADDRESS@PORT such as `127.0.0.1@9153`\n"
	 "2:69: server.http[2].tls: key is missing, expected a path\n"},
	{"domains: {e.x: }\n", "1:11: domains.e.x: has neither `file` nor `ns`, expected one of them\n"},
	{"domains: {" LONG ": {ns: n.x}, a" LONG ": {ns: n.x}, b" LONG ": {ns: n.x, hostmaster: h.x}}\n",
	 "1:266: domains.a" LONG ": is too long a name for the default `hostmaster`, expected one\n"},
	{"domains: {e.x: {file: z, ns: n.x, ttl: 1h}}\n",
	 "1:26: domains.e.x.ns: has no place beside the zone's `file`, expected one of the two\n"
	 "1:35: domains.e.x.ttl: has no place beside the zone's `file`, expected one of the two\n"},
	{"domains: {e.x: {ns: [n.x, ns.e.x, nse.x, e.x]}}\n",
	 "1:27: domains.e.x.ns: ns.e.x is inside the zone and has no address, expected `{ns.e.x: [ADDRESS]}`\n"
	 "1:42: domains.e.x.ns: e.x is inside the zone and has no address, expected `{e.x: [ADDRESS]}`\n"},
	{"domains:\n  e.x: {ns: {ns.e.x: 192.0.2.1, n.in.e.x: }}\n  in.e.x: {ns: [{n.x: 192.0.2.1}, {ns.e.x: 192.0.2.1}]}\n",
	 "3:23: domains.in.e.x.ns: n.x is outside of the zone, which cannot serve its addresses, expected the name alone\n"
	 "3:44: domains.in.e.x.ns: ns.e.x is outside of the zone, which cannot serve its addresses, expected the name alone\n"},
	{"domains: {e.x: {ns: [a.e.x, b.w.e.x, 'c.a\\.e.x']}}\nsites: {us-east-1: }\napps:\n"
	 "  a.e.x: {targets: {us-east-1: {addresses: 1.1.1.1}}}\n  '*.w.e.x': {targets: {us-east-1: {addresses: 1.1.1.1}}}\n",
	 "1:29: domains.e.x.ns: b.w.e.x is inside the zone and has no address, expected `{b.w.e.x: [ADDRESS]}`\n"},
	{"domains: {e.x: {ns: [n.x, {m.e.x: [192.0.2.1, 192.0.2.1]}, {m.e.x: x}, [n.y], {n.x: }]}}\n",
	 "1:47: domains.e.x.ns[1].m.e.x[1]: `192.0.2.1` is given twice, expected once\n"
	 "1:68: domains.e.x.ns[2].m.e.x: `m.e.x` is given twice, expected once\n"
	 "1:72: domains.e.x.ns[3]: cannot be a list, expected a domain name or `NAME: [ADDRESS]`\n"
	 "1:80: domains.e.x.ns[4].n.x: `n.x` is given twice, expected once\n"},
	{"domains: {'0/25.x': {ns: n.x}, 'a\\.b.x': {ns: n.x}, '\\*.x': {ns: n.x}, '\\042.X': {ns: n.x}, 'a\\256.x': {ns: n.x},"
	 " 'a b.x': {ns: n.x}}\nsites: {us-east-1: }\nchecks: {c: {type: http}}\napps:\n"
	 "  'c.a\\.b.x': {check: c, targets: {us-east-1: {addresses: 1.1.1.1}}}\n"
	 "  'c.b.x': {targets: {us-east-1: {addresses: 1.1.1.1}}}\n",
	 "1:72: domains.\\042.X: is given twice (case is ignored), expected once\n"
	 "1:93: domains.a\\256.x: is not a domain name, expected labels of letters, digits, `-`, `_` and `/`; anything else as "
	 "`\\DDD`\n"
	 "1:115: domains.a b.x: is not a domain name, expected labels of letters, digits, `-`, `_` and `/`; anything else as "
	 "`\\DDD`\n"
	 "5:36: apps.c.a\\.b.x.targets.us-east-1: such a name is not a Host header, expected a `host` in the check `c`\n"
	 "6:3: apps.c.b.x: is in none of the zones served, expected a name inside one listed under `domains`, did you mean "
	 "`a\\.b.x`?\n"},
	{DOMAIN "locate: [{file: x}, 7]\n",
	 "2:10: locate[0]: plugin is missing, expected a name of letters, digits, `-`, `_` and `.`, at most 63\n"
	 "2:21: locate[1]: cannot be `7`, expected a mapping\n"},
	{DOMAIN "providers: [{file: x}, 7]\n",
	 "2:13: providers[0]: plugin is missing, expected a name of letters, digits, `-`, `_` and `.`, at most 63\n"
	 "2:24: providers[1]: cannot be `7`, expected a mapping\n"},
	{SITES "defaults: {ttl: 10s, targets: {}, weight: 1}\n"
	       "apps: {a.e.x: {targets: {us-east-1: {addresses: 1.1.1.1}, us-west-2: {addresses: 1.1.1.1}}}}\n",
	 "3:22: defaults.targets: unknown key\n"
	 "3:35: defaults.weight: unknown key\n"
	 "warning: 3:1: defaults: has no effect, there are no `providers`\n"},
	// A provider's targets may be at any site.
	{SITES "providers: [{plugin: x}]\ndefaults: {tie: 1ms}\n", "4:12: defaults.tie: unknown key\n"},
	{DOMAIN "locate: {plugin: x}\n", "2:1: locate: cannot be a mapping, expected a list of mappings\n"},
	{DOMAIN "discovery:\n- {plugin: x, carriers: [verizon, '', Verizon, " A80 "]}\n- {plugin: x, carriers: ''}\n",
	 "3:35: discovery[0].carriers[1]: cannot be ``, expected a carrier's short name\n"
	 "3:39: discovery[0].carriers[2]: `Verizon` is given twice, expected once\n"
	 "3:48: discovery[0].carriers[3]: cannot be `" A80 "`, expected a carrier's short name\n"
	 "4:25: discovery[1].carriers: cannot be ``, expected a carrier's short name\n"},
	{DOMAIN "observe: {file: f, socket-mode: 0666,\n  socket-group: g}\n",
	 "warning: 2:33: observe.socket-mode: has no effect, there is no `socket`\n"
	 "warning: 3:17: observe.socket-group: has no effect, there is no `socket`\n"},
	{DOMAIN "checks:\n  none: {type: tcp}\n  'a b': {type: tcp, port: 1, path: /, verify: off}\n  c: {}\n",
	 "3:3: checks.none: stands for no check, expected another name\n"
	 "3:3: checks.none: has no `port`, which a tcp check needs, expected 1 to 65535\n"
	 "4:3: checks.a b: is not a name, expected at most 63 letters, digits, `-`, `_` and `.`\n"
	 "4:31: checks.a b.path: does not apply to a check of type tcp, expected http or https\n"
	 "4:40: checks.a b.verify: does not apply to a check of type tcp, expected https or grpc\n"
	 "5:3: checks.c: type is missing, expected http, https, tcp, grpc, dns or exec\n"
	 "warning: 3:3: checks.none: no app or target uses it\n"
	 "warning: 4:3: checks.a b: no app or target uses it\n"
	 "warning: 5:3: checks.c: no app or target uses it\n"},
	{DOMAIN "checks: {c: {type: http, '': x}}\n", "2:26: an empty key, expected a name\n2:26: checks.c.: unknown key\nwarning: 2:10: checks.c: no app or target uses it\n"}, // a name that is in every list of names
	{DOMAIN "checks:\n  c: {type: https, client-cert: x}\n  d: {type: https, client-key: x}\n"
	 "  e: {type: http, host: h, headers: {hOST: x}}\n  f: {type: http, headers: {HOST: 'a b'}}\n"
	 "  g: {type: http, method: HEAD, body: x, expect-body: y}\n  h: {type: http, body: 'a('}\n  i: {type: http, body: '(a)\\1'}\n",
	 "3:20: checks.c.client-cert: is given without `client-key`, expected both or none\n"
	 "4:20: checks.d.client-key: is given without `client-cert`, expected both or none\n"
	 "5:28: checks.e.headers: has a `Host` beside the option `host`, expected one of the two\n"
	 "6:19: checks.f.headers: has the Host `a b`, expected a host name or address, with `:PORT` where the service needs it\n"
	 "7:42: checks.g.expect-body: has no effect with `method: HEAD`, whose responses have no body, expected one of the two\n"
	 "7:33: checks.g.body: has no effect with `method: HEAD`, whose responses have no body, expected one of the two\n"
	 "8:25: checks.h.body: is no regular expression from its character 3 on: missing closing parenthesis, expected one of PCRE2\n"
	 "9:25: checks.i.body: has a back reference, expected a regular expression without any\n"
	 "warning: 3:3: checks.c: no app or target uses it\nwarning: 4:3: checks.d: no app or target uses it\n"
	 "warning: 5:3: checks.e: no app or target uses it\nwarning: 6:3: checks.f: no app or target uses it\n"
	 "warning: 7:3: checks.g: no app or target uses it\nwarning: 8:3: checks.h: no app or target uses it\n"
	 "warning: 9:3: checks.i: no app or target uses it\n"},
	{DOMAIN "checks:\n  c: {type: grpc, port: 1, ca-file: x, headers: {content-type: x, GRPC-timeout: 1, x: y}}\n  d: {type: grpc}\n"
	 "  e: {type: http, service: x, tls: on}\n",
	 "3:28: checks.c.ca-file: has no effect without `tls`, expected `tls: on`\n"
	 "3:40: checks.c.headers: has content-type, which the call sets itself, expected another name\n"
	 "3:40: checks.c.headers: has GRPC-timeout, which the call sets itself, expected another name\n"
	 "4:3: checks.d: has no `port`, which a grpc check needs, expected 1 to 65535\n"
	 "5:19: checks.e.service: does not apply to a check of type http, expected grpc\n"
	 "5:31: checks.e.tls: does not apply to a check of type http, expected grpc\n"
	 "warning: 3:3: checks.c: no app or target uses it\nwarning: 4:3: checks.d: no app or target uses it\n"
	 "warning: 5:3: checks.e: no app or target uses it\n"},
	{DOMAIN "checks:\n  c: {type: dns, expect: '::1'}\n  d: {type: dns, query-type: MX, expect: 70000 a.b}\n  e: {type: dns, query-type: SOA, expect: a}\n"
	 "  f: {type: dns, query-type: SRV, expect: 1 2 a.b}\n  g: {type: http, expect: a}\n",
	 "3:18: checks.c.expect: cannot be `::1`, expected what a record of the type asked has, such as `192.0.2.1` (A), `ns1.example.com` (NS) or `10 mail.example.com` (MX); an SOA has none\n"
	 "4:34: checks.d.expect: cannot be `70000 a.b`, expected what a record of the type asked has, such as `192.0.2.1` (A), `ns1.example.com` (NS) or `10 mail.example.com` (MX); an SOA has none\n"
	 "5:35: checks.e.expect: cannot be `a`, expected what a record of the type asked has, such as `192.0.2.1` (A), `ns1.example.com` (NS) or `10 mail.example.com` (MX); an SOA has none\n"
	 "6:35: checks.f.expect: cannot be `1 2 a.b`, expected what a record of the type asked has, such as `192.0.2.1` (A), `ns1.example.com` (NS) or `10 mail.example.com` (MX); an SOA has none\n"
	 "7:19: checks.g.expect: does not apply to a check of type http, expected dns\n"
	 "warning: 3:3: checks.c: no app or target uses it\nwarning: 4:3: checks.d: no app or target uses it\n"
	 "warning: 5:3: checks.e: no app or target uses it\nwarning: 6:3: checks.f: no app or target uses it\n"
	 "warning: 7:3: checks.g: no app or target uses it\n"},
	{DOMAIN "checks:\n  c: {type: exec, path: /x}\n  d: {type: exec, command: x y}\n  e: {type: tcp, port: 1, command: /x}\n",
	 "3:19: checks.c.path: does not apply to a check of type exec, expected http or https\n"
	 "3:3: checks.c: has no `command`, which an exec check needs, expected `[/PATH/OF/A/PROGRAM, ARGUMENT, ...]`\n"
	 "4:19: checks.d.command: begins with `x y`, expected the absolute path of a program\n"
	 "5:27: checks.e.command: does not apply to a check of type tcp, expected exec\n"
	 "warning: 3:3: checks.c: no app or target uses it\nwarning: 4:3: checks.d: no app or target uses it\n"
	 "warning: 5:3: checks.e: no app or target uses it\n"},
	{DOMAIN "checks: {c: {type: http, interval: 1s, timeout: 2s}, d: {type: https, ca-file: x, verify: off}}\n",
	 "2:40: checks.c.timeout: cannot be `2s`, expected no more than the interval, 1s\n"
	 "2:71: checks.d.ca-file: has no effect with `verify: off`, expected one of the two\n"
	 "warning: 2:10: checks.c: no app or target uses it\n"
	 "warning: 2:54: checks.d: no app or target uses it\n"},
	{DOMAIN "sites:\n  us-east-1-wl1-bso-wlz-1:\n  plant: {location: [1, 2]}\n  us-east-1-foe-wlz-1a:\n"
	 "  w: {kind: wavelength}\n  us-east-1-wl1-bos-wlz-1: {reach: public}\n"
	 "  x: {kind: az, region: us-eest-1}\n  a/b: {kind: az}\n",
	 "3:3: sites.us-east-1-wl1-bso-wlz-1: is not in the catalogue, expected a `kind`, did you mean "
	 "`us-east-1-wl1-bos-wlz-1`?\n"
	 "4:3: sites.plant: is not in the catalogue, expected a `kind`\n"
	 "5:3: sites.us-east-1-foe-wlz-1a: the carrier of this Wavelength Zone is not known, expected `reach: [CARRIER]`\n"
	 "6:3: sites.w: the carrier of this Wavelength Zone is not known, expected `reach: [CARRIER]`\n"
	 "7:29: sites.us-east-1-wl1-bos-wlz-1.reach: a Wavelength Zone cannot be public: it is reached from its carrier's "
	 "network only, expected `reach: [CARRIER]`\n"
	 "warning: 8:3: sites.x: region: `us-eest-1` is neither a site nor in the catalogue, did you mean `us-east-1`?\n"
	 "9:3: sites.a/b: is not a name, expected at most 63 letters, digits, `-`, `_` and `.`\n"
	 "warning: 3:3: sites.us-east-1-wl1-bso-wlz-1: no app has a target there\n"
	 "warning: 4:3: sites.plant: no app has a target there\n"
	 "warning: 5:3: sites.us-east-1-foe-wlz-1a: no app has a target there\n"
	 "warning: 6:3: sites.w: no app has a target there\n"
	 "warning: 7:3: sites.us-east-1-wl1-bos-wlz-1: no app has a target there\n"
	 "warning: 8:3: sites.x: no app has a target there\n"
	 "warning: 9:3: sites.a/b: no app has a target there\n"},
	{DOMAIN "sites: {us-east-1: {kind: wavelength}}\napps: {a.e.x: {targets: {us-east-1: {addresses: 1.1.1.1}}}}\n",
	 "2:21: sites.us-east-1.kind: a Wavelength Zone cannot be public: it is reached from its carrier's network only, "
	 "expected `reach: [CARRIER]`\n"},
	{DOMAIN "sites: {plant-7: {kind: az}}\napps:\n  a.e.x: {targets: {plant-8: {addresses: 1.1.1.1}, us-west-2: "
	        "{addresses: 1.1.1.2}}}\n  b.e.x: {targets: {}}\n  c.e.x:\n",
	 "4:21: apps.a.e.x.targets.plant-8: `plant-8` is not a site, expected one listed under `sites`, did you mean "
	 "`plant-7`?\n"
	 "4:52: apps.a.e.x.targets.us-west-2: the site is not listed, expected `us-west-2: {}` under `sites`\n"
	 "5:3: apps.b.e.x: has no targets, expected at least one\n"
	 "6:3: apps.c.e.x: targets is missing, expected a mapping of names, or `providers` that give it some\n"
	 "warning: 2:9: sites.plant-7: no app has a target there\n"},
	{DOMAIN "sites: {us-east-1: {}, us-west-2: {}}\napps:\n  a.e.x: {targets: {us-east-1: {}, us-west-2: {addresses: "
	        "1.1.1.1, cname: b.x}}}\n  A.e.x: {targets: {us-east-1: {addresses: 1.1.1.1}}}\n",
	 "4:21: apps.a.e.x.targets.us-east-1: has no `addresses`, `alias` or `cname`, expected one of them\n"
	 "4:36: apps.a.e.x.targets.us-west-2: has two of `addresses`, `alias` and `cname`, expected one of them\n"
	 "5:3: apps.A.e.x: is given twice (case is ignored), expected once\n"},
	{SITES "apps:\n  a.e.x: {targets: {us-east-1: {alias: lb.e.x}, us-west-2: {alias: lb, check-address: 'a\\.b.c'}}}\n",
	 "4:61: apps.a.e.x.targets.us-west-2.alias: cannot be `lb`, expected the full name of a host\n"
	 "4:72: apps.a.e.x.targets.us-west-2.check-address: cannot be `a\\.b.c`, expected the full name of a host\n"
	 "4:21: apps.a.e.x.targets.us-east-1.alias: lb.e.x is in the zone e.x, which is served here, expected a name outside of "
	 "`domains`\n"},
	{SITES "apps:\n  a.e.x: {targets: {us-east-1: {alias: l.y, check-address: 10.0.0}, us-west-2: {alias: l.y, check-address: 0.0.0.0}}}\n",
	 "4:60: apps.a.e.x.targets.us-east-1.check-address: cannot be `10.0.0`, expected the IPv4 or IPv6 address of a host, or its name\n"
	 "4:108: apps.a.e.x.targets.us-west-2.check-address: cannot be `0.0.0.0`, expected the IPv4 or IPv6 address of a host, or its name\n"},
	{DOMAIN "sites: {r: {kind: region, block-check: warn}}\napps:\n  a.e.x: {targets: {r: {alias: l.y}}}\n",
	 "2:9: sites.r.block-check: the site's block is not known, expected a `block` or `aws-ranges`\n"},
	{"domains: {edge.example.com: {ns: n.x}, e.x: {ns: n.x}}\nsites: {us-east-1: {}}\napps:\n"
	 "  app.egde.example.com: {targets: {us-east-1: {addresses: 1.1.1.1}}}\n"
	 "  elsewhere.net: {targets: {us-east-1: {addresses: 1.1.1.1}}}\n"
	 "  xe.x: {targets: {us-east-1: {addresses: 1.1.1.1}}}\n"
	 "  e.x: {targets: {us-east-1: {addresses: 1.1.1.1}}}\n"
	 "  '*.q.e.x': {targets: {us-east-1: {addresses: 1.1.1.1}}}\n"
	 "  'q.*.e.x': {targets: {us-east-1: {addresses: 1.1.1.1}}}\n",
	 "9:3: apps.q.*.e.x: is not a domain name, expected labels of letters, digits, `-`, `_` and `/`, the first one may be "
	 "`*`; anything else as `\\DDD`\n"
	 "4:3: apps.app.egde.example.com: is in none of the zones served, expected a name inside one listed under "
	 "`domains`, did you mean `edge.example.com`?\n"
	 "5:3: apps.elsewhere.net: is in none of the zones served, expected a name inside one listed under `domains`\n"
	 "6:3: apps.xe.x: is in none of the zones served, expected a name inside one listed under `domains`, did you mean "
	 "`e.x`?\n"},
	{SITES "checks: {c: {type: http}, t: {type: tcp, port: 1}}\napps:\n"
	       "  e.x: {targets: {us-east-1: {cname: b.x}}}\n"
	       "  a.e.x: {check: c, tie: 1ms, targets: {us-east-1: {cname: b.x}, us-west-2: {cname: b.x, check: none}}}\n"
	       "  '*.e.x': {check: c, targets: {us-east-1: {addresses: 1.1.1.1}, us-west-2: {addresses: 1.1.1.1, "
		       "check: t}}}\n",
	 "5:19: apps.e.x.targets.us-east-1: a `cname` is not allowed at the apex of a zone, beside its SOA and NS (RFC "
	 "1034 section 3.6.2), expected `addresses`\n"
	 "warning: 6:3: apps.a.e.x.tie: has no effect, no target has a `weight`\n"
	 "6:41: apps.a.e.x.targets.us-east-1: a check cannot probe a `cname`, expected a `check-address` or `check: none`\n"
	 "7:33: apps.*.e.x.targets.us-east-1: a wildcard's name is not a Host header, expected a `host` in the check `c`\n"},
	// A region that is nearly a site of ours. Not a mapping, and so not an empty one.
	{DOMAIN "sites: {x: {kind: az, region: metor-1}, metro-1: {kind: region}}\n"
	        "apps: {a.e.x: {targets: {x: {addresses: 1.1.1.1}, metro-1: {addresses: 1.1.1.1}}}}\n",
	 "warning: 2:9: sites.x: region: `metor-1` is neither a site nor in the catalogue, did you mean `metro-1`?\n"},
	{DOMAIN "apps: {a.e.x: {targets: [x]}}\n",
	 "2:16: apps.a.e.x.targets: cannot be a list, expected a mapping of names\n"},
	// What would follow from a section or a catalogue that is refused is not reported.
	{"domains: [e.x]\nsites: {us-east-1: {}}\napps: {a.e.x: {targets: {us-east-1: {addresses: 1.1.1.1}}}}\n",
	 "1:1: domains: cannot be a list, expected a mapping of names\n"},
	{DOMAIN "catalogue: none.yaml\nsites: {our-1: {region: metro-1}, us-east-1: {region: metor-1}}\napps: {a.e.x: {targets: "
	        "{our-1: {addresses: 1.1.1.1}, us-east-1: {addresses: 1.1.1.1}}}}\n",
	 "/d/none.yaml: cannot be read: No such file or directory\n"},
	// A kind that is refused is not taken for another one.
	{DOMAIN "sites: {x: {kind: reggion}}\napps: {a.e.x: {targets: {x: {addresses: 1.1.1.1}}}}\n",
	 "2:19: sites.x.kind: cannot be `reggion`, expected wavelength, local-zone, outpost, az or region, did you mean "
	 "`region`?\n"},
	// Unused sites, as many as are reported one by one, and one more.
	{DOMAIN UNUSED_SITES "apps: {a.e.x: {targets: {us-east-1a: {addresses: 1.1.1.1}}}}\n",
	 "warning: 4:3: sites.us-east-1b: no app has a target there\n"
	 "warning: 5:3: sites.us-east-1c: no app has a target there\n"
	 "warning: 6:3: sites.us-east-1d: no app has a target there\n"
	 "warning: 7:3: sites.us-east-1e: no app has a target there\n"
	 "warning: 8:3: sites.us-east-1f: no app has a target there\n"
	 "warning: 9:3: sites.us-east-2a: no app has a target there\n"
	 "warning: 10:3: sites.us-east-2b: no app has a target there\n"
	 "warning: 11:3: sites.us-east-2c: no app has a target there\n"
	 "warning: 12:3: sites.us-east-2d: no app has a target there\n"
	 "warning: 13:3: sites.us-west-2: no app has a target there\n"},
	{DOMAIN UNUSED_SITES "  us-west-1: {}\napps: {a.e.x: {targets: {us-east-1a: {addresses: 1.1.1.1}}}}\n",
	 "warning: 4:3: sites: no app has a target at us-east-1b, us-east-1c, us-east-1d and 8 more\n"},
	// What an operator wrote is shown without what a terminal would act on, and cut.
	{DOMAIN "server: {workers: \"\\e[31m\\nx\"}\n",
	 "2:19: server.workers: cannot be `?[31m?x`, expected a whole number, 0 to 256\n"},
	{DOMAIN "server: {workers: " A80 A80 "}\n",
	 "2:19: server.workers: cannot be `" A80 "aaaaaaaaaa...`, expected a whole number, 0 to 256\n"},
	{"\xff", "1:1: not text: invalid leading UTF-8 octet, expected YAML in UTF-8\n"},
	{"a: [\n", "2:1: not YAML: did not find expected node content (while parsing a flow node on line 2)\n"},
};

static void what_is_reported(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		char *reported;

		config_free(report_text_config(rows[i].yaml, strlen(rows[i].yaml), &reported));
		if (strcmp(reported, rows[i].reported) != 0)
			fail_msg("%s\n%s\nwanted:\n%s", rows[i].yaml, reported, rows[i].reported);
		free(reported);
	}
}

// What the row of a type says is what its checks do: the keys it takes, its port, the word for it.
static void types_of_checks(void **state)
{
	static const char *const values[][2] = {
		{"path", "/x"},  {"host", "h.x"}, {"expect-status", "200"}, {"expect-body", "x"},
		{"method", "PUT"}, {"headers", "{X: y}"}, {"http2", "on"}, {"redirects", "1"}, {"body", "x"},
		{"sni", "h.x"},  {"verify", "on"}, {"ca-file", "x.pem"}, {"tls-session-resumption", "on"},
		{"service", "s"}, {"tls", "on"}, {"command", "[/bin/true]"}, {"query-name", "a.b"}, {"query-type", "MX"},
		{"expect-rcode", "REFUSED"}, {"expect", "192.0.2.1"},
		{"client-cert", "x, client-key: y"}, {"client-key", "y, client-cert: x"},
		{"rise", "1"},   {"fall", "1"},   {"interval", "10s"},      {"timeout", "1s"},
	};
	size_t taken = 0, listed = 0;

	(void)state;
	for (enum check_type type = 0; type < CHECK_TYPE_COUNT; type++) {
		const struct check_type_row *row = &check_type_rows[type];
		char yaml[256], *reported;
		struct config *config;

		for (const char *at = row->keys; *at; at += strcspn(at, " "), at += *at == ' ')
			listed++;
		for (size_t i = 0; i < ARRAY_LEN(values); i++) {
			const char *needs = type == CHECK_EXEC && strcmp(values[i][0], "command") != 0 ? "command: [/x], " : "";
			bool needs_tls = type == CHECK_GRPC && check_type_takes(CHECK_HTTPS, values[i][0]) &&
			                 !check_type_takes(CHECK_HTTP, values[i][0]);

			snprintf(yaml, sizeof(yaml), DOMAIN "checks: {c: {type: %s, port: 7, %s%s: %s}}\n", row->name,
			         needs_tls ? "tls: on, " : needs, values[i][0], values[i][1]);
			config = report_text_config(yaml, strlen(yaml), &reported);
			if (!config != !check_type_takes(type, values[i][0]))
				fail_msg("%s %s: %s", row->name, values[i][0], reported);
			taken += config && i < ARRAY_LEN(values) - 4; // those that not every type takes
			assert_true(!config || config->checks[0].type == type);
			config_free(config);
			free(reported);
		}
		snprintf(yaml, sizeof(yaml), DOMAIN "checks: {c: {type: %s%s}}\n", row->name, type == CHECK_EXEC ? ", command: /x" : "");
		config = report_text_config(yaml, strlen(yaml), &reported);
		assert_int_equal(config ? config->checks[0].port : 0, row->port);
		config_free(config);
		free(reported);
	}
	assert_int_equal(taken, listed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_reported),
		cmocka_unit_test(types_of_checks),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
