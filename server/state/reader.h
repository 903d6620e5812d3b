// Reads JSON from the state folder, the other way round of saver.h; for state.c.
#pragma once

#include <jansson.h>

#include "base/attr.h"

// The file's object, which is of that version; the caller's. E_NOTFOUND; E_INVAL when it is not that (logged); E_IO
// (logged); E_NOMEM.
int reader_json(int dir, const char *name, int version, json_t **ret_root) MUST_USE;
