// The mmdb plugin: real records, every network against the library's own lookup, joint trees at random against the
// same. Files: tests/data/mmdb. What is damaged is test_record's.
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

#include <arpa/inet.h>
#include <math.h>
#include <maxminddb.h>

#include "mmdbwriter.h"
#include "tempdir.h"

extern const struct edgesteer_plugin edgesteer_plugin_mmdb;

static char folder[TEMPDIR_LEN], city_path[TEMPDIR_LEN + 16], isp_path[TEMPDIR_LEN + 16];

static const struct fakehost_pair map[] = {
	{"AS6167", "verizon"}, {"as2516", "kddi"}, {"AS3209", "vodafone-de"},
	{"sk telecom", "skt"}, {"AS12576", "ee"},  {NULL, NULL},
};

static uint64_t rng_state;

static uint64_t rng(void)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return rng_state;
}

static bool contains(const struct edgesteer_prefix *prefix, const uint8_t *address)
{
	for (unsigned bit = 0; bit < prefix->length; bit++)
		if ((prefix->address[bit / 8] ^ address[bit / 8]) & 0x80 >> bit % 8)
			return false;
	return true;
}

// The one thing that was handed over for an address, or NULL. Leaves of a tree never overlap.
static const struct fakehost_added *find(const struct fakehost *host, uint8_t family, const uint8_t *address)
{
	const struct fakehost_added *found = NULL;

	for (size_t i = 0; i < host->added_count; i++) {
		if (host->added[i].prefix.family != family || !contains(&host->added[i].prefix, address))
			continue;
		assert_null(found);
		found = &host->added[i];
	}
	return found;
}

// ---- real records ---------------------------------------------------------------------------------------------------

static void assert_places(const struct fakehost *host, const char *const places[][2], size_t count)
{
	for (size_t i = 0; i < count; i++) {
		uint8_t address[16];
		char text[512];
		bool v6 = strchr(places[i][0], ':') != NULL;

		assert_int_equal(inet_pton(v6 ? AF_INET6 : AF_INET, places[i][0], address), 1);

		const struct fakehost_added *added = find(host, v6 ? 6 : 4, address);

		assert_string_equal(added ? fakehost_format(added, text) : "", places[i][1]);
	}
}

static void test_city_and_isp(void **state)
{
	static const char *const places[][2] = {
		{"149.101.100.1", "149.101.100.0/28 verizon 37.751,-97.822 ~1000 km in US"},
		{"174.249.33.62", "174.192.0.0/10 verizon"},
		{"216.160.83.57", "216.160.83.56/29 47.2513,-122.315 ~22 km in US"},
		{"214.78.120.9", "214.78.120.0/22 32.7405,-117.094 ~100 km in US"},
		{"81.2.69.161", "81.2.69.160/29 51.5142,-0.0931 ~100 km in GB"}, // /27 in City, finer in ISP
		{"2001:480:10::1", "2001:480:10::/48 32.7203,-117.155 ~20 km in US"},
		{"240b::1", "240b::/22 kddi"},
		{"2a01:800::1", "2a01:800::/24 vodafone-de"},
		{"124.0.34.1", "124.0.34.0/24 skt"},
		{"31.64.0.1", "31.64.0.0/10 ee"},
		{"192.0.2.1", ""},
		{"::ffff:216.160.83.57", ""}, // an alias of the IPv4 tree: listed as IPv4 only
		{"2002:d8a0:5339::1", ""},
	};
	struct fakehost host;

	(void)state;
	assert_int_equal(mmdbfiles_run_data(&host, "GeoIP2-City-Test.mmdb", "GeoIP2-ISP-Test.mmdb", map), 0);
	assert_string_equal(host.reports, "");
	assert_places(&host, places, sizeof(places) / sizeof(places[0]));
	fakehost_end(&host);
}

// The mobile network code of 149.101.100.0/28 says whose it is, in both databases.
static void test_network_codes(void **state)
{
	static const char *const isp_places[][2] = {
		{"149.101.100.1", "149.101.100.0/28 verizon"},
		{"174.249.33.62", ""},
	};
	static const char *const enterprise_places[][2] = {
		{"149.101.100.1", "149.101.100.0/28 verizon 37.751,-97.822 ~1000 km in US"},
		{"81.2.69.161", "81.2.69.160/27 51.5142,-0.0931 ~100 km in GB"},
	};
	static const struct fakehost_pair codes[] = {{"310-004", "verizon"}, {NULL, NULL}};
	struct fakehost host;

	(void)state;
	assert_int_equal(mmdbfiles_run_data(&host, NULL, "GeoIP2-ISP-Test.mmdb", codes), 0);
	assert_string_equal(host.reports, "");
	assert_places(&host, isp_places, 2);
	fakehost_end(&host);
	assert_int_equal(mmdbfiles_run_data(&host, "GeoIP2-Enterprise-Test.mmdb", "GeoIP2-Enterprise-Test.mmdb", codes), 0);
	assert_string_equal(host.reports, "");
	assert_places(&host, enterprise_places, 2);
	fakehost_end(&host);
}

