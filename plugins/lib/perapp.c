// An option that has a text for each app; see perapp.h.
#include "perapp.h"

#include <jansson.h>
#include <stdbool.h>
#include <string.h>

#include "shown.h"

bool perapp_is_good(const char *text)
{
	size_t len = strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

	return len > 0 && len <= PERAPP_MAX_LEN && !text[len] && *text != '.'; // no step up in a URL's path
}

static bool is_good(const json_t *value)
{
	return json_is_string(value) && perapp_is_good(json_string_value(value));
}

static int check(const struct edgesteer_host *host, const char *name, const json_t *texts)
{
	const char *app;
	json_t *value;
	char buf[SHOWN_SIZE];
	int err = 0;

	if (is_good(texts))
		return 0;
	if (!json_is_object(texts)) {
		host->report(host, EDGESTEER_ERROR, NULL, 0, "`%s` is neither an ID nor a mapping from apps to IDs, of up to %d "
		             "letters, digits and hyphens", name, (int)PERAPP_MAX_LEN);
		return -1;
	}
	json_object_foreach((json_t *)texts, app, value) {
		if (is_good(value))
			continue;
		host->report(host, EDGESTEER_ERROR, NULL, 0, "`%s.%s` is not an ID of up to %d letters, digits and hyphens", name,
		             shown(buf, app), (int)PERAPP_MAX_LEN);
		err = -1;
	}
	return err;
}

int perapp_read(const struct edgesteer_host *host, const char *name, json_t **ret_texts)
{
	const char *option = host->option(host, name);
	json_t *texts = option ? json_loads(option, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL) : NULL;

	if (option && check(host, name, texts) < 0) {
		json_decref(texts);
		return -1;
	}
	*ret_texts = texts;
	return 0;
}

void perapp_free(json_t *texts)
{
	json_decref(texts);
}

// Names of domains, with or without the final dot.
static bool is_same(const char *one, const char *other)
{
	size_t len = strlen(one), other_len = strlen(other);

	len -= len > 0 && one[len - 1] == '.';
	other_len -= other_len > 0 && other[other_len - 1] == '.';
	return len == other_len && strncasecmp(one, other, len) == 0;
}

const char *perapp_find(const json_t *texts, const char *app)
{
	const char *key;
	json_t *value;

	if (!json_is_object(texts))
		return json_string_value(texts);
	json_object_foreach((json_t *)texts, key, value)
		if (app && is_same(key, app))
			return json_string_value(value);
	return json_string_value(json_object_get(texts, "*"));
}
