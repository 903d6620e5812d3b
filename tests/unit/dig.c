// Asks a compiled view; see dig.h.
#include "dig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "answer/answer.h"
#include "base/arena.h"
#include "base/err.h"
#include "base/publish.h"
#include "base/report.h"
#include "config/config.h"
#include "config/load.h"
#include "discovery/discovery.h"
#include "generation/compile.h"
#include "generation/survey.h"
#include "generation/zones.h"
#include "view/ground.h"
#include "view/handouts.h"
#include "view/live.h"
#include "view/view.h"

struct dig dig;

static void write_file(const char *name, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", dig.folder, name);

	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	fclose(file);
}

static void print(void *ctx, enum report_level level, const char *text)
{
	(void)ctx;
	if (level == REPORT_ERROR)
		print_message("%s\n", text);
}

void dig_begin(const char *config, const char *zone, const char *clients)
{
	struct report *report = report_new();
	struct arena *arena = arena_new(1 << 20);
	struct measured_row *rows;
	struct compile_input in = {.generation = 1};
	struct survey_input read = {0};
	char path[128];

	strcpy(dig.folder, "answer-XXXXXX");
	assert_non_null(mkdtemp(dig.folder));
	write_file("zone", zone);
	write_file("clients", clients);
	write_file("config", config);
	snprintf(path, sizeof(path), "%s/config", dig.folder);

	int err = config_load(path, report, &dig.config);

	if (err == E_OK)
		err = zones_load(dig.config, 1, report, &read.zones);
	if (err == E_OK)
		err = discovery_load(dig.config, arena, report, &read.places, &rows, &read.measured_count);
	read.measured = rows;
	if (err == E_OK)
		err = survey_ground(dig.config, &read, &in.ground);
	if (err == E_OK)
		err = compile_view(dig.config, &in, report, &dig.view);
	ground_free(in.ground);
	report_each(report, print, NULL);
	assert_int_equal(err, E_OK);
	report_free(report);
	arena_free(arena);
	dig.handouts = handouts_new(1);
	assert_non_null(dig.handouts);
	assert_int_equal(handouts_bind(dig.handouts, dig.view, NULL, NULL), E_OK);
	dig.states = live_states_new(dig.view->target_count);
	dig.live = calloc(1, sizeof(*dig.live));
	assert_true(dig.states && dig.live);
	*dig.live = (struct live){.view = dig.view, .states = dig.states};
}

uint64_t dig_handouts(uint32_t target)
{
	return handouts_of(dig.handouts, dig.view->targets[target].handouts);
}

void dig_end(void)
{
	static const char *const names[] = {"zone", "clients", "config"};
	char path[128];

	free(dig.live);
	free(dig.states);
	handouts_free(dig.handouts);
	view_free(dig.view);
	config_free(dig.config);
	for (int i = 0; i < 3; i++) {
		snprintf(path, sizeof(path), "%s/%s", dig.folder, names[i]);
		unlink(path);
	}
	rmdir(dig.folder);
}

void dig_begin_published(void)
{
	publish_register_reader();
	dig_begin("domains:\n  example: {file: zone}\nsites:\n  us-east-1: {}\napps:\n"
	          "  app.example:\n    targets:\n      us-east-1: {addresses: [192.0.2.1]}\n",
	          "@ 60 SOA ns.example. h.example. 1 1 1 1 60\n@ 60 NS ns\nns 60 A 192.0.2.53\n", "");
	live_publish(dig.live);
}

void dig_end_published(void)
{
	live_withdraw(); // and with it the view
	dig.live = NULL;
	dig.states = NULL;
	dig.view = NULL;
	publish_drain();
	dig_end();
	publish_unregister_reader();
}

