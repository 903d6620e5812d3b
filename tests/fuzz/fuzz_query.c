// Fuzzes the reading of queries and the writing of replies: for any input, what was read is inside the message,
// and a reply made for it fits its limit and can be read again.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "wire/dns.h"
#include "wire/query.h"
#include "wire/reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_read(const struct query *query, enum query_verdict verdict, size_t len)
{
	must(verdict == QUERY_SILENCE || len >= DNS_HEADER_LEN);
	must(verdict != QUERY_OK || query->has_question);
	if (query->has_question) {
		must(query->question_len == query->name.len + 4);
		must((size_t)DNS_HEADER_LEN + query->question_len <= len);
	}
	must(query->udp_size >= DNS_UDP_PLAIN);
	if (query->ecs.present) {
		must(query->edns);
		must(query->ecs.source_len <= (query->ecs.family == 1 ? 32 : 128));
		must(query->ecs.octets == (query->ecs.source_len + 7) / 8);
	}
}

// The reply repeats the question, octet for octet, and returns the client subnet.
static void check_reply(const struct query *query)
{
	struct reply_opt opt = {.udp_size = 1232, .ecs = query->ecs.present, .ecs_scope = 24, .keepalive_100ms = -1};
	struct reply reply;
	size_t limit = query->udp_size < 1232 ? query->udp_size : 1232;
	uint8_t *wire = malloc(limit); // so that AddressSanitizer guards its end
	struct query again;

	must(wire);
	opt.ede = DNS_EDE_NONE;
	opt.ede_text = "";
	reply_begin(&reply, wire, limit, query, query->edns ? &opt : NULL);

	size_t len = reply_finish(&reply, 0, true, query->edns ? &opt : NULL);

	must(len >= DNS_HEADER_LEN && len <= limit);
	must(wire[2] & 0x80);
	if (query->has_question)
		must(memcmp(wire + DNS_HEADER_LEN, query->wire + DNS_HEADER_LEN, query->question_len) == 0);

	wire[2] &= 0x07; // back to a query: it must read as well as the first one
	wire[3] = 0;
	if (query->has_question && query->ecs.present) {
		size_t scope_at = len - query->ecs.octets - 1;

		wire[scope_at] = 0;
		must(query_read(wire, len, &again) == QUERY_OK);
		must(again.ecs.present && again.ecs.source_len == query->ecs.source_len);
	}
	free(wire);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct query query;
	enum query_verdict verdict = query_read(data, len, &query);

	if (verdict != QUERY_SILENCE) {
		check_read(&query, verdict, len);
		if (verdict == QUERY_OK)
			check_reply(&query);
	}
	return 0;
}
