// A whole build from files: everything that is wrong with config, zones and sources is told in one go and nothing that only
// follows from it; warnings that take both config and sources; and that no damage to a config does more than be told.
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

// Builds it; what is told, without the folder, is the caller's to free.
static int build(const char *yaml, size_t len, char **ret_told)
{
	struct report *report = report_new();
	struct generation generation;
	char path[PATH_LEN];

	write_file("c", yaml, len);
	snprintf(path, sizeof(path), "%s/c", folder);

	int err = generation_build(path, 1, report, &generation);

	assert_int_equal(err == E_OK, report_ok(report));
	if (err == E_OK) {
		view_free(generation.view);
		config_free(generation.config);
	}

	char *told = report_text(report);
	size_t folder_len = strlen(folder) + 1;

	for (char *at = told; (at = strstr(at, folder));)
		memmove(at, at + folder_len, strlen(at + folder_len) + 1);
	report_free(report);
	*ret_told = told;
	return err;
}

// ---- what is told ---------------------------------------------------------------------------------------------------

#define ZONE "$TTL 300\n@ SOA ns.x. h.x. 1 2 3 4 5\n@ NS ns.x.\nwww A 192.0.2.1\n"
#define CSV "prefix,carrier\n10.1.0.0/16,one\n"
#define LOCATE "locate: [{plugin: ranges, file: csv}]\n"
#define SITES "sites:\n  w1: {kind: wavelength, reach: [one]}\n  r1: {kind: region}\n"
#define TARGET ": {targets: {r1: {addresses: 192.0.2.1}}}\n"
#define ON_CARRIER ": {targets: {w1: {addresses: 192.0.2.1}}}\n"
#define BAD_ZONE ZONE "x A 1.2.3.400\n"
#define BAD_CSV CSV "10.300.0.0/16,one\n"
#define ZONE_TOLD "zone:5: x.e.x A: Syntax error, could not parse the RR's rdata\n"
#define ZONE_TOLD_F "zone:5: x.f.x A: Syntax error, could not parse the RR's rdata\n"
#define CSV_TOLD "csv:3: prefix: '10.300.0.0/16' is not an address prefix such as 192.0.2.0/24 or 2001:db8::/32\n"

