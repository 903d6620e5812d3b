// A complete build from files: all errors of config, zones and sources are reported at once, and nothing that only
// follows from it; warnings that take both config and sources; and that damage to a config causes errors only.
#include "generation/generation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/inputs.h"
#include "base/report.h"
#include "config/config.h"
#include "report_text.h"
#include "tempdir.h"
#include "view/view.h"

enum { PATH_LEN = 2 * TEMPDIR_LEN, MUTATIONS = 800, MUTATIONS_LONG = 3000 }; // EDGESTEER_LONG=1

static char folder[TEMPDIR_LEN];

static void write_file(const char *name, const char *text, size_t len)
{
	char path[PATH_LEN];

	snprintf(path, sizeof(path), "%s/%s", folder, name);

	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

// Builds it and returns the report, without the folder, owned by the caller.
static int build(const char *yaml, size_t len, char **ret_reported)
{
	struct report *report = report_new();
	struct generation generation;
	char path[PATH_LEN];

	write_file("c", yaml, len);
	snprintf(path, sizeof(path), "%s/c", folder);

	int err = generation_build(path, NULL, 1, report, &generation);

	assert_int_equal(err == E_OK, report_ok(report));
	if (err == E_OK) {
		view_free(generation.view);
		config_free(generation.config);
	}

	char *reported = report_text(report);
	size_t folder_len = strlen(folder) + 1;

	for (char *at = reported; (at = strstr(at, folder));)
		memmove(at, at + folder_len, strlen(at + folder_len) + 1);
	report_free(report);
	*ret_reported = reported;
	return err;
}

// ---- what is reported
// ---------------------------------------------------------------------------------------------------

#define ZONE "$TTL 300\n@ SOA ns.x. h.x. 1 2 3 4 5\n@ NS ns.x.\nwww A 192.0.2.1\n"
#define CSV "prefix,carrier\n10.1.0.0/16,one\n"
#define LOCATE "locate: [{plugin: ranges, file: csv}]\n"
#define SITES "sites:\n  w1: {kind: wavelength, reach: [one]}\n  r1: {kind: region}\n"
#define A60 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define LONG A60 "." A60 "." A60 "." A60 // a domain name, but with "hostmaster" before it too long for one
#define TARGET ": {targets: {r1: {addresses: 192.0.2.1}}}\n"
#define ON_CARRIER ": {targets: {w1: {addresses: 192.0.2.1}}}\n"
#define BAD_ZONE ZONE "x A 1.2.3.400\n"
#define BAD_CSV CSV "10.300.0.0/16,one\n"
#define ZONE_TOLD "zone:5: x.e.x A: 1.2.3.400: expected an IPv4 address\n"
#define ZONE_TOLD_F "zone:5: x.f.x A: 1.2.3.400: expected an IPv4 address\n"
#define CSV_TOLD "csv:3: prefix: '10.300.0.0/16' is not an address prefix such as 192.0.2.0/24 or 2001:db8::/32\n"

static const struct {
	const char *yaml, *zone, *csv, *reported;
} cases[] = {
	{"domains: {e.x: {file: zone}}\n" LOCATE SITES "apps:\n  a.e.x: {targets: {r1: {addresses: 192.0.2.1}, w1: {addresses: "
	 "192.0.2.2}}}\n", ZONE, CSV, ""},
	// Errors of config, zones and sources together.
	{"domains: {e.x: {file: zone}}\nbogus: 1\n" LOCATE SITES "apps:\n  a.e.x" TARGET "  b.e.x" ON_CARRIER "  w.e.x: {ttl: 1}\n",
	 BAD_ZONE, BAD_CSV,
	 "c:2:1: bogus: unknown key\n"
	 "c:10:16: apps.w.e.x.ttl: cannot be `1`, expected a duration in whole seconds such as `30s` or `1h30m`, 0s to 7d\n"
	 "c:10:3: apps.w.e.x: targets is missing, expected a mapping of names, or `providers` that give it some\n" ZONE_TOLD CSV_TOLD},
	// Names that clash with a zone's, though the config has other errors.
	{"bogus: 1\ndomains: {e.x: {file: zone}}\n" SITES "apps:\n  r1.e.x" TARGET "  www.e.x" ON_CARRIER, ZONE, CSV,
	 "c:1:1: bogus: unknown key\n"
	 "zone:4: www.e.x A: the name is an app's, whose addresses come from the config\n"},
	// Consequences of an error are not reported: apps in an invalid domain, its file, a source without a plugin.
	{"domains: {e.x: {flie: zone}, f.x: {file: zone}, F.X: {file: zone2}}\nlocate: [{file: csv}, {plugin: ranges, file: csv}]\n"
	 SITES "apps:\n  w.e.x" ON_CARRIER "  r.f.x" TARGET "  q.z" TARGET "  R.f.x" TARGET "  'b..d'" TARGET, BAD_ZONE, BAD_CSV,
	 "c:1:17: domains.e.x.flie: unknown key, did you mean `file`?\n"
	 "c:1:11: domains.e.x: has neither `file` nor `ns`, expected one of them\n"
	 "c:1:49: domains.F.X: is given twice (case is ignored), expected once\n"
	 "c:2:10: locate[0]: plugin is missing, expected a name of letters, digits, `-`, `_` and `.`, at most 63\n"
	 "c:10:3: apps.R.f.x: is given twice (case is ignored), expected once\n"
	 "c:11:3: apps.b..d: is not a domain name, expected labels of letters, digits, `-`, `_` and `/`, the first one may be `*`; anything else as `\\DDD`\n"
	 "c:9:3: apps.q.z: is in none of the zones served, expected a name inside one listed under `domains`\n"
	 ZONE_TOLD_F CSV_TOLD},
	{"domains: {f.x: {file: zone}, e.x: {ns: [a..b]}, " LONG ": {ns: n.x}, g.x: {ns: n.x, hostmaster: '@x'}}\n" LOCATE,
	 BAD_ZONE, BAD_CSV,
	 "c:1:41: domains.e.x.ns[0]: cannot be `a..b`, expected a domain name\n"
	 "c:1:49: domains." LONG ": is too long a name for the default `hostmaster`, expected one\n"
	 "c:1:332: domains.g.x.hostmaster: cannot be `@x`, expected a mailbox such as `hostmaster.example.com`\n"
	 ZONE_TOLD_F CSV_TOLD},
	{"domains: [zone]\nlocate: csv\n", BAD_ZONE, BAD_CSV,
	 "c:1:1: domains: cannot be a list, expected a mapping of names\n"
	 "c:2:9: locate: cannot be `csv`, expected a list of mappings\n"},
	{"- 1\n", BAD_ZONE, BAD_CSV, "c: cannot be a list, expected a mapping\n"},
	// Of what is no YAML, or nothing at all, only that.
	{"domains: {e.x: {file: zone}\n" LOCATE, BAD_ZONE, BAD_CSV,
	 "c:2:1: not YAML: did not find expected ',' or '}' (while parsing a flow mapping on line 1)\n"},
	{"", BAD_ZONE, BAD_CSV, "c: is empty, expected a configuration\n"},
	{"domains: {e.x: {file: zone}}\n" LOCATE SITES "checks:\n  h: {type: https, ca-file: none.pem}\n"
	 "apps:\n  a.e.x: {check: h, targets: {r1: {addresses: 192.0.2.1}, w1: {addresses: 192.0.2.2}}}\n", ZONE, CSV,
	 "c:7:3: checks.h.ca-file: none.pem cannot be read: No such file or directory\n"},
	{"domains: {e.x: {file: zone}}\n" LOCATE SITES "checks:\n  h: {type: https, ca-file: zone}\n"
	 "apps:\n  a.e.x: {check: h, targets: {r1: {addresses: 192.0.2.1}, w1: {addresses: 192.0.2.2}}}\n", ZONE, CSV,
	 "c:7:3: checks.h.ca-file: zone has no certificate in PEM\n"},
	// A program may be there by the time it is run, or where the agent is that reads the same config.
	{"domains: {e.x: {file: zone}}\n" LOCATE SITES "checks:\n  h: {type: exec, command: [/nowhere/x, -v]}\n  i: {type: exec, command: /bin/sh}\n  j: {type: exec, command: /usr}\n"
	 "apps:\n  a.e.x: {check: h, targets: {r1: {addresses: 192.0.2.1}, w1: {addresses: 192.0.2.2, check: i}}}\n"
	 "  b.e.x: {check: j, targets: {r1: {addresses: 192.0.2.1}}}\n", ZONE, CSV,
	 "warning: c:7:3: checks.h.command: /nowhere/x cannot be run: No such file or directory\n"
	 "warning: c:9:3: checks.j.command: /usr cannot be run: not a regular file\n"},
	// Warnings come with what is good.
	{"server: {ecs-ignore: [192.168.0.0/16]}\ndomains: {e.x: {file: zone}}\n" LOCATE "sites:\n  w1: {kind: wavelength, reach: [oen]}\napps:\n  w.e.x" ON_CARRIER, ZONE,
	 "prefix,carrier,class\n10.1.0.0/16,one,egde\n",
	 "warning: c:5:3: sites.w1: no source in `locate` has clients of carrier `oen`, so none is sent here, did you mean "
	 "`one`?\n"
	 "warning: c:3:10: locate: ranges csv: carrier `one` of 1 prefix (first: 10.1.0.0/16) has no site of its own, did you mean `oen`?\n"
	 "warning: c:3:10: locate: ranges csv: clients of class `egde` (first: 10.1.0.0/16) cannot reach carriers' sites, did you mean `edge`?\n"
	 "warning: c:7:3: apps.w.e.x: no target at a public site: clients outside its carriers get SERVFAIL\n"},
	// Case does not matter in the name of a carrier.
	{"domains: {e.x: {file: zone}}\n" LOCATE "sites:\n  w1: {kind: wavelength, reach: [oNe]}\n  r1: {kind: region}\n"
	 "apps:\n  a.e.x: {targets: {r1: {addresses: 192.0.2.1}, w1: {addresses: 192.0.2.2}}}\n", ZONE,
	 "prefix,carrier\n10.1.0.0/16,One\n", ""},
	{"domains: {e.x: {file: zone}}\n" LOCATE SITES "apps:\n  r.e.x" TARGET "  a.e.x" ON_CARRIER "  b.e.x" ON_CARRIER
	 "  c.e.x" ON_CARRIER "  d.e.x" ON_CARRIER "  e.e.x" ON_CARRIER "  f.e.x" ON_CARRIER "  g.e.x" ON_CARRIER
	 "  h.e.x" ON_CARRIER "  i.e.x" ON_CARRIER "  j.e.x" ON_CARRIER "  k.e.x" ON_CARRIER, ZONE, CSV,
	 "warning: c:8:3: apps: a.e.x, b.e.x, c.e.x and 8 more have no target at a public site: clients outside their carriers get "
	 "SERVFAIL\n"},
};

static void test_reported(void **state)
{
	bool failed = false;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *reported;

		write_file("zone", cases[i].zone, strlen(cases[i].zone));
		write_file("csv", cases[i].csv, strlen(cases[i].csv));
		(void)build(cases[i].yaml, strlen(cases[i].yaml), &reported);
		if (strcmp(reported, cases[i].reported) != 0) {
			fprintf(stderr, "%s\n%s\nwanted:\n%s\n", cases[i].yaml, reported, cases[i].reported);
			failed = true;
		}
		free(reported);
	}
	assert_false(failed);
}

