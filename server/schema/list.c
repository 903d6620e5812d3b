// Option types that are lists; see list.h.
#include "schema/list.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/addr.h"
#include "base/err.h"
#include "base/must.h"
#include "base/names.h"
#include "schema/text.h"
#include "schema/units.h"

enum { DNS_PORT = 53, ELEMENT_TEXT_LEN = ADDR_TEXT_LEN };

// One kind of element.
struct element {
	size_t size;
	const char *expects;
	// Reads the text into `slot`. E_INVAL when it is not such a value, which the caller reports.
	int (*read)(struct reader *reader, const char *text, void *slot);
	bool (*same)(const void *a, const void *b);
	// Returns it as text, in buf[ELEMENT_TEXT_LEN] unless it is text already.
	const char *(*format)(const void *slot, char *buf);
};

static void refuse_element(struct reader *reader, const struct element *kind, const struct value *value)
{
	char quote[READER_QUOTE_MAX];

	reader_error(reader, "cannot be %s, expected %s", reader_quote_value(value, quote), kind->expects);
}

// Reads one element into slots[count]. False after an error, which is reported.
static bool read_element(struct reader *reader, const struct element *kind, const struct value *value, char *slots,
                         size_t count)
{
	const char *text = value_text(value);
	void *slot = slots + count * kind->size;

	if (!text || kind->read(reader, text, slot) < 0) {
		refuse_element(reader, kind, value);
		return false;
	}
	for (size_t i = 0; i < count; i++)
		if (kind->same(slots + i * kind->size, slot)) {
			char quote[READER_QUOTE_MAX];

			reader_error(reader, "%s is given twice, expected once", reader_quote_value(value, quote));
			return false;
		}
	return true;
}

static void read_elements(struct reader *reader, const struct option *option, const struct value *value, void *field,
                          const struct element *kind)
{
	bool alone = value_is(value, VALUE_TEXT);
	const struct value *item = alone ? value : value_first(value);
	size_t count = alone ? 1 : value_count(value), kept = 0;
	uint64_t min, max;

	must(units_parse_integer(option->min, &min) == E_OK && units_parse_integer(option->max, &max) == E_OK);
	if (!alone && (!value_is(value, VALUE_LIST) || count < min || count > max)) {
		if (value_is(value, VALUE_LIST))
			reader_error(reader, "has %zu entries, expected %s to %s", count, option->min, option->max);
		else
			schema_refuse(reader, option, value);
		return;
	}

	char *slots = count ? reader_take(reader, count, kind->size) : NULL;

	for (size_t i = 0; slots && i < count; i++) {
		struct reader_place place = reader_place(reader);

		if (!alone)
			reader_enter_item(reader, item, i);
		must(kept <= i);
		kept += read_element(reader, kind, item, slots, kept);
		reader_leave(reader, place);
		item = item->next;
	}
	schema_store_list(option, field, slots, kept);
}

static bool same_text(const void *a, const void *b)
{
	const char *const *left = a, *const *right = b;

	return *left && *right && strcmp(*left, *right) == 0; // NULL: out of memory, which makes the load fail
}

static bool never_same(const void *a, const void *b)
{
	(void)a;
	(void)b;
	return false;
}

static bool same_address(const void *a, const void *b)
{
	return addr_equal(a, b);
}

static bool same_prefix(const void *a, const void *b)
{
	const struct prefix *left = a, *right = b;

	return left->len == right->len && addr_equal(&left->addr, &right->addr);
}

static bool same_status(const void *a, const void *b)
{
	return memcmp(a, b, 2 * sizeof(uint16_t)) == 0;
}

static int read_endpoint(struct reader *reader, const char *text, void *slot)
{
	struct sockaddr_storage name;
	socklen_t len;
	char buf[ADDR_TEXT_LEN];

	if (addr_parse_endpoint(text, DNS_PORT, &name, &len) < 0)
		return E_INVAL;

	const char *copy = reader_strdup(reader, addr_format_endpoint(&name, buf));

	memcpy(slot, &copy, sizeof(copy));
	return E_OK;
}

static int read_plain_text(struct reader *reader, const char *text, void *slot)
{
	const char *copy = text_is_plain(text) ? reader_strdup(reader, text) : NULL;

	memcpy(slot, &copy, sizeof(copy));
	return copy || reader->err < 0 ? E_OK : E_INVAL;
}

static int read_prefix(struct reader *reader, const char *text, void *slot)
{
	bool tail;

	(void)reader;
	return prefix_parse(text, slot, &tail) < 0 || tail ? E_INVAL : E_OK;
}

