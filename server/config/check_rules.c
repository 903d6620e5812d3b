// Each type of check has its own rules, beside those that are common to all; see check_rules.h.
#include "config/check_rules.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/must.h"
#include "config/config.h"
#include "schema/reader.h"
#include "schema/schema.h"
#include "schema/text.h"
#include "schema/units.h"

static bool given(const struct value *object, const char *key)
{
	return value_get(object, key) != NULL;
}

// Refuses keys that do not apply to a check of this type.
static void refuse_foreign(struct reader *reader, const struct value *object, enum check_type type)
{
	char names[CHECK_TYPE_NAMES_MAX];

	value_foreach (member, object)
		if (!check_type_takes(type, member->key))
			reader_error_at(reader, member, "does not apply to a check of type %s, expected %s",
			                check_type_rows[type].name, check_type_names(member->key, names));
}

static void check_times(struct reader *reader, const struct value *object, struct config_check *check)
{
	char timeout[UNITS_TEXT_LEN], interval[UNITS_TEXT_LEN];

	if (check->timeout_ms > check->interval_ms && !given(object, "timeout"))
		check->timeout_ms = check->interval_ms;
	if (check->timeout_ms > check->interval_ms)
		reader_error_at(reader, value_get(object, "timeout"), "cannot be `%s`, expected no more than the interval, %s",
		                units_format_duration_ms(check->timeout_ms, timeout),
		                units_format_duration_ms(check->interval_ms, interval));
}

static void check_tls(struct reader *reader, const struct value *object, const struct config_check *check)
{
	if (check->ca_file && !check->verify)
		reader_error_at(reader, value_get(object, "ca-file"), "has no effect with `verify: off`, expected one of the two");
	if (given(object, "client-cert") != given(object, "client-key"))
		reader_error_at(reader, value_get(object, given(object, "client-cert") ? "client-cert" : "client-key"),
		                "is given without `%s`, expected both or none",
		                given(object, "client-cert") ? "client-key" : "client-cert");
}

// A header `Host` becomes the check's `host`: a request has one.
static void take_host(struct reader *reader, const struct value *object, struct config_check *check)
{
	struct headers_header *headers = (struct headers_header *)check->headers; // the reader's, and nobody else has it yet
	const struct value *written = value_get(object, "headers");
	char quote[READER_QUOTE_MAX];
	size_t kept = 0;

	for (size_t i = 0; i < check->header_count; i++) {
		if (strcasecmp(headers[i].name, "Host") != 0) {
			headers[kept++] = headers[i];
			continue;
		}
		if (given(object, "host"))
			reader_error_at(reader, written, "has a `Host` beside the option `host`, expected one of the two");
		else if (!text_is_host(headers[i].value))
			reader_error_at(reader, written, "has the Host %s, expected a host name or address, with `:PORT` where the "
			                "service needs it", reader_quote(headers[i].value, quote));
		else
			check->host = headers[i].value;
	}
	check->header_count = kept;
}

static void check_body(struct reader *reader, const struct value *object, const struct config_check *check)
{
	static const char *const keys[] = {"expect-body", "body"};

	for (size_t i = 0; i < ARRAY_LEN(keys) && check->method == CHECK_METHOD_HEAD; i++)
		if (given(object, keys[i]))
			reader_error_at(reader, value_get(object, keys[i]),
			                "has no effect with `method: HEAD`, whose responses have no body, expected one of the two");
}

// What is over TLS has no effect without it, and what makes a call is not metadata.
static void check_grpc(struct reader *reader, const struct value *object, const struct config_check *check)
{
	static const char *const keys[] = {
		"sni", "verify", "ca-file", "client-cert", "client-key", "tls-session-resumption",
	};

	if (check->type != CHECK_GRPC)
		return;
	for (size_t i = 0; i < ARRAY_LEN(keys) && !check->tls; i++)
		if (given(object, keys[i]))
			reader_error_at(reader, value_get(object, keys[i]), "has no effect without `tls`, expected `tls: on`");
	for (size_t i = 0; i < check->header_count; i++)
		if (strcasecmp(check->headers[i].name, "Content-Type") == 0 || strncasecmp(check->headers[i].name, "grpc-", 5) == 0)
			reader_error_at(reader, value_get(object, "headers"), "has %s, which the call sets itself, expected another name",
			                check->headers[i].name);
}

