// The asn plugin: what each kind of source gives, the built-in tables against the catalogue, location databases that
// are damaged, and Debian's, where it is installed.
#include "fakehost.h"

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
#include <endian.h>

#include "asn/builtin.h"
#include "lib/parse.h"
#include "mmdbfiles.h"
#include "tempdir.h"

extern const struct edgesteer_plugin edgesteer_plugin_asn;

static char folder[TEMPDIR_LEN], path[TEMPDIR_LEN + 16];

static int run(struct fakehost *host, const char *option, const char *file, const struct fakehost_pair *asns)
{
	static struct fakehost_pair options[2];

	options[0] = (struct fakehost_pair){option, file};
	fakehost_begin(host, options, asns);
	return fakehost_run(host, &edgesteer_plugin_asn);
}

static void write_file(const void *bytes, size_t len)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	assert_int_equal(fwrite(bytes, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

static void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" is not in \"%s\"", part, text);
}

// What was added after the built-in blocks, a line each.
static const char *added_text(const struct fakehost *host)
{
	static char text[4096];
	char line[512];
	size_t at = 0;

	text[0] = '\0';
	for (size_t i = builtin_blocks_count; i < host->added_count; i++)
		at += (size_t)snprintf(text + at, sizeof(text) - at, "%s\n", fakehost_format(&host->added[i], line));
	return text;
}

// ---- the built-in tables --------------------------------------------------------------------------------------------

// Reads conf/catalogue.yaml as text: the carriers in `reach: [...]`.
static void test_catalogue(void **state)
{
	const char *srcdir = getenv("srcdir");
	char name[1024], line[512], carrier[64];
	size_t found = 0;

	(void)state;
	snprintf(name, sizeof(name), "%s/conf/catalogue.yaml", srcdir ? srcdir : ".");

	FILE *file = fopen(name, "r");

	assert_non_null(file);
	while (fgets(line, sizeof(line), file)) {
		const char *reach = strstr(line, "reach: [");
		bool known = false;

		if (*line == '#' || !reach || sscanf(reach, "reach: [%63[a-z0-9-]]", carrier) != 1)
			continue;
		found++;
		for (size_t i = 0; i < builtin_asns_count; i++)
			known = known || strcmp(builtin_asns[i].carrier, carrier) == 0;
		if (!known)
			fail_msg("conf/carriers.yaml has no AS of %s", carrier);
	}
	fclose(file);
	assert_true(found > 30);
}

static void test_blocks(void **state)
{
	(void)state;
	for (size_t i = 0; i < builtin_blocks_count; i++) {
		struct edgesteer_prefix prefix;
		bool tail;

		assert_true(parse_prefix(builtin_blocks[i], &prefix, &tail));
		assert_false(tail);
	}
}

// ---- CSV ------------------------------------------------------------------------------------------------------------

static void test_csv(void **state)
{
	static const char csv[] = "prefix,asn,country\n"
	                          "174.192.0.0/10,6167,us\n"
	                          "155.146.0.0/18,AS6167,US\n"  // holds the blocks of Boston, San Francisco, ...
	                          "155.146.16.0/24,AS6167,US\n" // in the block of San Francisco
	                          "2.200.0.0/13,3209,DE\n"
	                          "2.200.1.0/24,64496,\n" // of nobody we know, inside
	                          "198.51.100.0/24,AS64500,\n"
	                          "203.0.113.0/24,as12576,GB\n"
	                          "192.0.2.0/24,,ZZ\n";
	static const struct fakehost_pair asns[] = {
		{"AS64500", "verizon mixed"}, {"as12576", "ee"}, {"AS64501", "x mobile"}, {NULL, NULL}};
	struct fakehost host;

	(void)state;
	write_file(csv, sizeof(csv) - 1);
	assert_int_equal(run(&host, "csv", path, asns), 0);
	assert_string_equal(added_text(&host), "174.192.0.0/10 verizon edge in US\n"
	                                       "155.146.0.0/18 verizon edge in US\n"
	                                       "155.146.16.0/24 in US\n"
	                                       "2.200.0.0/13 vodafone-de mixed in DE\n"
	                                       "2.200.1.0/24\n"
	                                       "198.51.100.0/24 verizon mixed\n"
	                                       "203.0.113.0/24 ee edge in GB\n"
	                                       "192.0.2.0/24\n");
	assert_has(host.reports, "warning: has no prefix of AS64501, which `asns` gives to x\n");
	assert_has(host.reports, "verizon AS6167 2, AS22394 0, AS64500 (mixed) 1");
	fakehost_end(&host);

	static const struct fakehost_pair none[] = {{"AS6167", "none"}, {NULL, NULL}};

	assert_int_equal(run(&host, "csv", path, none), 0);
	assert_has(added_text(&host), "174.192.0.0/10 in US\n");
	fakehost_end(&host);
}

