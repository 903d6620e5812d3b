// The plugin host; see host.h. Plugins of third parties are not trusted: what they pass is checked, and refused with a
// message, before it reaches the builder.
#include "discovery/host.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/country.h"
#include "base/err.h"
#include "base/must.h"
#include "base/names.h"
#include "base/report.h"
#include "config/config.h"
#include "plugin/instance.h"
#include "steer/place.h"

struct host {
	struct instance base;          // first: the plugin's pointer to what it is lent is also one to the struct host
	struct place_builder *builder; // during enumerate(), else NULL
	int err;                       // of the first add() that failed; later ones are ignored
};

_Static_assert(offsetof(struct host, base) == 0, "a pointer to what is lent is one to its struct host");

#define host_error(host, ...) instance_error(&(host)->base, __VA_ARGS__)

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

	host_error(host, "prefix %s has %s", prefix_format(prefix, text), why);
	return E_INVAL;
}

// What the prefix table refuses besides.
static void report_failure(struct host *host, int err)
{
	if (err == E_LIMIT)
		host_error(host, "over the limits of the prefix table: %d prefixes, %d places, %d names",
		           PLACE_PREFIXES_MAX, PLACES_MAX, NAMES_MAX);
	else
		host_error(host, "%s", err_text(err));
}

static int take_sites(struct host *host, const struct prefix *prefix, const struct edgesteer_place *place,
                      struct place_facts *facts)
{
	const char *const *sites = place->site_count > 0 ? place->sites : &place->site;
	size_t count = place->site_count > 0 ? place->site_count : place->site != NULL;

	if (count > PLACE_HINTS_MAX || (count > 0 && !sites))
		return refuse_prefix(host, prefix, "more than 4 sites, or a list that is NULL");
	for (size_t i = 0; i < count; i++) {
		int len = text_length(sites[i]);

		if (len < 0 || (len == 0 && place->site_count > 0))
			return refuse_prefix(host, prefix, "an invalid site, expected up to 63 printable ASCII characters");
		facts->hints[i] = sites[i];
		facts->hint_lens[i] = (size_t)len;
	}
	return E_OK;
}

_Static_assert(PLACE_HINTS_MAX == 4, "a message says so");

static int take_place(struct host *host, const struct prefix *prefix, const struct edgesteer_place *place)
{
	int carrier_len = text_length(place->carrier), class_len = text_length(place->class_);

	if (carrier_len < 0)
		return refuse_prefix(host, prefix, "an invalid carrier, expected up to 63 printable ASCII characters");
	if (class_len < 0)
		return refuse_prefix(host, prefix, "an invalid class, expected up to 63 printable ASCII characters");

	uint16_t country = place->country ? country_of_text(place->country, strnlen(place->country, 3)) : COUNTRY_UNKNOWN;

	if (place->country && !country)
		return refuse_prefix(host, prefix, "an invalid country, expected a code of two letters such as US");

	char carrier[NAME_MAX_LEN + 1], class_[NAME_MAX_LEN + 1]; // tables and config may write capitals as they like
	struct place_facts facts = {
		.carrier = names_lower(carrier, place->carrier, (size_t)carrier_len),
		.carrier_len = (size_t)carrier_len,
		.class_ = names_lower(class_, place->class_, (size_t)class_len),
		.class_len = (size_t)class_len,
		.country = country,
		.latitude = place->latitude,
		.longitude = place->longitude,
		.accuracy_km = place->accuracy_km,
	};
	int err = take_sites(host, prefix, place, &facts);

	if (err < 0)
		return err;
	err = place_source_add(host->builder, prefix, &facts);

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
		host_error(host, "breaks the plugin contract: add() %s",
		           !host->builder ? "outside of enumerate()" : "without a complete prefix and place");
		return host->err = E_INVAL;
	}

	struct prefix prefix = {.addr.family = given->family, .len = given->length};

	if ((given->family != ADDR_V4 && given->family != ADDR_V6) || given->length > addr_bits(given->family)) {
		host_error(host, "breaks the plugin contract: a prefix of family %u and length %u", given->family,
		           given->length);
		return host->err = E_INVAL;
	}
	memcpy(prefix.addr.bytes, given->address, given->family == ADDR_V4 ? 4 : 16);

	const struct edgesteer_place known = place_of_this_version(place);

	return host->err = take_place(host, &prefix, &known);
}

// ---- an instance ----------------------------------------------------------------------------------------------------

static int enumerate(struct host *host, struct place_builder *builder)
{
	char label[INSTANCE_LABEL_LEN];

	must(!host->builder);

	int err = place_source_begin(builder, instance_label(&host->base, label));

	if (err < 0) {
		host_error(host, "%s", err == E_LIMIT ? "too many sources" : err_text(err));
		return err;
	}
	host->err = E_OK;
	host->builder = builder;
	err = host->base.plugin.methods->enumerate(host->base.self);
	host->builder = NULL;

	int end = place_source_end(builder); // also after an error, so that the next source can begin

	if (end < 0)
		report_failure(host, end);
	if (err < 0 || end < 0 || host->err < 0)
		return end == E_NOMEM || host->err == E_NOMEM ? E_NOMEM : E_INVAL;
	return E_OK;
}

int host_open(const struct config *config, const struct config_locate *locate, struct report *report,
              struct host **ret_host)
{
	const struct plugin_entry entry = {PLUGIN_LOCATE, locate->plugin, locate->options, locate->mark};
	const struct edgesteer_host job = {.add = lent_add};
	struct host *host = calloc(1, sizeof(*host));
	int err = host ? instance_open(&host->base, &job, config->server.plugin_dir, &entry, report) : E_NOMEM;

	if (err < 0) {
		free(host);
		return err;
	}
	*ret_host = host;
	return E_OK;
}

int host_enumerate(struct host *host, struct place_builder *builder, struct report *report)
{
	size_t errors = report_count(report, REPORT_ERROR);

	must(!host->base.report);
	host->base.report = report;

	int err = instance_outcome(&host->base, enumerate(host, builder), errors);

	host->base.report = NULL;
	return err;
}

struct host *host_close(struct host *host, struct report *report)
{
	if (!host)
		return NULL;
	instance_close(&host->base, report);
	free(host);
	return NULL;
}