static int read_address(struct reader *reader, const char *text, void *slot)
{
	(void)reader;
	return text_parse_address(text, slot);
}

// An address, as its usual text, or a name. What looks like an address and is none is no name either.
static int read_host(struct reader *reader, const char *text, void *slot)
{
	char buf[ADDR_TEXT_LEN];
	struct addr addr;
	const char *copy = NULL;

	if (text_parse_address(text, &addr) == E_OK)
		copy = reader_strdup(reader, addr_format(&addr, buf));
	else if (text[strspn(text, "0123456789.:/")])
		copy = text_canonical_name(reader, text, false);
	memcpy(slot, &copy, sizeof(copy));
	return copy || reader->err < 0 ? E_OK : E_INVAL;
}

static int read_status(struct reader *reader, const char *text, void *slot)
{
	unsigned low, high;
	size_t len = strspn(text, "0123456789");
	uint16_t pair[2];

	(void)reader;
	if (len != 3 || (text[3] && (text[3] != '-' || strspn(text + 4, "0123456789") != 3 || text[7])))
		return E_INVAL;
	sscanf(text, "%3u", &low);
	high = low;
	if (text[3])
		sscanf(text + 4, "%3u", &high);
	if (low < 100 || high > 599 || low > high)
		return E_INVAL;
	pair[0] = (uint16_t)low;
	pair[1] = (uint16_t)high;
	memcpy(slot, pair, sizeof(pair));
	return E_OK;
}

static int read_carrier(struct reader *reader, const char *text, void *slot)
{
	if (!text_is_word(text) || strcasecmp(text, "public") == 0)
		return E_INVAL;

	char *copy = reader_strdup(reader, text);

	if (copy)
		names_lower(copy, copy, strlen(copy));
	memcpy(slot, &copy, sizeof(copy));
	return E_OK;
}

static const char *format_text(const void *slot, char *buf)
{
	const char *const *text = slot;

	(void)buf;
	return *text;
}

static const char *format_prefix(const void *slot, char *buf)
{
	return prefix_format(slot, buf);
}

static const char *format_address(const void *slot, char *buf)
{
	return addr_format(slot, buf);
}

static const char *format_status(const void *slot, char *buf)
{
	const uint16_t *pair = slot;

	if (pair[0] == pair[1])
		snprintf(buf, ELEMENT_TEXT_LEN, "%u", pair[0]);
	else
		snprintf(buf, ELEMENT_TEXT_LEN, "%u-%u", pair[0], pair[1]);
	return buf;
}

static const struct element plain_text = {sizeof(char *), "text", read_plain_text, same_text, format_text};
static const struct element argument = {sizeof(char *), "text", read_plain_text, never_same, format_text};
static const struct element endpoint = {sizeof(char *), "ADDRESS@PORT such as `192.0.2.1@53`", read_endpoint,
                                        same_text, format_text};
static const struct element prefix = {sizeof(struct prefix), "a prefix such as `192.0.2.0/24`, no bits past its length",
                                      read_prefix, same_prefix, format_prefix};
static const struct element address = {sizeof(struct addr), "the IPv4 or IPv6 address of a host", read_address,
                                       same_address, format_address};
static const struct element host = {sizeof(char *), "the IPv4 or IPv6 address of a host, or its name", read_host,
                                    same_text, format_text};
static const struct element status = {2 * sizeof(uint16_t), "a status such as `200` or a range such as `200-299`",
                                      read_status, same_status, format_status};
static const struct element carrier = {sizeof(char *), "a carrier's short name", read_carrier, same_text, format_text};

// In brackets and quotes, as in the rows' defaults: YAML would parse a bare IPv6 address as something else.
static void format_elements(const struct option *option, const void *field, FILE *out, const struct element *kind)
{
	size_t count;
	const char *slots = schema_load_list(option, field, &count);
	char buf[ELEMENT_TEXT_LEN];

	fputc('[', out);
	for (size_t i = 0; i < count; i++)
		fprintf(out, "%s\"%s\"", i ? ", " : "", kind->format(slots + i * kind->size, buf));
	fputc(']', out);
}

static bool is_empty(const struct option *option, const void *field)
{
	size_t count;

	schema_load_list(option, field, &count);
	return count == 0;
}

static void read_endpoints(struct reader *reader, const struct option *option, const struct value *value, void *field)
{
	read_elements(reader, option, value, field, &endpoint);
}

static void read_texts(struct reader *reader, const struct option *option, const struct value *value, void *field)
{
	read_elements(reader, option, value, field, &plain_text);
}