static void test_errors(void **state)
{
	static const struct {
		const char *csv;
		const struct fakehost_pair asns[2];
		const char *reports;
	} cases[] = {
		{"prefix,asn\n10.0.0.0/8,0\n11.0.0.0/8,4294967296\n12.0.0.0/8,-1\n13.0.0.0/8,99999999999999999999\n",
		 {{NULL, NULL}},
		 "error 2: asn: '0' is not an AS number such as AS64500\n"
		 "error 3: asn: '4294967296' is not an AS number such as AS64500\n"
		 "error 4: asn: '-1' is not an AS number such as AS64500\n"
		 "error 5: asn: '99999999999999999999' is not an AS number such as AS64500\n"},
		{"prefix,carrier\n", {{NULL, NULL}},
		 "error 1: unknown column 'carrier', expected prefix, asn or country\n"
		 "error 1: no column 'asn': expected a header row that names the columns, such as prefix,asn,country\n"},
		{"prefix,asn\n", {{"verizon", "AS6167"}}, "error: asns: 'verizon' is not an AS number such as AS64500\n"},
		{"prefix,asn\n", {{"AS1", "bell fixed"}},
		 "error: asns: AS1: 'bell fixed' is not a carrier, which `mobile` or `mixed` may follow, or none\n"},
		{"prefix,asn\n", {{"AS1", ""}},
		 "error: asns: AS1: '' is not a carrier, which `mobile` or `mixed` may follow, or none\n"},
	};
	struct fakehost host;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		write_file(cases[i].csv, strlen(cases[i].csv));
		assert_true(run(&host, "csv", path, cases[i].asns[0].key ? cases[i].asns : NULL) < 0);
		assert_string_equal(host.reports, cases[i].reports);
		fakehost_end(&host);
	}

	static const struct fakehost_pair both[] = {{"csv", path}, {"mmdb", path}, {NULL, NULL}};

	fakehost_begin(&host, both, NULL);
	assert_int_equal(fakehost_run(&host, &edgesteer_plugin_asn), -1);
	assert_has(host.reports, "error: give one of database, mmdb and csv");
	fakehost_end(&host);
}

// ---- MaxMind --------------------------------------------------------------------------------------------------------

static void test_mmdb(void **state)
{
	static const char *const files[] = {"GeoLite2-ASN-Test.mmdb", "GeoIP2-ISP-Test.mmdb"};
	char name[MMDBFILES_PATH_LEN];
	struct fakehost host;

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char line[512];
		bool verizon = false, kddi = false;

		assert_int_equal(run(&host, "mmdb", mmdbfiles_path(files[i], name), NULL), 0);
		for (size_t j = builtin_blocks_count; j < host.added_count; j++) {
			fakehost_format(&host.added[j], line);
			verizon = verizon || strcmp(line, "174.192.0.0/10 verizon edge") == 0;
			kddi = kddi || strcmp(line, "240b::/22 kddi mixed") == 0;
		}
		assert_true(verizon);
		assert_true(kddi);
		fakehost_end(&host);
	}
	assert_int_equal(run(&host, "mmdb", mmdbfiles_path("GeoIP2-City-Test.mmdb", name), NULL), -1);
	assert_has(host.reports, "error: a database of type 'GeoIP2-City', no record of which has an AS");
	fakehost_end(&host);
}

// ---- location databases ---------------------------------------------------------------------------------------------

enum { HEADER = 68, NODES_MAX = 512, NETWORKS_MAX = 16 };

// A database to write, whose numbers tests may then spoil.
static struct {
	uint32_t nodes[NODES_MAX][3]; // zero, one, network
	uint32_t node_count;
	struct {
		char country[4];
		uint32_t asn, flags;
	} networks[NETWORKS_MAX];
	uint32_t network_count;
} db;

