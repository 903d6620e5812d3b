// drain --wait and undrain --wait: until no correct cache can hold what they have changed.
#pragma once

#include <jansson.h>

#include "base/attr.h"

// `reply`: of the verb, which is done. Asks the daemon as time goes on; one that is restarted meanwhile is asked again.
// `timeout_s`: at most so long; 0: however long it takes. The exit code: 0, or 1 with an error that is printed.
int client_wait(const char *socket, const json_t *reply, unsigned timeout_s) MUST_USE;
