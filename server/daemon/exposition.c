// Writing metrics as text; see exposition.h.
#include "daemon/exposition.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"

enum { FIRST_SIZE = 64 << 10 };

// What a unit is in Prometheus' base units.
struct unit {
	const char *name, *suffix;
	const char *base;   // what OpenMetrics calls it
	unsigned decimals;  // of a value, so that it is in base units
};

static const struct unit *unit_of(const struct metric *metric)
{
	static const struct unit units[] = {
		{"", "", "", 0},
		{"seconds", "_seconds", "seconds", 0},
		{"milliseconds", "_seconds", "seconds", 3},
		{"microseconds", "_seconds", "seconds", 6},
		{"timestamp", "_timestamp_seconds", "seconds", 0},
		{"octets", "_bytes", "bytes", 0},
		{"thousandths", "", "", 3},
	};

	for (size_t i = 0; i < sizeof(units) / sizeof(units[0]); i++)
		if (strcmp(units[i].name, metric->unit) == 0)
			return &units[i];
	must(!"a unit without a row");
	return NULL;
}

static void put(struct exposition *exposition, const char *text, size_t len)
{
	if (exposition->failed)
		return;
	if (exposition->size - exposition->len < len + 1) {
		size_t size = exposition->size ? 2 * exposition->size : FIRST_SIZE;
		char *grown;

		while (size - exposition->len < len + 1)
			size *= 2;
		grown = realloc(exposition->text, size);
		if (!grown) {
			exposition->failed = true;
			return;
		}
		exposition->text = grown;
		exposition->size = size;
	}
	memcpy(exposition->text + exposition->len, text, len);
	exposition->len += len;
}

static void put_text(struct exposition *exposition, const char *text)
{
	put(exposition, text, strlen(text));
}

// "edgesteer_" and the family, without the unit that the table's names end in, with the base unit.
static void name_family(const struct metric *metric, char *buf)
{
	static const char *const written[] = {"_ms", "_us", "_octets"};
	const struct unit *unit = unit_of(metric);
	size_t len = strlen(metric->family);

	for (size_t i = 0; *unit->suffix && i < sizeof(written) / sizeof(written[0]); i++) {
		size_t tail = strlen(written[i]);

		if (len > tail && strcmp(metric->family + len - tail, written[i]) == 0)
			len -= tail;
	}
	snprintf(buf, EXPOSITION_NAME_MAX, "%s%.*s%s", strncmp(metric->family, "process_", 8) == 0 ? "" : "edgesteer_",
	         (int)len, metric->family, unit->suffix);
}

void exposition_head(struct exposition *exposition, const struct metric *metric)
{
	static const char *const types[] = {[METRIC_COUNTER] = "counter", [METRIC_GAUGE] = "gauge", [METRIC_FLAG] = "gauge",
	                                    [METRIC_HISTOGRAM] = "histogram"};
	const struct unit *unit = unit_of(metric);
	const char *total = metric->kind == METRIC_COUNTER ? "_total" : "";
	char text[1024];

	name_family(metric, exposition->family);
	snprintf(exposition->sample, sizeof(exposition->sample), "%.100s%s", exposition->family, total);
	if (exposition->openmetrics)
		total = "";
	snprintf(text, sizeof(text), "# HELP %s%s %s\n# TYPE %s%s %s\n", exposition->family, total, metric->help,
	         exposition->family, total, types[metric->kind]);
	put_text(exposition, text);
	if (!exposition->openmetrics || !*unit->base)
		return;
	snprintf(text, sizeof(text), "# UNIT %s %s\n", exposition->family, unit->base);
	put_text(exposition, text);
}

// Starts a sample with its first label, or goes on with the next one.
void exposition_label(struct exposition *exposition, const char *name, const char *value)
{
	bool first = exposition->len == 0 || exposition->text[exposition->len - 1] == '\n';

	if (exposition->failed)
		return;
	if (first)
		put_text(exposition, exposition->sample);
	put(exposition, first ? "{" : ",", 1);
	put_text(exposition, name);
	put(exposition, "=\"", 2);
	for (size_t len; *value; value += len) {
		len = strcspn(value, "\\\"\n");
		put(exposition, value, len);
		if (!value[len])
			break;
		put(exposition, value[len] == '\n' ? "\\n" : value[len] == '"' ? "\\\"" : "\\\\", 2);
		len++;
	}
	put(exposition, "\"", 1);
}

static void put_number(struct exposition *exposition, uint64_t value, unsigned decimals)
{
	char text[32], *at = text + sizeof(text);

	*--at = '\n';
	for (unsigned digits = 0; digits <= decimals || value > 0; digits++) {
		if (decimals > 0 && digits == decimals)
			*--at = '.';
		*--at = (char)('0' + value % 10);
		value /= 10;
	}
	put(exposition, at, (size_t)(text + sizeof(text) - at));
}

void exposition_value(struct exposition *exposition, const struct metric *metric, uint64_t value)
{
	bool first = exposition->len == 0 || exposition->text[exposition->len - 1] == '\n';
	bool is_count = metric->kind == METRIC_HISTOGRAM && strcmp(metric->label, "sum") != 0;

	if (exposition->failed)
		return;
	if (first)
		put_text(exposition, exposition->sample);
	put_text(exposition, first ? " " : "} ");
	put_number(exposition, value, is_count ? 0 : unit_of(metric)->decimals);
}

void exposition_row(void *ctx, const struct metric *metric, uint64_t value)
{
	struct exposition *exposition = ctx;
	char family[EXPOSITION_NAME_MAX];
	bool is_bucket = metric->kind == METRIC_HISTOGRAM && strcmp(metric->label, "le") == 0;

	if (metric->is_sum)
		return;
	name_family(metric, family);
	if (strcmp(family, exposition->family) != 0)
		exposition_head(exposition, metric);
	if (metric->kind == METRIC_HISTOGRAM)
		snprintf(exposition->sample, sizeof(exposition->sample), "%.100s_%s", exposition->family,
		         is_bucket ? "bucket" : metric->value);
	if (*metric->label && (metric->kind != METRIC_HISTOGRAM || is_bucket))
		exposition_label(exposition, metric->label, metric->value);
	exposition_value(exposition, metric, value);
}

char *exposition_end(struct exposition *exposition, size_t *ret_len)
{
	if (exposition->openmetrics)
		put_text(exposition, "# EOF\n");
	put(exposition, "", 0); // that there is a text
	if (exposition->failed) {
		free(exposition->text);
		exposition->text = NULL;
		return NULL;
	}
	*ret_len = exposition->len;
	return exposition->text;
}