static void db_begin(void)
{
	memset(&db, 0, sizeof(db));
	db.node_count = 1;
	db.nodes[0][2] = UINT32_MAX;
}

static void db_add(const char *prefix, uint32_t asn, const char *country)
{
	struct edgesteer_prefix p;
	uint8_t address[16] = {[10] = 0xff, [11] = 0xff};
	unsigned length;
	uint32_t node = 0;
	bool tail;

	assert_true(parse_prefix(prefix, &p, &tail));
	length = p.length + (p.family == 4 ? 96u : 0);
	memcpy(p.family == 4 ? address + 12 : address, p.address, p.family == 4 ? 4 : 16);
	for (unsigned i = 0; i < length; i++) {
		uint32_t *child = &db.nodes[node][address[i / 8] >> (7 - i % 8) & 1];

		if (*child == 0) {
			assert_true(db.node_count < NODES_MAX);
			db.nodes[db.node_count][2] = UINT32_MAX;
			*child = db.node_count++;
		}
		node = *child;
	}
	assert_true(db.network_count < NETWORKS_MAX);
	db.nodes[node][2] = db.network_count;
	memcpy(db.networks[db.network_count].country, country, 2);
	db.networks[db.network_count++].asn = asn;
}

static void put32(uint8_t *at, uint32_t value)
{
	value = htobe32(value);
	memcpy(at, &value, sizeof(value));
}

// Writes the first `len` octets of the file; returns how many there are.
static size_t db_write(size_t len)
{
	static uint8_t bytes[HEADER + sizeof(db)];
	size_t tree = HEADER, networks = tree + db.node_count * 12, end = networks + db.network_count * 12;

	memset(bytes, 0, sizeof(bytes));
	memcpy(bytes, "LOCDBXX\1", 8);
	put32(bytes + 36, (uint32_t)networks);
	put32(bytes + 40, db.network_count * 12);
	put32(bytes + 44, (uint32_t)tree);
	put32(bytes + 48, db.node_count * 12);
	for (size_t i = 0; i < db.node_count; i++)
		for (size_t j = 0; j < 3; j++)
			put32(bytes + tree + i * 12 + j * 4, db.nodes[i][j]);
	for (size_t i = 0; i < db.network_count; i++) {
		memcpy(bytes + networks + i * 12, db.networks[i].country, 2);
		put32(bytes + networks + i * 12 + 4, db.networks[i].asn);
	}
	write_file(bytes, len < end ? len : end);
	return end;
}

static void db_sample(void)
{
	db_begin();
	db_add("174.192.0.0/10", 6167, "US");
	db_add("174.193.0.0/16", 6167, "US"); // says nothing new
	db_add("174.194.0.0/16", 64496, "US");
	db_add("174.194.1.0/24", 22394, "CA");
	db_add("155.146.64.0/20", 6167, "US"); // New York's block
	db_add("240b::/26", 2516, "JP");
	db_add("240b::/128", 0, "XD");
	db_add("10.0.0.0/8", 0, "\0\0"); // nothing is known
}

static void test_database(void **state)
{
	struct fakehost host;

	(void)state;
	db_sample();
	db_write(SIZE_MAX);
	assert_int_equal(run(&host, "database", path, NULL), 0);
	// In the order of addresses, IPv4 among the IPv6.
	assert_string_equal(added_text(&host), "155.146.64.0/20 in US\n"
	                                       "174.192.0.0/10 verizon edge in US\n"
	                                       "174.194.0.0/16 in US\n"
	                                       "174.194.1.0/24 verizon edge in CA\n"
	                                       "240b::/26 kddi mixed in JP\n"
	                                       "240b::/128\n");
	fakehost_end(&host);
}

static void assert_damaged(const char *why)
{
	struct fakehost host;
	char report[256];

	assert_true(run(&host, "database", path, NULL) < 0);
	snprintf(report, sizeof(report), "error: %s\n", why);
	assert_string_equal(host.reports, report);
	fakehost_end(&host);
}

