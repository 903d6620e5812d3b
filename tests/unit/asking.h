// Sends requests to the fake daemon (fake_daemon.h) and checks its replies, for cmocka tests: an unexpected reply fails
// the running test.
#pragma once

#include <jansson.h>

#include "fake_daemon.h"

// The reply to one line; the caller's to free.
json_t *asking_reply(struct fake_daemon *fake, const char *line);
// The same, of what must be done.
json_t *asking_ok(struct fake_daemon *fake, const char *line);
void asking_done(struct fake_daemon *fake, const char *line);
// Of what must be refused, with that code and a text that holds `text`.
void asking_refused(struct fake_daemon *fake, const char *line, int code, const char *text);

// "(none)" and -1 where there is none.
const char *asking_text(const json_t *object, const char *key);
json_int_t asking_number(const json_t *object, const char *key);
// The member of a list whose `key` is `name`.
const json_t *asking_named(const json_t *list, const char *key, const char *name);

// What `apps` shows of a target. Borrowed from *ret_reply, which is the caller's to free.
const json_t *asking_target(struct fake_daemon *fake, const char *app, const char *site, json_t **ret_reply);
void asking_state(struct fake_daemon *fake, const char *app, const char *site, const char *state);
