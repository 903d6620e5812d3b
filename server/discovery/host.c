// The plugin host; see host.h. Plugins of third parties are not trusted: what they pass is checked, and refused with a
// message, before it reaches the builder.
#include "discovery/host.h"

#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/country.h"
#include "base/err.h"
#include "base/must.h"
#include "base/names.h"
#include "base/nearest.h"
#include "base/report.h"
#include "config/config.h"
#include "discovery/plugin.h"
#include "steer/place.h"

enum { OPTIONS_MAX = 64, MESSAGE_MAX_LEN = 768, SOURCE_NAME_MAX_LEN = 256 };

struct host {
	struct edgesteer_host lent; // first, so that the plugin's pointer to it is also a pointer to the struct host
	const struct config *config;
	const struct config_locate *locate;
	struct plugin loaded;
	const struct edgesteer_plugin *plugin; // its methods
	void *instance;
	struct report *report;           // of the current call; NULL between calls
	struct place_builder *builder;   // during enumerate(), else NULL
	const char *values[OPTIONS_MAX]; // by the plugin's rows; owned by the config or the plugin
	size_t option_count;
	int err;                         // of the first add() that failed; later ones are ignored
};

_Static_assert(offsetof(struct host, lent) == 0, "a pointer to `lent` is one to its struct host");

#define host_error(host, node, ...) host_say(host, REPORT_ERROR, node, __VA_ARGS__)

// Reports at a key of the entry, or with NULL at the entry itself.
static void host_say(const struct host *host, enum report_level level, const struct value *node, const char *fmt, ...)
	PRINTF(4, 5);

static void host_say(const struct host *host, enum report_level level, const struct value *node, const char *fmt, ...)
{
	struct mark mark = node ? value_key_mark(node) : host->locate->mark;
	char text[MESSAGE_MAX_LEN];
	va_list ap;

	if (!host->report) // the plugin calls back outside of any call to it
		return;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	report_add(host->report, level, mark.file, mark.line, mark.column, "locate: %s: %s", host->locate->plugin, text);
}

// ---- options --------------------------------------------------------------------------------------------------------

static size_t option_find(const struct host *host, const char *name)
{
	size_t i = 0;

	while (i < host->option_count && strcmp(host->plugin->options[i].name, name) != 0)
		i++;
	return i;
}

static void refuse_option(struct host *host, const struct value *member)
{
	struct nearest nearest = nearest_begin(member->key);
	char meant[NEAREST_MEANT_MAX];

	for (size_t i = 0; i < host->option_count; i++)
		nearest_offer(&nearest, host->plugin->options[i].name);
	host_error(host, member, "unknown key `%.60s`%s", member->key, nearest_meant(&nearest, '`', meant));
}

static int take_map(struct host *host, const struct value *member)
{
	if (!value_is(member, VALUE_MAP)) {
		host_error(host, member, "`%s` is not a mapping", member->key);
		return E_INVAL;
	}
	value_foreach (text, member)
		if (!value_is(text, VALUE_TEXT))
			host_error(host, text, "`%s.%.60s` is not text", member->key, text->key);
	return E_OK;
}

static int take_option(struct host *host, size_t row, const struct value *member)
{
	const struct edgesteer_option *option = &host->plugin->options[row];
	const char *text = value_text(member);

	if (option->type == EDGESTEER_MAP)
		return take_map(host, member);
	if (!text || !*text) {
		host_error(host, member, "`%s` is not %s", option->name,
		           option->type == EDGESTEER_FILE ? "a path" : "text");
		return E_INVAL;
	}
	host->values[row] = option->type == EDGESTEER_FILE ? config_path(host->config, member, text) : text;
	return host->values[row] ? E_OK : E_NOMEM;
}

static int check_options(struct host *host)
{
	const struct edgesteer_option *options = host->plugin->options;
	const struct value *given = host->locate->options;
	size_t errors = report_count(host->report, REPORT_ERROR);

	while (options && options[host->option_count].name)
		if (++host->option_count > OPTIONS_MAX) {
			host_error(host, NULL, "the plugin has more than %d options", OPTIONS_MAX);
			return E_INVAL;
		}
	value_foreach (member, given) {
		size_t row = option_find(host, member->key);

		if (row == host->option_count)
			refuse_option(host, member);
		else if (take_option(host, row, member) == E_NOMEM)
			return E_NOMEM;
	}
	for (size_t i = 0; i < host->option_count; i++) {
		if (value_get(given, options[i].name))
			continue;
		if (options[i].required)
			host_error(host, NULL, "`%s` is missing: %s", options[i].name, options[i].help ? options[i].help : "");
		host->values[i] = options[i].fallback;
		if (options[i].type == EDGESTEER_FILE && options[i].fallback &&
		    !(host->values[i] = config_path(host->config, given, options[i].fallback)))
			return E_NOMEM;
	}
	return report_count(host->report, REPORT_ERROR) == errors ? E_OK : E_INVAL;
}

