// Compiles it to see whether it is one, and keeps the text: what is compiled belongs to whoever searches. See regex.h.
#include "schema/regex.h"

#include <string.h>

#include "base/err.h"
#include "base/pattern.h"
#include "schema/text.h"

static void read_regex(struct reader *reader, const struct option *option, const struct value *value, void *field)
{
	struct pattern *pattern = NULL;
	char why[PATTERN_WHY_LEN];
	const char *text = NULL;
	int err;

	text_any.read(reader, option, value, &text);
	if (!text)
		return;
	err = pattern_new(text, &pattern, why);
	pattern_free(pattern);
	if (err == E_NOMEM)
		reader->err = err;
	else if (err < 0)
		reader_error(reader, "%s", why);
	else
		memcpy(field, &text, sizeof(text));
}

static json_t *describe_regex(const struct option *option)
{
	return text_any.describe(option);
}

static void format_regex(const struct option *option, const void *field, FILE *out)
{
	text_any.format(option, field, out);
}

const struct option_type regex_text = {"a regular expression of PCRE2 without back references", "characters", read_regex,
                                       describe_regex, format_regex};