// "10 mail.example.com": so many numbers of 16 bits, and a name. The canonical form; NULL: it is none, or out of memory.
static const char *take_numbered_name(struct reader *reader, const char *text, unsigned numbers)
{
	char canonical[TEXT_NAME_MAX + 3 * 6];
	const char *name;
	size_t at = 0;

	for (unsigned i = 0; i < numbers; i++) {
		size_t len = strspn(text, "0123456789");
		char digits[6];
		uint64_t number;

		if (len == 0 || len >= sizeof(digits) || text[len] != ' ')
			return NULL;
		memcpy(digits, text, len);
		digits[len] = '\0';
		if (units_parse_integer(digits, &number) < 0 || number > UINT16_MAX)
			return NULL;
		at += (size_t)snprintf(canonical + at, sizeof(canonical) - at, "%u ", (unsigned)number);
		text += len + strspn(text + len, " ");
	}
	name = strcmp(text, ".") == 0 ? text : text_canonical_name(reader, text, true);
	if (!name)
		return NULL;
	snprintf(canonical + at, sizeof(canonical) - at, "%s", name);
	return reader_strdup(reader, canonical);
}

static const char *take_address(struct reader *reader, const char *text, enum addr_family family)
{
	char canonical[ADDR_TEXT_LEN];
	struct addr addr;

	if (addr_parse(text, &addr) < 0 || addr.family != family)
		return NULL;
	return reader_strdup(reader, addr_format(&addr, canonical));
}

// Texts that mean the same become the same, as the probe compares texts.
static void check_dns(struct reader *reader, const struct value *object, struct config_check *check)
{
	const char *written = check->expect;
	char quote[READER_QUOTE_MAX];

	if (check->type != CHECK_DNS || !written)
		return;
	switch (check->query_type) {
	case CHECK_QUERY_A: check->expect = take_address(reader, written, ADDR_V4); break;
	case CHECK_QUERY_AAAA: check->expect = take_address(reader, written, ADDR_V6); break;
	case CHECK_QUERY_CNAME:
	case CHECK_QUERY_NS:
	case CHECK_QUERY_PTR: check->expect = take_numbered_name(reader, written, 0); break;
	case CHECK_QUERY_MX: check->expect = take_numbered_name(reader, written, 1); break;
	case CHECK_QUERY_SRV: check->expect = take_numbered_name(reader, written, 3); break;
	case CHECK_QUERY_TXT: break;
	case CHECK_QUERY_SOA:
	case CHECK_QUERY_COUNT: check->expect = NULL; break;
	}
	if (!check->expect && reader->err == E_OK)
		reader_error_at(reader, value_get(object, "expect"), "cannot be %s, expected what a record of the type asked has, such "
		                "as `192.0.2.1` (A), `ns1.example.com` (NS) or `10 mail.example.com` (MX); an SOA has none",
		                reader_quote(written, quote));
}

static void check_exec(struct reader *reader, const struct value *object, const struct config_check *check)
{
	char quote[READER_QUOTE_MAX];

	if (check->type != CHECK_EXEC)
		return;
	if (!given(object, "command"))
		reader_error(reader, "has no `command`, which an exec check needs, expected `[/PATH/OF/A/PROGRAM, ARGUMENT, ...]`");
	else if (check->command_count > 0 && check->command[0][0] != '/')
		reader_error_at(reader, value_get(object, "command"), "begins with %s, expected the absolute path of a program",
		                reader_quote(check->command[0], quote));
}

void check_rules_entry(struct reader *reader, struct value *object, void *entry)
{
	struct config_check *check = entry;

	must(check->type < CHECK_TYPE_COUNT);
	if (given(object, "type"))
		refuse_foreign(reader, object, check->type);
	if (!given(object, "port"))
		check->port = check_type_rows[check->type].port;
	if (!given(object, "port") && !check->port && check->type != CHECK_EXEC)
		reader_error(reader, "has no `port`, which a %s check needs, expected 1 to 65535",
		             check_type_rows[check->type].name);
	check_times(reader, object, check);
	check_tls(reader, object, check);
	take_host(reader, object, check);
	check_body(reader, object, check);
	check_grpc(reader, object, check);
	check_exec(reader, object, check);
	check_dns(reader, object, check);
}
