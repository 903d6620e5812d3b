// Reads and walks location databases; see locdb.h. The file, in network byte order: a header with the places of its
// sections; a binary tree over IPv6 addresses, IPv4 below ::ffff:0:0/96, with the number of a network at some nodes;
// the networks, each with country and AS number.
#include "locdb.h"

#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/regular.h"

enum {
	HEADER_LEN = 68, // as far as we read it
	NETWORKS_AT = 36, // in the header: offset of the networks, and 4 octets on their length; the tree's likewise
	TREE_AT = 44,
	RECORD_LEN = 12, // of a node (zero, one, network) and of a network (country 2, padding 2, AS number 4, flags 4)
	FILE_MAX_LEN = 1 << 30,
	ADDRESS_BITS = 128,
	V4_DEPTH = 96,
};

#define NO_NETWORK UINT32_MAX

struct section {
	uint8_t *bytes;
	uint32_t count; // of records
};

struct locdb {
	const struct edgesteer_host *host;
	const char *path;
	struct section tree, networks;
};

struct walk {
	const struct locdb *db;
	locdb_network *network;
	void *ctx;
	size_t visits; // of nodes
	uint8_t address[ADDRESS_BITS / 8];
};

static int damaged(const struct locdb *db, const char *why)
{
	db->host->report(db->host, EDGESTEER_ERROR, db->path, 0, "is damaged: %s", why);
	return -1;
}

static int unreadable(const struct locdb *db, const char *why)
{
	db->host->report(db->host, EDGESTEER_ERROR, db->path, 0, "cannot be read: %s", why);
	return -1;
}

static uint32_t number_at(const uint8_t *bytes)
{
	uint32_t value;

	memcpy(&value, bytes, sizeof(value));
	return be32toh(value);
}

// ---- the walk -------------------------------------------------------------------------------------------------------

// IPv4 prefixes are those within ::ffff:0:0/96.
static struct edgesteer_prefix prefix_here(const struct walk *walk, unsigned depth)
{
	static const uint8_t v4[V4_DEPTH / 8] = {[10] = 0xff, [11] = 0xff};
	bool is_v4 = depth >= V4_DEPTH && memcmp(walk->address, v4, sizeof(v4)) == 0;
	struct edgesteer_prefix prefix = {.family = is_v4 ? 4 : 6, .length = (uint8_t)(is_v4 ? depth - V4_DEPTH : depth)};

	if (is_v4)
		memcpy(prefix.address, walk->address + sizeof(v4), sizeof(walk->address) - sizeof(v4));
	else
		memcpy(prefix.address, walk->address, sizeof(walk->address));
	return prefix;
}

static int visit_network(struct walk *walk, uint32_t number, unsigned depth, uint64_t around, uint64_t *ret_here)
{
	const struct locdb *db = walk->db;
	const struct edgesteer_prefix prefix = prefix_here(walk, depth);

	if (number >= db->networks.count)
		return damaged(db, "its tree leads out of its networks");

	const uint8_t *record = db->networks.bytes + (size_t)number * RECORD_LEN;

	return walk->network(walk->ctx, &prefix, number_at(record + 4), (const char *)record, around, ret_here);
}

// Recurses once per bit: at most 128 deep. A tree that has a circle, or shares its branches, has more visits than
// nodes.
static int descend(struct walk *walk, uint32_t node, unsigned depth, uint64_t around)
{
	const struct locdb *db = walk->db;

	if (node >= db->tree.count)
		return damaged(db, "its tree leads out of its nodes");
	if (++walk->visits > db->tree.count)
		return damaged(db, "its tree has more branches than nodes");

	const uint8_t *record = db->tree.bytes + (size_t)node * RECORD_LEN;
	uint32_t network = number_at(record + 8);
	uint64_t here = around;
	int err = 0;

	// What is around all of IPv4 is not of IPv4 clients.
	if (depth == V4_DEPTH && prefix_here(walk, depth).family == 4)
		here = around = 0;
	if (network != NO_NETWORK)
		err = visit_network(walk, network, depth, around, &here);
	for (unsigned bit = 0; bit < 2 && err == 0; bit++) {
		uint32_t child = number_at(record + bit * sizeof(child));
		uint8_t mask = (uint8_t)(0x80 >> depth % 8);

		if (child == 0)
			continue;
		if (depth == ADDRESS_BITS)
			return damaged(db, "its tree is deeper than an address is long");
		if (bit)
			walk->address[depth / 8] |= mask;
		err = descend(walk, child, depth + 1, here);
		walk->address[depth / 8] &= (uint8_t)~mask;
	}
	return err;
}