size_t dig_query(const struct question *question, uint8_t *wire)
{
	uint8_t *p = wire, *out = NULL;
	size_t len;
	ldns_pkt *pkt = ldns_pkt_query_new(ldns_dname_new_frm_str(question->name), ldns_get_rr_type_by_name(question->type),
	                                   LDNS_RR_CLASS_IN, LDNS_RD);

	ldns_pkt_set_id(pkt, 4711);
	assert_int_equal(ldns_pkt2wire(&out, pkt, &len), LDNS_STATUS_OK);
	memcpy(wire, out, len);
	free(out);
	ldns_pkt_free(pkt);
	if (question->edns_size == 0 && !question->ecs && !question->options)
		return len;

	unsigned size = question->edns_size ? (unsigned)question->edns_size : 1232;
	uint8_t *opt = p + len;
	const uint8_t fixed[] = {0, 0, DNS_OPT, (uint8_t)(size >> 8), (uint8_t)size, 0, 0, 0, 0, 0, 0};

	memcpy(opt, fixed, sizeof(fixed));
	wire[11]++;
	p = opt + sizeof(fixed);
	if (question->options) {
		memcpy(p, question->options, question->options_len);
		p += question->options_len;
	}
	if (question->ecs) {
		struct prefix prefix;

		assert_int_equal(prefix_parse(question->ecs, &prefix, NULL), E_OK);

		uint8_t octets = (uint8_t)((prefix.len + 7) / 8);
		const uint8_t head[] = {0, 8, 0, (uint8_t)(octets + 4), 0, prefix.addr.family == ADDR_V4 ? 1 : 2, prefix.len, 0};

		memcpy(p, head, sizeof(head));
		memcpy(p + sizeof(head), prefix.addr.bytes, octets);
		p += sizeof(head) + octets;
	}
	opt[9] = (uint8_t)((p - opt - 11) >> 8);
	opt[10] = (uint8_t)(p - opt - 11);
	return (size_t)(p - wire);
}

const struct addr dig_source = {.family = ADDR_V4, .bytes = {198, 51, 100, 7}};
uint8_t dig_reply[DNS_MESSAGE_MAX];
size_t dig_reply_len;

ldns_pkt *dig_wire(const uint8_t *query, size_t len, enum transport transport)
{
	bool is_udp = transport == TRANSPORT_UDP;
	struct answer_client client = {.addr = dig_source, .transport = transport, .idle_100ms = is_udp ? 0 : DIG_IDLE_100MS,
	                               .counters = &dig.counters};
	ldns_pkt *pkt = NULL;

	if (is_udp) // over UDP a reply takes the place of its query
		query = memcpy(dig_reply, query, len);
	dig_reply_len = answer_query(dig.live, &client, query, len, dig_reply);
	if (dig_reply_len == 0)
		return NULL;
	assert_int_equal(ldns_wire2pkt(&pkt, dig_reply, dig_reply_len), LDNS_STATUS_OK);
	return pkt;
}

ldns_pkt *dig_ask(const struct question *question)
{
	uint8_t wire[DIG_QUERY_MAX];
	size_t len = dig_query(question, wire);
	ldns_pkt *pkt = dig_wire(wire, len, question->transport);

	assert_non_null(pkt);
	assert_int_equal(ldns_pkt_id(pkt), 4711);
	assert_true(ldns_pkt_qr(pkt));
	assert_true(ldns_pkt_rd(pkt));
	assert_false(ldns_pkt_ra(pkt));
	assert_int_equal(ldns_pkt_edns(pkt), question->edns_size || question->ecs || question->options);
	return pkt;
}

void dig_describe(const ldns_rr_list *list, char *text, size_t size)
{
	size_t at = 0;

	text[0] = '\0';
	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(list, i);
		char *owner = ldns_rdf2str(ldns_rr_owner(rr)), *type = ldns_rr_type2str(ldns_rr_get_type(rr));

		at += (size_t)snprintf(text + at, size - at, "%s%s %s", i ? " | " : "", owner, type);
		for (size_t k = 0; k < ldns_rr_rd_count(rr) && k < 1; k++) {
			char *rdata = ldns_rdf2str(ldns_rr_rdf(rr, k));

			at += (size_t)snprintf(text + at, size - at, " %s", rdata);
			free(rdata);
		}
		free(owner);
		free(type);
	}
}

int dig_scope(const ldns_pkt *pkt)
{
	const ldns_rdf *data = ldns_pkt_edns_data(pkt);
	const uint8_t *p = data ? ldns_rdf_data(data) : NULL;
	size_t len = data ? ldns_rdf_size(data) : 0;

	while (len >= 4) {
		size_t option_len = (size_t)p[2] << 8 | p[3];

		if (p[0] == 0 && p[1] == 8)
			return p[7];
		p += 4 + option_len;
		len -= 4 + option_len;
	}
	return -1;
}

int dig_option_len(const ldns_pkt *pkt, unsigned code)
{
	const ldns_rdf *data = ldns_pkt_edns_data(pkt);
	const uint8_t *p = data ? ldns_rdf_data(data) : NULL;
	size_t len = data ? ldns_rdf_size(data) : 0;

	while (len >= 4) {
		size_t this_len = (size_t)p[2] << 8 | p[3];

		if ((unsigned)(p[0] << 8 | p[1]) == code)
			return (int)this_len;
		p += 4 + this_len;
		len -= 4 + this_len;
	}
	return -1;
}

