// Requests to a service one after the other, each of which is waited for: for what an operator has asked for, where there
// is nothing else to do meanwhile. With tokens as inquiry.h has them: a reply 401 means new ones, once. What fails is not
// tried again.
#pragma once

#include <jansson.h>

#include "edgesteer-plugin.h"
#include "https.h"
#include "keyring.h"
#include "verdict.h"

struct visit;

struct visit_reply {
	int status;             // 0: none came; `verdict` says why
	json_t *json;           // the caller's; NULL: the body is no JSON
	struct verdict verdict; // as verdict_of_reply() has it; of status 2xx EDGESTEER_FOUND, without a text
};

// At most `rate` requests a second, until `deadline_ms` (CLOCK_MONOTONIC), or host->stop_fd() is readable. All is borrowed.
// NULL when out of memory.
struct visit *visit_new(const struct edgesteer_host *host, const struct keyring_clients *clients,
                        const struct https_peer *peer, unsigned rate, int64_t deadline_ms);
// NULL is allowed.
void visit_free(struct visit *visit);

// Asks. `method` NULL: GET, or POST with a body. `body` NULL: none; borrowed. True when a reply with a status of 2xx came.
bool visit_ask(struct visit *visit, const char *method, const char *url, const json_t *body,
               struct visit_reply *ret_reply);
// What a reply says in a word or a few: the first of these members of its body that is a text; NULL: none.
const char *visit_said(const struct visit_reply *reply, const char *one, const char *other);
