// Damaged, malicious and merely wrong databases: the mmdb plugin refuses them with a message, soon, and without a fault
// that the sanitizers see. Files: tests/data/mmdb, and some made here.
#include "mmdbfiles.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include <time.h>

#include "mmdbwriter.h"
#include "tempdir.h"

static char folder[TEMPDIR_LEN], city_path[TEMPDIR_LEN + 16];

static struct mmdbwriter writer;

static uint64_t rng_state;

static uint64_t rng(void)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return rng_state;
}

#define NOT_CITY(type) \
	"error: a database of type '" type "', no record of which has coordinates: expected a City or Enterprise database\n"
#define NOT_ISP(type)                                                                                                  \
	"error: a database of type '" type                                                                                 \
	"', no record of which has an AS, an ISP or a mobile network: expected an ISP, "                                   \
	"ASN or Enterprise database\n"
#define DAMAGED(why) "error: is damaged: " why "\n"

static const struct {
	const char *name;
	const char *as_city, *as_isp; // reports; as_isp NULL: the same
} bad[] = {
	{"GeoIP2-City-Test-Broken-Double-Format.mmdb", DAMAGED("a value has an impossible size"), NULL},
	{"GeoIP2-City-Test-Invalid-Node-Count.mmdb", DAMAGED("The MaxMind DB file contains invalid metadata"), NULL},
	{"GeoIP2-Connection-Type-Test.mmdb", NOT_CITY("GeoIP2-Connection-Type"), NOT_ISP("GeoIP2-Connection-Type")},
	{"MaxMind-DB-no-ipv4-search-tree.mmdb", DAMAGED("a record is not a map"), NULL},
	{"MaxMind-DB-test-broken-pointers-24.mmdb", DAMAGED("a pointer leads out of the file"), NULL},
	{"MaxMind-DB-test-broken-search-tree-24.mmdb", DAMAGED("its search tree leads back to its root"), NULL},
	{"bad-data/libmaxminddb_libmaxminddb-corrupt-search-tree.mmdb", NOT_CITY("Test"), NOT_ISP("Test")},
	{"bad-data/libmaxminddb_libmaxminddb-deep-array-nesting.mmdb", DAMAGED("a record is not a map"), NULL},
	{"bad-data/libmaxminddb_libmaxminddb-deep-nesting.mmdb", NOT_CITY("Test"), NOT_ISP("Test")},
	{"bad-data/libmaxminddb_libmaxminddb-empty-array-last-in-metadata.mmdb", NOT_CITY("Test"), NOT_ISP("Test")},
	{"bad-data/libmaxminddb_libmaxminddb-empty-map-last-in-metadata.mmdb", NOT_CITY("Test"), NOT_ISP("Test")},
	{"bad-data/libmaxminddb_libmaxminddb-metadata-marker-only.mmdb", DAMAGED("a record is cut off by the file's end"),
	 NULL},
	{"bad-data/libmaxminddb_libmaxminddb-offset-integer-overflow.mmdb", DAMAGED("a pointer leads out of the file"),
	 NULL},
	{"bad-data/libmaxminddb_libmaxminddb-oversized-array.mmdb", DAMAGED("a record is not a map"), NULL},
	{"bad-data/libmaxminddb_libmaxminddb-oversized-map.mmdb", DAMAGED("a value has an impossible size"), NULL},
	{"bad-data/libmaxminddb_libmaxminddb-separator-record-max-left.mmdb",
	 DAMAGED("its search tree leads out of its data"), NULL},
	{"bad-data/libmaxminddb_libmaxminddb-separator-record-min-left.mmdb",
	 DAMAGED("its search tree leads out of its data"), NULL},
	{"bad-data/libmaxminddb_libmaxminddb-separator-record-min-right.mmdb",
	 DAMAGED("its search tree leads out of its data"), NULL},
	{"bad-data/libmaxminddb_libmaxminddb-uint64-max-epoch.mmdb", NOT_CITY("Test"), NOT_ISP("Test")},
	{"bad-data/maxminddb-golang_cyclic-data-structure.mmdb", DAMAGED("a value has an impossible size"), NULL},
	{"bad-data/maxminddb-golang_invalid-bytes-length.mmdb", DAMAGED("a record is cut off by the file's end"), NULL},
	{"bad-data/maxminddb-golang_invalid-data-record-offset.mmdb", DAMAGED("a record has a part of unknown type"), NULL},
	{"bad-data/maxminddb-golang_invalid-map-key-length.mmdb", DAMAGED("a value has an impossible size"), NULL},
	{"bad-data/maxminddb-golang_invalid-string-length.mmdb", DAMAGED("a pointer is cut off by the file's end"), NULL},
	{"bad-data/maxminddb-golang_metadata-is-an-uint128.mmdb", DAMAGED("a value has an impossible size"), NULL},
	{"bad-data/maxminddb-golang_unexpected-bytes.mmdb", DAMAGED("a record is cut off by the file's end"), NULL},
	{"bad-data/maxminddb-python_bad-unicode-in-map-key.mmdb", DAMAGED("its search tree leads out of its data"), NULL},
	{"bad-data/README.md", DAMAGED("it has no metadata: not a MaxMind DB, or an incomplete one"), NULL},
	{"there-is-none.mmdb", "error: cannot be read: No such file or directory\n", NULL},
	{"", "error: cannot be read: Is a directory\n", NULL},
};