// ---- the functions passed to the plugin -----------------------------------------------------------------------------

static const char *lent_option(const struct edgesteer_host *lent, const char *name)
{
	const struct host *host = (const struct host *)lent;
	size_t row = option_find(host, name);

	return row < host->option_count ? host->values[row] : NULL;
}

static int lent_option_map(const struct edgesteer_host *lent, const char *name,
                           int (*each)(void *ctx, const char *key, const char *value), void *ctx)
{
	const struct host *host = (const struct host *)lent;
	int stop = 0;

	value_foreach (pair, value_get(host->locate->options, name))
		if ((stop = each(ctx, pair->key, value_text(pair))) != 0)
			break;
	return stop;
}

static void lent_report(const struct edgesteer_host *lent, enum edgesteer_level level, const char *file, size_t line,
                        const char *fmt, ...) PRINTF(5, 6);

static void lent_report(const struct edgesteer_host *lent, enum edgesteer_level level, const char *file, size_t line,
                        const char *fmt, ...)
{
	const struct host *host = (const struct host *)lent;
	enum report_level said = level == EDGESTEER_WARNING ? REPORT_WARNING
	                         : level == EDGESTEER_NOTE  ? REPORT_NOTE
	                                                    : REPORT_ERROR;
	char text[MESSAGE_MAX_LEN];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (file && host->report)
		report_add(host->report, said, file, line, 0, "%s", text);
	else
		host_say(host, said, NULL, "%s", text);
}

// The length of a name from a plugin; negative if it is too long or not printable ASCII.
static int text_length(const char *text)
{
	int len = 0;

	if (!text)
		return 0;
	for (; text[len]; len++)
		if (len == NAME_MAX_LEN || text[len] < ' ' || text[len] > '~')
			return E_INVAL;
	return len;
}

static int refuse_prefix(struct host *host, const struct prefix *prefix, const char *why)
{
	char text[ADDR_TEXT_LEN];

	host_error(host, NULL, "prefix %s has %s", prefix_format(prefix, text), why);
	return E_INVAL;
}

// What the prefix table refuses besides.
static void report_failure(struct host *host, int err)
{
	if (err == E_LIMIT)
		host_error(host, NULL, "over the limits of the prefix table: %d prefixes, %d places, %d names",
		           PLACE_PREFIXES_MAX, PLACES_MAX, NAMES_MAX);
	else
		host_error(host, NULL, "%s", err_text(err));
}

static int take_place(struct host *host, const struct prefix *prefix, const struct edgesteer_place *place)
{
	int carrier_len = text_length(place->carrier), class_len = text_length(place->class_);
	int site_len = text_length(place->site);

	if (carrier_len < 0)
		return refuse_prefix(host, prefix, "an invalid carrier, expected up to 63 printable ASCII characters");
	if (class_len < 0)
		return refuse_prefix(host, prefix, "an invalid class, expected up to 63 printable ASCII characters");
	if (site_len < 0)
		return refuse_prefix(host, prefix, "an invalid site, expected up to 63 printable ASCII characters");

	uint16_t country = place->country ? country_of_text(place->country, strnlen(place->country, 3)) : COUNTRY_UNKNOWN;

	if (place->country && !country)
		return refuse_prefix(host, prefix, "an invalid country, expected a code of two letters such as US");

	char carrier[NAME_MAX_LEN + 1], class_[NAME_MAX_LEN + 1]; // tables and config may write capitals as they like
	const struct place_facts facts = {
		.carrier = names_lower(carrier, place->carrier, (size_t)carrier_len),
		.carrier_len = (size_t)carrier_len,
		.class_ = names_lower(class_, place->class_, (size_t)class_len),
		.class_len = (size_t)class_len,
		.hint = place->site,
		.hint_len = (size_t)site_len,
		.country = country,
		.latitude = place->latitude,
		.longitude = place->longitude,
		.accuracy_km = place->accuracy_km,
	};
	int err = place_source_add(host->builder, prefix, &facts);

	if (err == E_INVAL)
		return refuse_prefix(host, prefix, "bits past its length, or coordinates off the globe");
	if (err < 0)
		report_failure(host, err);
	return err;
}

// The size of the struct in ABI 1.0, the smallest there is: such plugins lack the fields appended since.
enum { PLACE_SIZE_MIN = offsetof(struct edgesteer_place, accuracy_km) + sizeof(double) };

static struct edgesteer_place place_of_this_version(const struct edgesteer_place *given)
{
	struct edgesteer_place place = {.latitude = NAN, .longitude = NAN};

