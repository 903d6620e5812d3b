// Follows the chain of checksums as SQLite does, and then looks at what lies behind its end; see wal.h. The form of the
// file: https://www.sqlite.org/fileformat2.html section 4.
//
// Transactions are written one after the other, each synced before the next begins. So behind the place where the chain
// breaks there may be one that was being written when everything stopped, in any pieces; but when the last page of one
// is there and then pages of another one, the former had been committed. What an earlier use of the file has left has
// other salts.
#include "state/wal.h"

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

enum { HEADER_LEN = 32, FRAME_HEADER_LEN = 24, PAGE_MIN = 512, PAGE_MAX = 65536 };

struct chain {
	uint32_t sum[2];
	bool is_big_endian;
	unsigned char salts[8];
};

static uint32_t read_word(const struct chain *chain, const unsigned char *octets)
{
	uint32_t word = wal_be32(octets);

	return chain->is_big_endian ? word : __builtin_bswap32(word);
}

static void add(struct chain *chain, const unsigned char *octets, size_t len)
{
	for (size_t i = 0; i + 8 <= len; i += 8) {
		chain->sum[0] += read_word(chain, octets + i) + chain->sum[1];
		chain->sum[1] += read_word(chain, octets + i + 4) + chain->sum[0];
	}
}

static bool is_at(const struct chain *chain, const unsigned char *sums)
{
	return chain->sum[0] == wal_be32(sums) && chain->sum[1] == wal_be32(sums + 4);
}

// False: it is none that SQLite would follow.
static bool begin(struct chain *chain, const unsigned char *header, size_t *ret_page_len)
{
	uint32_t magic = wal_be32(header), page_len = wal_be32(header + 8);

	*chain = (struct chain){.is_big_endian = magic & 1};
	add(chain, header, 24);
	memcpy(chain->salts, header + 16, sizeof(chain->salts));
	*ret_page_len = page_len;
	return (magic & ~1u) == 0x377f0682 && page_len >= PAGE_MIN && page_len <= PAGE_MAX && is_at(chain, header + 24);
}

// The frame belongs to this use of the file.
static bool is_current(const struct chain *chain, const unsigned char *frame)
{
	return memcmp(frame + 8, chain->salts, sizeof(chain->salts)) == 0;
}

static bool ends_transaction(const unsigned char *frame)
{
	return wal_be32(frame + 4) != 0;
}

struct walk {
	struct chain chain;
	size_t read;         // pages whose chain is not broken
	size_t committed;    // of them, up to the end of the last transaction
	bool is_broken;      // the chain is
	bool has_more;       // behind its end, something of this use of the file
	bool has_end;        // and the end of a transaction
	bool has_next;       // and something of another one
};

static void look_at(struct walk *walk, const unsigned char *frame, size_t page_len)
{
	if (!walk->is_broken && is_current(&walk->chain, frame)) {
		add(&walk->chain, frame, 8);
		add(&walk->chain, frame + FRAME_HEADER_LEN, page_len);
		walk->is_broken = !is_at(&walk->chain, frame + 16);
	} else {
		walk->is_broken = true;
	}
	if (!walk->is_broken) {
		walk->read++;
		if (ends_transaction(frame))
			walk->committed = walk->read;
	} else if (is_current(&walk->chain, frame)) {
		walk->has_next |= walk->has_end;
		walk->has_more = true;
		walk->has_end |= ends_transaction(frame);
	}
}

// `frame` has room for a frame of the largest page.
static int walk_through(int fd, unsigned char *frame, struct wal_found *ret_found)
{
	struct walk walk = {0};
	size_t page_len;
	bool is_cut = false;
	ssize_t len = pread(fd, frame, HEADER_LEN, 0);

	if (len < 0)
		return E_IO;
	if (len < HEADER_LEN || !begin(&walk.chain, frame, &page_len)) {
		*ret_found = (struct wal_found){.end = len < HEADER_LEN ? WAL_CLEAN : WAL_TORN, .is_unfinished = len > 0};
		return E_OK;
	}

	size_t frame_len = FRAME_HEADER_LEN + page_len;

	for (off_t at = HEADER_LEN; (len = pread(fd, frame, frame_len, at)) > 0; at += (off_t)frame_len) {
		// The file ends inside a page: it was never written to its end, as on a full disk, and so never synced.
		is_cut = (size_t)len < frame_len;
		if (is_cut && (!walk.is_broken || len < FRAME_HEADER_LEN))
			break;
		memset(frame + len, 0, frame_len - (size_t)len);
		look_at(&walk, frame, page_len);
	}
	*ret_found = (struct wal_found){.end = walk.has_next ? WAL_LOST : walk.has_more ? WAL_TORN : WAL_CLEAN,
	                                .pages = walk.committed,
	                                .is_unfinished = walk.has_more || is_cut || walk.read > walk.committed};
	return len < 0 ? E_IO : E_OK;
}

int wal_look(const struct folder *folder, const char *name, struct wal_found *ret_found)
{
	char log[FOLDER_LOG_LEN];
	int fd, err = folder_open_file(folder, folder_log(name, log), &fd);

	if (err == E_NOTFOUND)
		*ret_found = (struct wal_found){.end = WAL_CLEAN};
	if (err == E_INVAL)
		*ret_found = (struct wal_found){.end = WAL_LOST};
	if (err < 0)
		return err == E_IO ? err : E_OK;

	unsigned char *frame = malloc(FRAME_HEADER_LEN + PAGE_MAX);

	err = frame ? walk_through(fd, frame, ret_found) : E_NOMEM;
	free(frame);
	close(fd);
	return err;
}
