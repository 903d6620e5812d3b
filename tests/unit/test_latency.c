// The latency table: a table of files with the rows that come of them and what is said, and its prefixes in the places.
#include "discovery/discovery.h"
#include "discovery/latency.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/report.h"
#include "config/config.h"
#include "report_text.h"
#include "steer/place.h"
#include "tempdir.h"

static char folder[TEMPDIR_LEN], path[TEMPDIR_LEN + 16], ranges_path[TEMPDIR_LEN + 16];

static struct config_site sites[] = {{.name = "bos"}, {.name = "nyc"}, {.name = "use1"}};

struct loaded {
	struct arena *arena;
	struct places *places;
	struct measured_row *rows;
	size_t count;
	char *reported; // the path written as FILE
	int err;
};

static void load(const struct config *config, struct loaded *ret_loaded)
{
	struct report *report = report_new();
	struct loaded loaded = {.arena = arena_new(1 << 20)};

	loaded.err = discovery_load(config, loaded.arena, report, &loaded.places, &loaded.rows, &loaded.count);
	assert_int_equal(loaded.err, report_ok(report) ? E_OK : E_INVAL);
	loaded.reported = report_text(report);
	for (char *at = loaded.reported; (at = strstr(at, path)); at += 4) {
		memcpy(at, "FILE", 4);
		memmove(at + 4, at + strlen(path), strlen(at + strlen(path)) + 1);
	}
	report_free(report);
	*ret_loaded = loaded;
}

static void load_text(const void *text, size_t len, struct loaded *ret_loaded)
{
	const struct config config = {.file = "c.yaml", .latency = path, .sites = sites, .site_count = ARRAY_LEN(sites)};
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
	load(&config, ret_loaded);
}

static void unload(struct loaded *loaded)
{
	places_free(loaded->places);
	arena_free(loaded->arena);
	free(loaded->reported);
}

static uint32_t group_of(const struct places *places, const char *text)
{
	struct addr addr;
	uint8_t depth;

	assert_int_equal(addr_parse(text, &addr), E_OK);
	return places_lookup(places, &addr, &depth)->measured;
}

// Rows as "10.0.0.0/8 bos 1.5": the group's number for prefixes, the name for carriers; microseconds.
static const struct {
	const char *csv, *rows, *reported;
} cases[] = {
	{"from,site,ms\nverizon,bos,12\nverizon,use1,30.5\n10.0.0.0/8,bos,0\n2001:db8::/32,use1,0.0015\n10.0.0.0/"
	 "8,nyc,60000\n",
	 "verizon bos 12000\nverizon use1 30500\n1 bos 0\n1 nyc 60000000\n2 use1 2\n", ""},
	// A byte order mark, CRLF, comments, blanks, no final newline.
	{"\xef\xbb\xbf# ours\r\n\r\n from , site , ms \r\n192.0.2.1,\tbos , 1.25 \r\nkddi,nyc,7",
	 "kddi nyc 7000\n1 bos 1250\n", "warning: FILE:5: ends without a newline: was it cut?\n"},
	{"from,site,ms\n", "", ""},
	// Carriers are the same in whatever case.
	{"from,site,ms\nVerizon,bos,12\nKDDI,nyc,7\nverizon,bos,13\n", "kddi nyc 7000\nverizon bos 13000\n",
	 "warning: FILE:4: the same from and site as on line 2: this later row is used\n"},
	{"from,site,ms\n10.0.0.0/16,bos,1\n10.0.0.0/8,bos,2\n", "1 bos 2000\n2 bos 1000\n", ""},
	// Repeated: reported, and the later one counts.
	{"from,site,ms\na,bos,1\n1.0.0.0/8,bos,2\na,bos,3\n1.0.0.0/8,bos,4\na,nyc,5\na,bos,6\n",
	 "a bos 6000\na nyc 5000\n1 bos 4000\n",
	 "warning: FILE:4: the same from and site as on line 2: this later row is used\n"
	 "warning: FILE:7: the same from and site as on line 4: this later row is used\n"
	 "warning: FILE:5: the same from and site as on line 3: this later row is used\n"},
	// Sites that this config does not have.
	{"from,site,ms\na,paris,1\na,bos,2\nb,rome,3\n", "a bos 2000\n",
	 "warning: FILE:2: 2 rows are for sites that are not in the config, such as `paris`\n"},
	// Errors, all of them.
	{"", NULL, "FILE: is empty, expected the header row from,site,ms\n"},
	{"# only\n", NULL, "FILE: is empty, expected the header row from,site,ms\n"},
	{"site,from,ms\nbos,a,1\n", NULL, "FILE:1: expected the header row from,site,ms\n"},
	{"verizon,bos,12\n", NULL, "FILE:1: expected the header row from,site,ms\n"},
	{"from,site,ms\na,bos\na,bos,1,2\n\"a\",bos,1\na,,1\n,bos,1\n10.0.0.0/33,bos,1\n10.0.0.1/"
	 "8,bos,1\n2001:db8:,bos,1\n",
	 NULL,
	 "FILE:2: 2 fields, expected from,site,ms\nFILE:3: 4 fields, expected from,site,ms\n"
	 "FILE:4: quotes are not supported in this table\nFILE:5: site: expected a site's name\n"
	 "FILE:6: from: expected a prefix or a carrier of up to 63 characters\n"
	 "FILE:7: from: `10.0.0.0/33` is neither a prefix nor a carrier\n"
	 "FILE:8: from: `10.0.0.1/8` has bits past its length, did you mean 10.0.0.0/8?\n"
	 "FILE:9: from: `2001:db8:` is neither a prefix nor a carrier\n"},
	{"from,site,ms\na,bos,-1\na,bos,1ms\na,bos,\na,bos,.5\na,bos,60000.001\na,bos,999999\na,bos,1e3\na,bos,\033[31m\n",
	 NULL,
	 "FILE:2: ms: `-1` is not a number of milliseconds, expected 0 to 60000\n"
	 "FILE:3: ms: `1ms` is not a number of milliseconds, expected 0 to 60000\n"
	 "FILE:4: ms: `` is not a number of milliseconds, expected 0 to 60000\n"
	 "FILE:5: ms: `.5` is not a number of milliseconds, expected 0 to 60000\n"
	 "FILE:6: ms: `60000.001` is not a number of milliseconds, expected 0 to 60000\n"
	 "FILE:7: ms: `999999` is not a number of milliseconds, expected 0 to 60000\n"
	 "FILE:8: ms: `1e3` is not a number of milliseconds, expected 0 to 60000\n"
	 "FILE:9: ms: `?[31m` is not a number of milliseconds, expected 0 to 60000\n"},
};

