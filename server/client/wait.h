// drain --wait and undrain --wait: until no correct cache can hold what they have changed.
#pragma once

#include <jansson.h>
#include <stdint.h>

#include "base/attr.h"

struct client_member;

// `reply`: of the verb, which was done at `done_ms` of clock_mono_ms(). Asks the daemon as time goes on; one that is
// restarted meanwhile is asked again. `member`: its name, where others could be meant; or NULL. `timeout_s`: at most so long from
// then on; 0: however long it takes. The exit code: 0, or CLIENT_UNSETTLED with an error that is printed; at once where a drain
// ends before caches have forgotten.
int client_wait(const struct client_member *to, const char *member, const json_t *reply, int64_t done_ms, unsigned timeout_s) MUST_USE;