// A network code counts before an AS, an AS before a name.
static void test_carrier_precedence(void **state)
{
	static const struct fakehost_pair all[] = {
		{"Verizon Wireless", "by-name"}, {"AS6167", "by-as"}, {"310-004", "by-code"}, {NULL, NULL},
	};
	static const char *const places[][2] = {
		{"149.101.100.1", "149.101.100.0/28 by-code"},
		{"174.249.33.62", "174.192.0.0/10 by-as"},
	};
	static const struct fakehost_pair name[] = {{"verizon WIRELESS", "by-name"}, {NULL, NULL}};
	static const char *const named[][2] = {{"174.249.33.62", "174.192.0.0/10 by-name"}};
	struct fakehost host;

	(void)state;
	assert_int_equal(mmdbfiles_run_data(&host, NULL, "GeoIP2-ISP-Test.mmdb", all), 0);
	assert_places(&host, places, 2);
	fakehost_end(&host);
	assert_int_equal(mmdbfiles_run_data(&host, NULL, "GeoIP2-ISP-Test.mmdb", name), 0);
	assert_places(&host, named, 1);
	assert_string_equal(host.reports, "");
	fakehost_end(&host);
}

static void test_options(void **state)
{
	static const struct fakehost_pair misspelt[] = {{"AS6176", "verizon"}, {"310-4", "verizon"}, {NULL, NULL}};
	static const struct fakehost_pair empty[] = {{"AS6167", ""}, {NULL, NULL}};
	struct fakehost host;

	(void)state;
	assert_true(mmdbfiles_run(&host, NULL, NULL, map) < 0);
	assert_string_equal(host.reports, "error: give city or isp, or both\n");
	fakehost_end(&host);
	assert_int_equal(mmdbfiles_run_data(&host, "GeoLite2-City-Test.mmdb", NULL, map), 0);
	assert_string_equal(host.reports, "warning: carriers has no effect without isp\n");
	fakehost_end(&host);
	assert_int_equal(mmdbfiles_run_data(&host, NULL, "GeoLite2-ASN-Test.mmdb", NULL), 0);
	assert_string_equal(host.reports,
	                    "warning: isp has no effect without carriers: the database has networks, not carriers\n");
	fakehost_end(&host);
	assert_int_equal(mmdbfiles_run_data(&host, NULL, "GeoLite2-ASN-Test.mmdb", misspelt), 0);
	assert_string_equal(host.reports,
	                    "warning: carriers: 'AS6176' matches no network in the database (expected AS6167, 310-004 or an "
	                    "ISP's name as in the database)\n"
	                    "warning: carriers: '310-4' matches no network in the database (expected AS6167, 310-004 or an "
	                    "ISP's name as in the database)\n");
	fakehost_end(&host);
	assert_true(mmdbfiles_run_data(&host, NULL, "GeoLite2-ASN-Test.mmdb", empty) < 0);
	assert_string_equal(host.reports, "error: carriers: 'AS6167: ': neither side may be empty\n");
	fakehost_end(&host);
}

// After an error of the host, it is not called again.
static void test_refusing_host(void **state)
{
	struct fakehost_pair options[2] = {{"city", NULL}, {NULL, NULL}};
	struct fakehost host;
	char path[MMDBFILES_PATH_LEN];

	(void)state;
	options[0].value = mmdbfiles_path("GeoLite2-City-Test.mmdb", path);
	fakehost_begin(&host, options, NULL);
	host.refuse_after = 5;
	assert_int_equal(fakehost_run(&host, &edgesteer_plugin_mmdb), -7);
	assert_int_equal(host.adds, 6);
	fakehost_end(&host);
}

static void cut_city(const struct edgesteer_prefix *prefix, const struct edgesteer_place *place)
{
	(void)prefix, (void)place;
	assert_int_equal(truncate(city_path, 0), 0);
}