static void test_table(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct loaded loaded;
		char rows[1024] = "";

		load_text(cases[i].csv, strlen(cases[i].csv), &loaded);
		assert_string_equal(loaded.reported, cases[i].reported);
		assert_int_equal(loaded.err == E_OK, cases[i].rows != NULL);
		for (size_t j = 0; j < loaded.count; j++) {
			const struct measured_row *row = &loaded.rows[j];
			char group[16];

			snprintf(group, sizeof(group), "%u", row->group);
			assert_int_equal(row->group == 0, row->carrier != NULL);
			snprintf(rows + strlen(rows), sizeof(rows) - strlen(rows), "%s %s %u\n",
			         row->carrier ? row->carrier : group, sites[row->site].name, row->us);
		}
		if (cases[i].rows)
			assert_string_equal(rows, cases[i].rows);
		unload(&loaded);
	}
}

static void test_zero_bytes(void **state)
{
	static const char csv[] = "from,site,ms\na,bos,1\0\n\0,bos,1\nb,bos,1\n";
	struct loaded loaded;

	(void)state;
	load_text(csv, sizeof(csv) - 1, &loaded);
	assert_string_equal(loaded.reported, "FILE:2: zero octet: this is not a text file\n"
	                                 "FILE:3: zero octet: this is not a text file\n");
	unload(&loaded);
}

// Prefixes in the table, nested ones too, together with another source for the same addresses.
static void test_places(void **state)
{
	static const char csv[] = "from,site,ms\n10.1.0.0/16,bos,1\n10.0.0.0/8,bos,2\n2001:db8::/32,nyc,3\n";
	static const struct value_file source = {"c.yaml", "/c.yaml"};
	struct value option = {.key = "file", .kind = VALUE_TEXT, .text = ranges_path, .file = &source};
	const struct value options = {.kind = VALUE_MAP, .first = &option, .count = 1, .file = &source};
	struct config_locate locate = {.plugin = "ranges", .options = &options, .mark = {"c.yaml", 1, 1}};
	const struct config config = {.file = "c.yaml", .latency = path, .sites = sites, .site_count = ARRAY_LEN(sites),
	                              .arena = arena_new(1 << 20), .locates = &locate, .locate_count = 1};
	struct loaded loaded;
	FILE *file;

	(void)state;
	assert_non_null(file = fopen(ranges_path, "w"));
	fputs("prefix,carrier\n10.1.2.0/24,verizon\n", file);
	fclose(file);
	assert_non_null(file = fopen(path, "w"));
	fputs(csv, file);
	fclose(file);
	load(&config, &loaded);
	assert_string_equal(loaded.reported, "");
	assert_int_equal(loaded.count, 3);
	assert_int_equal(group_of(loaded.places, "10.0.0.1"), 1);
	assert_int_equal(group_of(loaded.places, "10.1.0.1"), 2);
	assert_int_equal(group_of(loaded.places, "10.1.2.1"), 2);
	assert_int_equal(group_of(loaded.places, "11.0.0.1"), 0);
	assert_int_equal(group_of(loaded.places, "2001:db8::1"), 3);
	assert_int_equal(loaded.places->sources, 2);
	assert_string_equal(loaded.places->source_names[1], "latency latency.csv");
	unload(&loaded);
	arena_free(config.arena);
}

static void test_no_files(void **state)
{
	const struct config config = {.file = "c.yaml", .latency = path};
	struct loaded loaded;

	(void)state;
	unlink(path);
	load(&config, &loaded);
	assert_string_equal(loaded.reported, "FILE: cannot be read: No such file or directory\n");
	unload(&loaded);
	assert_int_equal(mkdir(path, 0700), 0);
	load(&config, &loaded);
	assert_string_equal(loaded.reported, "FILE: cannot be read: Is a directory\n");
	unload(&loaded);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	load(&config, &loaded);
	assert_string_equal(loaded.reported, "FILE: cannot be read: not a regular file\n");
	unload(&loaded);
	assert_int_equal(unlink(path), 0);

	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(ftruncate(fileno(file), (64 << 20) + 1), 0); // all of it a hole
	fclose(file);
	load(&config, &loaded);
	assert_string_equal(loaded.reported, "FILE: cannot be read: larger than 64 MiB\n");
	unload(&loaded);
}

static int set_up(void **state)
{
	(void)state;
	if (tempdir_make(folder) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/latency.csv", folder);
	snprintf(ranges_path, sizeof(ranges_path), "%s/ranges.csv", folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	unlink(ranges_path);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_zero_bytes),
		cmocka_unit_test(test_places),
		cmocka_unit_test(test_no_files),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