// ---- damage ---------------------------------------------------------------------------------------------------------

static uint64_t rng_state = 11;

static uint64_t rng(uint64_t below)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return rng_state % below;
}

// Changes an octet, or removes or repeats a piece. Returns the new length, at most twice the old one.
static size_t damage(char *text, size_t len)
{
	for (uint64_t blows = 1 + rng(3); blows > 0 && len > 1; blows--) {
		size_t at = rng(len), piece = 1 + rng(len - at < 12 ? len - at : 12);

		switch (rng(3)) {
		case 0:
			text[at] = "{}[]:, \n.x1*"[rng(12)];
			break;
		case 1:
			memmove(text + at, text + at + piece, len - at - piece);
			len -= piece;
			break;
		default:
			memmove(text + at + piece, text + at, len - at);
			len += piece;
		}
	}
	return len;
}

// Hundreds of damaged configurations.
static void test_damage(void **state)
{
	static const char good[] =
		"server: {ecs-ignore: [10.0.0.0/8], plugin-dir: .}\nsteering: {max-accuracy: 200km}\nlatency: latency\n"
		"domains:\n  e.x: {file: zone}\n  f.x: {ns: [n.z, m.z], hostmaster: h@z, ttl: 1h}\n" LOCATE SITES
		"apps:\n  a.e.x: {ttl: 1s, targets: {r1: {addresses: 192.0.2.1}, w1: {cname: b.z}}}\n  '*.f.x'" TARGET;
	unsigned rounds = getenv("EDGESTEER_LONG") ? MUTATIONS_LONG : MUTATIONS;
	size_t reported_more = 0;
	char copy[2 * sizeof(good)];

	(void)state;
	write_file("zone", BAD_ZONE, strlen(BAD_ZONE));
	write_file("csv", CSV, strlen(CSV));
	write_file("latency", "from,site,ms\none,r1,3\n", 22);
	for (unsigned i = 0; i < rounds; i++) {
		char *reported;

		memcpy(copy, good, sizeof(good));
		assert_int_equal(build(copy, damage(copy, sizeof(good) - 1), &reported), E_INVAL);

		const char *zone = strstr(reported, ZONE_TOLD);

		reported_more += zone && zone != reported; // errors of the config before it
		free(reported);
	}
	assert_true(reported_more > 100);
}

