// Warnings about names that only the config or only the sources use, and none about legitimate ones.
#include "generation/unknown_names.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/report.h"
#include "config/config.h"
#include "discovery/latency.h"
#include "report_text.h"
#include "steer/place.h"

#define HEAD "locate: [{plugin: ranges, file: c.csv}]\nlatency: l.csv\ndomains: {e.x: {ns: n.x}}\nsites:\n"

struct client {
	const char *carrier, *class_, *hint;
};

// One source, each client in a prefix of its own.
static struct places *places_of(const struct client *clients)
{
	struct place_builder *builder = place_builder_new(200);
	struct prefix prefix = {.addr.family = ADDR_V4, .addr.bytes = {10}, .len = 24};
	struct places *places;

	assert_non_null(builder);
	assert_int_equal(place_source_begin(builder, "ranges c.csv"), 0);
	for (unsigned i = 0; clients->carrier || clients->class_ || clients->hint; clients++, i++) {
		struct place_facts facts = {
			.carrier = clients->carrier, .carrier_len = clients->carrier ? strlen(clients->carrier) : 0,
			.class_ = clients->class_,   .class_len = clients->class_ ? strlen(clients->class_) : 0,
			.hints = {clients->hint},    .hint_lens = {clients->hint ? strlen(clients->hint) : 0},
			.latitude = NAN,             .longitude = NAN,
		};

		prefix.addr.bytes[1] = (uint8_t)(i >> 8);
		prefix.addr.bytes[2] = (uint8_t)i;
		assert_int_equal(place_source_add(builder, &prefix, &facts), 0);
	}
	assert_int_equal(place_source_end(builder), 0);
	assert_int_equal(place_finish(builder, &places), 0);
	place_builder_free(builder);
	return places;
}

static const struct {
	const char *sites;
	struct client clients[8];
	struct measured_row rows[6];
	const char *reported;
} cases[] = {
	// Nothing to say: a carrier that is only in the latency table, sites that no source hints at, classes of all kinds.
	{"  w: {kind: wavelength, reach: [verizon]}\n  r: {kind: region}\n",
	 {{"verizon", "edge", "w"}, {"kddi", "fixed", NULL}, {"kddi", "mvno", NULL}, {"verizon", "vpn", NULL},
	  {"verizon", "roaming", NULL}, {"verizon", "de", NULL}},
	 {{0, "verizon", 0, 1}, {0, "kddi", 0, 1}, {1, NULL, 0, 1}},
	 ""},
	// A carrier of the catalogue that is nearly another one, as sources that know all carriers have.
	{"  w: {kind: wavelength, reach: [vodafone-de]}\n",
	 {{"vodafone-de", NULL, NULL}, {"vodafone-uk", NULL, NULL}},
	 {{0, NULL, 0, 0}},
	 "note: /d/f: locate: 1 prefix is of 1 carrier without a site, such as `vodafone-uk`\n"},
	// A carrier that one side spells in another way; the first of the sites is named, once.
	{"  w: {kind: wavelength, reach: [verzion]}\n  v: {kind: wavelength, reach: [kddi, verzion, bell]}\n",
	 {{"verizon", NULL, NULL}, {"kddi", NULL, NULL}},
	 {{0, NULL, 0, 0}},
	 "warning: 5:3: sites.w: no source in `locate` has clients of carrier `verzion`, so none is sent here, did you "
	 "mean `verizon`?\n"
	 "warning: 6:3: sites.v: no source in `locate` has clients of carrier `bell`, so none is sent here\n"
	 "warning: 1:10: locate: ranges c.csv: carrier `verizon` of 1 prefix (first: 10.0.0.0/24) has no site of its own, did you mean "
	 "`verzion`?\n"},
	// A carrier of a source that no site has; how many prefixes there are counts before sources are laid together.
	{"  w: {kind: wavelength, reach: [verizon]}\n",
	 {{"verizon", NULL, NULL}, {"verizno", NULL, NULL}, {"verizno", NULL, NULL}, {"kddi", NULL, NULL}, {"skt", NULL, NULL}},
	 {{0, NULL, 0, 0}},
	 "warning: 1:10: locate: ranges c.csv: carrier `verizno` of 2 prefixes (first: 10.0.1.0/24) has no site of its own, did you mean "
	 "`verizon`?\n"
	 "note: /d/f: locate: 2 prefixes are of 2 carriers without a site, such as `kddi`\n"},
	// Nor does a config without carriers care for any.
	{"  r: {kind: region}\n", {{"verizon", NULL, NULL}}, {{0, NULL, 0, 0}}, ""},
	{"  w: {kind: wavelength, reach: [a0, a1, a2, a3, a4, a5, a6, a7, a8, a9, b0]}\n",
	 {{"kddi", NULL, NULL}},
	 {{0, NULL, 0, 0}},
	 "warning: 5:3: sites: no source in `locate` has clients of the carriers `a0`, `a1`, `a2` and 8 more, so none is "
	 "sent to their sites\n"
	 "note: /d/f: locate: 1 prefix is of 1 carrier without a site, such as `kddi`\n"},
	// The latency table. A name that a site uses as well is reported for the site.
	{"  w: {kind: wavelength, reach: [bell]}\n",
	 {{"verizon", NULL, NULL}},
	 {{0, "bell", 0, 1}, {0, "verizno", 0, 1}, {0, "verizon", 0, 1}},
	 "warning: 5:3: sites.w: no source in `locate` has clients of carrier `bell`, so none is sent here\n"
	 "warning: /d/l.csv: has 1 carrier that no source in `locate` and no site has, such as `verizno`, did you mean "
	 "`verizon`?\n"},
	{"  r: {kind: region}\n",
	 {{"verizon", NULL, NULL}},
	 {{0, "skt", 0, 1}, {0, "kddi", 0, 1}, {0, "skt", 0, 1}},
	 "warning: /d/l.csv: has 2 carriers that no source in `locate` and no site has, such as `skt`\n"},
	// Services for carriers that no source has; one that a site has as well is told of once.
	{"  w: {kind: wavelength, reach: [verizon, bell]}\n"
	 "discovery:\n- {plugin: exec, carriers: [verizon, Verzion, bell, o2]}\n- {plugin: exec, carriers: [verzion]}\n",
	 {{"verizon", NULL, NULL}},
	 {{0, NULL, 0, 0}},
	 "warning: 5:3: sites.w: no source in `locate` has clients of carrier `bell`, so none is sent here\n"
	 "warning: 7:3: discovery: exec: no source in `locate` has clients of carrier `verzion`, so it is asked about none of them, did "
	 "you mean `verizon`?\n"
	 "warning: 7:3: discovery: exec: no source in `locate` has clients of carrier `o2`, so it is asked about none of them\n"},
	// Classes that are nearly the one that carriers' sites serve.
	{"  r: {kind: region}\n",
	 {{NULL, "egde", NULL}, {NULL, "Edge", NULL}, {NULL, "EDGE", NULL}, {NULL, "edgy", NULL}, {NULL, "\033edge", NULL},
	  {NULL, "edge", NULL}},
	 {{0, NULL, 0, 0}},
	 "warning: 1:10: locate: ranges c.csv: clients of class `egde` (first: 10.0.0.0/24) cannot reach carriers' sites, did you mean `edge`?\n"
	 "warning: 1:10: locate: ranges c.csv: clients of class `Edge` (first: 10.0.1.0/24) cannot reach carriers' sites, did you mean `edge`?\n"
	 "warning: 1:10: locate: ranges c.csv: clients of class `EDGE` (first: 10.0.2.0/24) cannot reach carriers' sites, did you mean `edge`?\n"
	 "warning: 1:10: locate: ranges c.csv: clients of class `edgy` (first: 10.0.3.0/24) cannot reach carriers' sites, did you mean `edge`?\n"
	 "warning: 1:10: locate: ranges c.csv: clients of class `?edge` (first: 10.0.4.0/24) cannot reach carriers' sites, did you mean `edge`?\n"},
	// Hinted sites.
	{"  plant-7: {kind: outpost}\n",
	 {{NULL, NULL, "plant-7"}, {NULL, NULL, "palnt-7"}, {NULL, NULL, "elsewhere"}},
	 {{0, NULL, 0, 0}},
	 "warning: 1:10: locate: ranges c.csv: hints at 2 sites not in the config, such as `palnt-7` (first: 10.0.1.0/24), did you mean "
	 "`plant-7`?\n"},
};

