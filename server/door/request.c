// Reading a head; see request.h.
#include "door/request.h"

#include <string.h>
#include <strings.h>

#include "base/attr.h"

// What is still to be read of a line.
struct cursor {
	const char *at, *end;
};

size_t request_head_len(const char *octets, size_t len)
{
	static const char end[] = "\r\n\r\n";
	const char *found = memmem(octets, len, end, sizeof(end) - 1);

	return found ? (size_t)(found - octets) + sizeof(end) - 1 : 0;
}

bool request_text_is(const struct request_text *text, const char *word)
{
	return text->at && strlen(word) == text->len && memcmp(text->at, word, text->len) == 0;
}

bool request_text_is_nocase(const struct request_text *text, const char *word)
{
	return text->at && strlen(word) == text->len && strncasecmp(text->at, word, text->len) == 0;
}

// RFC 9110 section 5.6.2.
static bool is_token_char(char c)
{
	return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
	       (c && strchr("!#$%&'*+-.^_`|~", c) != NULL);
}

static struct request_text take_token(struct cursor *cursor)
{
	struct request_text token = {cursor->at, 0};

	while (cursor->at < cursor->end && is_token_char(*cursor->at))
		cursor->at++;
	token.len = (size_t)(cursor->at - token.at);
	return token;
}

