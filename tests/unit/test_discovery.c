// From `locate:` to places: options and their errors, plugins loaded from files (good, strange and hostile ones),
// sources merged field by field. The plugins loaded are built beside the tests: plugins/template.so,
// tests/plugins/faces.so.
#include "discovery/discovery.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <limits.h>
#include <math.h>

#include "base/arena.h"
#include "base/country.h"
#include "base/err.h"
#include "base/report.h"
#include "config/config.h"
#include "config/load.h"
#include "discovery/host.h"
#include "report_text.h"
#include "steer/place.h"
#include "tempdir.h"

static char folder[TEMPDIR_LEN];

static const char *const files[] = {"c.yaml", "a.csv", "b.csv", "bad.csv", "text.so", "template.so"};
static const char *const faces[] = {"good-one",  "what",         "mute-open",  "mute-list", "complains",
                                    "early",     "many-options", "wrong-name", "no-open",   "no-list",
                                    "wrong-abi", "too-small",    "no-symbol",  "beside"};

static char *path_of(const char *name, char buf[static PATH_MAX])
{
	snprintf(buf, PATH_MAX, "%s/%s", folder, name);
	return buf;
}

static void write_file(const char *name, const char *text)
{
	char path[PATH_MAX];
	FILE *file = fopen(path_of(name, path), "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

struct loaded {
	struct config *config;
	struct arena *arena;
	struct places *places;
	char *reported; // the report, with the test's folder written as DIR
	int err;
};

static void shorten(char *text)
{
	size_t len = strlen(folder);

	for (char *at = text; (at = strstr(at, folder)); at += 3) {
		memcpy(at, "DIR", 3);
		memmove(at + 3, at + len, strlen(at + len) + 1);
	}
}

static void load(const char *locate, struct loaded *ret_loaded)
{
	struct report *report = report_new();
	struct loaded loaded = {.arena = arena_new(1 << 20)};
	struct measured_row *rows;
	char yaml[4096], path[PATH_MAX];
	size_t count;

	snprintf(yaml, sizeof(yaml),
	         "domains: {example.com: {ns: [ns.example.net]}}\nserver: {plugin-dir: %s}\nlocate:\n%s", folder, locate);
	write_file("c.yaml", yaml);
	if (config_load(path_of("c.yaml", path), report, &loaded.config) < 0)
		print_error("%s", report_text(report));
	assert_non_null(loaded.config);
	loaded.err = discovery_load(loaded.config, loaded.arena, report, &loaded.places, &rows, &count);
	assert_int_equal(loaded.err, report_ok(report) ? E_OK : E_INVAL);
	loaded.reported = report_text(report);
	shorten(loaded.reported);
	report_free(report);
	*ret_loaded = loaded;
}

static void unload(struct loaded *loaded)
{
	places_free(loaded->places);
	arena_free(loaded->arena);
	config_free(loaded->config);
	free(loaded->reported);
}

static const struct place *place_of(const struct loaded *loaded, const char *text, uint8_t *ret_depth)
{
	struct addr addr;

	assert_int_equal(addr_parse(text, &addr), E_OK);
	return places_lookup(loaded->places, &addr, ret_depth);
}

// ---- errors ---------------------------------------------------------------------------------------------------------

static const struct {
	const char *locate, *reported;
} cases[] = {
	// Names.
	{"  - plugin: rangs\n", "DIR/c.yaml:4:5: locate: no plugin `rangs`, did you mean `ranges`?\n"},
	{"  - plugin: geo\n", "DIR/c.yaml:4:5: locate: no plugin `geo`: it is neither built in nor in plugin-dir DIR\n"},
	// Options: all that is wrong, each at its place.
	{"  - plugin: ranges\n",
	 "DIR/c.yaml:4:5: locate: ranges: `file` is missing: CSV file with a header row that names its "
	 "columns: prefix, and any of carrier, latitude, longitude, accuracy-km, class, site (up to four, as \"a;b\"), country.\n"},
	{"  - plugin: ranges\n    fil: a.csv\n    colour: red\n",
	 "DIR/c.yaml:5:5: locate: ranges: unknown key `fil`, did you mean `file`?\n"
	 "DIR/c.yaml:6:5: locate: ranges: unknown key `colour`\n"
	 "DIR/c.yaml:4:5: locate: ranges: `file` is missing: CSV file with a header row that names its columns: prefix, "
	 "and "
	 "any of carrier, latitude, longitude, accuracy-km, class, site (up to four, as \"a;b\"), country.\n"},
	{"  - plugin: ranges\n    file: [a.csv]\n", "DIR/c.yaml:5:5: locate: ranges: `file` is not a path\n"},
	{"  - plugin: ranges\n    file:\n", "DIR/c.yaml:5:5: locate: ranges: `file` is not a path\n"},
	{"  - plugin: mmdb\n    carriers: AS6167\n", "DIR/c.yaml:5:5: locate: mmdb: `carriers` is not a mapping\n"},
	{"  - plugin: mmdb\n    carriers:\n      AS1: [a]\n      AS2: b\n      AS3:\n",
	 "DIR/c.yaml:6:7: locate: mmdb: `carriers.AS1` is not text\nDIR/c.yaml:8:7: locate: mmdb: `carriers.AS3` is not "
	 "text\n"},
	{"  - plugin: mmdb\n", "DIR/c.yaml:4:5: locate: mmdb: give city or isp, or both\n"},
	// Files, and the sources behind a wrong one.
	{"  - {plugin: ranges, file: none.csv}\n  - {plugin: ranges, file: bad.csv}\n",
	 "DIR/none.csv: cannot be read: No such file or directory\n"
	 "DIR/bad.csv:2: prefix: 'x' is not an address prefix such as 192.0.2.0/24 or 2001:db8::/32\n"
	 "DIR/bad.csv:3: latitude: '?[31m' is not a decimal number\n"},
	// Files that are no plugins.
	{"  - plugin: no-symbol\n", "DIR/c.yaml:4:5: locate: plugin `no-symbol`: DIR/no-symbol.so has no symbol "
	                            "edgesteer_plugin_no_symbol\n"},
	{"  - plugin: text\n", "DIR/c.yaml:4:5: locate: plugin `text` cannot be loaded: DIR/text.so: file too short\n"},
	{"  - plugin: wrong-abi\n",
	 "DIR/c.yaml:4:5: locate: plugin `wrong-abi`: DIR/wrong-abi.so was built for another major "
	 "version of the plugin contract\n"},
	{"  - plugin: too-small\n",
	 "DIR/c.yaml:4:5: locate: plugin `too-small`: DIR/too-small.so states a size too small for its version\n"},
	{"  - plugin: wrong-name\n",
	 "DIR/c.yaml:4:5: locate: plugin `wrong-name`: DIR/wrong-name.so has another name than its file\n"},
	{"  - plugin: no-open\n", "DIR/c.yaml:4:5: locate: plugin `no-open`: DIR/no-open.so has no open()\n"},
	{"  - plugin: no-list\n",
	 "DIR/c.yaml:4:5: locate: plugin `no-list`: DIR/no-list.so has no enumerate(), which `locate` "
	 "needs\n"},
	{"  - plugin: many-options\n", "DIR/c.yaml:4:5: locate: many-options: the plugin has more than 64 options\n"},
	// Plugins that do not do as they should.
	{"  - plugin: mute-open\n", "DIR/c.yaml:4:5: locate: mute-open: failed without reporting an error\n"},
	{"  - plugin: mute-list\n", "DIR/c.yaml:4:5: locate: mute-list: failed without reporting an error\n"},
	{"  - plugin: complains\n", "/some/file:7: an escape ?[31m and a newline?\n"
	                            "DIR/c.yaml:4:5: locate: complains: a level there is none of\n"},
	{"  - plugin: early\n",
	 "DIR/c.yaml:4:5: locate: early: breaks the plugin contract: add() outside of enumerate()\n"},
	{"  - plugin: what\n", ""},
	{"  - {plugin: what, what: family}\n",
	 "DIR/c.yaml:4:5: locate: what: breaks the plugin contract: a prefix of family 5 and length 24\n"},
	{"  - {plugin: what, what: length}\n",
	 "DIR/c.yaml:4:5: locate: what: breaks the plugin contract: a prefix of family 4 and length 33\n"},
	{"  - {plugin: what, what: size}\n",
	 "DIR/c.yaml:4:5: locate: what: breaks the plugin contract: add() without a complete prefix and place\n"},
	{"  - {plugin: what, what: size-almost}\n",
	 "DIR/c.yaml:4:5: locate: what: breaks the plugin contract: add() without a complete prefix and place\n"},
	{"  - {plugin: what, what: size-of-1.0}\n", ""},
	{"  - {plugin: what, what: size-of-tomorrow}\n", ""},
	{"  - {plugin: what, what: null-prefix}\n",
	 "DIR/c.yaml:4:5: locate: what: breaks the plugin contract: add() without a complete prefix and place\n"},
	{"  - {plugin: what, what: null-place}\n",
	 "DIR/c.yaml:4:5: locate: what: breaks the plugin contract: add() without a complete prefix and place\n"},
	{"  - {plugin: what, what: tail}\n", "DIR/c.yaml:4:5: locate: what: prefix 198.51.100.0/16 has bits past its "
	                                     "length, or coordinates off the globe\n"},
	{"  - {plugin: what, what: latitude}\n", "DIR/c.yaml:4:5: locate: what: prefix 198.51.100.0/24 has bits past "
	                                         "its length, or coordinates off the globe\n"},
	{"  - {plugin: what, what: longitude}\n", "DIR/c.yaml:4:5: locate: what: prefix 198.51.100.0/24 has bits past "
	                                          "its length, or coordinates off the globe\n"},
	{"  - {plugin: what, what: infinity}\n", "DIR/c.yaml:4:5: locate: what: prefix 198.51.100.0/24 has bits past "
	                                         "its length, or coordinates off the globe\n"},
	{"  - {plugin: what, what: carrier}\n",
	 "DIR/c.yaml:4:5: locate: what: prefix 198.51.100.0/24 has an invalid carrier, "
	 "expected up to 63 printable ASCII characters\n"},
	{"  - {plugin: what, what: class}\n",
	 "DIR/c.yaml:4:5: locate: what: prefix 198.51.100.0/24 has an invalid class, "
	 "expected up to 63 printable ASCII characters\n"},
	{"  - {plugin: what, what: sites}\n", ""},
	{"  - {plugin: what, what: sites-before-1.6}\n", ""},
	{"  - {plugin: what, what: sites-five}\n",
	 "DIR/c.yaml:4:5: locate: what: prefix 198.51.100.0/24 has more than 4 sites, or a list that is NULL\n"},
	{"  - {plugin: what, what: sites-null}\n",
	 "DIR/c.yaml:4:5: locate: what: prefix 198.51.100.0/24 has more than 4 sites, or a list that is NULL\n"},
	{"  - {plugin: what, what: sites-empty}\n",
	 "DIR/c.yaml:4:5: locate: what: prefix 198.51.100.0/24 has an invalid site, "
	 "expected up to 63 printable ASCII characters\n"},
	{"  - {plugin: what, what: site}\n",
	 "DIR/c.yaml:4:5: locate: what: prefix 198.51.100.0/24 has an invalid site, "
	 "expected up to 63 printable ASCII characters\n"},
};

static void test_errors(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct loaded loaded;

		load(cases[i].locate, &loaded);
		assert_string_equal(loaded.reported, cases[i].reported);
		unload(&loaded);
	}
}

// Configs made by hand: what the config's own checks would not let through, and no plugin-dir.
static void test_names(void **state)
{
	static const struct {
		const char *plugin, *plugin_dir, *reported;
	} names[] = {
		{"geo", NULL, "c.yaml:3:5: locate: no plugin `geo` is built in, and no plugin-dir is set\n"},
		{"../evil", folder,
		 "c.yaml:3:5: locate: `../evil` is not a plugin name, expected lower-case letters, digits and hyphens\n"},
		{"", folder, "c.yaml:3:5: locate: `` is not a plugin name, expected lower-case letters, digits and hyphens\n"},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		struct config_locate locate = {.plugin = names[i].plugin, .mark = {"c.yaml", 3, 5}};
		struct config config = {.locates = &locate, .locate_count = 1, .server.plugin_dir = names[i].plugin_dir};
		struct arena *arena = arena_new(1 << 20);
		struct report *report = report_new();
		struct measured_row *rows;
		struct places *places;
		size_t count;

		assert_int_equal(discovery_load(&config, arena, report, &places, &rows, &count), E_INVAL);

		char *reported = report_text(report);

		assert_string_equal(reported, names[i].reported);
		free(reported);
		report_free(report);
		arena_free(arena);
	}
}

// ---- what comes of it -----------------------------------------------------------------------------------------------

static void assert_place(const struct loaded *loaded, const char *addr, const char *expected)
{
	uint8_t depth;
	const struct place *place = place_of(loaded, addr, &depth);
	const struct places *places = loaded->places;
	char text[256];

	snprintf(text, sizeof(text), "/%u carrier %s %u, class %s %u, site %s %u, at %g,%g ~%g %u", depth,
	         names_text(places->carriers, place->carrier), place->carrier_source,
	         names_text(places->classes, place->class_), place->class_source, names_text(places->hints, place->hints[0]),
	         place->hint_source, isnan(place->latitude) ? 0 : place->latitude,
	         isnan(place->longitude) ? 0 : place->longitude, (double)place->accuracy_km, place->coordinates_source);
	assert_string_equal(text, expected);
}

// Each field comes from the first source that knows it; within one source only the longest prefix counts.
static void test_merge(void **state)
{
	struct loaded loaded;

	(void)state;
	write_file("a.csv", "prefix,carrier,latitude,longitude,class,site,accuracy-km\n"
	                    "10.0.0.0/8,verizon,,,,,\n10.1.0.0/16,,,,mvno,,\n10.2.0.0/16,kddi,35,139,,plant-7,5\n"
	                    "10.3.0.0/16,ee,51,0,,,300\n");
	write_file("b.csv", "prefix,carrier,latitude,longitude,class,country\n"
	                    "10.0.0.0/9,bell,45,-73,edge,ca\n2001:db8::/32,skt,37,127,,\n");
	load("  - {plugin: ranges, file: a.csv}\n  - {plugin: ranges, file: b.csv}\n", &loaded);
	assert_string_equal(loaded.reported,
	                    "note: DIR/a.csv: 3 of 4 prefixes are inside another one, such as 10.1.0.0/16 (line 3) "
	                    "inside 10.0.0.0/8 (line 2): of nested prefixes the longest gives all fields\n");
	assert_int_equal(loaded.places->sources, 2);
	assert_string_equal(loaded.places->source_names[0], "ranges a.csv");
	assert_string_equal(loaded.places->source_names[1], "ranges b.csv");
	assert_int_equal(loaded.places->source_prefixes[0], 4);
	assert_int_equal(loaded.places->source_prefixes[1], 2);
	assert_place(&loaded, "10.0.0.1", "/16 carrier verizon 1, class edge 2, site  0, at 45,-73 ~0 2");

	uint8_t depth;
	const struct place *place = place_of(&loaded, "10.1.0.1", &depth);

	assert_int_equal(place->country, country_of_text("CA", 2));
	assert_int_equal(place->country_source, 2);
	assert_int_equal(place_of(&loaded, "2001:db8::1", &depth)->country_source, 0);
	assert_place(&loaded, "10.1.0.1", "/16 carrier bell 2, class mvno 1, site  0, at 45,-73 ~0 2");
	assert_place(&loaded, "10.2.0.1", "/16 carrier kddi 1, class edge 2, site plant-7 1, at 35,139 ~5 1");
	assert_place(&loaded, "10.3.0.1", "/16 carrier ee 1, class edge 2, site  0, at 45,-73 ~0 2"); // 300 km: too vague
	assert_place(&loaded, "10.200.0.1", "/9 carrier verizon 1, class  0, site  0, at 0,0 ~0 0");
	assert_place(&loaded, "2001:db8::1", "/32 carrier skt 2, class  0, site  0, at 37,127 ~0 2");
	assert_place(&loaded, "11.0.0.1", "/8 carrier  0, class  0, site  0, at 0,0 ~0 0");
	unload(&loaded);
}

static void test_mmdb(void **state)
{
	const char *srcdir = getenv("srcdir");
	char real[PATH_MAX], locate[2 * PATH_MAX + 256];
	struct loaded loaded;

	(void)state;
	assert_non_null(realpath(srcdir ? srcdir : ".", real));
	snprintf(locate, sizeof(locate),
	         "  - plugin: mmdb\n    city: %s/tests/data/mmdb/GeoIP2-City-Test.mmdb\n"
	         "    isp: %s/tests/data/mmdb/GeoIP2-ISP-Test.mmdb\n    carriers: {AS6167: verizon}\n", real, real);
	load(locate, &loaded);
	assert_string_equal(loaded.reported, "");
	assert_string_equal(loaded.places->source_names[0], "mmdb GeoIP2-City-Test.mmdb");

	uint8_t depth;
	const struct place *place = place_of(&loaded, "174.249.33.62", &depth);

	assert_string_equal(names_text(loaded.places->carriers, place->carrier), "verizon");
	assert_int_equal(depth, 10);
	place = place_of(&loaded, "216.160.83.57", &depth);
	assert_true(place->latitude == 47.2513 && place->longitude == -122.3149 && place->accuracy_km == 22);
	place = place_of(&loaded, "149.101.100.1", &depth); // accuracy radius 1000 km
	assert_true(isnan(place->latitude));
	assert_string_equal(names_text(loaded.places->carriers, place->carrier), "verizon");
	unload(&loaded);
}

// Plugins loaded from files: the template as it is, and one whose name has a hyphen.
static void test_libraries(void **state)
{
	struct loaded loaded;

	(void)state;
	load("  - plugin: template\n", &loaded);
	assert_string_equal(loaded.reported, "");
	assert_place(&loaded, "192.0.2.1", "/24 carrier example 1, class  0, site  0, at 0,0 ~0 0");
	unload(&loaded);
	load("  - {plugin: template, carrier: mine}\n", &loaded);
	assert_string_equal(loaded.reported, "");
	assert_place(&loaded, "192.0.2.1", "/24 carrier mine 1, class  0, site  0, at 0,0 ~0 0");
	unload(&loaded);
	load("  - {plugin: good-one, facts: {class: mvno, carrier: ours}}\n", &loaded);
	assert_string_equal(loaded.reported, "");
	assert_string_equal(loaded.places->source_names[0], "good-one default");
	assert_place(&loaded, "198.51.100.1", "/24 carrier ours 1, class mvno 1, site  0, at 0,0 ~0 0");
	unload(&loaded);
	load("  - {plugin: good-one, file: sub/x.csv, facts: {class: mvno, stop: here, carrier: ours}}\n", &loaded);
	assert_string_equal(loaded.reported, "note: DIR/c.yaml:4:5: locate: good-one: stopped\n");
	assert_string_equal(loaded.places->source_names[0], "good-one x.csv");
	assert_place(&loaded, "198.51.100.1", "/24 carrier  0, class mvno 1, site  0, at 0,0 ~0 0");
	unload(&loaded);
	load("  - plugin: beside\n", &loaded); // a default is a path like any other
	assert_string_equal(loaded.reported, "note: DIR/beside.csv: is the file\n");
	unload(&loaded);
}

// Nothing at all is a table too.
static void test_no_sources(void **state)
{
	struct config config = {.file = "c.yaml"};
	struct arena *arena = arena_new(1 << 20);
	struct report *report = report_new();
	struct measured_row *rows;
	struct loaded loaded;
	size_t count = 1;

	(void)state;
	assert_int_equal(discovery_load(&config, arena, report, &loaded.places, &rows, &count), E_OK);
	assert_int_equal(count, 0);
	assert_place(&loaded, "192.0.2.1", "/0 carrier  0, class  0, site  0, at 0,0 ~0 0");
	places_free(loaded.places);
	report_free(report);
	arena_free(arena);
}

// Two instances at once, each from its own entry; the later one lists first, and each call has a report of its own.
static void test_instances(void **state)
{
	struct host *hosts[2];
	struct loaded loaded;
	struct place_builder *builder = place_builder_new(200);
	struct report *report = report_new(), *of_call = report_new();
	struct places *before;

	(void)state;
	write_file("a.csv", "prefix,carrier\n10.0.0.0/8,verizon\n");
	write_file("b.csv", "prefix,carrier\n10.0.0.0/8,kddi\n11.0.0.0/8,bell\n");
	load("  - {plugin: ranges, file: a.csv}\n  - {plugin: ranges, file: b.csv}\n", &loaded);
	for (size_t i = 0; i < 2; i++)
		assert_int_equal(host_open(loaded.config, &loaded.config->locates[i], report, &hosts[i]), E_OK);
	for (size_t i = 2; i-- > 0;)
		assert_int_equal(host_enumerate(hosts[i], builder, of_call), E_OK);
	for (size_t i = 0; i < 2; i++)
		assert_null(host_close(hosts[i], report));
	assert_null(host_close(NULL, report));
	before = loaded.places;
	assert_int_equal(place_finish(builder, &loaded.places), E_OK);
	assert_string_equal(loaded.places->source_names[0], "ranges b.csv");
	assert_place(&loaded, "10.0.0.1", "/8 carrier kddi 1, class  0, site  0, at 0,0 ~0 0");
	assert_place(&loaded, "11.0.0.1", "/8 carrier bell 1, class  0, site  0, at 0,0 ~0 0");
	assert_true(report_ok(report) && report_ok(of_call));
	places_free(before);
	place_builder_free(builder);
	report_free(report);
	report_free(of_call);
	unload(&loaded);
}

static int link_plugin(const char *built, const char *name)
{
	const char *builddir = getenv("builddir");
	char target[PATH_MAX], relative[PATH_MAX], link[PATH_MAX], file[64];

	snprintf(relative, sizeof(relative), "%s/%s", builddir ? builddir : ".", built);
	snprintf(file, sizeof(file), "%s.so", name);
	if (!realpath(relative, target)) {
		print_error("%s is not built\n", relative);
		return -1;
	}
	return symlink(target, path_of(file, link));
}

static int set_up(void **state)
{
	(void)state;
	if (tempdir_make(folder) < 0 || link_plugin("plugins/template.so", "template") < 0)
		return -1;
	for (size_t i = 0; i < ARRAY_LEN(faces); i++)
		if (link_plugin("tests/plugins/faces.so", faces[i]) < 0)
			return -1;
	write_file("text.so", "not a library");
	write_file("bad.csv", "prefix,latitude,longitude\nx,,\n1.0.0.0/8,\033[31m,1\n");
	return 0;
}

static int tear_down(void **state)
{
	char path[PATH_MAX], file[64];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		unlink(path_of(files[i], path));
	for (size_t i = 0; i < ARRAY_LEN(faces); i++) {
		snprintf(file, sizeof(file), "%s.so", faces[i]);
		unlink(path_of(file, path));
	}
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_errors),    cmocka_unit_test(test_names),     cmocka_unit_test(test_merge),
		cmocka_unit_test(test_mmdb),      cmocka_unit_test(test_libraries),     cmocka_unit_test(test_no_sources),
		cmocka_unit_test(test_instances),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
