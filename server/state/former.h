// Until when caches may hold answers with each site, as far as that is known without what this process has done: the
// TTL with which it is answered, and what is left of a longer one from before a reload. At most FORMER_MAX sites.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

enum { FORMER_MAX = 8192, FORMER_TEXT_LEN = 64, FORMER_TTL_MAX = 7 * 86400 };

struct former_site {
	char *site;      // owned
	uint32_t ttl_s;  // it is answered with this; 0: not any more
	int64_t until_s; // answers from before a reload that reduced it live until then, wall clock; 0: none
};

// Zero-initialised is a valid, empty one.
struct former {
	struct former_site *sites; // by name
	size_t count, room;
};

// Answers with the site now have this TTL. True: its row has changed, and its text is in `text`. E_LIMIT and E_NOMEM
// are not told: the row is missing then.
bool former_set(struct former *former, const char *site, uint32_t ttl_s, int64_t now_s, char text[FORMER_TEXT_LEN]);
// Reads a row as former_set() wrote it; another one is left out: E_INVAL. E_LIMIT, E_NOMEM.
int former_load(struct former *former, const char *site, const char *text) MUST_USE;
// When caches must have forgotten what was answered before `start_s`, when this process began. 0: nothing is known.
int64_t former_until_s(const struct former_site *site, int64_t start_s) PURE;
void former_done(struct former *former);
