// A state folder of each test's own, an event base, and the calls of state.h with their answers waited for; for the
// tests of state/.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "state/state.h"

struct event_base;

extern char statedir_top[64]; // a new folder
extern char statedir[96];     // the state folder in it, which is not made yet
extern struct event_base *statedir_base;
// What was called back since the last statedir_calls_clear(): "+drain:bos;" given, "=drain:bos;" replaced,
// "-drain:bos;" removed, "commit;", "done:ERR:BEFORE;".
extern char statedir_calls[4096];

// Why the last change was refused; "": no reason was given.
extern char statedir_why[STATE_WHY_LEN];

int statedir_setup(void **unused);
int statedir_teardown(void **unused);

extern struct state_ops statedir_ops; // set up anew for each test
struct state *statedir_open(void);
// As after a restart.
struct state *statedir_reopen(struct state *state);
// Into the folder, which is made where it is missing.
void statedir_write(const char *name, const char *text);
// Files whose names start with `beginning`.
unsigned statedir_count(const char *beginning);
// Copies the files as they are now to a folder NAME beside the state folder: what is found after kill -9. Its path,
// valid until the next call.
const char *statedir_copy(const char *name);
void statedir_calls_clear(void);

// An override with fixed reason ("disk \"full\" ü\n"), who ("uid 0") and since (1000). Valid until the next call.
const struct override *statedir_drain(const char *site, const char *app, int64_t until_s);
const struct override *statedir_force(const char *app, const char *site, enum force_to to);

// state_health() for who does not ask since when.
int statedir_health(const struct state *state, const char *app, const char *site, uint32_t probed);

// What done() said of it; waits.
int statedir_put(struct state *state, const struct override *override);
int statedir_remove(struct state *state, enum override_kind kind, const char *site, const char *app, bool every_app);
int statedir_put_drain(struct state *state, const char *site, const char *app, int64_t until_s);
int statedir_put_force(struct state *state, const char *app, const char *site, enum force_to to);
int statedir_remove_drain(struct state *state, const char *site, const char *app, bool every_app);
// done() for both; notes the call. `ctx`: an int that gets the error, or NULL.
void statedir_done(void *ctx, const struct state_result *result);
// Until the int that statedir_done() was given is no longer STATEDIR_WAITING.
enum { STATEDIR_WAITING = 77 };
void statedir_wait(const int *err);
// Until the copy has what was acknowledged.
void statedir_settle(struct state *state);
