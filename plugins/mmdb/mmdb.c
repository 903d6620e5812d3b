// The `mmdb` plugin: coordinates and carriers from MaxMind databases. The daemon opens one instance for each `plugin:
// mmdb` entry of `locate:`; the instance owns the mapped files. The only user of libmaxminddb; see record.h for what
// that is not used for.
//
// Of nested prefixes the longest gives all fields. So the coordinates of one database and the carriers of another must
// not be listed one after the other: the two search trees are walked in parallel, and where both have reached a leaf
// their records are combined into one place.
#include "edgesteer-plugin.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <maxminddb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "carriers.h"
#include "record.h"

enum {
	CITY,
	ISP,
	DATABASES,
	SEPARATOR_LEN = 16,     // zero bytes between the search tree and the data
	CACHE_SLOTS = 1 << 16,  // a power of two
	SHARING_MAX = 16,       // average number of visits per node; more than one where subtrees are shared
	FILE_MAX_LEN = 1 << 30, // bytes; the library counts in 32 bits
};

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
	const char *path;
	MMDB_s mmdb;
	struct cached *cache; // CACHE_SLOTS; NULL: this database is not configured
	size_t visits;        // of nodes
	size_t records;       // with data that we use
};

struct mmdb {
	const struct edgesteer_host *host;
	struct database databases[DATABASES];
	struct carriers *carriers;
};

// The position of a walk in one database.
struct cursor {
	enum { NOTHING, NODE, RECORD } kind;
	uint32_t at; // number of the node, or offset of the record in the data section
};

struct walk {
	struct mmdb *self;
	struct edgesteer_prefix prefix;
};

static int damaged(const struct mmdb *self, const struct database *database, const char *why)
{
	self->host->report(self->host, EDGESTEER_ERROR, database->path, 0, "is damaged: %s", why);
	return -1;
}

// ---- records --------------------------------------------------------------------------------------------------------

static bool is_country(struct record_text text)
{
	return text.len == 2 && text.start[0] >= 'A' && text.start[0] <= 'Z' && text.start[1] >= 'A' && text.start[1] <= 'Z';
}

static int decode(struct mmdb *self, int which, uint32_t offset, struct facts *ret_facts)
{
	struct database *database = &self->databases[which];
	struct record_section section = {database->mmdb.data_section, database->mmdb.data_section_size, 0, NULL};
	struct facts facts = {.latitude = NAN, .longitude = NAN, .accuracy_km = NAN};
	struct record record;

	if (!record_read(&section, offset, &record))
		return damaged(self, database, section.why);
	bool located = !isnan(record.latitude) && !isnan(record.longitude), in_country = is_country(record.country);

	if (which == CITY && located) {
		facts.latitude = record.latitude;
		facts.longitude = record.longitude;
		facts.accuracy_km = record.accuracy_km;
	}
	if (which == CITY && in_country)
		memcpy(facts.country, record.country.start, 2);
	database->records += which == CITY && (located || in_country);
	if (which == ISP && (record.asn || record.mcc.len || record.isp.len)) {
		facts.carrier = carriers_find(self->carriers, &record);
		database->records++;
	}
	*ret_facts = facts;
	return 0;
}