// A file that is overwritten while it is read.
static void test_cut_while_read(void **state)
{
	static uint8_t bytes[100000];
	const struct fakehost_pair options[2] = {{"city", city_path}, {NULL, NULL}};
	char path[MMDBFILES_PATH_LEN];
	FILE *from = fopen(mmdbfiles_path("GeoLite2-City-Test.mmdb", path), "r"), *to = fopen(city_path, "w");
	struct fakehost host;

	(void)state;
	assert_true(from && to);

	size_t len = fread(bytes, 1, sizeof(bytes), from);

	assert_int_equal(fwrite(bytes, 1, len, to), len);
	fclose(from);
	fclose(to);
	fakehost_begin(&host, options, NULL);
	host.on_add = cut_city;
	assert_int_equal(fakehost_run(&host, &edgesteer_plugin_mmdb), 0);
	assert_int_equal(host.added_count, 242);
	fakehost_end(&host);
}

// ---- against the library's lookup -----------------------------------------------------------------------------------

// What the library finds for an address.
struct expected {
	double latitude, longitude, accuracy_km; // NaN
	uint32_t asn;
	char country[3]; // "": none
};

static double number_of(MMDB_entry_s *entry, const char *outer, const char *inner)
{
	MMDB_entry_data_s data;

	if (MMDB_get_value(entry, &data, outer, inner, NULL) != MMDB_SUCCESS || !data.has_data)
		return NAN;
	return data.type == MMDB_DATA_TYPE_DOUBLE   ? data.double_value
	       : data.type == MMDB_DATA_TYPE_UINT16 ? data.uint16
	                                            : data.uint32;
}

static void country_of(MMDB_entry_s *entry, char country[static 3])
{
	MMDB_entry_data_s data;

	if (MMDB_get_value(entry, &data, "country", "iso_code", NULL) != MMDB_SUCCESS || !data.has_data)
		return;
	assert_int_equal(data.data_size, 2);
	memcpy(country, data.utf8_string, 2);
}

static void look_up(const MMDB_s *city, const MMDB_s *isp, uint8_t family, const uint8_t *address,
                    struct expected *expected)
{
	char text[INET6_ADDRSTRLEN];
	int gai_error, error;

	*expected = (struct expected){NAN, NAN, NAN, 0, ""};
	inet_ntop(family == 4 ? AF_INET : AF_INET6, address, text, sizeof(text));
	for (int which = 0; which < 2; which++) {
		const MMDB_s *mmdb = which ? isp : city;

		if (!mmdb)
			continue;

		MMDB_lookup_result_s found = MMDB_lookup_string(mmdb, text, &gai_error, &error);

		assert_int_equal(gai_error, 0);
		assert_true(error == MMDB_SUCCESS || error == MMDB_IPV6_LOOKUP_IN_IPV4_DATABASE_ERROR);
		if (!found.found_entry)
			continue;
		if (which) {
			expected->asn = (uint32_t)number_of(&found.entry, "autonomous_system_number", NULL);
		} else {
			expected->latitude = number_of(&found.entry, "location", "latitude");
			expected->longitude = number_of(&found.entry, "location", "longitude");
			expected->accuracy_km = number_of(&found.entry, "location", "accuracy_radius");
			country_of(&found.entry, expected->country);
		}
	}
}

static bool same(double a, double b)
{
	return a == b || (isnan(a) && isnan(b));
}

// Carriers are named "AS<number>" here.
static void assert_same(const struct fakehost *host, uint8_t family, const uint8_t *address,
                        const struct expected *expected)
{
	static const struct fakehost_added nothing = {.latitude = NAN, .longitude = NAN, .accuracy_km = NAN};
	const struct fakehost_added *added = find(host, family, address);
	char carrier[32] = "";

	if (!added)
		added = &nothing;
	if (expected->asn)
		snprintf(carrier, sizeof(carrier), "AS%u", expected->asn);
	assert_true(same(added->latitude, expected->latitude));
	assert_true(same(added->longitude, expected->longitude));
	assert_true(same(added->accuracy_km, expected->accuracy_km));
	assert_string_equal(added->carrier, carrier);
	assert_string_equal(added->country, expected->country);
}

static void random_address(const struct edgesteer_prefix *prefix, uint8_t *address)
{
	for (unsigned bit = 0; bit < 128; bit++) {
		uint8_t mask = (uint8_t)(0x80 >> bit % 8);
		bool set = bit < prefix->length ? prefix->address[bit / 8] & mask : rng() % 2;

		address[bit / 8] = (uint8_t)((address[bit / 8] & ~mask) | (set ? mask : 0));
	}
}