static void read_command(struct reader *reader, const struct option *option, const struct value *value, void *field)
{
	read_elements(reader, option, value, field, &argument);
}

static void read_prefixes(struct reader *reader, const struct option *option, const struct value *value, void *field)
{
	read_elements(reader, option, value, field, &prefix);
}

static void read_addresses(struct reader *reader, const struct option *option, const struct value *value, void *field)
{
	read_elements(reader, option, value, field, &address);
}

static void read_hosts(struct reader *reader, const struct option *option, const struct value *value, void *field)
{
	read_elements(reader, option, value, field, &host);
}

static void read_statuses(struct reader *reader, const struct option *option, const struct value *value, void *field)
{
	read_elements(reader, option, value, field, &status);
}

static bool is_word(const struct value *value, const char *word)
{
	return value_is(value, VALUE_TEXT) && strcmp(value_text(value), word) == 0;
}

static void read_reach(struct reader *reader, const struct option *option, const struct value *value, void *field)
{
	if (is_word(value, "public"))
		schema_store_list(option, field, NULL, 0);
	else
		read_elements(reader, option, value, field, &carrier);
}

static void read_carriers(struct reader *reader, const struct option *option, const struct value *value, void *field)
{
	read_elements(reader, option, value, field, &carrier);
}

static void read_last_resort(struct reader *reader, const struct option *option, const struct value *value, void *field)
{
	if (is_word(value, "servfail"))
		schema_store_list(option, field, NULL, 0);
	else
		read_elements(reader, option, value, field, &address);
}

static void format_endpoints(const struct option *option, const void *field, FILE *out)
{
	format_elements(option, field, out, &endpoint);
}

static void format_texts(const struct option *option, const void *field, FILE *out)
{
	format_elements(option, field, out, &plain_text);
}

static void format_prefixes(const struct option *option, const void *field, FILE *out)
{
	format_elements(option, field, out, &prefix);
}

static void format_addresses(const struct option *option, const void *field, FILE *out)
{
	format_elements(option, field, out, &address);
}

static void format_hosts(const struct option *option, const void *field, FILE *out)
{
	format_elements(option, field, out, &host);
}

static void format_statuses(const struct option *option, const void *field, FILE *out)
{
	format_elements(option, field, out, &status);
}

static void format_reach(const struct option *option, const void *field, FILE *out)
{
	if (is_empty(option, field))
		fputs("public", out);
	else
		format_elements(option, field, out, &carrier);
}

static void format_carriers(const struct option *option, const void *field, FILE *out)
{
	format_elements(option, field, out, &carrier);
}

static void format_last_resort(const struct option *option, const void *field, FILE *out)
{
	if (is_empty(option, field))
		fputs("servfail", out);
	else
		format_elements(option, field, out, &address);
}

static json_t *describe_list(const struct option *option)
{
	uint64_t min, max;

	must(units_parse_integer(option->min, &min) == E_OK && units_parse_integer(option->max, &max) == E_OK);
	return json_pack("{s:[sss], s:{s:[ss]}, s:I, s:I}", "type", "array", "string", "number", "items", "type",
	                 "string", "number", "minItems", (json_int_t)min, "maxItems", (json_int_t)max);
}

const struct option_type list_endpoints = {"a list of ADDRESS@PORT", "entries", read_endpoints, describe_list,
                                           format_endpoints};
const struct option_type list_texts = {"a list of texts", "entries", read_texts, describe_list, format_texts};
const struct option_type list_command = {"a list of texts: a program and its arguments", "entries", read_command,
                                         describe_list, format_texts};
const struct option_type list_prefixes = {"a list of prefixes", "entries", read_prefixes, describe_list,
                                          format_prefixes};
const struct option_type list_addresses = {"a list of addresses", "entries", read_addresses, describe_list,
                                           format_addresses};
const struct option_type list_hosts = {"a list of addresses, or the name of a host", "entries", read_hosts, describe_list,
                                       format_hosts};
const struct option_type list_status = {"a list of HTTP statuses and ranges such as `200-299`", "entries",
                                        read_statuses, describe_list, format_statuses};
const struct option_type list_reach = {"`public` or a list of carriers", "entries", read_reach, describe_list,
                                       format_reach};
const struct option_type list_carriers = {"a list of carriers", "entries", read_carriers, describe_list, format_carriers};
const struct option_type list_last_resort = {"`servfail` or a list of addresses", "entries", read_last_resort,
                                             describe_list, format_last_resort};
