// The `asn` plugin: carriers and countries of routed prefixes, by the AS that originates them. The daemon opens one
// instance for each `plugin: asn` entry of `locate:`; the instance owns the open source: a location database, a MaxMind
// database or a CSV file. A fixed line must never be sent to a carrier's site: clients of an AS that has fixed lines
// too get the class `mixed`.
#include "edgesteer-plugin.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "asns.h"
#include "blocks.h"
#include "lib/mmdbtree.h"
#include "lib/parse.h"
#include "lib/record.h"
#include "lib/table.h"
#include "locdb.h"

// What is known of a prefix.
struct facts {
	struct asns_row *row; // NULL: not a carrier's
	char country[3];      // "": unknown
};

struct asn {
	struct table table; // first, so that a pointer to it is one to this; for `csv`
	const struct edgesteer_host *host;
	const char *path;
	int (*enumerate)(struct asn *self); // by the kind of source
	struct asns *asns;
	struct locdb *db;     // for `database`
	struct mmdbtree tree; // for `mmdb`
	size_t records;       // of the MaxMind database that have an AS
};

static struct facts facts_of(const struct asn *self, const struct edgesteer_prefix *prefix, uint32_t number,
                             const char *country)
{
	struct facts facts = {.row = asns_find(self->asns, number)};

	if (facts.row && blocks_contain(prefix))
		facts.row = NULL;
	if (facts.row)
		facts.row->prefixes++;
	if (!country || !parse_country(country, facts.country))
		facts.country[0] = '\0';
	return facts;
}

static int add(const struct asn *self, const struct edgesteer_prefix *prefix, const struct facts *facts)
{
	struct edgesteer_place place = {.size = sizeof(place), .latitude = NAN, .longitude = NAN};
	char carrier[64];

	if (facts->row) {
		place.carrier = asns_carrier(facts->row, carrier);
		place.class_ = facts->row->mixed ? "mixed" : "edge";
	}
	if (facts->country[0])
		place.country = facts->country;
	return self->host->add(self->host, prefix, &place);
}

// ---- a location database --------------------------------------------------------------------------------------------

// A number that is the same for the same facts; 0 for none.
static uint64_t key_of(const struct facts *facts)
{
	uint64_t carrier = facts->row ? facts->row->asn : 0;

	return carrier << 16 | (uint64_t)(uint8_t)facts->country[0] << 8 |
	       (facts->country[0] ? (uint64_t)(uint8_t)facts->country[1] : 0);
}

// Most networks say what the one around them says, and are left out: the table is loaded three times as fast.
static int add_network(void *ctx, const struct edgesteer_prefix *prefix, uint32_t number, const char country[2],
                       uint64_t around, uint64_t *ret_here)
{
	const struct asn *self = ctx;
	struct facts facts = facts_of(self, prefix, number, country);

	*ret_here = key_of(&facts);
	return *ret_here == around ? 0 : add(self, prefix, &facts);
}

static int enumerate_database(struct asn *self)
{
	return locdb_walk(self->db, add_network, self);
}

// ---- a MaxMind database ---------------------------------------------------------------------------------------------

static int add_leaf(void *ctx, const struct edgesteer_prefix *prefix, const struct mmdbtree_cursor here[MMDBTREE_MAX])
{
	struct asn *self = ctx;
	struct record record;

	if (mmdbtree_record(&self->tree, here[0].at, &record) < 0)
		return -1;
	if (record.asn)
		self->records++;

	struct facts facts = facts_of(self, prefix, record.asn, NULL);

	return facts.row ? add(self, prefix, &facts) : 0;
}

static int enumerate_mmdb(struct asn *self)
{
	struct mmdbtree *const trees[MMDBTREE_MAX] = {&self->tree};
	int err = mmdbtree_walk(trees, add_leaf, self);

	if (err < 0 || self->records > 0)
		return err;
	self->host->report(self->host, EDGESTEER_ERROR, self->path, 0,
	                   "a database of type '%.60s', no record of which has an AS: expected an ASN, ISP or Enterprise "
	                   "database", self->tree.mmdb.metadata.database_type);
	return -1;
}

// ---- a CSV file -----------------------------------------------------------------------------------------------------

enum column { PREFIX, ASN, COUNTRY, COLUMNS };

static const char *const column_names[COLUMNS] = {[PREFIX] = "prefix", [ASN] = "asn", [COUNTRY] = "country"};

// All rows are added, also those of no carrier: they may lie inside a carrier's.
static int add_row(struct table *table, const struct csv_text *fields)
{
	const struct asn *self = (const struct asn *)table;
	struct edgesteer_prefix prefix;
	size_t errors = table->errors;
	const char *country = NULL;
	char code[3];
	uint32_t number = 0;

	for (size_t i = 0; i < table->fields; i++) {
		const struct csv_text *field = &fields[i];

		switch ((enum column)table->order[i]) {
		case PREFIX: table_read_prefix(table, field, &prefix); break;
		case COUNTRY: country = table_read_country(table, field, code); break;
		case ASN:
			if (field->len > 0 && !parse_asn(field->start, &number))
				table_error(table, "asn: '%.*s' is not an AS number such as AS64500", TABLE_SHOWN_LEN, field->start);
			break;
		case COLUMNS: break;
		}
	}
	if (table->errors != errors)
		return 0;

	struct facts facts = facts_of(self, &prefix, number, country);

	return add(self, &prefix, &facts);
}

