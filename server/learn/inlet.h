// The Unix datagram socket that lines with measured round trips are sent to. For observer.c.
#pragma once

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "base/attr.h"

enum { INLET_PATH_MAX = 107, INLET_DATAGRAM_MAX = 65536 };

struct inlet_place {
	char path[INLET_PATH_MAX + 1]; // "": none is wanted
	mode_t mode;
	gid_t gid;                     // (gid_t)-1: that of who makes it
};

bool inlet_same(const struct inlet_place *a, const struct inlet_place *b) PURE;
// Binds it, with its mode and group before anybody can send; a stale one is replaced. *ret_made identifies the file for
// inlet_remove(). E_EXISTS: another process reads from it, or the file is not a socket; E_IO. Logged.
int inlet_open(const struct inlet_place *place, int *ret_fd, struct stat *ret_made) MUST_USE;
// Removes the file if it is still the one that was made.
void inlet_remove(const struct inlet_place *place, const struct stat *made);
