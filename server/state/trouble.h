// Whether changes are refused now, since when, and why: set by the thread that writes, read by the main thread.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#include "state/limits.h"

struct trouble {
	pthread_mutex_t mutex;
	int64_t since_s; // wall clock; 0: there is none
	char why[STATE_WHY_LEN];
};

void trouble_init(struct trouble *trouble);
void trouble_done(struct trouble *trouble);
// Since now, unless there is some already; `why` replaces what it said.
void trouble_set(struct trouble *trouble, const char *why);
void trouble_clear(struct trouble *trouble);
// False: there is none. `why` has room for STATE_WHY_LEN octets.
bool trouble_get(struct trouble *trouble, int64_t *ret_since_s, char *why);
