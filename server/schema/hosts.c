// Hosts with their addresses; see hosts.h.
#include "schema/hosts.h"

#include <string.h>

#include "base/err.h"
#include "base/must.h"
#include "schema/list.h"
#include "schema/schema.h"
#include "schema/text.h"
#include "schema/units.h"

static const struct option addresses_row = {
	"", &list_addresses, .min = "1", .max = "16",
	.offset = offsetof(struct hosts_host, addresses), .size = sizeof(struct addr *),
	.count_offset = offsetof(struct hosts_host, address_count),
};

_Static_assert(HOSTS_ADDRESSES_MAX == 16, "as in the row");

// The hosts read so far.
struct hosts {
	struct hosts_host *slots;
	size_t count;
};

// Reads a host at the reader's position; `addresses` is NULL for a name alone.
static void read_host(struct reader *reader, const char *written, const struct value *addresses, struct hosts *hosts)
{
	struct hosts_host *host = &hosts->slots[hosts->count];
	char quote[READER_QUOTE_MAX];

	*host = (struct hosts_host){.name = text_canonical_name(reader, written, false), .mark = reader->here};
	if (!host->name) {
		reader_error(reader, "cannot be %s, expected a domain name", reader_quote(written, quote));
		return;
	}
	for (size_t i = 0; i < hosts->count; i++)
		if (strcmp(hosts->slots[i].name, host->name) == 0) {
			reader_error(reader, "%s is given twice, expected once", reader_quote(written, quote));
			return;
		}
	if (addresses && !value_is(addresses, VALUE_NULL)) {
		list_addresses.read(reader, &addresses_row, addresses, &host->addresses);
		if (host->address_count == 0) // which is reported; as a name alone, it would be wrong in another way
			return;
	}
	hosts->count++;
}

static void read_mapping(struct reader *reader, const struct value *value, struct hosts *hosts)
{
	value_foreach (member, value) {
		struct reader_place place = reader_place(reader);

		reader_enter_key(reader, member);
		read_host(reader, member->key, member, hosts);
		reader_leave(reader, place);
	}
}

static void read_list(struct reader *reader, const struct value *value, struct hosts *hosts)
{
	char quote[READER_QUOTE_MAX];
	size_t i = 0;

	value_foreach (element, value) {
		struct reader_place place = reader_place(reader);

		reader_enter_item(reader, element, i++);
		if (value_is(element, VALUE_TEXT))
			read_host(reader, element->text, NULL, hosts);
		else if (value_is(element, VALUE_MAP))
			read_mapping(reader, element, hosts);
		else
			reader_error(reader, "cannot be %s, expected a domain name or `NAME: [ADDRESS]`",
			             reader_quote_value(element, quote));
		reader_leave(reader, place);
	}
}

static size_t count_hosts(const struct value *value)
{
	size_t count = 0;

	if (!value_is(value, VALUE_LIST))
		return value_is(value, VALUE_MAP) ? value_count(value) : 1;
	value_foreach (element, value)
		count += value_is(element, VALUE_MAP) ? value_count(element) : 1;
	return count;
}

static void read_hosts(struct reader *reader, const struct option *option, const struct value *value, void *field)
{
	size_t count = count_hosts(value);
	uint64_t min, max;

	must(units_parse_integer(option->min, &min) == E_OK && units_parse_integer(option->max, &max) == E_OK);
	if (value_is(value, VALUE_NULL)) {
		schema_refuse(reader, option, value);
		return;
	}
	if (count < min || count > max) {
		reader_error(reader, "has %zu entries, expected %s to %s", count, option->min, option->max);
		return;
	}

	struct hosts hosts = {.slots = reader_take(reader, count, sizeof(*hosts.slots))};

	if (!hosts.slots)
		return;
	if (value_is(value, VALUE_TEXT))
		read_host(reader, value->text, NULL, &hosts);
	else if (value_is(value, VALUE_MAP))
		read_mapping(reader, value, &hosts);
	else
		read_list(reader, value, &hosts);
	schema_store_list(option, field, hosts.slots, hosts.count);
}

static void format_hosts(const struct option *option, const void *field, FILE *out)
{
	size_t count;
	const struct hosts_host *hosts = schema_load_list(option, field, &count);

	fputc('[', out);
	for (size_t i = 0; i < count; i++) {
		json_t *name = json_string(hosts[i].name);
		const bool alone = hosts[i].address_count == 0;

		fprintf(out, "%s%s", i ? ", " : "", alone ? "" : "{");
		json_dumpf(name, out, JSON_ENCODE_ANY);
		if (!alone) {
			fputs(": ", out);
			list_addresses.format(&addresses_row, &hosts[i].addresses, out);
			fputc('}', out);
		}
		json_decref(name);
	}
	fputc(']', out);
}

static json_t *describe_hosts(const struct option *option)
{
	uint64_t min, max;

	must(units_parse_integer(option->min, &min) == E_OK && units_parse_integer(option->max, &max) == E_OK);

	json_t *addresses = json_pack("{s:[sss], s:{s:s}, s:i}", "type", "array", "string", "null", "items", "type", "string",
	                              "maxItems", HOSTS_ADDRESSES_MAX);
	json_t *mapping = json_pack("{s:s, s:o, s:I}", "type", "object", "additionalProperties", addresses, "maxProperties",
	                            (json_int_t)max);

	return json_pack("{s:[{s:s}, O, {s:s, s:{s:[{s:s}, o]}, s:I, s:I}]}", "anyOf", "type", "string", mapping, "type",
	                 "array", "items", "anyOf", "type", "string", mapping, "minItems", (json_int_t)min, "maxItems",
	                 (json_int_t)max);
}

const struct option_type hosts_list = {
	"a list of domain names, each alone or as `NAME: [ADDRESS]`", "entries", read_hosts, describe_hosts, format_hosts,
};