static void test_damaged(void **state)
{
	static const struct fakehost_pair carriers[] = {{"AS6167", "verizon"}, {NULL, NULL}};

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct fakehost host;

		assert_true(mmdbfiles_run_data(&host, bad[i].name, NULL, NULL) < 0);
		assert_string_equal(host.reports, bad[i].as_city);
		assert_int_equal(host.added_count, 0);
		fakehost_end(&host);
		assert_true(mmdbfiles_run_data(&host, NULL, bad[i].name, carriers) < 0);
		assert_string_equal(host.reports, bad[i].as_isp ? bad[i].as_isp : bad[i].as_city);
		assert_int_equal(host.added_count, 0);
		fakehost_end(&host);
	}
}

// A database read into memory, then truncated and corrupted in many ways: reading it must terminate, and the
// sanitizers see nothing.
static void test_spoilt(void **state)
{
	static uint8_t original[100000], spoilt[100000];
	char path[MMDBFILES_PATH_LEN];
	FILE *file = fopen(mmdbfiles_path("GeoIP2-Enterprise-Test.mmdb", path), "r");
	size_t refused = 0;

	(void)state;
	assert_non_null(file);

	size_t len = fread(original, 1, sizeof(original), file);

	fclose(file);
	rng_state = 7;
	for (int round = 0; round < 600; round++) {
		size_t new_len = round % 3 ? len : rng() % len;
		struct fakehost host;

		memcpy(spoilt, original, len);
		for (uint64_t n = round % 3 ? 1 + rng() % 20 : 0; n > 0; n--)
			spoilt[rng() % (rng() % 2 ? 2000 : len)] = (uint8_t)rng();
		for (uint64_t n = round % 5 ? 0 : 1 + rng() % 5; n > 0; n--) // metadata
			spoilt[len - 1 - rng() % 400] = (uint8_t)rng();
		assert_non_null(file = fopen(city_path, "w"));
		assert_int_equal(fwrite(spoilt, 1, new_len, file), new_len);
		fclose(file);

		int err = mmdbfiles_run(&host, city_path, city_path, NULL);

		assert_int_equal(err < 0, host.errors > 0);
		refused += err < 0;
		fakehost_end(&host);
	}
	assert_true(refused > 200);
}

static void assert_refused(const char *reports)
{
	struct timespec before, after;
	struct fakehost host;

	mmdbwriter_save(&writer, city_path);
	clock_gettime(CLOCK_MONOTONIC, &before);
	assert_true(mmdbfiles_run(&host, city_path, NULL, NULL) < 0);
	clock_gettime(CLOCK_MONOTONIC, &after);
	assert_string_equal(host.reports, reports);
	assert_true(after.tv_sec - before.tv_sec < 10);
	fakehost_end(&host);
}

// Endless trees in which every node is valid.
static void test_bad_trees(void **state)
{
	static const uint8_t address[16] = {0x20};

	(void)state;
	mmdbwriter_begin(&writer, 6, 32);
	mmdbwriter_insert(&writer, address, 8, mmdbwriter_city(&writer, 1, 2, 3));
	writer.nodes[writer.node_count - 1][1] = 1; // in circles
	assert_refused(DAMAGED("its search tree is deeper than an address is long"));

	mmdbwriter_begin(&writer, 6, 32);
	writer.node_count = 120; // 2^120 ways to the bottom
	for (uint32_t i = 0; i < writer.node_count; i++)
		writer.nodes[i][0] = writer.nodes[i][1] = i + 1 < writer.node_count ? i + 1 : MMDBWRITER_EMPTY;
	assert_refused(DAMAGED("its search tree does not end"));
}

