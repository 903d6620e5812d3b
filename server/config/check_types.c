// Looks up the types of health checks; see check_types.h.
#include "config/check_types.h"

#include <stdio.h>
#include <string.h>

#include "base/must.h"

#define ROW(id, name, port, keys, engine, help) [CHECK_##id] = {name, port, keys},

const struct check_type_row check_type_rows[CHECK_TYPE_COUNT] = {CHECK_TYPES(ROW)};

static bool has_word(const char *words, const char *word)
{
	size_t len = strlen(word);

	for (const char *at = words; len > 0 && (at = strstr(at, word)); at += len)
		if ((at == words || at[-1] == ' ') && (at[len] == ' ' || at[len] == '\0'))
			return true;
	return false;
}

static bool is_common(const char *key)
{
	for (enum check_type type = 0; type < CHECK_TYPE_COUNT; type++)
		if (has_word(check_type_rows[type].keys, key))
			return false;
	return true;
}

bool check_type_takes(enum check_type type, const char *key)
{
	must(type < CHECK_TYPE_COUNT);
	return has_word(check_type_rows[type].keys, key) || is_common(key);
}

const char *check_type_names(const char *key, char *buf)
{
	size_t at = 0;
	unsigned left = 0;

	for (enum check_type type = 0; type < CHECK_TYPE_COUNT; type++)
		left += check_type_takes(type, key);
	buf[0] = '\0';
	for (enum check_type type = 0; type < CHECK_TYPE_COUNT && at < CHECK_TYPE_NAMES_MAX; type++)
		if (check_type_takes(type, key)) {
			left--;
			at += (size_t)snprintf(buf + at, CHECK_TYPE_NAMES_MAX - at, "%s%s", check_type_rows[type].name,
			                       left > 1 ? ", " : left == 1 ? " or " : "");
		}
	must(left == 0 && at < CHECK_TYPE_NAMES_MAX);
	return buf;
}
