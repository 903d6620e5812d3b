// References from one section of the config to another; see reference.h. The names are collected before the sections
// are read (scope.h), so that a reference may precede the entry it refers to.
#include "config/reference.h"

#include <string.h>

#include "base/nearest.h"
#include "config/config.h"
#include "config/scope.h"

static void read_check(struct reader *reader, const struct option *option, const struct value *value, void *field)
{
	const char *text = schema_text(reader, option, value);
	bool is_none = text && strcmp(text, "none") == 0;
	int number = text && !is_none ? reader_find(scope_of(reader)->checks, text) : CONFIG_CHECK_NONE;
	struct nearest nearest = nearest_begin(text ? text : "");
	char quote[READER_QUOTE_MAX], meant[NEAREST_MEANT_MAX];

	if (!text)
		return;
	if (number < 0 && !is_none) {
		if (reader_may_help(reader))
			scope_offer(&nearest, scope_of(reader)->checks);
		reader_error(reader, "cannot be %s, expected %s%s", reader_quote(text, quote), option->type->expects,
		             nearest_meant(&nearest, '`', meant));
	}
	memcpy(field, &number, sizeof(number));
}

static json_t *describe_check(const struct option *option)
{
	(void)option;
	return json_pack("{s:[ss]}", "type", "string", "number");
}

const struct option_type reference_check = {"the name of a check, or `none`", "", read_check, describe_check,
                                            NULL};