static const struct {
	const char *yaml, *zone, *csv, *told;
} cases[] = {
	{"domains: {e.x: {file: zone}}\n" LOCATE SITES "apps:\n  a.e.x: {targets: {r1: {addresses: 192.0.2.1}, w1: {addresses: "
	 "192.0.2.2}}}\n", ZONE, CSV, ""},
	// Errors of config, zones and sources together.
	{"domains: {e.x: {file: zone}}\nbogus: 1\n" LOCATE SITES "apps:\n  a.e.x" TARGET "  b.e.x" ON_CARRIER "  w.e.x: {ttl: 1}\n",
	 BAD_ZONE, BAD_CSV,
	 "c:2:1: bogus: there is no such key\n"
	 "c:10:16: apps.w.e.x.ttl: cannot be `1`, expected a duration in whole seconds such as `30s` or `1h30m`, 0s to 7d\n"
	 "c:10:3: apps.w.e.x: targets is missing, expected a mapping of names\n" ZONE_TOLD CSV_TOLD},
	// Names that clash with a zone's, though the config has other errors.
	{"bogus: 1\ndomains: {e.x: {file: zone}}\n" SITES "apps:\n  r1.e.x" TARGET "  www.e.x" ON_CARRIER, ZONE, CSV,
	 "c:1:1: bogus: there is no such key\n"
	 "zone:4: www.e.x A: the name is an app's, whose addresses come from the config\n"},
	// What only follows from an error is not told: apps in a domain that is none, its file, a source without a plugin.
	{"domains: {e.x: {flie: zone}, f.x: {file: zone}, F.X: {file: zone2}}\nlocate: [{file: csv}, {plugin: ranges, file: csv}]\n"
	 SITES "apps:\n  w.e.x" ON_CARRIER "  r.f.x" TARGET "  q.z" TARGET "  R.f.x" TARGET "  'b..d'" TARGET, BAD_ZONE, BAD_CSV,
	 "c:1:17: domains.e.x.flie: there is no such key, did you mean `file`?\n"
	 "c:1:11: domains.e.x: has neither `file` nor `ns`, expected one of them\n"
	 "c:1:49: domains.F.X: is given twice (names are the same in upper and lower case), expected once\n"
	 "c:2:10: locate[0]: plugin is missing, expected a name of letters, digits, `-`, `_` and `.`, at most 63\n"
	 "c:10:3: apps.R.f.x: is given twice (names are the same in upper and lower case), expected once\n"
	 "c:11:3: apps.b..d: is not a domain name, expected labels of letters, digits, `-` and `_`, the first one may be `*`\n"
	 "c:9:3: apps.q.z: is in none of the zones served, expected a name inside one listed under `domains`\n"
	 ZONE_TOLD_F CSV_TOLD},
	{"domains: [zone]\nlocate: csv\n", BAD_ZONE, BAD_CSV,
	 "c:1:1: domains: cannot be a list, expected a mapping of names\n"
	 "c:2:9: locate: cannot be `csv`, expected a list of mappings\n"},
	{"- 1\n", BAD_ZONE, BAD_CSV, "c: cannot be a list, expected a mapping\n"},
	// Of what is no YAML, or nothing at all, only that.
	{"domains: {e.x: {file: zone}\n" LOCATE, BAD_ZONE, BAD_CSV,
	 "c:2:1: not YAML: did not find expected ',' or '}' (while parsing a flow mapping on line 1)\n"},
	{"", BAD_ZONE, BAD_CSV, "c: is empty, expected a configuration\n"},
	// Warnings come with what is good.
	{"domains: {e.x: {file: zone}}\n" LOCATE SITES "checks:\n  h: {type: https, ca-file: none.pem}\n"
	 "apps:\n  a.e.x: {check: h, targets: {r1: {addresses: 192.0.2.1}, w1: {addresses: 192.0.2.2}}}\n", ZONE, CSV,
	 "warning: c:7:3: checks.h.ca-file: none.pem cannot be read: No such file or directory\n"},
	{"domains: {e.x: {file: zone}}\n" LOCATE "sites:\n  w1: {kind: wavelength, reach: [oen]}\napps:\n  w.e.x" ON_CARRIER, ZONE,
	 "prefix,carrier,class\n10.1.0.0/16,one,egde\n",
	 "warning: c:4:3: sites.w1: no source of `locate` names a client of carrier `oen`, so none is sent here, did you mean "
	 "`one`?\n"
	 "warning: c: locate: ranges csv: clients of class `egde` reach no carrier's site, did you mean `edge`?\n"
	 "warning: c:6:3: apps.w.e.x: no target at a public site: clients off its carriers get SERVFAIL\n"},
	{"domains: {e.x: {file: zone}}\n" LOCATE SITES "apps:\n  r.e.x" TARGET "  a.e.x" ON_CARRIER "  b.e.x" ON_CARRIER
	 "  c.e.x" ON_CARRIER "  d.e.x" ON_CARRIER "  e.e.x" ON_CARRIER "  f.e.x" ON_CARRIER "  g.e.x" ON_CARRIER
	 "  h.e.x" ON_CARRIER "  i.e.x" ON_CARRIER "  j.e.x" ON_CARRIER "  k.e.x" ON_CARRIER, ZONE, CSV,
	 "warning: c:8:3: apps: a.e.x, b.e.x, c.e.x and 8 more have no target at a public site: clients off their carriers get "
	 "SERVFAIL\n"},
};

static void test_told(void **state)
{
	bool failed = false;

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char *told;

		write_file("zone", cases[i].zone, strlen(cases[i].zone));
		write_file("csv", cases[i].csv, strlen(cases[i].csv));
		(void)build(cases[i].yaml, strlen(cases[i].yaml), &told);
		if (strcmp(told, cases[i].told) != 0) {
			fprintf(stderr, "%s\n%s\nwanted:\n%s\n", cases[i].yaml, told, cases[i].told);
			failed = true;
		}
		free(told);
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
	size_t told_more = 0;
	char copy[2 * sizeof(good)];

	(void)state;
	write_file("zone", BAD_ZONE, strlen(BAD_ZONE));
	write_file("csv", CSV, strlen(CSV));
	write_file("latency", "from,site,ms\none,r1,3\n", 22);
	for (unsigned i = 0; i < rounds; i++) {
		char *told;

		memcpy(copy, good, sizeof(good));
		assert_int_equal(build(copy, damage(copy, sizeof(good) - 1), &told), E_INVAL);

		const char *zone = strstr(told, ZONE_TOLD);

		told_more += zone && zone != told; // errors of the config before it
		free(told);
	}
	assert_true(told_more > 100);
}

static int set_up(void **state)
{
	(void)state;
	return tempdir_make(folder);
}

static int tear_down(void **state)
{
	static const char *const names[] = {"c", "zone", "csv", "latency"};
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
		cmocka_unit_test(test_told),
		cmocka_unit_test(test_damage),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
