// What survives: operators' orders (drains, forces) in orders.json and the last measured health in health.json, both in
// `state-dir`; two files, so that an order never waits for the health of a large fleet to be written. Each is written
// whole to a temporary file, fsynced, renamed, the folder fsynced: kill -9 at any moment leaves the old file or the new
// one. Health has an age: the file says when it was last known to be so, main confirms it every STATE_CONFIRM_S, and what
// is older than STATE_HEALTH_AGE_MAX_S by the wall clock is not believed at the next start. Orders have none: they hold
// until they are taken back. Main thread only.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct state;
struct view;

enum { STATE_ORDERS_MAX = 65536, STATE_TEXT_MAX = 255, STATE_HEALTH_MAX = 1 << 22, STATE_PROBED_MAX = 0x7fffffff,
       STATE_CONFIRM_S = 60, STATE_HEALTH_AGE_MAX_S = 600 };

struct drain {
	char *site;
	char *app;        // NULL: the whole site
	char *reason;     // NULL: none given
	char *who;        // "uid 1000 (alice), pid 4711"
	int64_t since_s;  // wall clock
	int64_t until_s;  // wall clock; 0: until undrained
};

enum force_to { FORCE_AUTO, FORCE_UP, FORCE_DOWN };

struct force {
	char *app, *site;
	char *who;
	int64_t since_s;
	enum force_to to; // never FORCE_AUTO here
};

// Opens (and makes, mode 0750) the folder and reads what is there. A damaged file is renamed to NAME.damaged-TIME with
// a loud line in the log. Of damaged orders those that are whole are kept, see also state_aside(); what else a damaged
// file held begins empty. E_IO when the folder cannot be made or written, E_EXISTS when
// another daemon holds it, E_NOMEM; all logged.
int state_open(const char *dir, struct state **ret_state) MUST_USE;
// Orders that are lost: files set aside, at this start or an earlier one, that nobody has taken away since.
struct state_aside {
	char *path;        // of the newest one, the caller's to free; NULL: there is none
	int64_t time_s;    // when it was set aside
	size_t files;      // how many there are
	bool is_counted;   // it was set aside at this start, and parts of it could be read:
	size_t kept, lost; // so many of its orders were taken over, so many at least were not
};
// E_IO, E_NOMEM: whether there are any is not known.
int state_aside(const struct state *state, struct state_aside *ret_aside) MUST_USE;
// Saves what is not saved yet; takes NULL; returns NULL.
struct state *state_close(struct state *state);

// Persisted when this returns 0; on an error nothing has changed. A drain of the same site and app replaces the older
// one. E_IO, E_NOMEM, E_LIMIT (too many, or a text too long), E_INVAL (no site, or a text that is not UTF-8).
int state_drain(struct state *state, const struct drain *drain) MUST_USE;
// Removes drains of the site: of one app, or (NULL) every one. E_NOTFOUND when there is none. E_IO.
int state_undrain(struct state *state, const char *site, const char *app) MUST_USE;
int state_force(struct state *state, const struct force *force) MUST_USE; // FORCE_AUTO removes; E_NOTFOUND

// Changes with every change of the orders.
uint64_t state_orders_epoch(const struct state *state);
size_t state_drain_count(const struct state *state);
const struct drain *state_drain_at(const struct state *state, size_t i);
// The one that was given for exactly this app (NULL: the whole site) and site, or NULL. It may have run out.
const struct drain *state_drain_given(const struct state *state, const char *app, const char *site) PURE;
size_t state_force_count(const struct state *state);
const struct force *state_force_at(const struct state *state, size_t i);

// The drain that holds for a target now, or NULL; of the target's own and the site's, the one that lasts longer.
// `now_s`: drains whose until_s has passed do not hold. `app` NULL: only the site's.
const struct drain *state_drained(const struct state *state, const char *app, const char *site, int64_t now_s) PURE;
enum force_to state_forced(const struct state *state, const char *app, const char *site) PURE;
// Removes what has run out, from the file too. Returns how many; *ret_next_s is when the next one does, 0: none will.
size_t state_expire(struct state *state, int64_t now_s, int64_t *ret_next_s);

// Main is about to replace the view `old` by `next`.
void state_reloading(struct state *state, const struct view *old, const struct view *next);
// How long a cache may still hold an answer of an earlier view with a target at the site (`app` NULL: of any app), in
// seconds; 0: not at all. Only what reloads changed is known, and only those of this process.
int64_t state_cached_s(const struct state *state, const char *app, const char *site);

// Health: remembered at once, written by state_save_health() and by state_close().
// `probed` (up to STATE_PROBED_MAX) stands for what is probed there: of something else nothing is known.
void state_set_health(struct state *state, const char *app, const char *site, uint32_t probed, bool up);
// 1, 0, -1: not known.
int state_health(const struct state *state, const char *app, const char *site, uint32_t probed) PURE;
// What is remembered is still so: the next save writes it with the time it has then.
void state_confirm_health(struct state *state);
// Begins to write what changed, in a thread of its own: call it at most once a second. E_STATE: the last write is still
// under way, call it again later; E_NOMEM. What a write fails of is logged and tried again with the next.
int state_save_health(struct state *state);
// Writes what changed before it returns. E_IO, E_NOMEM; logged.
int state_sync_health(struct state *state);
// Forgets the health of targets the view does not have: for after a reload.
void state_retain_health(struct state *state, const struct view *view);
