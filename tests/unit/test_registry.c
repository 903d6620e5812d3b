// What is registered with Verizon's service: names that it takes, entries for endpoints, and what counts as the same.
#include "verizon-eds/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct registry_options options = {"https://127.0.0.1/", "edgesteer", "4054ea9a-593e", 443};

static void test_app_ids(void **state)
{
	static const char *const apps[] = {"shop.example.com", "shopexample.com", "shop-example.com", "a.b", "ab", "*.a.b",
	                                   "a-very-long-name-of-an-app.with.many.labels.example.com",
	                                   "a-very-long-name-of-an-app.with.many.labels.example.org"};
	char ids[sizeof(apps) / sizeof(*apps)][REGISTRY_WORD_SIZE], other[REGISTRY_WORD_SIZE];

	(void)state;
	for (size_t i = 0; i < sizeof(apps) / sizeof(*apps); i++) {
		registry_app_id(apps[i], ids[i]);
		assert_true(registry_is_word(ids[i], ""));
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(ids[i], ids[k]);
	}
	registry_app_id("Shop.EXAMPLE.com", other); // it stays with its app: what is registered is known by it
	assert_string_equal(other, ids[0]);
	assert_string_equal(ids[0], "shopexamplecom9750ba2ac58d8966");
}

static void test_words(void **state)
{
	(void)state;
	assert_true(registry_is_word("abc", ""));
	assert_true(registry_is_word("us-east-1-wl1-bos-wlz-1", "-"));
	assert_true(registry_is_word("0123456789abcdefghijklmnopqrstuv", ""));
	assert_false(registry_is_word("0123456789abcdefghijklmnopqrstuvw", ""));
	assert_false(registry_is_word("ab", ""));
	assert_false(registry_is_word("", "-"));
	assert_false(registry_is_word("a_b", "-"));
	assert_false(registry_is_word("caf\xc3\xa9", "-"));
}

static json_t *entry_of(size_t address_count, const char *const *addresses, const char *had)
{
	const struct edgesteer_endpoint endpoint = {
		.size = sizeof(endpoint), .app = "shop.example.com", .site = "bos", .addresses = addresses,
		.address_count = address_count,
	};
	json_t *before = json_pack("{s:o}", "serviceEndpoint", json_loads(had, JSON_DECODE_ANY, NULL));
	json_t *entry = registry_make_entry(&options, &endpoint, "bos-1", before);

	json_decref(before);
	assert_non_null(entry);
	return entry;
}

static void test_entries(void **state)
{
	static const char *const addresses[] = {"192.0.2.1", "192.0.2.2", "2001:db8::1"};
	static const struct {
		size_t count;
		const char *had, *ipv4, *ipv6; // NULL: none
	} rows[] = {
		{3, "null", "192.0.2.1", "2001:db8::1"},
		{3, "{\"IPv4Address\": \"192.0.2.2\", \"IPv6Address\": \"2001:0db8:0:0:0:0:0:1\"}", "192.0.2.2", "2001:0db8:0:0:0:0:0:1"},
		{3, "{\"IPv4Address\": \"192.0.2.9\", \"IPv6Address\": 7}", "192.0.2.1", "2001:db8::1"},
		{2, "{\"IPv6Address\": \"2001:db8::1\"}", "192.0.2.1", NULL}, // it has IPv4 alone by now
		{0, "{\"IPv4Address\": \"192.0.2.9\"}", "192.0.2.9", NULL},   // none is known now
		{0, "[]", NULL, NULL},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		json_t *entry = entry_of(rows[i].count, addresses, rows[i].had), *where = json_object_get(entry, "serviceEndpoint");
		const char *ipv4 = json_string_value(json_object_get(where, "IPv4Address"));
		const char *ipv6 = json_string_value(json_object_get(where, "IPv6Address"));

		assert_true(!ipv4 == !rows[i].ipv4 && !ipv6 == !rows[i].ipv6);
		assert_true((!ipv4 || strcmp(ipv4, rows[i].ipv4) == 0) && (!ipv6 || strcmp(ipv6, rows[i].ipv6) == 0));
		assert_true(!json_object_get(where, "port") == (!ipv4 && !ipv6));
		assert_string_equal(json_string_value(json_object_get(entry, "serviceDescription")), "edgesteer");
		json_decref(entry);
	}
}

#define ENTRY(where) \
	"{\"ern\": \"bos-1\", \"applicationServerProviderId\": \"AWS\", \"applicationId\": \"shopexamplecom9750ba2ac58d8966\", " \
	"\"serviceDescription\": \"edgesteer\", \"serviceProfileID\": \"4054ea9a-593e\", \"serviceEndpoint\": " where "}"

static void test_differences(void **state)
{
	static const char *const addresses[] = {"192.0.2.1", "2001:db8::1"};
	static const struct {
		const char *had, *why; // "": the same
	} rows[] = {
		{ENTRY("{\"IPv4Address\": \"192.0.2.1\", \"IPv6Address\": \"2001:db8:0:0:0:0:0:1\", \"port\": 443, \"FQDN\": "
		       "\"shop.example.com\", \"URI\": null}"), ""},
		{ENTRY("{\"IPv4Address\": \"192.0.2.1\", \"IPv6Address\": \"2001:db8::1\", \"port\": 80, \"FQDN\": \"shop.example.com\"}"),
		 "port 443 instead of 80"},
		{ENTRY("{\"IPv4Address\": \"192.0.2.1\", \"IPv6Address\": \"2001:db8::1\", \"port\": \"443\", \"FQDN\": null}"),
		 "FQDN shop.example.com instead of none"},
		{ENTRY("{\"IPv4Address\": [\"192.0.2.1\"]}"), "IPv4Address 192.0.2.1 instead of none"},
		{ENTRY("null"), "IPv4Address 192.0.2.1 instead of none"},
		{"{}", "ern bos-1 instead of none"},
	};
	json_t *wanted = entry_of(2, addresses, "null");

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		json_t *had = json_loads(rows[i].had, 0, NULL);
		char why[REGISTRY_WHY_SIZE] = "";

		assert_non_null(had);
		assert_int_equal(registry_is_same(wanted, had, why), !*rows[i].why);
		assert_string_equal(why, rows[i].why);
		json_decref(had);
	}
	json_decref(wanted);
}

static void test_whose(void **state)
{
	static const struct {
		const char *list;
		bool is_ours;
	} rows[] = {
		{"[]", true}, {"[{\"serviceDescription\": \"edgesteer\"}]", true}, {"[{\"serviceDescription\": \"Edgesteer\"}]", false},
		{"[{}]", false}, {"[7]", false}, {"[{\"serviceDescription\": \"edgesteer\"}, {\"serviceDescription\": 7}]", false},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		json_t *list = json_loads(rows[i].list, 0, NULL);

		assert_int_equal(registry_is_ours(&options, list), rows[i].is_ours);
		json_decref(list);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_app_ids), cmocka_unit_test(test_words), cmocka_unit_test(test_entries),
		cmocka_unit_test(test_differences), cmocka_unit_test(test_whose),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
