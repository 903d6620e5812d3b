// Opens MaxMind databases and walks their search trees; see mmdbtree.h.
#include "mmdbtree.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <unistd.h>

#include "record.h"
#include "regular.h"

enum {
	SEPARATOR_LEN = 16,     // zero bytes between the search tree and the data
	SHARING_MAX = 16,       // average number of visits per node; more than one where subtrees are shared
	FILE_MAX_LEN = 1 << 30, // bytes; the library counts in 32 bits
};

struct walk {
	struct mmdbtree *const *trees;
	mmdbtree_leaf *leaf;
	void *ctx;
	struct edgesteer_prefix prefix;
};

int mmdbtree_damaged(const struct mmdbtree *tree, const char *why)
{
	tree->host->report(tree->host, EDGESTEER_ERROR, tree->path, 0, "is damaged: %s", why);
	return -1;
}

// ---- search trees ---------------------------------------------------------------------------------------------------

// Interprets a record of a search tree: the number of a node, the node count for "nothing", or above that an offset in
// the data.
static int cursor_of(const struct mmdbtree *tree, uint64_t value, struct mmdbtree_cursor *ret_cursor)
{
	uint32_t nodes = tree->mmdb.metadata.node_count;

	if (value == 0)
		return mmdbtree_damaged(tree, "its search tree leads back to its root");
	if (value < nodes)
		*ret_cursor = (struct mmdbtree_cursor){MMDBTREE_NODE, (uint32_t)value};
	else if (value == nodes)
		*ret_cursor = (struct mmdbtree_cursor){MMDBTREE_NOTHING, 0};
	else if (value < (uint64_t)nodes + SEPARATOR_LEN || value - nodes - SEPARATOR_LEN >= tree->mmdb.data_section_size)
		return mmdbtree_damaged(tree, "its search tree leads out of its data");
	else
		*ret_cursor = (struct mmdbtree_cursor){MMDBTREE_RECORD, (uint32_t)(value - nodes - SEPARATOR_LEN)};
	return 0;
}

// The root of the IPv4 tree: in a database of both families it is at ::/96.
static int ipv4_cursor(const struct mmdbtree *tree, struct mmdbtree_cursor *ret_cursor)
{
	if (tree->mmdb.metadata.ip_version == 4) {
		*ret_cursor = (struct mmdbtree_cursor){MMDBTREE_NODE, 0};
		return 0;
	}
	return cursor_of(tree, tree->mmdb.ipv4_start_node.node_value, ret_cursor);
}

// One step down. The IPv6 walk skips the IPv4 subtree, under ::/96 and its aliases in the database (::ffff:0:0/96,
// 2001::/32 and 2002::/16 are such): it is listed as IPv4.
static int step(struct mmdbtree *tree, uint8_t family, const struct mmdbtree_cursor *here,
                struct mmdbtree_cursor ret_down[2])
{
	struct mmdbtree_cursor ipv4 = {MMDBTREE_NOTHING, 0};
	MMDB_search_node_s node;

	if (here->kind != MMDBTREE_NODE) {
		ret_down[0] = ret_down[1] = *here;
		return 0;
	}
	if (++tree->visits > (size_t)SHARING_MAX * tree->mmdb.metadata.node_count)
		return mmdbtree_damaged(tree, "its search tree does not end");
	if (MMDB_read_node(&tree->mmdb, here->at, &node) != MMDB_SUCCESS)
		return mmdbtree_damaged(tree, "its search tree cannot be read");
	if (cursor_of(tree, node.left_record, &ret_down[0]) < 0 || cursor_of(tree, node.right_record, &ret_down[1]) < 0)
		return -1;
	if (family == 6 && ipv4_cursor(tree, &ipv4) < 0)
		return -1;
	for (int bit = 0; bit < 2; bit++)
		if (ipv4.kind == MMDBTREE_NODE && ret_down[bit].kind == MMDBTREE_NODE && ret_down[bit].at == ipv4.at)
			ret_down[bit] = (struct mmdbtree_cursor){MMDBTREE_NOTHING, 0};
	return 0;
}

// Lists the leaves of the combined tree below `here`. Recurses once per bit: at most 128 deep.
static int descend(struct walk *walk, const struct mmdbtree_cursor here[MMDBTREE_MAX], unsigned depth)
{
	struct mmdbtree_cursor down[MMDBTREE_MAX][2];
	int err = 0;

	if (here[0].kind != MMDBTREE_NODE && here[1].kind != MMDBTREE_NODE) {
		walk->prefix.length = (uint8_t)depth;
		return here[0].kind == here[1].kind && here[0].kind == MMDBTREE_NOTHING ? 0
		                                                                       : walk->leaf(walk->ctx, &walk->prefix, here);
	}
	for (int i = 0; i < MMDBTREE_MAX; i++) {
		if (here[i].kind == MMDBTREE_NODE && depth == (walk->prefix.family == 4 ? 32 : 128))
			return mmdbtree_damaged(walk->trees[i], "its search tree is deeper than an address is long");
		if (step(walk->trees[i], walk->prefix.family, &here[i], down[i]) < 0)
			return -1;
	}
	for (int bit = 0; bit < 2 && err == 0; bit++) {
		uint8_t mask = (uint8_t)(0x80 >> depth % 8);

		walk->prefix.address[depth / 8] &= (uint8_t)~mask;
		if (bit)
			walk->prefix.address[depth / 8] |= mask;
		err = descend(walk, (struct mmdbtree_cursor[MMDBTREE_MAX]){down[0][bit], down[1][bit]}, depth + 1);
		walk->prefix.address[depth / 8] &= (uint8_t)~mask;
	}
	return err;
}

