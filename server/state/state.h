// What survives: operators' overrides (drains, forces, adoptions) and the last measured health, in `state-dir`. Each is a row of a
// store, written by a thread of its own: no call waits for a disk but state_open(), state_close() and state_export().
// An override is durable before it holds and before it is acknowledged; kill -9 or a power cut at any moment loses no
// acknowledged one. Overrides are kept twice; what one file loses to damage is taken from the other, and what is lost
// in both is reported. Health is written afterwards and may be lost; what was last confirmed more than
// STATE_HEALTH_AGE_MAX_S ago, by the wall clock, is not used at the next start. Overrides hold until they are removed
// or run out.
//
// Main thread only: that of the event base. The texts of an override are valid until the loop turns.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "state/ended.h"
#include "state/former.h"
#include "state/limits.h"
#include "state/override.h"
#include "state/state_ops.h"

struct event_base;
struct provided_progress;
struct state;

enum { STATE_QUEUE_MAX = 256 }; // changes that are not acknowledged yet

// What became of a change.
struct state_result {
	// 0. E_NOTFOUND: there is nothing to remove. E_IO: it could not be written (the log says why), E_LIMIT: there are
	// STATE_OVERRIDES_MAX, or a text is too long, E_STATE: STATE_QUEUE_MAX changes wait already, or the state is
	// being closed, E_INVAL: see override_check(), E_NOMEM. On an error nothing has changed.
	int err;
	const char *why; // of E_IO, one line with the file's path and the system's reason; NULL: none. Valid during the call
	// What was replaced or removed; drains that have run out may be among them. Valid during the call. Without memory
	// for the list, before_count is 0, and the removal stands.
	const struct override *const *before;
	size_t before_count;
	bool is_volatile; // it could not be saved, and holds in memory only: `why` says why
};

// Opens (and makes, mode 0750) the folder and reads what is there; `ops` is copied, and is not called for what is read.
// Damaged files are renamed to NAME.damaged-TIME with a loud line in the log, see also state_damage(). Files of
// versions before the store (orders.json, health.json) are taken over and renamed to NAME.imported. Files that can be
// read but not written (the disk is full, the file system read-only) are no error, see state_trouble(). E_IO when the
// folder cannot be made or a file of overrides cannot be read, E_EXISTS when another daemon has it locked, E_STATE when a
// file was written by a newer version (then no file has changed), E_NOMEM; all logged.
int state_open(struct event_base *base, const char *dir, const struct state_ops *ops,
               struct state **ret_state) MUST_USE;
// Commits what waits and calls back for all of it (changed(), committed(), done()), writes health, closes. Waits for
// the disk. Takes NULL; returns NULL.
struct state *state_close(struct state *state);
// What was exported.
struct state_exported {
	size_t drains, forces, targets;
	size_t left_out; // drains and adoptions that older versions cannot hold: logged
};
// Writes orders.json and health.json into the folder, which must be there, as versions before the store have them; of
// the folder's owner and group. Those versions know the health of one address of a target: one of them is written. The
// next start of this version takes over what an older one has changed in them.
// E_EXISTS while a daemon uses the folder, E_IO, E_STATE, E_NOMEM; logged.
int state_export(const char *dir, struct state_exported *ret_exported) MUST_USE;

// Overrides that may be lost: files set aside, at this start or an earlier one, that have not been removed since.
struct state_damage {
	char *path;        // of the newest one, the caller's to free; NULL: there is none
	int64_t time_s;    // when it was set aside; 0: there is none
	size_t files;      // how many there are
	bool is_counted;   // damage was found at this start (where a file was missing, without a path):
	size_t kept, lost; // so many overrides were kept, so many at least were not
	bool is_lost_unknown; // whether there were more than these cannot be known
};
// E_IO, E_NOMEM: whether there are any is not known.
int state_damage(const struct state *state, struct state_damage *ret_damage) MUST_USE;

// Changes are refused: the files cannot be written. What holds, holds; it is tried again every few seconds.
struct state_trouble {
	int64_t since_s; // wall clock
	char why[STATE_WHY_LEN];
};
// False: there is none that is known, and *ret_trouble is not set.
bool state_trouble(const struct state *state, struct state_trouble *ret_trouble);

// Since when (wall clock) health, aliases, what providers gave and services said, and what is written after an override has
// been acknowledged cannot be written; 0: they are, as far as is known. All of it is in use all the same, and written when it
// can be.
int64_t state_failing_s(const struct state *state);

// done(ctx, result) is called exactly once, later from the main loop (or from state_close()), after changed() and
// committed(). Changes take effect in the order of the calls, those that were refused at once excepted.
//
// Gives an override; one for the same kind, site and app is replaced. `revision` is not looked at. With `is_volatile`
// it holds in memory where it cannot be written (E_IO), and is saved as soon as it can be. E_LIMIT also: it is for a
// selector of sites, of which there are SELECTORS_MAX.
void state_put(struct state *state, const struct override *override,
               void (*done)(void *ctx, const struct state_result *result), void *ctx);
// Removes those that match when it is this change's turn. With `is_volatile` in memory alone where it cannot be written
// (E_IO); that is saved as soon as it can be, and until then a restart brings them back.
void state_remove(struct state *state, const struct override_match *match,
                  void (*done)(void *ctx, const struct state_result *result), void *ctx);