static bool take_char(struct cursor *cursor, char c)
{
	if (cursor->at == cursor->end || *cursor->at != c)
		return false;
	cursor->at++;
	return true;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct request_text trim(const char *at, const char *end)
{
	while (at < end && is_blank(*at))
		at++;
	while (end > at && is_blank(end[-1]))
		end--;
	return (struct request_text){at, (size_t)(end - at)};
}

// The next member of a list (RFC 9110 section 5.6.1), empty ones included. False: there is none.
static bool next_member(struct cursor *list, char separator, struct request_text *ret_member)
{
	const char *end;

	if (list->at > list->end)
		return false;
	end = memchr(list->at, separator, (size_t)(list->end - list->at));
	end = end ? end : list->end;
	*ret_member = trim(list->at, end);
	list->at = end + 1;
	return true;
}

static struct cursor list_of(const struct request_text *text)
{
	return (struct cursor){text->at, text->at + text->len};
}

// ---- the first line -------------------------------------------------------------------------------------------------

static enum request_method method_of(const struct request_text *text)
{
	return request_text_is(text, "GET")    ? REQUEST_GET
	       : request_text_is(text, "HEAD") ? REQUEST_HEAD
	       : request_text_is(text, "POST") ? REQUEST_POST
	                                       : REQUEST_OTHER;
}

static int read_target(struct cursor *line, struct request *request)
{
	const char *start = line->at, *question;

	while (line->at < line->end && *line->at > ' ' && *line->at < 0x7f)
		line->at++;
	request->path = (struct request_text){start, (size_t)(line->at - start)};
	if (request->path.len == 0 || *start != '/')
		return 400;
	question = memchr(start, '?', request->path.len);
	if (question) {
		request->query = (struct request_text){question + 1, (size_t)(line->at - question) - 1};
		request->path.len = (size_t)(question - start);
	}
	return 0;
}

static int read_first_line(struct cursor line, struct request *request, const char **ret_why)
{
	struct request_text method = take_token(&line), version;

	*ret_why = "the request line is not METHOD PATH HTTP/1.1";
	if (method.len == 0 || !take_char(&line, ' ') || read_target(&line, request) != 0 || !take_char(&line, ' '))
		return 400;
	request->method = method_of(&method);
	version = (struct request_text){line.at, (size_t)(line.end - line.at)};
	request->keeps = request_text_is(&version, "HTTP/1.1");
	if (request->keeps || request_text_is(&version, "HTTP/1.0"))
		return 0;
	if (version.len != 8 || memcmp(version.at, "HTTP/", 5) != 0)
		return 400;
	*ret_why = "the version of HTTP is not 1.0 or 1.1";
	return 505;
}

// ---- header fields --------------------------------------------------------------------------------------------------

// What decides how the rest of the connection is read may be there once only: two that differ are read as two different
// requests by us and by whoever is between the peer and us.
struct fields {
	struct request_text host, content_length, transfer_encoding, connection, expect;
};

static int read_length(const struct request_text *text, struct request *request, const char **ret_why)
{
	size_t len = 0;

	*ret_why = "Content-Length is not a number";
	if (text->len == 0)
		return 400;
	for (size_t i = 0; i < text->len; i++) {
		if (text->at[i] < '0' || text->at[i] > '9')
			return 400;
		if (len <= REQUEST_BODY_MAX)
			len = len * 10 + (size_t)(text->at[i] - '0');
	}
	request->body_len = len;
	*ret_why = "the body is larger than 1048576 bytes";
	return len > REQUEST_BODY_MAX ? 413 : 0;
}

_Static_assert(REQUEST_BODY_MAX == 1048576, "as read_length() says");

static int judge_fields(const struct fields *fields, struct request *request, const char **ret_why)
{
	struct cursor options = list_of(&fields->connection);
	struct request_text option;
	bool is_new = request->keeps; // HTTP/1.1

	*ret_why = "HTTP/1.1 needs Host";
	if (is_new && !fields->host.at)
		return 400;
	*ret_why = "a body needs Content-Length: Transfer-Encoding is not understood";
	if (fields->transfer_encoding.at)
		return 411;
	*ret_why = "Expect is not 100-continue";
	if (fields->expect.at && !request_text_is_nocase(&fields->expect, "100-continue"))
		return 417;
	request->continues = is_new && fields->expect.at;
	while (fields->connection.at && next_member(&options, ',', &option)) {
		if (request_text_is_nocase(&option, "close"))
			request->keeps = false;
	}
	return fields->content_length.at ? read_length(&fields->content_length, request, ret_why) : 0;
}

// Keeps the fields that matter. False: one of them is there twice.
static bool keep_field(const struct request_text *name, const struct request_text *value, struct fields *fields,
                       struct request *request)
{
	const struct {
		const char *name;
		struct request_text *to;
	} rows[] = {
		{"Host", &fields->host},
		{"Content-Length", &fields->content_length},
		{"Transfer-Encoding", &fields->transfer_encoding},
		{"Connection", &fields->connection},
		{"Expect", &fields->expect},
		{"Authorization", &request->authorization},
		{"Accept", &request->accept},
		{"Content-Type", &request->content_type},
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		if (!request_text_is_nocase(name, rows[i].name))
			continue;
		if (rows[i].to->at)
			return false;
		*rows[i].to = *value;
	}
	return true;
}

static bool is_value(const struct request_text *value)
{
	for (size_t i = 0; i < value->len; i++)
		if (((unsigned char)value->at[i] < ' ' && value->at[i] != '\t') || value->at[i] == 0x7f)
			return false;
	return true;
}

static int read_field(struct cursor line, struct fields *fields, struct request *request, const char **ret_why)
{
	struct request_text name = take_token(&line), value;

	*ret_why = "a header field is not NAME: VALUE";
	if (name.len == 0 || !take_char(&line, ':'))
		return 400;
	value = trim(line.at, line.end);
	if (!is_value(&value))
		return 400;
	*ret_why = "a header field is there twice";
	return keep_field(&name, &value, fields, request) ? 0 : 400;
}

int request_read(const char *head, size_t len, struct request *ret_request, const char **ret_why)
{
	struct request request = {0};
	struct fields fields = {0};
	const char *end = head + len - 2; // the empty line
	int status = 0;

	for (const char *at = head, *eol; at < end && status == 0; at = eol + 2) {
		eol = memmem(at, (size_t)(end - at), "\r\n", 2); // it is there: the head ends in two
		status = at == head ? read_first_line((struct cursor){at, eol}, &request, ret_why)
		                    : read_field((struct cursor){at, eol}, &fields, &request, ret_why);
	}
	if (status == 0)
		status = judge_fields(&fields, &request, ret_why);
	if (status == 0)
		*ret_request = request;
	return status;
}

// ---- what they mean -------------------------------------------------------------------------------------------------

struct request_text request_bearer(const struct request *request)
{
	const struct request_text *whole = &request->authorization;
	struct cursor cursor = list_of(whole);
	struct request_text scheme = whole->at ? take_token(&cursor) : *whole;

	if (!request_text_is_nocase(&scheme, "Bearer") || !take_char(&cursor, ' '))
		return (struct request_text){0};
	return trim(cursor.at, cursor.end);
}

bool request_is_json(const struct request *request)
{
	struct cursor list = list_of(&request->content_type);
	struct request_text type;

	return request->content_type.at && next_member(&list, ';', &type) && request_text_is_nocase(&type, "application/json");
}

// The weight of a member of Accept, in thousandths (RFC 9110 section 12.4.2).
static unsigned weight_of(struct cursor parameters)
{
	struct request_text parameter;
	unsigned weight = 1000;

	while (next_member(&parameters, ';', &parameter)) {
		if (parameter.len < 3 || strncasecmp(parameter.at, "q=", 2) != 0)
			continue;
		weight = parameter.at[2] == '0' ? 0 : 1000;
		for (size_t i = 4, unit = 100; i < parameter.len && i < 7 && weight < 1000; i++, unit /= 10)
			if (parameter.at[i] >= '0' && parameter.at[i] <= '9')
				weight += (unsigned)((size_t)(parameter.at[i] - '0') * unit);
	}
	return weight;
}

bool request_wants_openmetrics(const struct request *request)
{
	struct cursor list = list_of(&request->accept);
	struct request_text member, type;
	unsigned openmetrics = 0, text = 0;

	while (request->accept.at && next_member(&list, ',', &member)) {
		struct cursor parts = list_of(&member);

		if (!next_member(&parts, ';', &type))
			continue;
		if (request_text_is_nocase(&type, "application/openmetrics-text"))
			openmetrics = weight_of(parts);
		else if (request_text_is_nocase(&type, "text/plain"))
			text = weight_of(parts);
	}
	return openmetrics > 0 && openmetrics >= text;
}