// IPv6 under which the plugin lists nothing: ::/96 is IPv4, the others are its aliases.
static bool is_ipv4_in_ipv6(const uint8_t *address)
{
	static const uint8_t zero[12], mapped[12] = {[10] = 0xff, [11] = 0xff};

	return memcmp(address, zero, 12) == 0 || memcmp(address, mapped, 12) == 0 ||
		   memcmp(address, "\x20\x01\0\0", 4) == 0 || memcmp(address, "\x20\x02", 2) == 0;
}

// Random addresses inside, and just around, every prefix that was handed over.
static void assert_all_prefixes(const struct fakehost *host, const MMDB_s *city, const MMDB_s *isp)
{
	for (size_t i = 0; i < host->added_count; i++) {
		for (int round = 0; round < 8; round++) {
			struct edgesteer_prefix prefix = host->added[i].prefix;
			struct expected expected;
			uint8_t address[16];

			if (round >= 4 && prefix.length > 0) { // a neighbour
				unsigned bit = (unsigned)(rng() % prefix.length);

				prefix.address[bit / 8] ^= (uint8_t)(0x80 >> bit % 8);
			}
			random_address(&prefix, address);
			if (prefix.family == 6 && is_ipv4_in_ipv6(address)) {
				assert_true(round >= 4 || prefix.length <= 96);
				continue;
			}
			look_up(city, isp, prefix.family, address, &expected);
			assert_same(host, prefix.family, address, &expected);
		}
	}
}

static void test_every_network(void **state)
{
	static const struct {
		const char *name;
		size_t networks;
	} files[] = {{"GeoLite2-City-Test.mmdb", 242}, {"GeoIP2-City-Test.mmdb", 248}, {"GeoIP2-Enterprise-Test.mmdb", 22}};

	(void)state;
	rng_state = 5;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		struct fakehost host;
		char path[MMDBFILES_PATH_LEN];
		MMDB_s city;

		assert_int_equal(mmdbfiles_run_data(&host, files[i].name, NULL, NULL), 0);
		assert_int_equal(host.added_count, files[i].networks);
		assert_int_equal(MMDB_open(mmdbfiles_path(files[i].name, path), MMDB_MODE_MMAP, &city), MMDB_SUCCESS);
		assert_all_prefixes(&host, &city, NULL);
		MMDB_close(&city);
		fakehost_end(&host);
	}
}

// ---- made databases -------------------------------------------------------------------------------------------------

static struct mmdbwriter writer;

// More records than a cache of any size keeps apart: every network has its own.
static void test_many_records(void **state)
{
	enum { RECORDS = 4000 };
	uint8_t address[4] = {0};
	struct fakehost host;

	(void)state;
	mmdbwriter_begin(&writer, 4, 28);
	for (unsigned i = 0; i < RECORDS; i++) {
		address[0] = (uint8_t)(i >> 8);
		address[1] = (uint8_t)i;
		mmdbwriter_insert(&writer, address, 16, mmdbwriter_city(&writer, i / 100.0, 0, 1 + i));
	}
	mmdbwriter_save(&writer, city_path);
	assert_int_equal(mmdbfiles_run(&host, city_path, NULL, NULL), 0);
	assert_int_equal(host.added_count, RECORDS);
	for (unsigned i = 0; i < RECORDS; i++) // in the order of addresses
		assert_true(host.added[i].latitude == i / 100.0 && host.added[i].accuracy_km == 1 + i);
	fakehost_end(&host);
}

// A record that leads to its `location` by a pointer of each of the four lengths.
static void test_pointers(void **state)
{
	static const struct {
		size_t target;
		const char *pointer;
		size_t len;
	} pointers[] = {
		{0x0123, "\x21\x23", 2},             // bits and one octet
		{0x1123, "\x28\x09\x23", 3},         // the same and two, 2048 on
		{0xa1234, "\x30\x02\x0a\x34", 4},    // and three, 526336 on
		{0xa1234, "\x38\x00\x0a\x12\x34", 5}, // four octets, as they are
	};
	static const uint8_t address[4] = {192, 0, 2, 0};

	(void)state;
	for (size_t i = 0; i < sizeof(pointers) / sizeof(pointers[0]); i++) {
		struct fakehost host;
		char text[512];

		mmdbwriter_begin(&writer, 4, 32);
		writer.data_len = pointers[i].target;
		memset(writer.data, 0, writer.data_len);
		mmdbwriter_bytes(&writer, "\xe1\x48latitude\x68\x3f\xf8\0\0\0\0\0\0", 19);

		uint32_t record = mmdbwriter_bytes(&writer, "\xe2\x48location", 10);

		mmdbwriter_bytes(&writer, pointers[i].pointer, pointers[i].len);
		mmdbwriter_bytes(&writer, "\x48location\xe1\x49longitude\x68\x40\x04\0\0\0\0\0\0", 29);
		mmdbwriter_insert(&writer, address, 24, record);
		mmdbwriter_save(&writer, city_path);
		assert_int_equal(mmdbfiles_run(&host, city_path, NULL, NULL), 0);
		assert_int_equal(host.added_count, 1);
		assert_string_equal(fakehost_format(&host.added[0], text), "192.0.2.0/24 1.5,2.5");
		fakehost_end(&host);
	}
}