static const struct table_kind csv_kind = {
	.names = column_names,
	.count = COLUMNS,
	.required = ASN + 1,
	.example = "a header row that names the columns, such as prefix,asn,country",
	.row = add_row,
};

static int enumerate_csv(struct asn *self)
{
	return table_read(&self->table);
}

// ---- the plugin -----------------------------------------------------------------------------------------------------

static int refuse(const struct edgesteer_host *host, const char *why)
{
	host->report(host, EDGESTEER_ERROR, NULL, 0, "%s", why);
	return -1;
}

static int open_database(struct asn *self, const char *path)
{
	self->path = path;
	self->enumerate = enumerate_database;
	self->db = locdb_open(self->host, path);
	return self->db ? 0 : -1;
}

// Where Debian's packages have the database: the first is kept up to date by location-update, of the package
// `location`.
static int open_installed(struct asn *self)
{
	static const char *const paths[] = {"/var/lib/location/database.db", "/usr/share/libloc-location/location.db"};

	for (size_t i = 0; i < sizeof(paths) / sizeof(paths[0]); i++) {
		self->host->reads(self->host, paths[i]); // the first may come later
		if (access(paths[i], F_OK) == 0)
			return open_database(self, paths[i]);
	}
	return refuse(self->host, "no location database is installed in /var/lib/location or /usr/share/libloc-location: "
	                          "`apt-get install libloc-database`, or give database, mmdb or csv");
}

static int open_source(struct asn *self)
{
	const struct edgesteer_host *host = self->host;
	const char *database = host->option(host, "database"), *mmdb = host->option(host, "mmdb");
	const char *csv = host->option(host, "csv");

	if ((database != NULL) + (mmdb != NULL) + (csv != NULL) > 1)
		return refuse(host, "give one of database, mmdb and csv; another source is another entry of `locate`");
	if (mmdb) {
		self->path = mmdb;
		self->enumerate = enumerate_mmdb;
		return mmdbtree_open(&self->tree, host, mmdb);
	}
	if (csv) {
		self->path = csv;
		self->enumerate = enumerate_csv;
		return table_open(&self->table, &csv_kind, host, csv);
	}
	return database ? open_database(self, database) : open_installed(self);
}

static int asn_enumerate(void *instance)
{
	struct asn *self = instance;
	int err = blocks_add(self->host);

	if (err == 0)
		err = self->enumerate(self);
	if (err == 0)
		asns_report(self->asns, self->path);
	return err;
}

static void asn_close(void *instance)
{
	struct asn *self = instance;

	if (self->enumerate == enumerate_csv)
		table_close(&self->table);
	mmdbtree_close(&self->tree);
	locdb_close(self->db);
	asns_free(self->asns);
	free(self);
}

static int asn_open(const struct edgesteer_host *host, void **ret_self)
{
	struct asn *self = calloc(1, sizeof(*self));

	if (!self)
		return refuse(host, "out of memory");
	self->host = host;
	self->asns = asns_new(host);
	if (!self->asns || open_source(self) < 0) {
		asn_close(self);
		return -1;
	}
	*ret_self = self;
	return 0;
}

static const struct edgesteer_option asn_options[] = {
	{"database", EDGESTEER_FILE, 0, NULL, "Location database of IPFire: gives carriers and countries. Default: that of "
	                                      "Debian's package libloc-database."},
	{"mmdb", EDGESTEER_FILE, 0, NULL, "GeoLite2-ASN, GeoIP2-ISP or Enterprise database instead: gives carriers."},
	{"csv", EDGESTEER_FILE, 0, NULL, "CSV file instead, with a header row and the columns prefix, asn and, if you have "
	                                 "it, country."},
	{"asns", EDGESTEER_MAP, 0, NULL, "From an AS (AS64500) to its carrier, followed by `mixed` where it has fixed lines "
	                                 "too, or to none: adds to and replaces what is built in."},
	{NULL, EDGESTEER_TEXT, 0, NULL, NULL},
};

EDGESTEER_PLUGIN(asn) = {
	.abi_major = EDGESTEER_PLUGIN_ABI_MAJOR,
	.abi_minor = EDGESTEER_PLUGIN_ABI_MINOR,
	.size = sizeof(struct edgesteer_plugin),
	.name = "asn",
	.summary = "carriers and countries of routed prefixes, by AS",
	.options = asn_options,
	.open = asn_open,
	.enumerate = asn_enumerate,
	.close = asn_close,
};
