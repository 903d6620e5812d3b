// The groups of ctl.yaml: ~/.config/edgesteer/ctl.yaml, or that in $XDG_CONFIG_HOME. Its options are rows of the
// schema, as those of the daemon are. Called by members.c.
#pragma once

#include "base/attr.h"

struct arena;
struct client_fault;
struct client_members;

enum { CLIENT_GROUPS_MAX = 256 };

// The members of the group, or of the default one for a `name` of NULL. 1: they are there, owned by the arena; 0: no
// name was given, and there is no file or no default group; -1: the fault says why, or, when it has no text, the file's
// errors have been printed.
int client_groups_find(const char *name, struct arena *arena, struct client_members *ret_members,
                       struct client_fault *fault) MUST_USE;
