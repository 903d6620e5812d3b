// Which addresses a site may have, by each row of the table in site_blocks.h, and where blocks come from.
#include "config/site_blocks.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/report.h"
#include "config/config.h"
#include "config/load.h"
#include "report_text.h"
#include "tempdir.h"

#define BOS "us-east-1-wl1-bos-wlz-1"

static enum site_blocks_verdict check(const struct config_site *site, const char *text, const char **ret_why)
{
	struct addr addr;

	assert_int_equal(addr_parse(text, &addr), E_OK);
	return site_blocks_check(site, &addr, ret_why);
}

static void follows_its_table(void **state)
{
	struct prefix block[2] = {{.len = 16}, {.len = 32}};
	static const struct {
		const char *addr;
		enum block_check mode; // UNSET: NONE, without a block
		enum site_blocks_verdict verdict;
	} rows[] = {
		{"169.254.0.1", BLOCK_CHECK_OFF, SITE_BLOCKS_REFUSE}, {"0.0.0.0", BLOCK_CHECK_OFF, SITE_BLOCKS_REFUSE},
		{"224.0.0.1", BLOCK_CHECK_OFF, SITE_BLOCKS_REFUSE},   {"255.255.255.255", BLOCK_CHECK_WARN, SITE_BLOCKS_REFUSE},
		{"::", BLOCK_CHECK_OFF, SITE_BLOCKS_REFUSE},          {"fe80::1", BLOCK_CHECK_OFF, SITE_BLOCKS_REFUSE},
		{"ff02::1", BLOCK_CHECK_OFF, SITE_BLOCKS_REFUSE},     {"::ffff:10.1.0.1", BLOCK_CHECK_OFF, SITE_BLOCKS_REFUSE},
		{"10.1.255.1", BLOCK_CHECK_ENFORCE, SITE_BLOCKS_GOOD}, {"10.1.255.1", BLOCK_CHECK_WARN, SITE_BLOCKS_GOOD},
		{"2001:db8::1", BLOCK_CHECK_ENFORCE, SITE_BLOCKS_GOOD}, {"10.2.0.1", BLOCK_CHECK_ENFORCE, SITE_BLOCKS_REFUSE},
		{"10.2.0.1", BLOCK_CHECK_WARN, SITE_BLOCKS_WARN},     {"2001:db9::1", BLOCK_CHECK_ENFORCE, SITE_BLOCKS_REFUSE},
		{"10.2.0.1", BLOCK_CHECK_OFF, SITE_BLOCKS_GOOD},      {"127.0.0.1", BLOCK_CHECK_OFF, SITE_BLOCKS_GOOD},
		{"127.0.0.1", BLOCK_CHECK_UNSET, SITE_BLOCKS_REFUSE}, {"192.168.7.1", BLOCK_CHECK_UNSET, SITE_BLOCKS_REFUSE},
		{"172.31.0.1", BLOCK_CHECK_UNSET, SITE_BLOCKS_REFUSE}, {"10.0.0.1", BLOCK_CHECK_UNSET, SITE_BLOCKS_REFUSE},
		{"::1", BLOCK_CHECK_UNSET, SITE_BLOCKS_REFUSE},       {"fd00::1", BLOCK_CHECK_UNSET, SITE_BLOCKS_REFUSE},
		{"192.0.2.1", BLOCK_CHECK_UNSET, SITE_BLOCKS_GOOD},   {"2001:db8::1", BLOCK_CHECK_UNSET, SITE_BLOCKS_GOOD},
	};

	(void)state;
	assert_int_equal(addr_parse("10.1.0.0", &block[0].addr), E_OK);
	assert_int_equal(addr_parse("2001:db8::", &block[1].addr), E_OK);
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		bool is_bare = rows[i].mode == BLOCK_CHECK_UNSET;
		const struct config_site site = {.block = block, .block_count = is_bare ? 0 : 2,
		                                 .block_check = is_bare ? BLOCK_CHECK_NONE : rows[i].mode};
		const char *why = NULL;

		assert_int_equal(check(&site, rows[i].addr, &why), rows[i].verdict);
		assert_true((why != NULL) == (rows[i].verdict != SITE_BLOCKS_GOOD));
	}
}

static void has_a_sorted_extract(void **state)
{
	(void)state;
	assert_in_range(site_blocks_count, 50, 500);
	for (size_t i = 0; i < site_blocks_count; i++) {
		struct prefix prefix;
		bool tail = true;

		assert_true(i == 0 || strcmp(site_blocks_rows[i - 1].site, site_blocks_rows[i].site) <= 0);
		assert_int_equal(prefix_parse(site_blocks_rows[i].prefix, &prefix, &tail), E_OK);
		assert_false(tail);
	}
}