int locdb_walk(struct locdb *db, locdb_network *network, void *ctx)
{
	struct walk walk = {.db = db, .network = network, .ctx = ctx};

	return descend(&walk, 0, 0, 0);
}

// ---- the file -------------------------------------------------------------------------------------------------------

// Returns 0, or negative (reported).
static int read_at(const struct locdb *db, int fd, uint8_t *bytes, size_t len, off_t from)
{
	while (len > 0) {
		ssize_t got = pread(fd, bytes, len, from);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return unreadable(db, strerror(errno));
		if (got == 0)
			return damaged(db, "it is cut off");
		bytes += got;
		len -= (size_t)got;
		from += got;
	}
	return 0;
}

// A copy, not a map: a mapped file that is truncated kills the daemon with SIGBUS.
static int read_section(const struct locdb *db, int fd, off_t file_len, const uint8_t *header, struct section *section)
{
	uint32_t from = number_at(header), len = number_at(header + 4);

	if ((off_t)from + len > file_len)
		return damaged(db, "it is cut off, or its header is wrong");
	if (len % RECORD_LEN)
		return damaged(db, "a section has a length that cannot be");
	section->bytes = malloc(len > 0 ? len : 1);
	section->count = len / RECORD_LEN;
	return section->bytes ? read_at(db, fd, section->bytes, len, from) : unreadable(db, strerror(ENOMEM));
}

static int read_file(struct locdb *db, int fd, off_t len)
{
	static const char magic[8] = "LOCDBXX\1"; // the last octet is the version
	uint8_t header[HEADER_LEN];

	if (len > FILE_MAX_LEN)
		return unreadable(db, "larger than 1 GiB");
	if (len < HEADER_LEN)
		return damaged(db, "it is shorter than a location database's header");
	if (read_at(db, fd, header, sizeof(header), 0) < 0)
		return -1;
	if (memcmp(header, magic, sizeof(magic) - 1) != 0)
		return damaged(db, "it is not a location database");
	if (header[sizeof(magic) - 1] != magic[sizeof(magic) - 1]) {
		db->host->report(db->host, EDGESTEER_ERROR, db->path, 0, "is a location database of version %u, expected 1",
		                 header[sizeof(magic) - 1]);
		return -1;
	}
	if (read_section(db, fd, len, header + TREE_AT, &db->tree) < 0)
		return -1;
	return read_section(db, fd, len, header + NETWORKS_AT, &db->networks);
}

struct locdb *locdb_open(const struct edgesteer_host *host, const char *path)
{
	struct locdb *db = calloc(1, sizeof(*db));
	off_t len;
	int fd;

	if (!db) {
		host->report(host, EDGESTEER_ERROR, path, 0, "out of memory");
		return NULL;
	}
	db->host = host;
	db->path = path;

	const char *why = regular_open(path, &fd, &len);
	int err = why ? unreadable(db, why) : read_file(db, fd, len);

	if (!why)
		close(fd);
	if (err == 0)
		return db;
	locdb_close(db);
	return NULL;
}

void locdb_close(struct locdb *db)
{
	if (!db)
		return;
	free(db->tree.bytes);
	free(db->networks.bytes);
	free(db);
}
