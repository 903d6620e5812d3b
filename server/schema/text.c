// Option types that are one text; see text.h.
#include "schema/text.h"

#include <string.h>

#include "base/addr.h"
#include "base/country.h"
#include "base/err.h"
#include "base/must.h"
#include "base/nearest.h"
#include "schema/units.h"
#include "wire/name.h"

static const char word_chars[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.";

bool text_is_word(const char *text)
{
	size_t len = strspn(text, word_chars);

	return len > 0 && len <= TEXT_WORD_MAX && text[len] == '\0' && !strchr("-_.", text[0]);
}

bool text_is_plain(const char *text)
{
	for (; *text; text++)
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return false;
	return true;
}

static bool length_fits(const struct option *option, size_t len)
{
	uint64_t min = 1, max = SIZE_MAX;

	must(!option->min || units_parse_integer(option->min, &min) == E_OK);
	must(!option->max || units_parse_integer(option->max, &max) == E_OK);
	return len >= min && len <= max;
}

// Stores a copy of the text when `fits` accepts it.
static void read_text(struct reader *reader, const struct option *option, const struct value *value, void *field,
                      bool (*fits)(const char *text))
{
	const char *text = schema_text(reader, option, value);

	if (!text)
		return;
	if (!fits(text) || !length_fits(option, strlen(text))) {
		schema_refuse(reader, option, value);
		return;
	}

	const char *copy = reader_strdup(reader, text);

	if (copy)
		memcpy(field, &copy, sizeof(copy));
}

static bool is_url(const char *text)
{
	for (const char *at = text; *at; at++)
		if (*at <= ' ' || *at >= 0x7f || *at == '#')
			return false;
	return text[0] == '/';
}

bool text_is_plain_name(const char *name)
{
	return name[strspn(name, word_chars)] == '\0';
}

bool text_is_host(const char *text)
{
	char inside[ADDR_TEXT_LEN];
	struct addr addr;
	size_t len = strspn(text, word_chars);
	uint64_t port;

	if (text[0] == '[') {
		len = strcspn(text, "]");
		if (text[len] == '\0' || len > sizeof(inside))
			return false;
		memcpy(inside, text + 1, len - 1);
		inside[len - 1] = '\0';
		if (addr_parse(inside, &addr) < 0 || addr.family != ADDR_V6)
			return false;
		len++;
	}
	if (len == 0 || text[len] == '\0')
		return len > 0;
	return text[len] == ':' && units_parse_integer(text + len + 1, &port) == E_OK && port >= 1 && port <= UINT16_MAX;
}

static void read_any(struct reader *reader, const struct option *option, const struct value *value, void *field)
{
	read_text(reader, option, value, field, text_is_plain);
}

static void read_word(struct reader *reader, const struct option *option, const struct value *value, void *field)
{
	read_text(reader, option, value, field, text_is_word);
}

static void read_url(struct reader *reader, const struct option *option, const struct value *value, void *field)
{
	read_text(reader, option, value, field, is_url);
}

static void read_host(struct reader *reader, const struct option *option, const struct value *value, void *field)
{
	read_text(reader, option, value, field, text_is_host);
}

static void read_endpoint(struct reader *reader, const struct option *option, const struct value *value, void *field)
{
	const char *text = schema_text(reader, option, value);
	struct sockaddr_storage name;
	char written[ADDR_TEXT_LEN];
	socklen_t len;

	if (!text)
		return;
	if (!strchr(text, '@') || addr_parse_endpoint(text, 0, &name, &len) < 0) {
		schema_refuse(reader, option, value);
		return;
	}

	const char *copy = reader_strdup(reader, addr_format_endpoint(&name, written));

	memcpy(field, &copy, sizeof(copy));
}

static void read_path(struct reader *reader, const struct option *option, const struct value *value, void *field)
{
	const char *text = schema_text(reader, option, value);

	if (!text)
		return;

	const char *path = *text ? reader_path(reader, text) : NULL;

	if (!*text || !text_is_plain(text) || (path && !length_fits(option, strlen(path))))
		schema_refuse(reader, option, value);
	else
		memcpy(field, &path, sizeof(path));
}

// Whether what is not escaped is usual in names: letters, digits, "-", "_", and "/" (RFC 2317 section 4). What else a
// config has is rather a mistake than meant, unless it is escaped.
static bool is_written_plainly(const char *text, bool wildcard)
{
	if (wildcard && text[0] == '*' && (text[1] == '.' || text[1] == '\0'))
		text++;
	for (; *text; text++) {
		if (*text == '\\' && text[1])
			text++; // of \DDD, the rest are digits
		else if (*text != '/' && !strchr(word_chars, *text))
			return false;
	}
	return true;
}

_Static_assert((int)TEXT_NAME_MAX >= (int)NAME_TEXT_MAX, "a name in canonical form fits");

const char *text_canonise(const char *text, bool wildcard, char *buf)
{
	uint8_t wire[NAME_WIRE_MAX];
	size_t len;

	if (!is_written_plainly(text, wildcard) || name_from_text(text, wire, &len) < 0 || len <= 1)
		return NULL;
	name_fold(wire, len);
	return name_to_text(wire, len, buf);
}

const char *text_canonical_name(struct reader *reader, const char *text, bool wildcard)
{
	char canonical[NAME_TEXT_MAX];

	return text_canonise(text, wildcard, canonical) ? reader_strdup(reader, canonical) : NULL;
}

_Static_assert((int)TEXT_NAME_MAX == (int)NAME_TEXT_MAX, "text_canonise() writes a name of the wire");

bool text_name_fits(const char *name)
{
	uint8_t wire[NAME_WIRE_MAX];
	size_t len;

	return name_from_text(name, wire, &len) == E_OK;
}

const char *text_name_above(const char *name)
{
	for (; *name; name++) {
		if (*name == '.')
			return name + 1;
		name += *name == '\\'; // and what it escapes; of \DDD, the rest are digits
	}
	return NULL;
}

static void read_name(struct reader *reader, const struct option *option, const struct value *value, void *field)
{
	const char *text = schema_text(reader, option, value);
	const char *name = text ? text_canonical_name(reader, text, false) : NULL;

	if (name)
		memcpy(field, &name, sizeof(name));
	else if (text)
		schema_refuse(reader, option, value);
}

// "first.last@example.com" and "first\.last.example.com" both mean the latter.
static void read_mailbox(struct reader *reader, const struct option *option, const struct value *value, void *field)
{
	const char *text = schema_text(reader, option, value);
	const char *at = text ? strchr(text, '@') : NULL;
	char joined[NAME_TEXT_MAX], canonical[NAME_TEXT_MAX];
	uint8_t wire[NAME_WIRE_MAX];
	size_t len = 0, name_len = 0;

	if (!text)
		return;
	for (const char *from = text; *from && len < sizeof(joined) - 2; from++) {
		if (*from == '.' && at && from < at)
			joined[len++] = '\\';
		joined[len++] = from == at ? '.' : *from;
	}
	joined[len] = '\0';
	if (!text_is_plain(text) || name_from_text(joined, wire, &name_len) < 0 || name_labels(wire) < 2) {
		schema_refuse(reader, option, value);
		return;
	}

	const char *name = reader_strdup(reader, name_to_text(wire, name_len, canonical));

	memcpy(field, &name, sizeof(name));
}

static void refuse_word(struct reader *reader, const struct option *option, const struct value *value)
{
	char quote[READER_QUOTE_MAX], meant[NEAREST_MEANT_MAX], expects[SCHEMA_EXPECTS_MAX];
	struct nearest nearest = nearest_begin(value_is(value, VALUE_TEXT) ? value_text(value) : "");

	for (const struct option_word *word = option->words; word->text; word++)
		nearest_offer(&nearest, word->text);
	reader_error(reader, "cannot be %s, expected %s%s", reader_quote_value(value, quote),
	             schema_expects(option, expects), nearest_meant(&nearest, '`', meant));
}

static void read_enum(struct reader *reader, const struct option *option, const struct value *value, void *field)
{
	must(option->words);
	for (const struct option_word *word = option->words; word->text; word++)
		if (value_is(value, VALUE_TEXT) && strcmp(value_text(value), word->text) == 0) {
			memcpy(field, &word->value, sizeof(word->value));
			return;
		}
	refuse_word(reader, option, value);
}

static void read_bool(struct reader *reader, const struct option *option, const struct value *value, void *field)
{
	static const char *const words[2][3] = {{"off", "false", "no"}, {"on", "true", "yes"}};
	const char *text = schema_text(reader, option, value);

	if (!text)
		return;
	for (int i = 0; i < 6; i++)
		if (strcmp(text, words[i / 3][i % 3]) == 0) {
			*(bool *)field = i / 3;
			return;
		}
	schema_refuse(reader, option, value);
}

int text_parse_address(const char *text, struct addr *ret_addr)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff}, none[16];
	struct addr addr;

	if (addr_parse(text, &addr) < 0 || memcmp(addr.bytes, none, sizeof(none)) == 0)
		return E_INVAL;
	if (addr.family == ADDR_V4 ? addr.bytes[0] == 0 || addr.bytes[0] >= 224 : addr.bytes[0] == 0xff)
		return E_INVAL;
	if (addr.family == ADDR_V6 && memcmp(addr.bytes, mapped, sizeof(mapped)) == 0)
		return E_INVAL;
	*ret_addr = addr;
	return E_OK;
}