// What comes before a zero octet would otherwise pass for the complete file; and the size of a CA file is bounded.
static void test_ca_files(void **state)
{
	static const char yaml[] = "domains: {e.x: {ns: n.z}}\n" SITES "checks: {h: {type: https, ca-file: csv}}\n"
	                           "apps:\n  a.e.x: {check: h, targets: {r1: {addresses: 192.0.2.1}, w1: {addresses: 192.0.2.2}}}\n";
	static const char text[] = "-----BEGIN CERTIFICATE-----\0-----END CERTIFICATE-----\n";
	char *large = calloc(1, CONFIG_CA_BYTES_MAX + 1), *reported;

	(void)state;
	assert_non_null(large);
	write_file("csv", text, sizeof(text) - 1);
	assert_int_equal(build(yaml, sizeof(yaml) - 1, &reported), E_INVAL);
	assert_non_null(strstr(reported, ": checks.h.ca-file: csv has a zero octet, expected certificates in PEM\n"));
	free(reported);
	write_file("csv", large, CONFIG_CA_BYTES_MAX + 1);
	assert_int_equal(build(yaml, sizeof(yaml) - 1, &reported), E_INVAL);
	assert_non_null(strstr(reported, ": checks.h.ca-file: csv cannot be read: larger than "));
	free(reported);
	free(large);
}