static int look_up(struct mmdb *self, int which, const struct cursor *cursor, const struct facts **ret_facts)
{
	static const struct facts nothing = {.latitude = NAN, .longitude = NAN, .accuracy_km = NAN};

	if (cursor->kind == NOTHING) {
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

static int emit(struct walk *walk, const struct cursor here[DATABASES], unsigned depth)
{
	struct mmdb *self = walk->self;
	const struct facts *city, *isp;

	if (here[CITY].kind == NOTHING && here[ISP].kind == NOTHING)
		return 0;
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

	walk->prefix.length = (uint8_t)depth;
	return self->host->add(self->host, &walk->prefix, &place);
}

// ---- search trees ---------------------------------------------------------------------------------------------------

// Interprets a record of a search tree: the number of a node, the node count for "nothing", or above that an offset in
// the data.
static int cursor_of(const struct mmdb *self, const struct database *database, uint64_t value,
                     struct cursor *ret_cursor)
{
	uint32_t nodes = database->mmdb.metadata.node_count;

	if (value == 0)
		return damaged(self, database, "its search tree leads back to its root");
	if (value < nodes)
		*ret_cursor = (struct cursor){NODE, (uint32_t)value};
	else if (value == nodes)
		*ret_cursor = (struct cursor){NOTHING, 0};
	else if (value < (uint64_t)nodes + SEPARATOR_LEN ||
	         value - nodes - SEPARATOR_LEN >= database->mmdb.data_section_size)
		return damaged(self, database, "its search tree leads out of its data");
	else
		*ret_cursor = (struct cursor){RECORD, (uint32_t)(value - nodes - SEPARATOR_LEN)};
	return 0;
}

// The root of the IPv4 tree: in a database of both families it is at ::/96.
static int ipv4_cursor(const struct mmdb *self, const struct database *database, struct cursor *ret_cursor)
{
	if (database->mmdb.metadata.ip_version == 4) {
		*ret_cursor = (struct cursor){NODE, 0};
		return 0;
	}
	return cursor_of(self, database, database->mmdb.ipv4_start_node.node_value, ret_cursor);
}

// One step down. The IPv6 walk skips the IPv4 subtree, under ::/96 and its aliases in the database (::ffff:0:0/96,
// 2001::/32 and 2002::/16 are such): it is listed as IPv4.
static int step(struct walk *walk, struct database *database, const struct cursor *here, struct cursor ret_down[2])
{
	const struct mmdb *self = walk->self;
	MMDB_search_node_s node;
	struct cursor ipv4 = {NOTHING, 0};

	if (here->kind != NODE) {
		ret_down[0] = ret_down[1] = *here;
		return 0;
	}
	if (++database->visits > (size_t)SHARING_MAX * database->mmdb.metadata.node_count)
		return damaged(self, database, "its search tree does not end");
	if (MMDB_read_node(&database->mmdb, here->at, &node) != MMDB_SUCCESS)
		return damaged(self, database, "its search tree cannot be read");
	if (cursor_of(self, database, node.left_record, &ret_down[0]) < 0 ||
	    cursor_of(self, database, node.right_record, &ret_down[1]) < 0)
		return -1;
	if (walk->prefix.family == 6 && ipv4_cursor(self, database, &ipv4) < 0)
		return -1;
	for (int bit = 0; bit < 2; bit++)
		if (ipv4.kind == NODE && ret_down[bit].kind == NODE && ret_down[bit].at == ipv4.at)
			ret_down[bit] = (struct cursor){NOTHING, 0};
	return 0;
}

// Lists the leaves of the combined tree below `here`. Recurses once per bit: at most 128 deep.
static int descend(struct walk *walk, const struct cursor here[DATABASES], unsigned depth)
{
	struct cursor down[DATABASES][2];
	int err = 0;

	if (here[CITY].kind != NODE && here[ISP].kind != NODE)
		return emit(walk, here, depth);
	for (int which = 0; which < DATABASES; which++) {
		struct database *database = &walk->self->databases[which];

		if (here[which].kind == NODE && depth == (walk->prefix.family == 4 ? 32 : 128))
			return damaged(walk->self, database, "its search tree is deeper than an address is long");
		if (step(walk, database, &here[which], down[which]) < 0)
			return -1;
	}
	for (int bit = 0; bit < 2 && err == 0; bit++) {
		uint8_t mask = (uint8_t)(0x80 >> depth % 8);

		walk->prefix.address[depth / 8] &= (uint8_t)~mask;
		if (bit)
			walk->prefix.address[depth / 8] |= mask;
		err = descend(walk, (struct cursor[DATABASES]){down[CITY][bit], down[ISP][bit]}, depth + 1);
		walk->prefix.address[depth / 8] &= (uint8_t)~mask;
	}
	return err;
}

static int enumerate_family(struct mmdb *self, uint8_t family)
{
	struct walk walk = {.self = self, .prefix = {.family = family}};
	struct cursor roots[DATABASES] = {{NOTHING, 0}, {NOTHING, 0}};

	for (int which = 0; which < DATABASES; which++) {
		const struct database *database = &self->databases[which];

		if (!database->cache || (family == 6 && database->mmdb.metadata.ip_version == 4))
			continue;
		if (family == 6)
			roots[which] = (struct cursor){NODE, 0};
		else if (ipv4_cursor(self, database, &roots[which]) < 0)
			return -1;
	}
	return descend(&walk, roots, 0);
}

static int mmdb_enumerate(void *instance)
{
	static const char *const wants[DATABASES] = {
		[CITY] = "coordinates: expected a City or Enterprise database",
		[ISP] = "an AS, an ISP or a mobile network: expected an ISP, ASN or Enterprise database",
	};
	struct mmdb *self = instance;
	int err = enumerate_family(self, 4);

	if (err == 0)
		err = enumerate_family(self, 6);
	for (int which = 0; which < DATABASES && err == 0; which++) {
		const struct database *database = &self->databases[which];

		if (!database->cache || database->records > 0)
			continue;
		self->host->report(self->host, EDGESTEER_ERROR, database->path, 0, "a database of type '%.60s', no record of "
		                   "which has %s", database->mmdb.metadata.database_type, wants[which]);
		return -1;
	}
	if (err == 0 && self->carriers)
		carriers_report_unused(self->carriers);
	return err;
}

// ---- files ----------------------------------------------------------------------------------------------------------

static int refuse(const struct mmdb *self, const char *path, const char *why)
{
	self->host->report(self->host, EDGESTEER_ERROR, path, 0, "%s", why);
	return -1;
}

static int unreadable(const struct mmdb *self, const struct database *database, const char *why)
{
	self->host->report(self->host, EDGESTEER_ERROR, database->path, 0, "cannot be read: %s", why);
	return -1;
}

// Copies the file into a memfd, as the library only opens files. The operator may overwrite the original at any time,
// and when a mapped file is truncated, the next access kills the daemon with SIGBUS.
static int copy_file(const struct mmdb *self, const struct database *database, int fd, off_t len)
{
	int copy = memfd_create("mmdb", MFD_CLOEXEC);
	ssize_t got = 1;

	while (copy >= 0 && got > 0 && len > 0) {
		got = sendfile(copy, fd, NULL, (size_t)len);
		len -= got > 0 ? got : 0;
	}
	if (copy >= 0 && got >= 0)
		return copy;
	unreadable(self, database, strerror(errno));
	if (copy >= 0)
		close(copy);
	return -1;
}

// Returns a descriptor of a copy of the file, or -1 (reported).
static int read_file(const struct mmdb *self, const struct database *database)
{
	int fd = open(database->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); // a named pipe may never get a writer
	struct stat status;
	int copy = -1;

	if (fd < 0 || fstat(fd, &status) < 0)
		unreadable(self, database, strerror(errno));
	else if (!S_ISREG(status.st_mode))
		unreadable(self, database, S_ISDIR(status.st_mode) ? strerror(EISDIR) : "not a regular file");
	else if (status.st_size > FILE_MAX_LEN)
		unreadable(self, database, "larger than 1 GiB");
	else
		copy = copy_file(self, database, fd, status.st_size);
	if (fd >= 0)
		close(fd);
	return copy;
}

// The library trusts metadata too much: we walk them before it sees them.
static int check_metadata(const struct mmdb *self, const struct database *database, int fd)
{
	off_t len = lseek(fd, 0, SEEK_END);
	off_t from = len > RECORD_METADATA_MAX_LEN ? len - RECORD_METADATA_MAX_LEN : 0;
	uint8_t *tail = malloc(RECORD_METADATA_MAX_LEN);
	const char *why = NULL;

	if (!tail)
		return refuse(self, database->path, "out of memory");

	ssize_t got = pread(fd, tail, RECORD_METADATA_MAX_LEN, from);
	int err = 0;

	if (got < 0)
		err = unreadable(self, database, strerror(errno));
	else if (!record_check_metadata(tail, (size_t)got, &why))
		err = damaged(self, database, why);
	free(tail);
	return err;
}

static int map_file(struct mmdb *self, struct database *database, int fd)
{
	struct cached *cache;
	char path[64];

	if (check_metadata(self, database, fd) < 0)
		return -1;
	if (!(cache = calloc(CACHE_SLOTS, sizeof(*cache))))
		return refuse(self, database->path, "out of memory");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);

	int status = MMDB_open(path, MMDB_MODE_MMAP, &database->mmdb);

	if (status != MMDB_SUCCESS) {
		free(cache);
		return damaged(self, database, MMDB_strerror(status));
	}
	database->cache = cache;
	return 0;
}

static int database_open(struct mmdb *self, int which, const char *path)
{
	struct database *database = &self->databases[which];

	database->path = path;

	int fd = read_file(self, database);
	int err = fd < 0 ? -1 : map_file(self, database, fd);

	if (fd >= 0)
		close(fd);
	if (err < 0)
		return err;

	const MMDB_metadata_s *metadata = &database->mmdb.metadata;
	uint64_t tree_len = (uint64_t)metadata->node_count * database->mmdb.full_record_byte_size;

	if (metadata->ip_version != 4 && metadata->ip_version != 6)
		return damaged(self, database, "it is of neither IPv4 nor IPv6");
	if (metadata->node_count == 0 || tree_len + SEPARATOR_LEN > (uint64_t)database->mmdb.file_size)
		return damaged(self, database, "its search tree is longer than the file");
	return 0;
}

// ---- the plugin -----------------------------------------------------------------------------------------------------

static void mmdb_close(void *instance)
{
	struct mmdb *self = instance;

	for (int which = 0; which < DATABASES; which++) {
		if (!self->databases[which].cache)
			continue;
		MMDB_close(&self->databases[which].mmdb);
		free(self->databases[which].cache);
	}
	carriers_free(self->carriers);
	free(self);
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
	if (city && database_open(self, CITY, city) < 0)
		err = -1;
	if (isp && database_open(self, ISP, isp) < 0)
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
