// Names of any octets, from config and master file to answer and explanation: each way to write one is the same name.
#include "dig.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "control/explain.h"
#include "control/find.h"
#include "state/state.h"
#include "statedir.h"
#include "view/view.h"

static const char zone_text[] =
	"$TTL 300\n@ SOA ns.elsewhere. host 1 2 3 4 60\n@ NS ns.elsewhere.\n"
	"192/26 NS ns.elsewhere.\n"
	"1 CNAME 1.0/25\n"
	"1.0/25 PTR host.elsewhere.\n"
	"a\\.b TXT dot\n"
	"\\000\\255\\; TXT octets\n"
	"sp\\032ace TXT blank\n"
	"\\@ TXT at\n"
	"\\$x TXT dollar\n";

static const char config_text[] =
	"domains:\n"
	"  edge.example: {file: zone}\n"
	"  0/25.2.0.192.in-addr.arpa: {ns: [{'n\\.s.0/25.2.0.192.in-addr.arpa': 192.0.2.1}]}\n"
	"  '\\*.star.example': {ns: n.x}\n"
	"sites: {east: {kind: region, location: [1, 2]}}\n"
	"apps:\n"
	"  'a\\.b.app.edge.example': {targets: {east: {addresses: 192.0.2.2}}}\n"
	"  'X\\065/\\000.app.edge.example': {targets: {east: {addresses: 192.0.2.3}}}\n"
	"  'in.\\042.star.example': {targets: {east: {addresses: 192.0.2.4}}}\n"
	"  '*.\\*.star.example': {targets: {east: {addresses: 192.0.2.5}}}\n";

static struct state *overrides;

static int set_up(void **state)
{
	dig_begin(config_text, zone_text, "prefix,carrier\n");
	statedir_setup(state);
	overrides = statedir_open();
	return 0;
}

static int tear_down(void **state)
{
	overrides = state_close(overrides);
	dig_end();
	return statedir_teardown(state);
}

static void test_answers(void **state)
{
	static const struct {
		struct question question;
		int rcode;
		const char *answer, *authority;
	} rows[] = {
		{{"1.edge.example", "PTR"}, 0,
		 "1.edge.example. CNAME 1.0/25.edge.example. | 1.0/25.edge.example. PTR host.elsewhere.", ""},
		{{"1.0\\04725.edge.example", "PTR"}, 0, "1.0/25.edge.example. PTR host.elsewhere.", ""},
		{{"x.192/26.edge.example", "A"}, 0, "", "192/26.edge.example. NS ns.elsewhere."},
		{{"a\\.b.edge.example", "TXT"}, 0, "a\\.b.edge.example. TXT \"dot\"", ""},
		{{"A\\046B.edge.example", "TXT"}, 0, "A\\.B.edge.example. TXT \"dot\"", ""},
		{{"a.b.edge.example", "TXT"}, 3, "", "edge.example. SOA ns.elsewhere."},
		{{"\\000\\255\\059.edge.example", "TXT"}, 0, "\\000\\255\\;.edge.example. TXT \"octets\"", ""},
		{{"\\000\\255.edge.example", "TXT"}, 3, "", "edge.example. SOA ns.elsewhere."},
		{{"sp\\032ace.edge.example", "TXT"}, 0, "sp\\032ace.edge.example. TXT \"blank\"", ""},
		{{"\\@.edge.example", "TXT"}, 0, "@.edge.example. TXT \"at\"", ""},
		{{"$x.edge.example", "TXT"}, 0, "$x.edge.example. TXT \"dollar\"", ""},
		{{"n\\.s.0/25.2.0.192.in-addr.arpa", "A"}, 0, "n\\.s.0/25.2.0.192.in-addr.arpa. A 192.0.2.1", ""},
		{{"a\\.b.app.edge.example", "A"}, 0, "a\\.b.app.edge.example. A 192.0.2.2", ""},
		{{"a.b.app.edge.example", "A"}, 3, "", "edge.example. SOA ns.elsewhere."},
		{{"xA/\\000.app.edge.example", "A"}, 0, "xA/\\000.app.edge.example. A 192.0.2.3", ""},
		{{"in.*.star.example", "A"}, 0, "in.*.star.example. A 192.0.2.4", ""},
		{{"other.*.star.example", "A"}, 0, "other.*.star.example. A 192.0.2.5", ""},
		{{"below.in.*.star.example", "A"}, 3, "", "*.star.example. SOA n.x."},
		{{"other.star.example", "A"}, 5, "", ""}, // the apex is no wildcard of anything
	};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ldns_pkt *pkt = dig_ask(&rows[i].question);
		char text[1024];

		print_message("   %s\n", rows[i].question.name);
		assert_int_equal(ldns_pkt_get_rcode(pkt), rows[i].rcode);
		dig_describe(ldns_pkt_answer(pkt), text, sizeof(text));
		assert_string_equal(text, rows[i].answer);
		dig_describe(ldns_pkt_authority(pkt), text, sizeof(text));
		assert_string_equal(text, rows[i].authority);
		ldns_pkt_free(pkt);
	}
}

static void test_asked_for_by_operators(void **state)
{
	static const struct {
		const char *name, *canonical;
	} rows[] = {
		{"a\\.b.app.edge.example", "a\\.b.app.edge.example"}, {"A\\046B.App.edge.example.", "a\\.b.app.edge.example"},
		{"xa/\\000.app.edge.example", "xa/\\000.app.edge.example"}, {"\\120\\097\\/\\000.app.edge.example", "xa/\\000.app.edge.example"},
		{"in.*.star.example", "in.*.star.example"}, {"in.\\*.star.example", "in.*.star.example"},
		{"*.\\042.star.example", "*.*.star.example"},
	};
	const struct prefix client = {.addr = dig_source, .len = 32};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		json_t *refusal = NULL, *object = explain_query(dig.live, overrides, NULL, NULL, NULL, rows[i].name, &client);
		int app = find_app(dig.view, rows[i].name, &refusal);

		print_message("   %s\n", rows[i].name);
		assert_true(app >= 0);
		assert_string_equal(dig.view->apps[app].name, rows[i].canonical);
		assert_string_equal(json_string_value(json_object_get(object, "app")), rows[i].canonical);
		json_decref(object);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers),
		cmocka_unit_test(test_asked_for_by_operators),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