// Sets of sites with weights, each with a map of all places: too many of both are refused before any is made.
static void test_too_large(void **state)
{
	enum { PLACES = 60000, WEIGHTS = 135, ROW_LEN = 40, APP_LEN = 120 };
	char *csv = malloc(PLACES * ROW_LEN), *yaml = malloc(1000 + WEIGHTS * WEIGHTS * APP_LEN), *reported;
	size_t len = 0;

	(void)state;
	assert_non_null(csv);
	assert_non_null(yaml);
	len += (size_t)sprintf(csv, "prefix,latitude,longitude\n");
	for (int i = 0; i < PLACES; i++)
		len += (size_t)sprintf(csv + len, "10.%d.%d.0/24,%d.%03d,7\n", i >> 8, i & 0xff, i / 1000, i % 1000);
	write_file("csv", csv, len);
	len = (size_t)sprintf(yaml, "domains: {e.x: {ns: n.z}}\nlocate: [{plugin: ranges, file: csv}]\n"
	                            "sites: {a: {kind: region}, b: {kind: region}}\napps:\n");
	for (int i = 0; i < WEIGHTS * WEIGHTS; i++)
		len += (size_t)sprintf(yaml + len, " a%d.e.x: {targets: {a: {addresses: 192.0.2.1, weight: %d}, "
		                                   "b: {addresses: 192.0.2.2, weight: %d}}}\n", i, 1 + i / WEIGHTS, 1 + i % WEIGHTS);
	assert_int_equal(build(yaml, len, &reported), E_INVAL);
	assert_string_equal(reported, "c: apps: the steering tables would be too large for the 60001 places of `locate`: more "
	                              "than 1 GiB for the order of all sites, or 4 GiB for the sets of sites with weights; less "
	                              "precise places or fewer different weights would do\n");
	free(reported);
	free(yaml);
	free(csv);
}

