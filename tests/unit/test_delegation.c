// Delegations compared, row by row of the table in delegation.h, and their limits.
#include "online/delegation.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

enum { TTL_S = 300, SAID_LEN = 1024 };

static const char inside[] = "ns1.edge.test", other[] = "ns2.edge.test", outside[] = "ns.elsewhere.test";

static struct wire_name name_of(const char *text)
{
	struct wire_name name;

	assert_int_equal(name_from_text(text, name.wire, &name.len), E_OK);
	return name;
}

// "SERVER [ADDRESS...]" for each server; one that begins with "*" is steered.
static void make(struct delegation *delegation, const char *const *servers)
{
	const struct wire_name domain = name_of("edge.test");

	*delegation = (struct delegation){.ttl_s = TTL_S};
	for (; *servers; servers++) {
		char words[128], *rest;

		snprintf(words, sizeof(words), "%s", *servers + (**servers == '*'));

		const struct wire_name name = name_of(strtok_r(words, " ", &rest));
		struct delegation_server *server = delegation_add(delegation, &name, &domain);

		assert_non_null(server);
		server->is_steered = **servers == '*';
		for (const char *word; (word = strtok_r(NULL, " ", &rest));) {
			struct addr address;

			assert_int_equal(addr_parse(word, &address), E_OK);
			delegation_add_address(delegation, server, &address, TTL_S);
		}
	}
}

// Appends "KIND SERVER ADDRESS; ".
static void write_down(void *ctx, const struct difference *difference)
{
	static const char *const kinds[] = {"lacks", "extra", "lacks-glue", "extra-glue"};
	char *said = ctx, name[NAME_TEXT_MAX], address[ADDR_TEXT_LEN] = "any";
	const size_t len = strlen(said);

	if (difference->address.family != ADDR_NONE)
		addr_format(&difference->address, address);
	assert_true(len < SAID_LEN);
	snprintf(said + len, SAID_LEN - len, "%s %s %s; ", kinds[difference->kind],
	         name_to_text(difference->server->name.wire, difference->server->name.len, name), address);
}

static void test_rows(void **state)
{
	static const struct {
		const char *ours[4], *parents[4], *said;
		size_t count;
	} rows[] = {
		{{"ns1.edge.test 192.0.2.1"}, {"ns1.edge.test 192.0.2.1"}, "", 0},
		{{inside, outside}, {outside, inside}, "", 0},
		{{inside, outside}, {inside}, "lacks ns.elsewhere.test any; ", 1},
		{{inside}, {inside, outside}, "extra ns.elsewhere.test any; ", 1},
		{{inside}, {other}, "lacks ns1.edge.test any; extra ns2.edge.test any; ", 2},
		{{inside}, {NULL}, "lacks ns1.edge.test any; ", 1},
		{{"ns1.edge.test 192.0.2.1 2001:db8::1"}, {"ns1.edge.test 192.0.2.1"}, "lacks-glue ns1.edge.test 2001:db8::1; ", 1},
		{{"ns1.edge.test 192.0.2.1"}, {"ns1.edge.test 2001:db8::1 192.0.2.1"}, "extra-glue ns1.edge.test 2001:db8::1; ", 1},
		{{"ns1.edge.test 192.0.2.1"}, {"ns1.edge.test 192.0.2.9"},
		 "lacks-glue ns1.edge.test 192.0.2.1; extra-glue ns1.edge.test 192.0.2.9; ", 2},
		// A name that is longer than the domain is not in it for that.
		{{"ns.elsewhere.test"}, {"ns.elsewhere.test 192.0.2.9"}, "", 0},
		{{"ns.knowledge.test"}, {"ns.knowledge.test 192.0.2.9"}, "", 0},
		// Steered: any one of them.
		{{"*ns1.edge.test 192.0.2.1 192.0.2.2"}, {"ns1.edge.test 192.0.2.2"}, "", 0},
		{{"*ns1.edge.test 192.0.2.1 192.0.2.2"}, {"ns1.edge.test 192.0.2.3"}, "extra-glue ns1.edge.test 192.0.2.3; ", 1},
		{{"*ns1.edge.test 192.0.2.1"}, {"ns1.edge.test"}, "lacks-glue ns1.edge.test any; ", 1},
		{{"*ns1.edge.test"}, {"ns1.edge.test 192.0.2.3"}, "", 0},
		{{"*ns1.edge.test"}, {"ns1.edge.test"}, "lacks-glue ns1.edge.test any; ", 1},
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		struct delegation *ours = malloc(sizeof(*ours)), *parents = malloc(sizeof(*parents));
		char said[SAID_LEN] = "";

		assert_non_null(ours);
		assert_non_null(parents);
		make(ours, rows[i].ours);
		make(parents, rows[i].parents);
		assert_int_equal(delegation_compare(ours, parents, write_down, said), rows[i].count);
		assert_string_equal(said, rows[i].said);
		free(ours);
		free(parents);
	}
}

// Past the limits nothing is added, and that is said.
static void test_limits(void **state)
{
	struct delegation *delegation = calloc(1, sizeof(*delegation));
	const struct wire_name domain = name_of("edge.test");
	struct addr address = {.family = ADDR_V4};
	char text[32];

	(void)state;
	assert_non_null(delegation);
	for (int i = 0; i < DELEGATION_SERVERS_MAX; i++) {
		snprintf(text, sizeof(text), "ns%d.edge.test", i);

		const struct wire_name name = name_of(text);

		assert_non_null(delegation_add(delegation, &name, &domain));
	}

	const struct wire_name first = name_of("ns0.edge.test"), more = name_of("more.edge.test");

	assert_false(delegation->is_cut);
	assert_ptr_equal(delegation_add(delegation, &first, &domain), &delegation->servers[0]);
	assert_false(delegation->is_cut);
	assert_null(delegation_add(delegation, &more, &domain));
	assert_true(delegation->is_cut);
	assert_int_equal(delegation->count, DELEGATION_SERVERS_MAX);
	delegation->is_cut = false;
	for (unsigned i = 0; i <= DELEGATION_ADDRESSES_MAX; i++) {
		assert_false(delegation->is_cut);
		address.bytes[3] = (uint8_t)i;
		delegation_add_address(delegation, &delegation->servers[0], &address, TTL_S);
		delegation_add_address(delegation, &delegation->servers[0], &address, TTL_S);
	}
	assert_true(delegation->is_cut);
	assert_int_equal(delegation->servers[0].address_count, DELEGATION_ADDRESSES_MAX);
	free(delegation);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_rows), cmocka_unit_test(test_limits)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
