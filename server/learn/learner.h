// The learner: asks the services of `discovery` about the clients that workers have noted, and keeps the overlay up to
// date. It has a thread of its own, which starts when there is a service, or something learned: every tenth of a second, and
// whenever a service has answered, it takes the notes, collects answers into the book, asks the next questions and, where
// the book has changed, makes a new overlay, which the main thread publishes.
//
//   learner_prepare()  the builder's thread  loads plugins and opens instances of a config that may come
//   learner_take()     the main thread       it has come: new services begin, equal ones go on, others stop
//   learner_overlay()  the builder's thread  the overlay of a view that may come
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

struct config;
struct event_base;
struct hopper_result;
struct learned;
struct learner;
struct learner_plan;
struct prefix;
struct report;
struct tables;

enum { LEARNER_STOP_MS = 5000 }; // what has not stopped by then is left running

struct learner_ops {
	void *ctx;
	// On the main loop: an entry is to be kept, both as text; `text` NULL: no more.
	void (*save)(void *ctx, const char *prefix, const char *text);
	// On the learner's thread: very much was learned, restored or forgotten, and what that took besides has been freed. NULL:
	// nobody needs to know.
	void (*trim)(void);
};

// Publishes overlays on the main loop of `base`, for as many workers. `ops` is copied. E_IO, E_NOMEM.
int learner_new(struct event_base *base, unsigned workers, const struct learner_ops *ops,
                struct learner **ret_learner) MUST_USE;
// Stops all, waits for them for a bounded time, and has what is to be kept saved. No worker runs. Builds that read it may
// still be under way. Takes NULL.
void learner_stop(struct learner *learner);
// Frees it, stopped or not. Takes NULL. Returns NULL, or `learner` when a thread has not ended: it uses memory of this, so
// the caller must _exit().
struct learner *learner_free(struct learner *learner);

// Loads and opens what the config names and is not running yet. All errors are reported; nothing is started. Any thread,
// while there is no learner_take(). `learner` NULL: only to check a config. E_INVAL, E_IO, E_NOMEM.
int learner_prepare(const struct learner *learner, const struct config *config, struct report *report,
                    struct learner_plan **ret_plan) MUST_USE;
// Closes what was opened for it. Any thread. Takes NULL; returns NULL.
struct learner_plan *learner_discard(struct learner_plan *plan);
// Carries out a plan that was made since the last one was. Takes ownership.
void learner_take(struct learner *learner, struct learner_plan *plan);

// What is learned now, for other sites and places; NULL: nothing is, or out of memory. Owned by the caller. Any thread.
struct learned *learner_overlay(struct learner *learner, struct tables *tables) MUST_USE;

// The view in use may be another: what has been learned since its overlay was made is put into effect at once, not in the next
// round. Main thread.
void learner_look(struct learner *learner);

// An entry that was saved, of a prefix, both as text; what cannot be used is ignored. After the first learner_take(). Main
// thread.
void learner_restore(struct learner *learner, const char *prefix, const char *text);

// importing_take() has put something into the book: has it saved, and answered from. Main thread.
void learner_imported(struct learner *learner);

// Takes lines with measured round trips (observe.h), in a text of `len` octets from the peer `from`; as hopper_read(). E_STATE:
// `observe` is not configured. Main thread.
int learner_observe(struct learner *learner, const char *from, const char *text, size_t len,
                    struct hopper_result *ret_result) MUST_USE;

// Forgets what is learned within a prefix, and of one that it lies in; NULL: all. Returns how many. Main thread.
size_t learner_forget(struct learner *learner, const struct prefix *prefix);
