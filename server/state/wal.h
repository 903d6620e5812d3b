// SQLite's log of writes, looked at for what SQLite does not say: that its end cannot be read. For salvage.c.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "state/folder.h"

enum wal_end {
	WAL_CLEAN, // there is none, or all of it is as it was written, but for what was never committed
	WAL_TORN,  // its last transaction is incomplete: it was being written, or it is damaged
	WAL_LOST,  // one that had been committed cannot be read
};

struct wal_found {
	enum wal_end end;
	size_t pages;       // that belong to committed transactions
	bool is_unfinished; // behind them is the beginning of one that was never committed
};

// A number as SQLite's files have it.
static inline uint32_t wal_be32(const unsigned char *octets)
{
	return (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 | (uint32_t)octets[2] << 8 | octets[3];
}

// Of NAME-wal; changes nothing. E_IO, E_NOMEM.
int wal_look(const struct folder *folder, const char *name, struct wal_found *ret_found) MUST_USE;