// ---- what is read ---------------------------------------------------------------------------------------------------

// The files that a build read, in order: a letter for the kind, `*` where it is watched, and the name.
static void assert_inputs(const char *yaml, bool good, const char *expected)
{
	static const char kinds[] = {[INPUT_CONFIG] = 'c', [INPUT_ZONE] = 'z', [INPUT_FEED] = 'f'};
	struct report *report = report_new();
	const struct inputs *inputs = report_inputs(report);
	struct generation generation;
	char path[PATH_LEN], got[1024] = "";
	size_t at = 0;

	write_file("c", yaml, strlen(yaml));
	snprintf(path, sizeof(path), "%s/c", folder);
	assert_int_equal(generation_build(path, NULL, 1, report, &generation) == E_OK, good);
	if (good) {
		view_free(generation.view);
		config_free(generation.config);
	}
	for (size_t i = 0; i < inputs_count(inputs); i++) {
		const struct input *input = inputs_at(inputs, i);

		assert_true(strncmp(input->path, folder, strlen(folder)) == 0);
		at += (size_t)snprintf(got + at, sizeof(got) - at, "%s%c%s %s", i ? ", " : "", kinds[input->kind],
		                       input->watched ? "*" : "", input->path + strlen(folder) + 1);
	}
	assert_string_equal(got, expected);
	report_free(report);
}

#define WRITE(name, text) write_file(name, text, strlen(text))
#define MAIN(server, domain, locate) \
	"server: {plugin-dir: ., watch: " server "}\ninclude: ['*.yaml', more]\nmetros: metros\ncatalogue: catalogue\n" \
	"domains: {e.x: {file: zone" domain "}, f.x: {ns: n.z}}\nlatency: latency\n" \
	"locate: [{plugin: ranges, file: csv" locate "}]\nchecks: {h: {type: https, ca-file: ca}, i: {type: https, ca-file: ca}}\n"

static void test_inputs(void **state)
{
	(void)state;
	WRITE("zone", ZONE "$INCLUDE part\n");
	WRITE("part", "more A 192.0.2.2\n");
	WRITE("csv", CSV);
	WRITE("latency", "from,site,ms\n");
	WRITE("metros", "carrier,country,latitude,longitude,share\n");
	WRITE("catalogue", "sites: {r1: {kind: region}}\n");
	WRITE("more", "steering: {tie: 1ms}\n");
	WRITE("ca", "-----BEGIN CERTIFICATE-----\n");
	assert_inputs(MAIN("feeds", "", ""), true,
	              "c c, c *.yaml, c more, c catalogue, z zone, z part, f* csv, f* latency, f* metros, f* ca");
	assert_inputs(MAIN("on", "", ""), true,
	              "c c, c *.yaml, c more, c catalogue, z* zone, z* part, f* csv, f* latency, f* metros, f* ca");
	assert_inputs(MAIN("off", ", watch: on", ", watch: on"), true,
	              "c c, c *.yaml, c more, c catalogue, z* zone, z* part, f* csv, f latency, f metros, f ca");
	assert_inputs(MAIN("on", ", watch: off", ", watch: off"), true,
	              "c c, c *.yaml, c more, c catalogue, z zone, z part, f csv, f* latency, f* metros, f* ca");
	// Of what is refused too, and what is not there.
	assert_inputs("domains: [\n", false, "c c");
	assert_inputs("domains: {e.x: {file: none}}\nlatency: nil\nlocate: [{plugin: mmdb, city: nix}]\n", false,
	              "c c, z none, f* nix, f* nil");
	// Without a part of the config, nothing that it names is read.
	assert_inputs("include: [no, more]\ndomains: {e.x: {file: none}}\n", false, "c c, c no, c more");
	assert_inputs("domains: {e.x: {ns: n.z}}\nlocate: [{plugin: asn, csv: nix, nothing: 1}]\n", false, "c c, f* nix");
}

static int set_up(void **state)
{
	(void)state;
	return tempdir_make(folder);
}

static int tear_down(void **state)
{
	static const char *const names[] = {"c", "zone", "csv", "latency", "part", "metros", "catalogue", "more", "ca"};
	char path[PATH_LEN];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_reported),
		cmocka_unit_test(test_damage),
		cmocka_unit_test(test_ca_files),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_inputs),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
