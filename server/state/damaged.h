// Damaged files that were set aside in the state folder and have not been removed since; for state.c.
#pragma once

#include <limits.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "state/folder.h"

// So many files of the folder are looked at.
enum { DAMAGED_LOOK_MAX = 10000 };

struct damaged {
	size_t count;
	char newest[NAME_MAX + 1];
	int64_t time_s; // when the newest one was set aside
};

// What folder_set_aside() has made of any of the files, at any time. None: a count of 0. E_IO, E_NOMEM.
int damaged_find(const struct folder *folder, const char *const *names, size_t count,
                 struct damaged *ret_damaged) MUST_USE;