static void read_country(struct reader *reader, const struct option *option, const struct value *value, void *field)
{
	const char *text = schema_text(reader, option, value);
	uint16_t country = text ? country_of_text(text, strlen(text)) : COUNTRY_UNKNOWN;

	if (country)
		memcpy(field, &country, sizeof(country));
	else if (text)
		schema_refuse(reader, option, value);
}

static void format_text(const struct option *option, const void *field, FILE *out)
{
	const char *text;

	(void)option;
	memcpy(&text, field, sizeof(text));
	if (text)
		fputs(text, out);
}

static void format_enum(const struct option *option, const void *field, FILE *out)
{
	int value;

	must(option->words);
	memcpy(&value, field, sizeof(value));
	for (const struct option_word *word = option->words; word->text; word++)
		if (word->value == value) {
			fputs(word->text, out);
			return;
		}
}

static void format_bool(const struct option *option, const void *field, FILE *out)
{
	(void)option;
	fputs(*(const bool *)field ? "on" : "off", out);
}

static void format_country(const struct option *option, const void *field, FILE *out)
{
	char text[COUNTRY_TEXT_LEN];
	uint16_t country;

	(void)option;
	memcpy(&country, field, sizeof(country));
	fputs(country_text(country, text), out);
}

static json_t *describe_text(const struct option *option)
{
	(void)option;
	return json_pack("{s:[ss]}", "type", "string", "number");
}

