// Headers; see headers.h.
#include "schema/headers.h"

#include <string.h>
#include <strings.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/must.h"
#include "schema/schema.h"
#include "schema/text.h"
#include "schema/units.h"

enum { NAME_MAX_LEN = 64 };

// RFC 9110 section 5.6.2.
static const char token_chars[] = "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

// RFC 9110 section 7.6.1, and those by which a server finds the end of a request. Whoever sends the request sets them.
static const char *const refused[] = {
	"Connection", "Content-Length", "Expect", "HTTP2-Settings", "Keep-Alive", "Proxy-Connection", "TE", "Trailer",
	"Transfer-Encoding", "Upgrade",
};

static const struct option value_row = {"", &text_any, .min = "1", .max = "1024", .size = sizeof(const char *)};

static bool is_refused(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(refused); i++)
		if (strcasecmp(refused[i], name) == 0)
			return true;
	return false;
}

// Reads the header at the reader's position. False: it is wrong, which is reported.
static bool read_header(struct reader *reader, const struct value *member, const struct headers_header *before, size_t count,
                        struct headers_header *header)
{
	const char *name = member->key;
	size_t len = strspn(name, token_chars);

	if (len == 0 || len > NAME_MAX_LEN || name[len]) {
		reader_error(reader, "is no name of a header, expected at most %d letters, digits and `-`", NAME_MAX_LEN);
		return false;
	}
	if (is_refused(name)) {
		reader_error(reader, "is set by the request itself, expected another header");
		return false;
	}
	for (size_t i = 0; i < count; i++)
		if (strcasecmp(before[i].name, name) == 0) {
			reader_error(reader, "is given twice (case is ignored), expected once");
			return false;
		}
	header->name = reader_strdup(reader, name);
	text_any.read(reader, &value_row, member, &header->value);
	return header->name && header->value;
}

static void read_headers(struct reader *reader, const struct option *option, const struct value *value, void *field)
{
	size_t entries = value_is(value, VALUE_MAP) ? value_count(value) : 0, count = 0;
	struct headers_header *headers;
	uint64_t min, max;

	must(units_parse_integer(option->min, &min) == E_OK && units_parse_integer(option->max, &max) == E_OK);
	if (!value_is(value, VALUE_MAP)) {
		schema_refuse(reader, option, value);
		return;
	}
	if (entries < min || entries > max) {
		reader_error(reader, "has %zu entries, expected %s to %s", entries, option->min, option->max);
		return;
	}
	headers = reader_take(reader, entries, sizeof(*headers));
	if (!headers)
		return;
	value_foreach (member, value) {
		struct reader_place place = reader_place(reader);

		reader_enter_key(reader, member);
		count += read_header(reader, member, headers, count, &headers[count]);
		reader_leave(reader, place);
	}
	schema_store_list(option, field, headers, count);
}

static void format_headers(const struct option *option, const void *field, FILE *out)
{
	size_t count;
	const struct headers_header *headers = schema_load_list(option, field, &count);

	fputc('{', out);
	for (size_t i = 0; i < count; i++) {
		json_t *value = json_string(headers[i].value);

		fprintf(out, "%s%s: ", i ? ", " : "", headers[i].name);
		json_dumpf(value, out, JSON_ENCODE_ANY);
		json_decref(value);
	}
	fputc('}', out);
}

static json_t *describe_headers(const struct option *option)
{
	uint64_t min, max;

	must(units_parse_integer(option->min, &min) == E_OK && units_parse_integer(option->max, &max) == E_OK);
	return json_pack("{s:s, s:{s:[ss]}, s:I, s:I}", "type", "object", "additionalProperties", "type", "string", "number",
	                 "minProperties", (json_int_t)min, "maxProperties", (json_int_t)max);
}

const struct option_type headers_map = {"a mapping from names of headers to their values", "entries", read_headers,
                                        describe_headers, format_headers};