// Overrides whose until_s has passed stop holding at once, those whose start has come take effect (`old` and `next` of
// changed() are the same one then), with changed() and committed(); rows are deleted later. Returns how many have
// stopped; *ret_next_s is when there is something to do next, 0: nothing.
size_t state_expire(struct state *state, int64_t now_s, int64_t *ret_next_s);
// All ramps go on to where they are at that time (monotonic), see override_step(). What goes by them is to follow before control
// returns to the event loop.
void state_step(struct state *state, int64_t mono_ms);

// An override was taken back or replaced by `ender`, on behalf of `by` (NULL: nobody). What ran out is noted by
// state_expire().
void state_ended(struct state *state, const struct override *override, enum ended_how how, const char *ender,
                 const char *by);
// Those that have ended within ENDED_KEPT_S, the last one at the end.
size_t state_ended_count(const struct state *state);
const struct ended *state_ended_at(const struct state *state, size_t i);
// No correct cache hands out what the override, one that holds, drains in `left_s` seconds from now any more.
// Remembered at once, and across restarts a second or two later.
void state_set_safe(struct state *state, const struct override *override, int64_t left_s);
// The site is answered with this TTL at most from now on; 0: not any more. The same holds.
void state_set_answered(struct state *state, const char *site, uint32_t ttl_s);
const struct former *state_former(const struct state *state);

// Another number after every change of what holds; of use for comparing only.
uint64_t state_revision(const struct state *state);
// Those that hold, of all kinds, the one given last at the end. One that is given anew goes to the end.
size_t state_override_count(const struct state *state);
const struct override *state_override_at(const struct state *state, size_t i);
// The drain that was given for exactly this app (NULL: the whole site) and site, or NULL. It may have run out.
const struct override *state_drain_given(const struct state *state, const char *app, const char *site) PURE;
// Those that are for a selector of sites, in no order.
size_t state_selector_count(const struct state *state);
const struct override *state_selector_at(const struct state *state, size_t i);
// How many changes are in memory only: overrides that hold, and those that were removed and are in the files all the same.
size_t state_volatile_count(const struct state *state);
// The latter.
size_t state_removed_count(const struct state *state);
const struct override *state_removed_at(const struct state *state, size_t i);
// The drain given by the site's name that has taken effect for a target and holds, or NULL; of the target's own and the
// site's, the one that lasts longer. `now_s`: drains whose until_s has passed do not hold. `app` NULL: only the site's.
const struct override *state_drained(const struct state *state, const char *app, const char *site, int64_t now_s) PURE;
enum force_to state_forced(const struct state *state, const char *app, const char *site) PURE;
// Which share of the app's clients is to be steered, by an operator's word; NULL: the config says.
const struct override *state_adopted(const struct state *state, const char *app) PURE;

// Remembered at once, written within a second or two, row by row.
// `probed` (up to STATE_PROBED_MAX) stands for what is probed there: each of a target's addresses has a health of its own.
// `since_s`: since when it is up or down, wall clock; 0: not known.
void state_set_health(struct state *state, const char *app, const char *site, uint32_t probed, bool up,
                      int64_t since_s);
// 1, 0, with *ret_since_s as it was set; -1: not known.
int state_health(const struct state *state, const char *app, const char *site, uint32_t probed,
                 int64_t *ret_since_s);
// The target is gone, with all its addresses.
void state_forget_health(struct state *state, const char *app, const char *site);
// The target has no other addresses but these.
void state_retain_addresses(struct state *state, const char *app, const char *site, const uint32_t *probed, size_t count);
// Forgets every target that is not kept. Walks over all that are known: for a start or a reload.
void state_retain_health(struct state *state, bool (*is_kept)(void *ctx, const char *app, const char *site), void *ctx);

// The last good addresses of a host's name, as text with a blank between each, their TTL, and when they were last confirmed.
// Remembered at once, written within a second or two, and known again after any time. At most STATE_ALIAS_TEXT_MAX
// octets.
void state_set_alias(struct state *state, const char *name, const char *addresses, uint32_t ttl_s, int64_t since_s);
// NULL: not known. Valid until the loop turns.
const char *state_alias(const struct state *state, const char *name, uint32_t *ret_ttl_s, int64_t *ret_since_s);
// Forgets every name that is not kept.
void state_retain_aliases(struct state *state, bool (*is_kept)(void *ctx, const char *name), void *ctx);

// What a provider (`owner`) gave last, by key; `text` NULL: it is to be forgotten. Written within a second or two, without
// waiting. What is too long is not kept, see provided.h.
void state_set_provided(struct state *state, const char *owner, const char *key, const char *text);
// The same for what services have said of clients, by prefix as text: rows of the same table, with an owner that no
// provider is.
void state_set_learned(struct state *state, const char *prefix, const char *text);
// How far writing both has come, see provided.h.
void state_progress(const struct state *state, struct provided_progress *ret_progress);
// What was there of it when the state was opened, once, and before state_take_provided().
void state_take_learned(struct state *state, void (*row)(void *ctx, const char *prefix, const char *text), void *ctx);
// What was there when the state was opened, once: calls `row` for each until it returns something other than 0, which is
// then returned.
int state_take_provided(struct state *state,
                        int (*row)(void *ctx, const char *owner, const char *key, const char *text), void *ctx);
