// The daemons that a command is for: addresses of the command line, or a group of ctl.yaml (groups.h). Called by
// main.c; for edgesteerctl.
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "client/member.h"

struct arena;
struct client_fault;

#define CLIENT_DEFAULT_SOCKET "/run/edgesteer/control.sock"

// What the command line says of whom to ask; NULL: not given.
struct client_wanted {
	const char *addresses[CLIENT_MEMBERS_MAX];
	size_t count; // of the addresses
	const char *group;
	struct client_member with; // the files for addresses that are URLs
};

// Takes the address of an -s, whose text must outlive what is made of it. -1: the fault says why.
int client_members_want(struct client_wanted *wanted, const char *address, struct client_fault *fault) MUST_USE;
// Who is to be asked: the addresses, else the group, else $EDGESTEER_SOCKET, $EDGESTEER_GROUP, the default group of the
// file, the default socket. -1: the fault says why, or, when it has no text, errors have been printed.
int client_members_find(const struct client_wanted *wanted, struct arena *arena, struct client_members *ret_members,
                        struct client_fault *fault) MUST_USE;
