// The `mmdb` plugin: coordinates and carriers from MaxMind databases. The daemon opens one instance for each `plugin:
// mmdb` entry of `locate:`; the instance owns the mapped files.
//
// Of nested prefixes the longest gives all fields. So the coordinates of one database and the carriers of another must
// not be listed one after the other: the two search trees are walked in parallel, and where both have reached a leaf
// their records are combined into one place.
#include "edgesteer-plugin.h"

#include <math.h>
#include <stdlib.h>

#include "carriers.h"
#include "lib/mmdbtree.h"
#include "lib/parse.h"
#include "lib/record.h"

enum {
	CITY,
	ISP,
	DATABASES,
	CACHE_SLOTS = 1 << 16, // a power of two
};

_Static_assert(DATABASES == (int)MMDBTREE_MAX, "both are walked together");

// What one record of one database states.
struct facts {
	double latitude, longitude, accuracy_km;
	const char *carrier;
	char country[3]; // "": unknown
};

// Databases use few records for many networks, which are close together.
struct cached {
	uint32_t offset; // of the record, plus one; 0: empty
	struct facts facts;
};

struct database {
	struct mmdbtree tree;
	struct cached *cache; // CACHE_SLOTS; NULL: this database is not configured
	size_t records;       // with data that we use
};

struct mmdb {
	const struct edgesteer_host *host;
	struct database databases[DATABASES];
	struct carriers *carriers;
};

// ---- records --------------------------------------------------------------------------------------------------------

static int decode(struct mmdb *self, int which, uint32_t offset, struct facts *ret_facts)
{
	struct database *database = &self->databases[which];
	struct facts facts = {.latitude = NAN, .longitude = NAN, .accuracy_km = NAN};
	struct record record;

	if (mmdbtree_record(&database->tree, offset, &record) < 0)
		return -1;

	bool located = !isnan(record.latitude) && !isnan(record.longitude);
	bool in_country = record.country.len == 2 && parse_country(record.country.start, facts.country);

	if (which == CITY && located) {
		facts.latitude = record.latitude;
		facts.longitude = record.longitude;
		facts.accuracy_km = record.accuracy_km;
	}
	database->records += which == CITY && (located || in_country);
	if (which == ISP && (record.asn || record.mcc.len || record.isp.len)) {
		facts.carrier = carriers_find(self->carriers, &record);
		database->records++;
	}
	*ret_facts = facts;
	return 0;
}

static int look_up(struct mmdb *self, int which, const struct mmdbtree_cursor *cursor, const struct facts **ret_facts)
{
	static const struct facts nothing = {.latitude = NAN, .longitude = NAN, .accuracy_km = NAN};

	if (cursor->kind == MMDBTREE_NOTHING) {
		*ret_facts = &nothing;
		return 0;
	}

	struct cached *cached = &self->databases[which].cache[cursor->at * 2654435761u >> 16 & (CACHE_SLOTS - 1)];

	if (cached->offset != cursor->at + 1) {
		if (decode(self, which, cursor->at, &cached->facts) < 0)
			return -1;
		cached->offset = cursor->at + 1;
	}
	*ret_facts = &cached->facts;
	return 0;
}

static int add_leaf(void *ctx, const struct edgesteer_prefix *prefix, const struct mmdbtree_cursor here[DATABASES])
{
	struct mmdb *self = ctx;
	const struct facts *city, *isp;

	if (look_up(self, CITY, &here[CITY], &city) < 0 || look_up(self, ISP, &here[ISP], &isp) < 0)
		return -1;
	if (isnan(city->latitude) && !*city->country && !isp->carrier)
		return 0;

	struct edgesteer_place place = {
		.size = sizeof(place),
		.carrier = isp->carrier,
		.latitude = city->latitude,
		.longitude = city->longitude,
		.accuracy_km = city->accuracy_km,
		.country = *city->country ? city->country : NULL,
	};

	return self->host->add(self->host, prefix, &place);
}

// ---- the plugin -----------------------------------------------------------------------------------------------------

