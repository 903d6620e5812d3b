// The table of `edgesteerd --carriers`: addresses add up over places and families, and carriers without clients are named.
#include "discovery/carriers.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/addr.h"
#include "base/attr.h"
#include "base/err.h"
#include "config/config.h"
#include "report_text.h"
#include "steer/place.h"

#define HEAD "CARRIER          CLASS    SOURCE                       BLOCKS IPV4-ADDRESSES        IPV6-/64S\n"

static const struct {
	const char *prefix, *carrier, *class_;
	double latitude;
} clients[] = {
	{"10.0.0.0/24", "verizon", NULL, NAN},
	{"10.0.1.0/24", "verizon", "edge", NAN}, // another place, of the same carrier and class
	{"10.0.1.128/25", "kddi", "mixed", NAN}, // inside, so not verizon's
	{"10.0.4.0/32", "verizon", NULL, 42},
	{"2001:db8::/48", "kddi", "mixed", NAN},
	{"2001:db8:1::/128", "kddi", "edge", NAN},
	{"192.0.2.0/24", NULL, "fixed", NAN},
};

static struct places *make_places(void)
{
	struct place_builder *builder = place_builder_new(200);
	struct places *places;

	assert_non_null(builder);
	assert_int_equal(place_source_begin(builder, "asn"), E_OK);
	for (size_t i = 0; i < ARRAY_LEN(clients); i++) {
		const struct place_facts facts = {
			.carrier = clients[i].carrier,   .carrier_len = clients[i].carrier ? strlen(clients[i].carrier) : 0,
			.class_ = clients[i].class_,     .class_len = clients[i].class_ ? strlen(clients[i].class_) : 0,
			.latitude = clients[i].latitude, .longitude = clients[i].latitude,
		};
		struct prefix prefix;
		bool tail;

		assert_int_equal(prefix_parse(clients[i].prefix, &prefix, &tail), E_OK);
		assert_int_equal(place_source_add(builder, &prefix, &facts), E_OK);
	}
	assert_int_equal(place_source_end(builder), E_OK);
	assert_int_equal(place_finish(builder, &places), E_OK);
	place_builder_free(builder);
	return places;
}

static void test_table(void **state)
{
	static const char yaml[] = "domains: {e.x: {ns: n.x}}\nsites:\n  w: {kind: wavelength, reach: [verizon, nobody]}\n";
	static const char expected[] =
		HEAD "kddi             edge     asn                               1              0                0\n"
		     "kddi             mixed    asn                               2            128            65536\n"
		     "verizon          edge     asn                               3            385                0\n"
		     "nobody           no source in `locate` has clients of this carrier\n";
	struct places *places = make_places();
	char *reported, *text;
	struct config *config = report_text_config(yaml, sizeof(yaml) - 1, &reported);
	size_t len;
	FILE *out = open_memstream(&text, &len);

	(void)state;
	assert_non_null(config);
	assert_non_null(out);
	assert_int_equal(carriers_print(config, places, out), E_OK);
	assert_int_equal(fclose(out), 0);
	assert_memory_equal(text, expected, sizeof(expected) - 1);
	// Then those of the built-in catalogue; each once.
	assert_non_null(strstr(text, "\nskt              no source"));
	assert_null(strstr(strstr(text, "\nskt ") + 1, "\nskt "));
	assert_null(strstr(text, "\nverizon          no source"));
	free(text);
	free(reported);
	places_free(places);
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_table)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
