// Paths and fields; see route.h.
#include "door/route.h"

#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "control/reply_json.h"
#include "control/verbs.h"

#define VERBS_FOLDER "/v1/"

enum { VERB_NAME_MAX = 32 }; // with its final zero; longer ones do not exist

enum route_kind route_find(const struct request_text *path, const struct verbs_row **ret_verb)
{
	static const struct {
		const char *path;
		enum route_kind kind;
	} plain[] = {{"/livez", ROUTE_LIVE}, {"/readyz", ROUTE_READY}, {"/metrics", ROUTE_METRICS}};
	const size_t folder_len = sizeof(VERBS_FOLDER) - 1;
	char name[VERB_NAME_MAX];

	for (size_t i = 0; i < ARRAY_LEN(plain); i++)
		if (request_text_is(path, plain[i].path))
			return plain[i].kind;
	if (path->len <= folder_len || memcmp(path->at, VERBS_FOLDER, folder_len) != 0)
		return ROUTE_NONE;

	size_t len = path->len - folder_len;

	*ret_verb = NULL;
	if (len >= sizeof(name))
		return ROUTE_VERB;
	for (size_t i = 0; i < len; i++) // a verb of two words has a path of two parts
		name[i] = path->at[folder_len + i] == '/' ? ' ' : path->at[folder_len + i];
	name[len] = '\0';
	*ret_verb = verbs_find(name);
	return ROUTE_VERB;
}

const char *route_method(const struct verbs_row *verb)
{
	return verb->scope == VERBS_READ ? "GET" : "POST";
}

static int hex_digit(char c)
{
	return c >= '0' && c <= '9'   ? c - '0'
	       : c >= 'a' && c <= 'f' ? c - 'a' + 10
	       : c >= 'A' && c <= 'F' ? c - 'A' + 10
	                              : -1;
}

// Undoes what a query is written with, "%XX" and "+", into buf[len + 1]. False: it is malformed, or has a zero octet.
static bool decode(const char *at, size_t len, char *buf)
{
	for (size_t i = 0; i < len; i++) {
		int high = at[i] == '%' && len - i > 2 ? hex_digit(at[i + 1]) : -1;
		int low = high >= 0 ? hex_digit(at[i + 2]) : -1;

		if (at[i] == '%' && (low < 0 || (high == 0 && low == 0)))
			return false;
		*buf++ = at[i] == '%' ? (char)(high << 4 | low) : at[i] == '+' ? ' ' : at[i];
		i += at[i] == '%' ? 2 : 0;
	}
	*buf = '\0';
	return true;
}

// A field's value, of its type where the text is one; verbs_call() refuses what is of another type. NULL: not UTF-8.
static json_t *value_of(const struct verbs_row *verb, const char *name, const char *text)
{
	const struct verbs_field *field = verb->fields;
	char *end;

	while (field->name && strcmp(field->name, name) != 0)
		field++;
	if (field->name && field->type == JSON_TRUE && (strcmp(text, "true") == 0 || strcmp(text, "false") == 0))
		return json_boolean(text[0] == 't');
	if (field->name && field->type == JSON_INTEGER && *text >= '0' && *text <= '9' && strlen(text) <= 18) {
		long long number = strtoll(text, &end, 10);

		if (*end == '\0')
			return json_integer(number);
	}
	return json_string(text);
}

// Adds "NAME=VALUE". False: it is wrong, and *ret_refusal is the reply.
static bool add_pair(json_t *fields, const struct verbs_row *verb, const char *at, size_t len, json_t **ret_refusal)
{
	char name[VERB_NAME_MAX], value[REQUEST_HEAD_MAX];
	const char *equals = memchr(at, '=', len);
	size_t name_len = equals ? (size_t)(equals - at) : len, value_len = equals ? len - name_len - 1 : 0;

	if (!equals || name_len >= sizeof(name) || value_len >= sizeof(value) || !decode(at, name_len, name) ||
	    !decode(equals + 1, value_len, value)) {
		*ret_refusal = reply_error(REPLY_USAGE, "the query is not FIELD=VALUE&FIELD=VALUE");
		return false;
	}
	if (json_object_get(fields, name)) {
		*ret_refusal = reply_error(REPLY_USAGE, "%s: '%s' is given twice", verb->name, name);
		return false;
	}
	if (json_object_set_new(fields, name, value_of(verb, name, value)) == 0)
		return true;
	*ret_refusal = reply_error(REPLY_USAGE, "the query is not UTF-8");
	return false;
}

static json_t *fields_of_query(const struct request *request, const struct verbs_row *verb, json_t **ret_refusal)
{
	const char *at = request->query.at, *end = at + request->query.len, *next;
	json_t *fields = json_object();
	bool good = fields != NULL;

	for (; good && at && at < end; at = next + 1) {
		next = memchr(at, '&', (size_t)(end - at));
		next = next ? next : end;
		good = add_pair(fields, verb, at, (size_t)(next - at), ret_refusal);
	}
	if (good)
		return fields;
	json_decref(fields);
	return NULL;
}

static json_t *fields_of_body(const char *body, size_t body_len, json_t **ret_refusal)
{
	json_error_t error;
	json_t *fields = body_len ? json_loadb(body, body_len, JSON_REJECT_DUPLICATES, &error) : json_object();

	if (json_is_object(fields))
		return fields;
	*ret_refusal = fields || body_len == 0
	                       ? reply_error(REPLY_USAGE, "the body is not one JSON object")
	                       : reply_error(REPLY_USAGE, "the body is not JSON: line %d, column %d: %s", error.line,
	                                     error.column, error.text);
	json_decref(fields);
	return NULL;
}

json_t *route_fields(const struct request *request, const struct verbs_row *verb, const char *body, size_t body_len,
                     json_t **ret_refusal)
{
	bool reads = verb->scope == VERBS_READ;
	json_t *fields;

	*ret_refusal = NULL;
	if (!reads && request->query.len > 0) {
		*ret_refusal = reply_error(REPLY_USAGE, "%s takes its fields in the body, not in the query", verb->name);
		return NULL;
	}
	fields = reads ? fields_of_query(request, verb, ret_refusal) : fields_of_body(body, body_len, ret_refusal);
	if (!json_object_get(fields, "verb"))
		return fields;
	// The path says it; another one in the body may be what was meant.
	*ret_refusal = reply_error(REPLY_USAGE, "%s has no field 'verb': the path names the verb", verb->name);
	json_decref(fields);
	return NULL;
}
