// Asking and looking into replies; see asking.h.
#include "asking.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

json_t *asking_reply(struct fake_daemon *fake, const char *line)
{
	json_t *reply = fake_daemon_ask(fake, line, strlen(line));

	assert_non_null(reply);
	return reply;
}

json_t *asking_ok(struct fake_daemon *fake, const char *line)
{
	json_t *reply = asking_reply(fake, line);

	if (!json_is_true(json_object_get(reply, "ok")))
		fail_msg("%s: %s", line, json_string_value(json_object_get(reply, "error")));
	return reply;
}

void asking_done(struct fake_daemon *fake, const char *line)
{
	json_decref(asking_ok(fake, line));
}

void asking_refused(struct fake_daemon *fake, const char *line, int code, const char *text)
{
	json_t *reply = asking_reply(fake, line);
	const char *error = json_string_value(json_object_get(reply, "error"));

	assert_true(json_is_false(json_object_get(reply, "ok")));
	assert_non_null(error);
	if (!strstr(error, text))
		fail_msg("%s: '%s' does not say '%s'", line, error, text);
	assert_int_equal(json_integer_value(json_object_get(reply, "code")), code);
	json_decref(reply);
}

const char *asking_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "(none)";
}

json_int_t asking_number(const json_t *object, const char *key)
{
	const json_t *number = json_object_get(object, key);

	return json_is_integer(number) ? json_integer_value(number) : -1;
}

const json_t *asking_named(const json_t *list, const char *key, const char *name)
{
	for (size_t i = 0; i < json_array_size(list); i++)
		if (strcmp(asking_text(json_array_get(list, i), key), name) == 0)
			return json_array_get(list, i);
	fail_msg("no %s '%s'", key, name);
	return NULL;
}

const json_t *asking_target(struct fake_daemon *fake, const char *app, const char *site, json_t **ret_reply)
{
	*ret_reply = asking_ok(fake, "{\"verb\": \"apps\"}");

	const json_t *shown = asking_named(json_object_get(*ret_reply, "apps"), "name", app);

	return asking_named(json_object_get(shown, "targets"), "site", site);
}

void asking_state(struct fake_daemon *fake, const char *app, const char *site, const char *state)
{
	json_t *reply;

	assert_string_equal(asking_text(asking_target(fake, app, site, &reply), "state"), state);
	json_decref(reply);
}