static void test_warnings(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		char yaml[1024], *reported;
		size_t rows = 0;

		snprintf(yaml, sizeof(yaml), HEAD "%s", cases[i].sites);

		struct config *config = report_text_config(yaml, strlen(yaml), &reported);
		struct places *places = places_of(cases[i].clients);
		struct report *report = report_new();

		assert_non_null(config);
		free(reported);
		while (cases[i].rows[rows].us)
			rows++;
		unknown_names_warn(config, places, cases[i].rows, rows, report);
		reported = report_text(report);
		for (char *at = reported; (at = strstr(at, "/d/f:")) && at[5] != ' ';) // as report_text_config() leaves it out
			memmove(at, at + 5, strlen(at + 5) + 1);
		if (strcmp(reported, cases[i].reported) != 0)
			fail_msg("%s\n%s\nwanted:\n%s", yaml, reported, cases[i].reported);
		free(reported);
		report_free(report);
		places_free(places);
		config_free(config);
	}
}

// A name for each number; those of two `first` letters ten apart have no letter in common.
static char *name_of(unsigned number, char first, char *buf)
{
	size_t len = 0;

	for (; len < 8; len++, number /= 10)
		buf[len] = (char)(first + (int)(number % 10));
	buf[len] = '\0';
	return buf;
}

// Very many carriers on both sides do not keep a start waiting: comparing all would take minutes.
static void test_many(void **state)
{
	enum { MANY = 60000, LEN = 9, PATIENCE_S = 30 };
	static struct client clients[MANY + 1];
	static struct measured_row rows[MANY];
	static char names[2 * MANY][LEN];
	static const char yaml[] = HEAD "  w: {kind: wavelength, reach: [verizon]}\n";
	struct report *report = report_new();
	char *reported;
	struct config *config = report_text_config(yaml, sizeof(yaml) - 1, &reported);

	(void)state;
	free(reported);
	for (unsigned i = 0; i < MANY; i++) {
		clients[i].carrier = name_of(i, 'a', names[i]);
		rows[i] = (struct measured_row){0, name_of(i, 'k', names[MANY + i]), 0, 1};
	}

	struct places *places = places_of(clients);

	alarm(PATIENCE_S);
	unknown_names_warn(config, places, rows, MANY, report);
	alarm(0);
	assert_int_equal(report_count(report, REPORT_WARNING), 2); // the site's carrier, the latency table's
	report_free(report);
	places_free(places);
	config_free(config);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_warnings),
		cmocka_unit_test(test_many),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
