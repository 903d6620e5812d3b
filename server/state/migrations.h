// The tables of the files of the state folder, version by version: a later version of a file is one more row in its
// list.
#pragma once

#include "state/store.h"

// Of state.db and state-copy.db: what must survive. Of health.db: what may be lost.
extern const struct store_schema migrations_state, migrations_health;
