// Reads location databases of IPFire (https://location.ipfire.org), which Debian has as libloc-database; for asn.c. Not
// by libloc, which trusts the file: one whose tree has a circle makes it overrun its stack, and the daemon with it.
// After a walk of the tree that trusts nothing there is nothing left to ask it.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "edgesteer-plugin.h"

struct locdb;

// A network, of prefix->family 4 or 6. A network comes before those inside it. `around` is what the last call for a
// network around this one has left in *ret_here, or 0; the call sets *ret_here for those inside. Returns 0, or negative
// to stop the walk.
typedef int locdb_network(void *ctx, const struct edgesteer_prefix *prefix, uint32_t asn, const char country[2],
                          uint64_t around, uint64_t *ret_here);

// Reads the file into memory. NULL after an error, which is reported; the path is borrowed.
struct locdb *locdb_open(const struct edgesteer_host *host, const char *path);
// Takes NULL.
void locdb_close(struct locdb *db);

// Lists all networks. `asn` is 0, and `country` two zeros, where the database has none. Returns 0, or negative:
// network() stopped, or the file is damaged (reported).
int locdb_walk(struct locdb *db, locdb_network *network, void *ctx);