static int walk_family(struct walk *walk, uint8_t family)
{
	struct mmdbtree_cursor roots[MMDBTREE_MAX] = {{MMDBTREE_NOTHING, 0}};

	walk->prefix = (struct edgesteer_prefix){.family = family};
	for (int i = 0; i < MMDBTREE_MAX; i++) {
		const struct mmdbtree *tree = walk->trees[i];

		if (!tree || (family == 6 && tree->mmdb.metadata.ip_version == 4))
			continue;
		if (family == 6)
			roots[i] = (struct mmdbtree_cursor){MMDBTREE_NODE, 0};
		else if (ipv4_cursor(tree, &roots[i]) < 0)
			return -1;
	}
	return descend(walk, roots, 0);
}

int mmdbtree_walk(struct mmdbtree *const trees[MMDBTREE_MAX], mmdbtree_leaf *leaf, void *ctx)
{
	struct walk walk = {.trees = trees, .leaf = leaf, .ctx = ctx};
	int err = walk_family(&walk, 4);

	return err == 0 ? walk_family(&walk, 6) : err;
}

int mmdbtree_record(const struct mmdbtree *tree, uint32_t at, struct record *ret_record)
{
	struct record_section section = {tree->mmdb.data_section, tree->mmdb.data_section_size, 0, NULL};

	return record_read(&section, at, ret_record) ? 0 : mmdbtree_damaged(tree, section.why);
}

// ---- files ----------------------------------------------------------------------------------------------------------

static int unreadable(const struct mmdbtree *tree, const char *why)
{
	tree->host->report(tree->host, EDGESTEER_ERROR, tree->path, 0, "cannot be read: %s", why);
	return -1;
}

// Copies the file into a memfd, as the library only opens files. The operator may overwrite the original at any time,
// and when a mapped file is truncated, the next access kills the daemon with SIGBUS.
static int copy_file(const struct mmdbtree *tree, int fd, off_t len)
{
	int copy = memfd_create("mmdb", MFD_CLOEXEC);
	ssize_t got = 1;

	while (copy >= 0 && got > 0 && len > 0) {
		got = sendfile(copy, fd, NULL, (size_t)len);
		len -= got > 0 ? got : 0;
	}
	if (copy >= 0 && got >= 0)
		return copy;
	unreadable(tree, strerror(errno));
	if (copy >= 0)
		close(copy);
	return -1;
}

// Returns a descriptor of a copy of the file, or -1 (reported).
static int read_file(const struct mmdbtree *tree)
{
	off_t len;
	int fd, copy = -1;
	const char *why = regular_open(tree->path, &fd, &len);

	if (why)
		return unreadable(tree, why);
	if (len > FILE_MAX_LEN)
		unreadable(tree, "larger than 1 GiB");
	else
		copy = copy_file(tree, fd, len);
	close(fd);
	return copy;
}

// The library trusts metadata too much: we walk them before it sees them.
static int check_metadata(const struct mmdbtree *tree, int fd)
{
	off_t len = lseek(fd, 0, SEEK_END);
	off_t from = len > RECORD_METADATA_MAX_LEN ? len - RECORD_METADATA_MAX_LEN : 0;
	uint8_t *tail = malloc(RECORD_METADATA_MAX_LEN);
	const char *why = NULL;

	if (!tail)
		return unreadable(tree, strerror(ENOMEM));

	ssize_t got = pread(fd, tail, RECORD_METADATA_MAX_LEN, from);
	int err = 0;

	if (got < 0)
		err = unreadable(tree, strerror(errno));
	else if (!record_check_metadata(tail, (size_t)got, &why))
		err = mmdbtree_damaged(tree, why);
	free(tail);
	return err;
}

static int map_file(struct mmdbtree *tree, int fd)
{
	char path[64];

	if (check_metadata(tree, fd) < 0)
		return -1;
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);

	int status = MMDB_open(path, MMDB_MODE_MMAP, &tree->mmdb);

	if (status != MMDB_SUCCESS)
		return mmdbtree_damaged(tree, MMDB_strerror(status));
	tree->open = true;
	return 0;
}

int mmdbtree_open(struct mmdbtree *tree, const struct edgesteer_host *host, const char *path)
{
	*tree = (struct mmdbtree){.host = host, .path = path};

	int fd = read_file(tree);
	int err = fd < 0 ? -1 : map_file(tree, fd);

	if (fd >= 0)
		close(fd);
	if (err < 0)
		return err;

	const MMDB_metadata_s *metadata = &tree->mmdb.metadata;
	uint64_t tree_len = (uint64_t)metadata->node_count * tree->mmdb.full_record_byte_size;

	if (metadata->ip_version != 4 && metadata->ip_version != 6)
		return mmdbtree_damaged(tree, "it is of neither IPv4 nor IPv6");
	if (metadata->node_count == 0 || tree_len + SEPARATOR_LEN > (uint64_t)tree->mmdb.file_size)
		return mmdbtree_damaged(tree, "its search tree is longer than the file");
	return 0;
}

void mmdbtree_close(struct mmdbtree *tree)
{
	if (tree->open)
		MMDB_close(&tree->mmdb);
	tree->open = false;
}
