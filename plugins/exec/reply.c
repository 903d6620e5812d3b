// A line of a program that looks clients up; see reply.h.
#include "reply.h"

#include <stdio.h>
#include <string.h>

#include "lib/shown.h"

enum { SECONDS_MAX = 30 * 86400 };

#define wrong(why, ...) (snprintf(why, REPLY_WHY_SIZE, __VA_ARGS__), -1)

static int read_sites(const json_t *value, struct verdict *verdict, char *why)
{
	size_t count = json_is_array(value) ? json_array_size(value) : 1;

	for (size_t i = 0; i < count; i++) {
		const json_t *site = json_is_array(value) ? json_array_get(value, i) : value;

		if (!json_is_string(site))
			return wrong(why, "`sites` is neither a text nor a list of texts");
		verdict_add_site(verdict, json_string_value(site));
	}
	return 0;
}

static int read_name(const char *name, const json_t *value, char *ret_name, char *why)
{
	if (json_is_null(value))
		return 0;

	const char *text = json_string_value(value);
	size_t len = text ? strlen(text) : 0;

	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			len = 0;
	if (len == 0 || len >= VERDICT_SITE_SIZE)
		return wrong(why, "`%s` is not a name of up to %d octets", name, VERDICT_SITE_SIZE - 1);
	memcpy(ret_name, text, len + 1);
	return 0;
}

static int read_seconds(const char *name, const json_t *value, unsigned *ret_s, char *why)
{
	if (!json_is_number(value) || !(json_number_value(value) >= 0) || json_number_value(value) > SECONDS_MAX)
		return wrong(why, "`%s` is not a number of seconds, 0 to %d", name, (int)SECONDS_MAX);
	*ret_s = (unsigned)json_number_value(value);
	return 0;
}

static int read_outcome(const json_t *value, struct verdict *verdict, char *why)
{
	static const struct {
		const char *word;
		enum edgesteer_outcome outcome;
	} outcomes[] = {{"found", EDGESTEER_FOUND}, {"not-found", EDGESTEER_NOT_FOUND}, {"busy", EDGESTEER_BUSY},
	                {"denied", EDGESTEER_DENIED}, {"timeout", EDGESTEER_TIMEOUT}, {"broken", EDGESTEER_BROKEN},
	                {"unasked", EDGESTEER_UNASKED}};
	const char *word = json_string_value(value);

	for (size_t i = 0; i < sizeof(outcomes) / sizeof(*outcomes) && word; i++)
		if (strcmp(word, outcomes[i].word) == 0) {
			verdict->outcome = outcomes[i].outcome;
			return 0;
		}
	return wrong(why, "`outcome` is none of found, not-found, busy, denied, timeout, broken and unasked");
}

static int read_member(const char *name, const json_t *value, struct verdict *verdict, char *why)
{
	char buf[SHOWN_SIZE];

	if (strcmp(name, "id") == 0)
		return 0;
	if (strcmp(name, "sites") == 0)
		return read_sites(value, verdict, why);
	if (strcmp(name, "outcome") == 0)
		return read_outcome(value, verdict, why);
	if (strcmp(name, "carrier") == 0)
		return read_name(name, value, verdict->carrier, why);
	if (strcmp(name, "class") == 0)
		return read_name(name, value, verdict->class_, why);
	if (strcmp(name, "lifetime") == 0)
		return read_seconds(name, value, &verdict->lifetime_s, why);
	if (strcmp(name, "retry") == 0)
		return read_seconds(name, value, &verdict->retry_s, why);
	if (strcmp(name, "text") == 0 && json_is_string(value)) {
		snprintf(verdict->text, sizeof(verdict->text), "%s", shown(buf, json_string_value(value)));
		return 0;
	}
	return wrong(why, "unknown key `%.40s`, or not of its type; expected id, sites, carrier, class, lifetime, outcome, retry "
	                  "or text", shown(buf, name));
}

int reply_read(const json_t *json, json_int_t *ret_id, struct verdict *ret_verdict, char *why)
{
	const json_t *id = json_object_get(json, "id"), *value;
	struct verdict verdict = {.outcome = EDGESTEER_FOUND};
	const char *name;

	if (!json_is_integer(id))
		return wrong(why, "expected an object with the `id` of a question, such as {\"id\": 7, \"sites\": [\"us-east-1\"]}");
	json_object_foreach((json_t *)json, name, value)
		if (read_member(name, value, &verdict, why) < 0)
			return -1;
	if (verdict.outcome == EDGESTEER_FOUND && verdict.site_count == 0)
		verdict.outcome = EDGESTEER_NOT_FOUND;
	*ret_id = json_integer_value(id);
	*ret_verdict = verdict;
	return 0;
}
