// `discovery register`, from the request to its answer: makes a registration (registration.h) of all services that have
// `register`, has it carried out (registrar.h), and answers when it has ended. One at a time. Main thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

struct learner;
struct registration;
struct registration_part;

// Makes one: calls gather() for each service with `register`, which adds what is to be registered there, at sites that one
// of the carriers reaches; a negative result ends it. E_NOTFOUND: there is no such service. E_STATE: another one is under
// way. E_NOMEM.
int registering_gather(struct learner *learner, bool is_applied, const char *who,
                       int (*gather)(void *ctx, struct registration_part *part, char *const *carriers,
                                     size_t carrier_count),
                       void *ctx, struct registration **ret_registration) MUST_USE;
// Starts it, and takes it. done() is called once, on the main loop, when it has ended; with NULL when it has not, and the
// learner is stopped. E_NOMEM: there is no thread for it; it is freed. No service has come or gone since.
int registering_begin(struct learner *learner, struct registration *registration,
                      void (*done)(void *ctx, const struct registration *registration), void *ctx) MUST_USE;

// For the learner: answers for the one under way if its thread has ended; in any case, as the daemon is stopping.
void registering_end(struct learner *learner);
void registering_abandon(struct learner *learner);