static struct config *load(const char *yaml, struct report *report)
{
	struct config *config = NULL;

	return config_parse("/etc/e.yaml", yaml, strlen(yaml), report, &config) < 0 ? NULL : config;
}

#define HEAD "domains: {e.x: {ns: n.x}}\napps: {a.e.x: {targets: {" BOS ": {alias: lb.y.z}, us-east-1a: {alias: lb.y.z}}}}\n"

static void knows_wavelength_zones(void **state)
{
	struct report *report = report_new();
	struct config *config = load(HEAD "sites: {" BOS ": {}, us-east-1a: {}}\n", report);
	const char *why;

	(void)state;
	assert_non_null(config);
	assert_int_equal(config->sites[0].block_check, BLOCK_CHECK_ENFORCE);
	assert_int_equal(check(&config->sites[0], "155.146.1.10", &why), SITE_BLOCKS_GOOD);
	assert_int_equal(check(&config->sites[0], "155.146.48.1", &why), SITE_BLOCKS_REFUSE); // Atlanta's
	assert_int_equal(config->sites[1].block_check, BLOCK_CHECK_NONE);
	config_free(config);
	config = load(HEAD "sites: {" BOS ": {block: 10.0.0.0/8}, us-east-1a: {block: [192.0.2.0/24], block-check: warn}}\n", report);
	assert_non_null(config);
	assert_int_equal(check(&config->sites[0], "10.1.1.1", &why), SITE_BLOCKS_GOOD);
	assert_int_equal(check(&config->sites[0], "155.146.1.10", &why), SITE_BLOCKS_REFUSE); // replaced
	assert_int_equal(check(&config->sites[1], "192.0.3.1", &why), SITE_BLOCKS_WARN);
	config_free(config);
	report_free(report);
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_true(file && fputs(text, file) >= 0 && fclose(file) == 0);
}

static void reads_awss_file(void **state)
{
	static const char json[] =
		"{\"prefixes\": [{\"ip_prefix\": \"192.0.2.0/25\", \"service\": \"EC2\", \"network_border_group\": \"us-east-1\"},"
		"{\"ip_prefix\": \"198.51.100.0/24\", \"service\": \"S3\", \"network_border_group\": \"us-east-1\"},"
		"{\"ip_prefix\": 7, \"service\": \"EC2\", \"network_border_group\": \"us-east-1\"}, 5],"
		"\"ipv6_prefixes\": [{\"ipv6_prefix\": \"2001:db8::/32\", \"service\": \"EC2\", \"network_border_group\": \"us-east-1\"},"
		"{\"ipv6_prefix\": \"nonsense\", \"service\": \"EC2\", \"network_border_group\": \"us-east-1\"}]}";
	char dir[TEMPDIR_LEN], path[TEMPDIR_LEN + 20], yaml[1024];
	struct report *report = report_new();
	struct config *config;
	const char *why;

	(void)state;
	assert_int_equal(tempdir_make(dir), 0);
	snprintf(path, sizeof(path), "%s/ip-ranges.json", dir);
	write_file(path, json);
	snprintf(yaml, sizeof(yaml), HEAD "aws-ranges: %s\nsites: {" BOS ": {}, us-east-1a: {block-check: enforce}}\n", path);
	config = load(yaml, report);
	assert_non_null(config);
	assert_true(config->sites[0].block_count > 0); // the file has no such group: the extract's
	assert_int_equal(check(&config->sites[0], "155.146.65.1", &why), SITE_BLOCKS_REFUSE);
	assert_int_equal(config->sites[1].block_count, 2);
	assert_int_equal(check(&config->sites[1], "192.0.2.1", &why), SITE_BLOCKS_GOOD);
	assert_int_equal(check(&config->sites[1], "198.51.100.1", &why), SITE_BLOCKS_REFUSE);
	assert_int_equal(check(&config->sites[1], "2001:db8:1::1", &why), SITE_BLOCKS_GOOD);
	config_free(config);
	write_file(path, "[]");
	assert_null(load(yaml, report));
	assert_int_equal(remove(path), 0);
	assert_null(load(yaml, report));

	char *reported = report_text(report);

	assert_non_null(strstr(reported, "is not AWS's ip-ranges.json"));
	assert_non_null(strstr(reported, "cannot be read: No such file or directory"));
	free(reported);
	report_free(report);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_its_table),
		cmocka_unit_test(has_a_sorted_extract),
		cmocka_unit_test(knows_wavelength_zones),
		cmocka_unit_test(reads_awss_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