	memcpy(&place, given, given->size < sizeof(place) ? given->size : sizeof(place));
	return place;
}

static int lent_add(const struct edgesteer_host *lent, const struct edgesteer_prefix *given,
                    const struct edgesteer_place *place)
{
	struct host *host = (struct host *)lent;

	if (host->err < 0)
		return host->err;
	if (!host->builder || !given || !place || place->size < PLACE_SIZE_MIN) {
		host_error(host, NULL, "breaks the plugin contract: add() %s",
		           !host->builder ? "outside of enumerate()" : "without a complete prefix and place");
		return host->err = E_INVAL;
	}

	struct prefix prefix = {.addr.family = given->family, .len = given->length};

	if ((given->family != ADDR_V4 && given->family != ADDR_V6) || given->length > addr_bits(given->family)) {
		host_error(host, NULL, "breaks the plugin contract: a prefix of family %u and length %u", given->family,
		           given->length);
		return host->err = E_INVAL;
	}
	memcpy(prefix.addr.bytes, given->address, given->family == ADDR_V4 ? 4 : 16);

	const struct edgesteer_place known = place_of_this_version(place);

	return host->err = take_place(host, &prefix, &known);
}

// ---- an instance ----------------------------------------------------------------------------------------------------

// "ranges carriers.csv": the plugin, and the file given by the first of its options that is one.
static const char *source_name(const struct host *host, char *buf)
{
	const char *path = NULL;

	for (size_t i = 0; i < host->option_count && !path; i++)
		if (host->plugin->options[i].type == EDGESTEER_FILE)
			path = host->values[i];

	const char *slash = path ? strrchr(path, '/') : NULL;

	snprintf(buf, SOURCE_NAME_MAX_LEN, "%s%s%s", host->plugin->name, path ? " " : "",
	         slash ? slash + 1 : path ? path : "");
	return buf;
}

static int enumerate(struct host *host, struct place_builder *builder)
{
	char name[SOURCE_NAME_MAX_LEN];

	must(!host->builder);

	int err = place_source_begin(builder, source_name(host, name));

	if (err < 0) {
		host_error(host, NULL, "%s", err == E_LIMIT ? "too many sources" : err_text(err));
		return err;
	}
	host->err = E_OK;
	host->builder = builder;
	err = host->plugin->enumerate(host->instance);
	host->builder = NULL;

	int end = place_source_end(builder); // also after an error, so that the next source can begin

	if (end < 0)
		report_failure(host, end);
	if (err < 0 || end < 0 || host->err < 0)
		return end == E_NOMEM || host->err == E_NOMEM ? E_NOMEM : E_INVAL;
	return E_OK;
}

// The result of a call to the plugin, before which the report had `errors` errors. A plugin may report an error and
// return success, or the reverse.
static int outcome(struct host *host, int err, size_t errors)
{
	if (err < 0 && report_count(host->report, REPORT_ERROR) == errors)
		host_error(host, NULL, "failed without reporting an error");
	return report_count(host->report, REPORT_ERROR) == errors ? err : err == E_NOMEM ? E_NOMEM : E_INVAL;
}

static int open_instance(struct host *host)
{
	size_t errors = report_count(host->report, REPORT_ERROR);
	int err = check_options(host);

	if (err < 0)
		return err;
	return host->plugin->open(&host->lent, &host->instance) < 0 ? outcome(host, E_INVAL, errors) : E_OK;
}

int host_open(const struct config *config, const struct config_locate *locate, struct report *report,
              struct host **ret_host)
{
	struct plugin loaded;
	int err = plugin_load(config, locate, report, &loaded);

	if (err < 0)
		return err;

	struct host *host = malloc(sizeof(*host));

	if (!host) {
		plugin_unload(&loaded);
		return E_NOMEM;
	}
	*host = (struct host){
		.lent = {sizeof(host->lent), lent_option, lent_option_map, lent_report, lent_add},
		.config = config,
		.locate = locate,
		.loaded = loaded,
		.plugin = loaded.methods,
		.report = report,
	};
	err = open_instance(host);
	host->report = NULL;
	if (err < 0) {
		plugin_unload(&host->loaded);
		free(host);
		return err;
	}
	*ret_host = host;
	return E_OK;
}

int host_enumerate(struct host *host, struct place_builder *builder, struct report *report)
{
	size_t errors = report_count(report, REPORT_ERROR);

	must(!host->report);
	host->report = report;

	int err = outcome(host, enumerate(host, builder), errors);

	host->report = NULL;
	return err;
}

struct host *host_close(struct host *host, struct report *report)
{
	if (!host)
		return NULL;
	host->report = report;
	if (host->plugin->close)
		host->plugin->close(host->instance);
	plugin_unload(&host->loaded);
	free(host);
	return NULL;
}
