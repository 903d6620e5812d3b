// Option types that are numbers; see number.h.
#include "schema/number.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"
#include "schema/units.h"

// Reads a scalar with `parse` and checks it against the row's range. False after an error, which is reported.
static bool read_number(struct reader *reader, const struct option *option, const struct value *value,
                        int (*parse)(const char *text, double *ret_number), double *ret_number)
{
	const char *text = schema_text(reader, option, value);
	double number, min, max;

	if (!text)
		return false;
	must(parse(option->min, &min) == E_OK && parse(option->max, &max) == E_OK);
	if (parse(text, &number) < 0 || number < min || number > max) {
		schema_refuse(reader, option, value);
		return false;
	}
	*ret_number = number;
	return true;
}

// The parsers take at most 15 digits, so whole numbers are exact in a double.
static int parse_integer(const char *text, double *ret_number)
{
	uint64_t integer;
	int err = units_parse_integer(text, &integer);

	if (err == E_OK)
		*ret_number = (double)integer;
	return err;
}

static int parse_duration_ms(const char *text, double *ret_number)
{
	uint64_t ms;
	int err = units_parse_duration_ms(text, &ms);

	if (err == E_OK)
		*ret_number = (double)ms;
	return err;
}

static void store_unsigned(const struct option *option, void *field, uint32_t number)
{
	uint8_t octet = (uint8_t)number;
	uint16_t pair = (uint16_t)number;

	must(option->size == 1 || option->size == 2 || option->size == 4);
	must(option->size == 4 || number >> (8 * option->size) == 0); // the row's `max` fits its field
	memcpy(field, option->size == 1 ? (void *)&octet : option->size == 2 ? (void *)&pair : (void *)&number,
	       option->size);
}

static void read_integer(struct reader *reader, const struct option *option, const struct value *value, void *field)
{
	double number;

	if (read_number(reader, option, value, parse_integer, &number))
		store_unsigned(option, field, (uint32_t)number);
}

static void read_duration_ms(struct reader *reader, const struct option *option, const struct value *value, void *field)
{
	double ms;

	if (read_number(reader, option, value, parse_duration_ms, &ms))
		store_unsigned(option, field, (uint32_t)ms);
}

static void read_duration_s(struct reader *reader, const struct option *option, const struct value *value, void *field)
{
	double ms;

	if (!read_number(reader, option, value, parse_duration_ms, &ms))
		return;
	if (fmod(ms, 1000) != 0)
		schema_refuse(reader, option, value);
	else
		store_unsigned(option, field, (uint32_t)(ms / 1000));
}

static void read_latency_us(struct reader *reader, const struct option *option, const struct value *value, void *field)
{
	double us;

	if (read_number(reader, option, value, units_parse_latency_us, &us))
		store_unsigned(option, field, (uint32_t)(int32_t)lround(us));
}

static void read_rate_us(struct reader *reader, const struct option *option, const struct value *value, void *field)
{
	double us;

	if (read_number(reader, option, value, units_parse_latency_us, &us))
		memcpy(field, &us, sizeof(us));
}

static void read_distance_km(struct reader *reader, const struct option *option, const struct value *value, void *field)
{
	double km;

	if (read_number(reader, option, value, units_parse_distance_km, &km))
		memcpy(field, &km, sizeof(km));
}

static void read_percent(struct reader *reader, const struct option *option, const struct value *value, void *field)
{
	double percent;

	if (read_number(reader, option, value, units_parse_percent, &percent))
		store_unsigned(option, field, (uint32_t)percent);
}

static void read_share(struct reader *reader, const struct option *option, const struct value *value, void *field)
{
	double percent;

	if (read_number(reader, option, value, units_parse_share, &percent))
		store_unsigned(option, field, (uint32_t)lround(percent * 10000));
}

static void read_location(struct reader *reader, const struct option *option, const struct value *value, void *field)
{
	static const double bounds[2] = {90, 180};
	double degrees[2];

	if (!value_is(value, VALUE_LIST) || value_count(value) != 2) {
		schema_refuse(reader, option, value);
		return;
	}

	size_t i = 0;

	value_foreach (item, value) {
		const char *text = value_text(item);

		if (!text || units_parse_number(text, &degrees[i]) < 0 || fabs(degrees[i]) > bounds[i]) {
			char quote[READER_QUOTE_MAX];

			reader_error(reader, "%s cannot be %s, expected degrees, -%g to %g", i ? "longitude" : "latitude",
			             reader_quote_value(item, quote), bounds[i], bounds[i]);
			return;
		}
		i++;
	}
	memcpy(field, degrees, sizeof(degrees));
}

static uint32_t load_unsigned(const struct option *option, const void *field)
{
	uint8_t octet;
	uint16_t pair;
	uint32_t number;

	must(option->size == 1 || option->size == 2 || option->size == 4);
	memcpy(option->size == 1 ? (void *)&octet : option->size == 2 ? (void *)&pair : (void *)&number, field,
	       option->size);
	return option->size == 1 ? octet : option->size == 2 ? pair : number;
}

