// A daemon that a command is for, and all of them; see members.h for where they are from. For edgesteerctl.
#pragma once

#include <stdbool.h>
#include <stddef.h>

enum { CLIENT_MEMBERS_MAX = 64 };

// One daemon: a control socket, or the HTTP door of a URL.
struct client_member {
	const char *name;       // what it is shown by
	const char *socket;     // the socket's path; NULL: it is a URL
	const char *url;        // "https://HOST:PORT", without a final slash; NULL: it is a socket
	const char *ca_file;    // of a URL: authorities, PEM; NULL: the system's
	const char *token_file; // NULL: no token
	const char *cert, *key; // of this client, PEM; NULL: none
};

// All of them, at least one. Owned by whoever has the arena.
struct client_members {
	struct client_member *at;
	size_t count;
	bool named; // replies are shown under the members' names: there are several, or a group was asked for
};