static int mmdb_enumerate(void *instance)
{
	static const char *const wants[DATABASES] = {
		[CITY] = "coordinates: expected a City or Enterprise database",
		[ISP] = "an AS, an ISP or a mobile network: expected an ISP, ASN or Enterprise database",
	};
	struct mmdb *self = instance;
	struct mmdbtree *trees[DATABASES];

	for (int which = 0; which < DATABASES; which++)
		trees[which] = self->databases[which].cache ? &self->databases[which].tree : NULL;

	int err = mmdbtree_walk(trees, add_leaf, self);

	for (int which = 0; which < DATABASES && err == 0; which++) {
		const struct database *database = &self->databases[which];

		if (!database->cache || database->records > 0)
			continue;
		self->host->report(self->host, EDGESTEER_ERROR, database->tree.path, 0, "a database of type '%.60s', no record of "
		                   "which has %s", database->tree.mmdb.metadata.database_type, wants[which]);
		return -1;
	}
	if (err == 0 && self->carriers)
		carriers_report_unused(self->carriers);
	return err;
}

static void mmdb_close(void *instance)
{
	struct mmdb *self = instance;

	for (int which = 0; which < DATABASES; which++) {
		mmdbtree_close(&self->databases[which].tree);
		free(self->databases[which].cache);
	}
	carriers_free(self->carriers);
	free(self);
}

static int refuse(const struct mmdb *self, const char *path, const char *why)
{
	self->host->report(self->host, EDGESTEER_ERROR, path, 0, "%s", why);
	return -1;
}

static int open_database(struct mmdb *self, int which, const char *path)
{
	struct database *database = &self->databases[which];

	if (mmdbtree_open(&database->tree, self->host, path) < 0)
		return -1;
	database->cache = calloc(CACHE_SLOTS, sizeof(*database->cache));
	return database->cache ? 0 : refuse(self, path, "out of memory");
}

static int has_rows(void *ctx, const char *key, const char *value)
{
	(void)ctx, (void)key, (void)value;
	return 1;
}

static int open_databases(struct mmdb *self)
{
	const struct edgesteer_host *host = self->host;
	const char *city = host->option(host, "city"), *isp = host->option(host, "isp");
	int err = 0;

	if (!city && !isp)
		return refuse(self, NULL, "give city or isp, or both");
	if (!isp && host->option_map(host, "carriers", has_rows, NULL) != 0)
		host->report(host, EDGESTEER_WARNING, NULL, 0, "carriers has no effect without isp");
	if (isp && host->option_map(host, "carriers", has_rows, NULL) == 0)
		host->report(host, EDGESTEER_WARNING, NULL, 0,
		             "isp has no effect without carriers: the database has networks, not carriers");
	if (city && open_database(self, CITY, city) < 0)
		err = -1;
	if (isp && open_database(self, ISP, isp) < 0)
		err = -1;
	if (isp && !(self->carriers = carriers_new(host)))
		err = -1;
	return err;
}

static int mmdb_open(const struct edgesteer_host *host, void **ret_self)
{
	struct mmdb *self = calloc(1, sizeof(*self));

	if (!self) {
		host->report(host, EDGESTEER_ERROR, NULL, 0, "out of memory");
		return -1;
	}
	self->host = host;
	if (open_databases(self) < 0) {
		mmdb_close(self);
		return -1;
	}
	*ret_self = self;
	return 0;
}

static const struct edgesteer_option mmdb_options[] = {
	{"city", EDGESTEER_FILE, 0, NULL, "City or Enterprise database: gives coordinates with their accuracy radius."},
	{"isp", EDGESTEER_FILE, 0, NULL, "ISP, ASN or Enterprise database: gives carriers, by the rows of `carriers`."},
	{"carriers", EDGESTEER_MAP, 0, NULL, "From a mobile network code (310-004), an AS (AS6167) or an ISP's name to a "
	                                     "carrier's short name."},
	{NULL, EDGESTEER_TEXT, 0, NULL, NULL},
};

EDGESTEER_PLUGIN(mmdb) = {
	.abi_major = EDGESTEER_PLUGIN_ABI_MAJOR,
	.abi_minor = EDGESTEER_PLUGIN_ABI_MINOR,
	.size = sizeof(struct edgesteer_plugin),
	.name = "mmdb",
	.summary = "coordinates and carriers from MaxMind databases",
	.options = mmdb_options,
	.open = mmdb_open,
	.enumerate = mmdb_enumerate,
	.close = mmdb_close,
};