static json_t *describe_enum(const struct option *option)
{
	json_t *words = json_array();

	for (const struct option_word *word = option->words; words && word->text; word++)
		json_array_append_new(words, json_string(word->text));
	return json_pack("{s:o}", "enum", words);
}

static json_t *describe_bool(const struct option *option)
{
	(void)option;
	return json_pack("{s:[bbssss]}", "enum", 1, 0, "on", "off", "yes", "no");
}

const struct option_type text_any = {"text without control characters", "characters", read_any, describe_text,
                                     format_text};
const struct option_type text_word = {"a name of letters, digits, `-`, `_` and `.`, at most 63", "characters",
                                      read_word, describe_text, format_text};
const struct option_type text_path = {"a path", "characters", read_path, describe_text, format_text};
const struct option_type text_url = {"the path of a URL, beginning with `/`", "characters", read_url, describe_text,
                                     format_text};
const struct option_type text_host = {"a host name or address, with `:PORT` where the service needs it", "characters",
                                      read_host, describe_text, format_text};
const struct option_type text_endpoint = {"ADDRESS@PORT such as `127.0.0.1@9153`", "", read_endpoint, describe_text,
                                          format_text};
const struct option_type text_name = {"a domain name", "", read_name, describe_text, format_text};
const struct option_type text_mailbox = {"a mailbox such as `hostmaster.example.com`", "", read_mailbox,
                                         describe_text, format_text};
const struct option_type text_enum = {"a word", "", read_enum, describe_enum, format_enum};
const struct option_type text_bool = {"`on` or `off`", "", read_bool, describe_bool, format_bool};
const struct option_type text_country = {"a country's code of two letters (ISO 3166-1) such as `US`", "", read_country,
                                         describe_text, format_country};
