// The state in files of this machine: overrides in state.db, and once more in state-copy.db; health in health.db.
#pragma once

#include "state/backend.h"

extern const struct state_backend backend_local;
// The files of which overrides may have been lost, for damaged_find().
extern const char *const local_files[];
enum { LOCAL_FILE_COUNT = 3 };