static void format_integer(const struct option *option, const void *field, FILE *out)
{
	fprintf(out, "%" PRIu32, load_unsigned(option, field));
}

static void format_duration_ms(const struct option *option, const void *field, FILE *out)
{
	char text[UNITS_TEXT_LEN];

	fputs(units_format_duration_ms(load_unsigned(option, field), text), out);
}

static void format_duration_s(const struct option *option, const void *field, FILE *out)
{
	char text[UNITS_TEXT_LEN];

	fputs(units_format_duration_ms((uint64_t)load_unsigned(option, field) * 1000, text), out);
}

// 15 digits, like the parsers.
static void format_latency_us(const struct option *option, const void *field, FILE *out)
{
	fprintf(out, "%.15gms", (int32_t)load_unsigned(option, field) / 1000.0);
}

static void format_rate_us(const struct option *option, const void *field, FILE *out)
{
	double us;

	(void)option;
	memcpy(&us, field, sizeof(us));
	fprintf(out, "%.15gms", us / 1000);
}

static void format_distance_km(const struct option *option, const void *field, FILE *out)
{
	double km;

	(void)option;
	memcpy(&km, field, sizeof(km));
	fprintf(out, "%.15gkm", km);
}

static void format_percent(const struct option *option, const void *field, FILE *out)
{
	fprintf(out, "%" PRIu32 "%%", load_unsigned(option, field));
}

static void format_share(const struct option *option, const void *field, FILE *out)
{
	fprintf(out, "%.15g%%", load_unsigned(option, field) / 10000.0);
}

static void format_location(const struct option *option, const void *field, FILE *out)
{
	double degrees[2];

	(void)option;
	memcpy(degrees, field, sizeof(degrees));
	if (!isnan(degrees[0]))
		fprintf(out, "[%.15g, %.15g]", degrees[0], degrees[1]);
}

static json_t *describe_integer(const struct option *option)
{
	uint64_t min, max;

	must(units_parse_integer(option->min, &min) == E_OK && units_parse_integer(option->max, &max) == E_OK);
	return json_pack("{s:s, s:I, s:I}", "type", "integer", "minimum", (json_int_t)min, "maximum", (json_int_t)max);
}

static json_t *describe_duration(const struct option *option)
{
	(void)option;
	return json_pack("{s:[ss], s:s, s:i}", "type", "string", "integer", "pattern",
	                 "^(0|([0-9]+d)?([0-9]+h)?([0-9]+m)?([0-9]+s)?([0-9]+ms)?)$", "maximum", 0);
}

static json_t *describe_latency(const struct option *option)
{
	(void)option;
	return json_pack("{s:[ss], s:s, s:i, s:i}", "type", "string", "integer", "pattern",
	                 "^(0|-?[0-9]+([.][0-9]+)?(us|ms|s))$", "minimum", 0, "maximum", 0);
}

static json_t *describe_distance(const struct option *option)
{
	(void)option;
	return json_pack("{s:[ss], s:s, s:i, s:i}", "type", "string", "integer", "pattern",
	                 "^(0|[0-9]+([.][0-9]+)?k?m)$", "minimum", 0, "maximum", 0);
}

static json_t *describe_percent(const struct option *option)
{
	(void)option;
	return json_pack("{s:s, s:s}", "type", "string", "pattern", "^([0-9]{1,2}|100)%$");
}

static json_t *describe_share(const struct option *option)
{
	(void)option;
	return json_pack("{s:s, s:s}", "type", "string", "pattern", "^[0-9]{1,3}([.][0-9]+)?%$");
}

static json_t *describe_location(const struct option *option)
{
	(void)option;
	return json_pack("{s:s, s:[{s:s, s:i, s:i}, {s:s, s:i, s:i}], s:i, s:b}", "type", "array", "items", "type",
	                 "number", "minimum", -90, "maximum", 90, "type", "number", "minimum", -180, "maximum", 180,
	                 "minItems", 2, "additionalItems", 0);
}

const struct option_type number_integer = {"a whole number", "", read_integer, describe_integer, format_integer};
const struct option_type number_percent = {"a percentage such as `50%`", "", read_percent, describe_percent,
                                           format_percent};
const struct option_type number_share = {"a percentage such as `0.5%`", "", read_share, describe_share, format_share};
const struct option_type number_duration_ms = {"a duration such as `10s` or `1h30m`", "", read_duration_ms,
                                               describe_duration, format_duration_ms};
const struct option_type number_duration_s = {"a duration in whole seconds such as `30s` or `1h30m`", "",
                                              read_duration_s, describe_duration, format_duration_s};
const struct option_type number_latency_us = {"a latency such as `5ms` or `250us`", "", read_latency_us,
                                              describe_latency, format_latency_us};
const struct option_type number_rate_us = {"a latency such as `0.02ms`", "", read_rate_us, describe_latency,
                                           format_rate_us};
const struct option_type number_distance_km = {"a distance such as `200km` or `50m`", "", read_distance_km,
                                               describe_distance, format_distance_km};
const struct option_type number_location = {"[latitude, longitude] in degrees", "", read_location, describe_location,
                                            format_location};
