// The last health, and the last good addresses of names, in health.db, for local.c: one thread at a time. Where the
// file cannot be written, a store in memory stands in for it, and its owner keeps what is still to be written.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "state/aliasmap.h"
#include "state/folder.h"
#include "state/healthmap.h"
#include "state/provided.h"

struct store;

extern const char healthfile_name[];

struct healthfile {
	const struct folder *folder;
	struct store *store;
	bool is_read_only;
	bool fails;       // said in the log
};

// Reads it into `map` and `aliases`, which are empty, and takes over what older versions left. Damage is no error: it
// is logged, and the file is set aside. E_STATE (it is of a newer version), E_NOMEM.
int healthfile_open(const struct folder *folder, struct healthfile *file, struct healthmap *map,
                    struct aliasmap *aliases, int64_t *ret_confirmed_s) MUST_USE;
// Writes rows, and that all of it is so now. E_IO, E_NOMEM: none is written.
int healthfile_write(struct healthfile *file, const struct healthmap_row *rows, size_t count) MUST_USE;
// Writes rows of names' addresses. E_IO, E_NOMEM: none is written.
int healthfile_write_aliases(struct healthfile *file, const struct aliasmap_row *rows, size_t count) MUST_USE;
// Reads what providers gave. What is damaged is left out, and logged. E_NOMEM.
int healthfile_read_provided(const struct healthfile *file, struct provided_list *list) MUST_USE;
// Writes changes of it. E_IO, E_NOMEM: none is written.
int healthfile_write_provided(struct healthfile *file, struct provided_row *const *rows, size_t count) MUST_USE;
// Carries the log of writes into the file when it has more than so many octets.
void healthfile_carry(struct healthfile *file, size_t pending_max);
// Everything is durable when it returns.
void healthfile_close(struct healthfile *file);