// ---- joint trees at random ------------------------------------------------------------------------------------------

// One thread does it all: ThreadSanitizer, with which it takes half a minute, has nothing to see in it.
#if defined(__SANITIZE_THREAD__)
enum { ROUNDS = 20 };
#else
enum { ROUNDS = 150 };
#endif
enum { ASNS = 6 };

static void write_random(const char *path, bool isp)
{
	static const unsigned record_sizes[] = {24, 28, 32};
	uint32_t leaves[ASNS];

	mmdbwriter_begin(&writer, rng() % 3 ? 6 : 4, record_sizes[rng() % 3]);
	for (uint32_t i = 0; i < ASNS; i++)
		leaves[i] = isp ? mmdbwriter_asn(&writer, 1 + i)
		                : mmdbwriter_city(&writer, 10 * i, -20.5 * i, (unsigned)(rng() % 2) * 50);
	for (uint64_t n = 1 + rng() % 40; n > 0; n--) {
		unsigned bits = writer.ip_version == 6 ? 128 : 32;
		struct edgesteer_prefix prefix = {0};
		uint8_t address[16];

		random_address(&prefix, address);
		if (writer.ip_version == 6 && rng() % 2) // in IPv4
			memset(address, 0, 12);
		for (int j = 0; j < 16; j++) // close together, so that the trees meet
			address[j] &= 0xc1;
		mmdbwriter_insert(&writer, address, 1 + (unsigned)(rng() % bits), leaves[rng() % ASNS]);
	}
	mmdbwriter_save(&writer, path);
}

// Addresses in nothing but what was inserted somewhere, whether it was handed over or not.
static void assert_random_addresses(const struct fakehost *host, const MMDB_s *city, const MMDB_s *isp)
{
	for (int i = 0; i < 500; i++) {
		struct edgesteer_prefix prefix = {0};
		uint8_t family = rng() % 2 ? 4 : 6, address[16];
		struct expected expected;

		random_address(&prefix, address);
		for (int j = 0; j < 16; j++)
			address[j] &= 0xc1;
		if (family == 6 && is_ipv4_in_ipv6(address))
			continue;
		look_up(city, isp, family, address, &expected);
		assert_same(host, family, address, &expected);
	}
}

static void test_joint_trees(void **state)
{
	static struct fakehost_pair carriers[ASNS + 1];
	static char names[ASNS][16];

	(void)state;
	rng_state = 6;
	for (unsigned i = 0; i < ASNS; i++) {
		snprintf(names[i], sizeof(names[i]), "AS%u", i + 1);
		carriers[i] = (struct fakehost_pair){names[i], names[i]};
	}
	for (int round = 0; round < ROUNDS; round++) {
		struct fakehost host;
		MMDB_s city, isp;

		write_random(city_path, false);
		write_random(isp_path, true);
		assert_int_equal(mmdbfiles_run(&host, city_path, isp_path, carriers), 0);
		assert_int_equal(MMDB_open(city_path, MMDB_MODE_MMAP, &city), MMDB_SUCCESS);
		assert_int_equal(MMDB_open(isp_path, MMDB_MODE_MMAP, &isp), MMDB_SUCCESS);
		assert_all_prefixes(&host, &city, &isp);
		assert_random_addresses(&host, &city, &isp);
		MMDB_close(&city);
		MMDB_close(&isp);
		fakehost_end(&host);
	}
}

static int set_up(void **state)
{
	(void)state;
	if (tempdir_make(folder) < 0)
		return -1;
	snprintf(city_path, sizeof(city_path), "%s/city.mmdb", folder);
	snprintf(isp_path, sizeof(isp_path), "%s/isp.mmdb", folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(city_path);
	unlink(isp_path);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_city_and_isp),       cmocka_unit_test(test_network_codes),
		cmocka_unit_test(test_carrier_precedence), cmocka_unit_test(test_options),
		cmocka_unit_test(test_refusing_host),      cmocka_unit_test(test_every_network),
		cmocka_unit_test(test_joint_trees),        cmocka_unit_test(test_cut_while_read),
		cmocka_unit_test(test_many_records),       cmocka_unit_test(test_pointers),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
