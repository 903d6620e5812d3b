// Requests over HTTP: what is read of them stays within the octets that came, and what they ask of the verbs, with the played
// daemon of the unit tests behind them, gets one reply.
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "base/publish.h"
#include "control/verbs.h"
#include "door/request.h"
#include "door/route.h"
#include "fake_daemon.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct fake_daemon fake;

static void close_fake(void)
{
	fake_daemon_close(&fake);
	publish_unregister_reader();
}

static void expect_inside(const struct request_text *text, const char *head, size_t len)
{
	must(!text->at || (text->at >= head && text->at + text->len <= head + len));
}

static void ask(const struct request *request, const char *body, size_t body_len)
{
	const struct verbs_row *verb = NULL;
	json_t *refusal = NULL, *fields = NULL, *reply;
	char *line;

	if (route_find(&request->path, &verb) == ROUTE_VERB && verb)
		fields = route_fields(request, verb, body, body_len, &refusal);
	must(!verb || !fields == !!refusal);
	json_decref(refusal);
	if (!fields)
		return;
	must(json_object_set_new(fields, "verb", json_string(verb->name)) == 0);
	line = json_dumps(fields, JSON_COMPACT);
	reply = fake_daemon_ask(&fake, line, strlen(line));
	must(json_is_boolean(json_object_get(reply, "ok")));
	json_decref(reply);
	json_decref(fields);
	free(line);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static bool opened;
	char *octets = malloc(len + 1); // of exactly that size, for AddressSanitizer
	size_t looked = len < REQUEST_HEAD_MAX ? len : REQUEST_HEAD_MAX, head_len;
	const char *why = NULL;
	struct request request;

	if (!opened) {
		publish_register_reader();
		log_set_level((enum log_level)0);
		fake_daemon_open(&fake, 0, true);
		opened = atexit(close_fake) == 0;
		must(opened);
	}
	must(octets);
	memcpy(octets, data, len);
	octets = realloc(octets, len ? len : 1);
	head_len = request_head_len(octets, looked);
	if (head_len > 0 && request_read(octets, head_len, &request, &why) == 0) {
		const struct request_text *const texts[] = {&request.path, &request.query, &request.authorization, &request.accept,
		                                            &request.content_type};
		size_t rest = len - head_len;
		struct request_text token = request_bearer(&request);

		for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
			expect_inside(texts[i], octets, head_len);
		expect_inside(&token, octets, head_len);
		must(request.path.len > 0 && request.body_len <= REQUEST_BODY_MAX);
		(void)request_wants_openmetrics(&request);
		(void)request_is_json(&request);
		ask(&request, octets + head_len, rest < request.body_len ? rest : request.body_len);
	}
	free(octets);
	return 0;
}