// "a" and a list of two pointers to the next such list, `levels` times: 2^levels texts when followed.
static size_t put_bomb(uint8_t *bytes, size_t at, unsigned levels)
{
	for (unsigned i = 0; i < levels; i++) {
		size_t next = at + 6;

		memcpy(bytes + at, "\x02\x04", 2); // a list of two
		for (int j = 0; j < 2; j++) {
			bytes[at + 2 + 2 * (size_t)j] = (uint8_t)(0x20 | next >> 8);
			bytes[at + 3 + 2 * (size_t)j] = (uint8_t)next;
		}
		at += 6;
	}
	memcpy(bytes + at, "\x41" "a", 2);
	return at + 2;
}

// Metadata that fits on a page and would be read forever, or exhaust the stack.
static void test_bad_metadata(void **state)
{
	(void)state;
	mmdbwriter_begin(&writer, 6, 32);
	memcpy(writer.metadata, "\xe1\x49languages", 11);
	writer.metadata_len = put_bomb(writer.metadata, 11, 12);
	assert_refused(DAMAGED("a record has too many parts"));

	writer.metadata_len = put_bomb(writer.metadata, 11, 40);
	assert_refused(DAMAGED("its metadata is nested too deep"));

	for (size_t i = 0; i < 30000; i++)
		memcpy(writer.metadata + 11 + 2 * i, "\x01\x04", 2); // a list of a list of a list...
	writer.metadata_len = 60011;
	assert_refused(DAMAGED("its metadata is nested too deep"));

	memcpy(writer.metadata + 11, "\x20\x0b", 2); // a pointer to itself
	writer.metadata_len = 13;
	assert_refused(DAMAGED("a pointer leads to a pointer"));
}

// Records whose values are wrong in themselves.
static void test_bad_records(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		const char *why;
	} records[] = {
		{"\xe1\x48location\x41x", 11, DAMAGED("a part that should be a map is not one")},
		{"\xe1\x48location\xe1\x48latitude\xa1\x01", 21, DAMAGED("a coordinate is not a double")},
		{"\xe1\x48location\xe1\x48latitude\x68\x7f\xf8\0\0\0\0\0\0", 28, DAMAGED("a coordinate is out of range")},
		{"\xe1\x48location\xe1\x49longitude\x68\x40\x66\x90\0\0\0\0\0", 29, DAMAGED("a coordinate is out of range")},
		{"\xe1\x48location\xe1\x4f" "accuracy_radius\x41x", 28, DAMAGED("a number is of the wrong type")},
		{"\xe1\x43isp\xa1\x01", 6, DAMAGED("a text is of the wrong type")},
		{"\xe1\xa1\x01\x41x", 5, DAMAGED("a text is of the wrong type")},
		{"\xff\xff\xff\xff", 4, DAMAGED("a value has an impossible size")},
		{"\xe1\x48location\x1f\x04\xff\xff\xff", 15, DAMAGED("a part that should be a map is not one")},
		{"\xe1\x41x\x1f\x04\xff\xff\xff", 8, DAMAGED("a value has an impossible size")},
		{"\xe1\x41x\0\x06", 5, DAMAGED("a record has a part of unknown type")},
	};
	static const uint8_t address[16] = {0x20};

	(void)state;
	for (size_t i = 0; i < sizeof(records) / sizeof(records[0]); i++) {
		mmdbwriter_begin(&writer, 6, 28);
		mmdbwriter_insert(&writer, address, 8, mmdbwriter_bytes(&writer, records[i].bytes, records[i].len));
		assert_refused(records[i].why);
	}
}

static int set_up(void **state)
{
	(void)state;
	if (tempdir_make(folder) < 0)
		return -1;
	snprintf(city_path, sizeof(city_path), "%s/city.mmdb", folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(city_path);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_damaged),      cmocka_unit_test(test_spoilt),      cmocka_unit_test(test_bad_trees),
		cmocka_unit_test(test_bad_metadata), cmocka_unit_test(test_bad_records),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
