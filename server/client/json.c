// Lenient readers of replies; see json.h.
#include "client/json.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"

const char *client_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

json_int_t client_int(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

const char *client_int_text(const json_t *object, const char *key, char *buf)
{
	const json_t *number = json_object_get(object, key);

	must(buf);
	buf[0] = '\0';
	if (json_is_integer(number))
		snprintf(buf, CTL_INT_LEN, "%lld", (long long)json_integer_value(number));
	return buf;
}

const char *client_percent(const json_t *object, const char *key, char *buf)
{
	snprintf(buf, CTL_PERCENT_LEN, "%.10g %%", json_number_value(json_object_get(object, key)));
	return buf;
}

char *client_join(const json_t *list)
{
	size_t size = 0;
	char *joined = NULL;
	FILE *out = open_memstream(&joined, &size);

	must(out);
	if (json_is_string(list))
		fputs(json_string_value(list), out);
	for (size_t i = 0; i < json_array_size(list); i++) {
		const char *text = json_string_value(json_array_get(list, i));

		fprintf(out, "%s%s", i ? ", " : "", text ? text : "?");
	}
	must(fclose(out) == 0);
	return joined;
}

void client_extend(json_t *object, const char *key, const json_t *more)
{
	json_t *list = json_object_get(object, key);

	if (!list && json_is_array(more)) {
		json_object_set_new(object, key, json_array());
		list = json_object_get(object, key);
	}
	for (size_t i = 0; list && i < json_array_size(more); i++)
		json_array_append(list, json_array_get(more, i));
}

const char *client_slash(const char *written)
{
	const char *slash = strrchr(written, '/');

	return slash && slash > written && slash[1] ? slash : NULL;
}

bool client_split_target(json_t *request)
{
	const char *written = client_text(request, "app"), *slash = client_slash(written);

	if (!slash)
		return false;

	json_t *app = json_stringn(written, (size_t)(slash - written)), *site = json_string(slash + 1);

	return json_object_set_new(request, "site", site) == 0 && json_object_set_new(request, "app", app) == 0;
}
