// Between a test and the disk: system calls that write, in place of the C library's, for the test's program and the
// libraries it is linked with. They can fail, be slow, and be recorded, so that a power cut can be played at any of
// them.
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// Counts calls on files whose names start with disk_only ("": all).
extern char disk_only[64];
extern atomic_int disk_failing_syncs;    // so many syncs fail next, with EIO
extern atomic_int disk_failing_folders;  // so many syncs of folders fail next, with EIO
extern atomic_int disk_sync_ms;          // each sync takes this much longer
extern atomic_int disk_no_syncs;         // not 0: syncs do nothing, for tests that open many stores
extern atomic_int disk_write_errno;      // not 0: writes and new files fail with it
extern atomic_long disk_room;            // not negative: so many octets may files still grow by, then ENOSPC
extern atomic_long disk_syncs;           // counts syncs of files

// Nothing fails any more.
void disk_reset(void);

// Starts recording operations on files whose names start with "state", "health" or "orders". Stops; discards the
// record.
void disk_record(void);
void disk_record_end(void);
void disk_forget(void);
// Notes where in the record this is.
void disk_mark(uint32_t mark);
// How many things were recorded.
size_t disk_recorded(void);

enum disk_loss { DISK_LOSES_ALL, DISK_LOSES_NOTHING, DISK_LOSES_SOME };

// Makes the folder as it would be found after a power cut before the `at`th thing that was recorded: what was synced,
// and of the rest what `loss` says. Calls `mark` with each mark before the cut.
void disk_restore(const char *folder, size_t at, enum disk_loss loss, unsigned *seed,
                  void (*mark)(void *ctx, uint32_t mark), void *ctx);