static void test_damaged(void **state)
{
	(void)state;
	db_sample();

	size_t len = db_write(SIZE_MAX);

	for (size_t cut = 0; cut < len; cut++) {
		db_write(cut);
		assert_damaged(cut < HEADER ? "is damaged: it is shorter than a location database's header"
		                            : "is damaged: it is cut off, or its header is wrong");
	}
	db.nodes[0][1] = db.nodes[0][0];
	db_write(SIZE_MAX);
	assert_damaged("is damaged: its tree has more branches than nodes");
	db_sample();
	db.nodes[7][0] = 3; // a circle
	db_write(SIZE_MAX);
	assert_damaged("is damaged: its tree is deeper than an address is long");
	db.nodes[7][0] = 0x7fffffff;
	db_write(SIZE_MAX);
	assert_damaged("is damaged: its tree leads out of its nodes");
	db_sample();
	db.nodes[7][2] = db.network_count;
	db_write(SIZE_MAX);
	assert_damaged("is damaged: its tree leads out of its networks");

	db_begin();
	db_add("::1/128", 1, "US");
	db.nodes[db.node_count - 1][1] = db.node_count;
	db.nodes[db.node_count++][2] = 0;
	db_write(SIZE_MAX);
	assert_damaged("is damaged: its tree is deeper than an address is long");

	write_file("LOCDBXX\2.............................................................", 70);
	assert_damaged("is a location database of version 2, expected 1");
	write_file("prefix,asn\n.............................................................", 70);
	assert_damaged("is damaged: it is not a location database");
	unlink(path);
	assert_damaged("cannot be read: No such file or directory");
}

// ---- Debian's -------------------------------------------------------------------------------------------------------

// The carrier and class of the longest prefix around an address.
static void assert_client(const struct fakehost *host, const char *address, const char *carrier, const char *class_)
{
	struct edgesteer_prefix client;
	const struct fakehost_added *best = NULL;
	bool tail;

	assert_true(parse_prefix(address, &client, &tail));
	for (size_t i = 0; i < host->added_count; i++) {
		const struct fakehost_added *added = &host->added[i];
		unsigned bit = 0;

		if (added->prefix.family != client.family || (best && best->prefix.length >= added->prefix.length))
			continue;
		while (bit < added->prefix.length &&
		       !((added->prefix.address[bit / 8] ^ client.address[bit / 8]) & 0x80 >> bit % 8))
			bit++;
		if (bit == added->prefix.length)
			best = added;
	}
	assert_non_null(best);
	if (strcmp(best->carrier, carrier) != 0 || strcmp(best->class_, class_) != 0)
		fail_msg("%s: carrier \"%s\" class \"%s\"", address, best->carrier, best->class_);
}

static void test_installed(void **state)
{
	static const char *const clients[][3] = {
		{"174.249.33.62", "verizon", "edge"},
		{"2600:1010:b1d0::12", "verizon", "edge"},
		{"97.128.1.1", "verizon", "edge"},
		{"223.38.1.1", "skt", "edge"},
		{"106.72.1.1", "kddi", "mixed"},
		{"2.200.1.1", "vodafone-de", "mixed"},
		{"70.24.1.1", "bell", "mixed"},
		{"31.64.1.1", "ee", "mixed"},
		{"105.188.1.1", "orange-ma", "mixed"},
		{"155.146.64.1", "", ""}, // New York's Wavelength Zone, announced by AS6167
		{"8.8.8.8", "", ""},
	};
	struct fakehost host;

	(void)state;
	if (access("/var/lib/location/database.db", R_OK) < 0 && access("/usr/share/libloc-location/location.db", R_OK) < 0)
		skip();
	assert_int_equal(run(&host, "none", "", NULL), 0);
	assert_has(host.reports, "note: prefixes by carrier and AS: ");
	assert_true(strstr(host.read, "/lo") != NULL); // to be watched
	for (size_t i = 0; i < sizeof(clients) / sizeof(clients[0]); i++)
		assert_client(&host, clients[i][0], clients[i][1], clients[i][2]);
	fakehost_end(&host);
}

static int set_up(void **state)
{
	(void)state;
	if (tempdir_make(folder) < 0)
		return -1;
	snprintf(path, sizeof(path), "%s/file", folder);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	unlink(path);
	return rmdir(folder);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_catalogue), cmocka_unit_test(test_blocks),   cmocka_unit_test(test_csv),
		cmocka_unit_test(test_errors),    cmocka_unit_test(test_mmdb),     cmocka_unit_test(test_database),
		cmocka_unit_test(test_damaged),   cmocka_unit_test(test_installed),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
