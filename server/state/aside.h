// Files that were damaged and are set aside in the state folder, until somebody takes them away; for state.c.
#pragma once

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

// So many files of the folder are looked at.
enum { ASIDE_LOOK_MAX = 10000 };

struct aside {
	size_t count;
	char newest[NAME_MAX + 1];
	int64_t time_s; // when the newest one was set aside
};

// What file_set_aside() has made of the file, at any time. No file: a count of 0. E_IO, E_NOMEM.
int aside_find(int dir, const char *name, struct aside *ret_aside) MUST_USE;
