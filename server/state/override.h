// One override: what an operator laid upon the measured state. A drain takes traffic away from sites or targets, a force
// says whether a target counts as up, an adoption which share of an app's clients are steered. Plain values; who makes a copy owns it.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

enum { STATE_TEXT_MAX = 255 }; // octets of each text, without the NUL
enum { SHARE_WHOLE = 65536 };  // of the clients, in 65536ths
enum { OVERRIDE_OVER_MAX_S = 7 * 86400 }; // the longest ramp

// Stored as numbers: append only.
enum override_kind { OVERRIDE_DRAIN, OVERRIDE_FORCE, OVERRIDE_ADOPT };
enum { OVERRIDE_KINDS = 3 };
enum force_to { FORCE_AUTO, FORCE_UP, FORCE_DOWN };

struct override {
	enum override_kind kind;
	char *site;        // the site's name; of a drain also a selector, see selector.h; of an adoption ""
	char *app;         // NULL: every app there; a force and an adoption always have one
	char *reason;      // NULL: none given
	char *who;         // "uid 1000 (alice), pid 4711"
	char *by;          // on whose behalf, as `who` says; NULL: not said
	char *ender;       // who is taking it back, if `is_returning`; NULL: nobody, its time was up
	int64_t since_s;   // when it was given, wall clock
	int64_t start_s;   // when it begins to take effect, wall clock; 0: when it was given
	int64_t until_s;   // wall clock; 0: until removed
	uint32_t over_s;   // how long the ramp takes from then on; 0: there is none
	uint32_t whence;   // of a ramp: the share that the sites take, or that is steered, when it starts
	uint32_t share;    // of an adoption: the share that is steered, at the ramp's end; else 0
	bool is_returning; // the ramp gives clients back; it ends with the override, at until_s
	bool is_forced;    // a drain that was given whatever follows from it, see control/safety.h
	enum force_to to;  // a force's: FORCE_UP or FORCE_DOWN; else FORCE_AUTO
	uint64_t revision; // of the change that gave it; set when it is committed
	// The rest is not stored.
	bool is_volatile;  // in memory only, until it can be saved
	bool has_begun;    // it takes effect: from its start on, whatever the wall clock says then
	int64_t begun_mono_ms; // when that was, monotonic; of one from before the start of this process, when it would have been
	uint32_t share_now;  // override_share() when it was stepped last: what is answered, told and judged goes by this
	int64_t safe_mono_s; // when no correct cache hands out what it drains any more, monotonic; 0: not known
};

// Which overrides to remove, by the same words. `app` NULL: the one of the whole site; with `every_app`: all of the kind at the site, of
// the site and of each app, and `app` is not looked at.
struct override_match {
	enum override_kind kind;
	const char *site, *app;
	bool every_app;
	bool is_volatile; // where that cannot be written, in memory only, until it can be; not stored
};

// "drain", "force", "adopt". Never NULL.
const char *override_kind_text(enum override_kind kind);
// "auto", "up", "down". Never NULL.
const char *override_force_text(enum force_to to);
// Who gave it, and on whose behalf: "uid 1000 (alice), pid 4711 for Bob", into buf[OVERRIDE_WHO_LEN], which it returns.
enum { OVERRIDE_WHO_LEN = 2 * STATE_TEXT_MAX + 8 };
const char *override_who_text(const struct override *override, char *buf);
// False: it is none of the three.
bool override_force_read(const char *text, enum force_to *ret_to);

// E_LIMIT: a text is too long. E_INVAL: no such kind, a needed text is missing or empty, one is not UTF-8, a force
// without an app or a direction, a drain with a direction, an adoption with a site or without an app.
int override_check(const struct override *override) MUST_USE;
// Into *to, whose texts are then its own, on an error as well: see override_match_done(). E_NOMEM.
int override_match_copy(const struct override_match *match, struct override_match *to) MUST_USE;
// Frees the texts of a copy.
void override_match_done(struct override_match *match);
// E_INVAL: no such kind, or no site where one is needed. E_LIMIT: a text is too long.
int override_check_match(const struct override_match *match) MUST_USE;
// Whether what happens to it at its until_s is that it begins to give its clients back: it took them over a time.
bool override_turns(const struct override *override) PURE;
// False: its until_s has passed. One that turns, or gives clients back, holds until somebody ends it, see override_is_over().
bool override_holds(const struct override *override, int64_t now_s) PURE;
// Whether it is to be ended: a ramp by the clock that it goes by, anything else by the wall clock.
bool override_is_over(const struct override *override, int64_t wall_s, int64_t mono_ms) PURE;
// Whether `override` ends after `other`.
bool override_lasts_longer(const struct override *override, const struct override *other) PURE;
// When it takes effect.
int64_t override_start_s(const struct override *override) PURE;
// The share of the clients that a drain leaves to the sites at that time (monotonic), 0 to SHARE_WHOLE: before its start
// all, then along the ramp; of an adoption the share that is steered, before its start the one it starts with (without a ramp,
// its only one). In a ramp it never goes back, as the monotonic clock does not.
uint32_t override_share(const struct override *override, int64_t mono_ms) PURE;
// Its share_now is that of this time (monotonic). Of one that has not begun too.
void override_step(struct override *override, int64_t mono_ms);
// How long, in milliseconds, until its share changes no more; 0: it does not change.
int64_t override_ramp_left_ms(const struct override *override, int64_t mono_ms) PURE;
// Its start has come, by the wall clock: it takes effect, and is stepped.
void override_begin(struct override *override, int64_t wall_ms, int64_t mono_ms);
// A drain that has begun gives clients back over `over_s`, more than 0, from its share_now on, and is stepped. `wall_s`: now,
// or when it should have begun to. `ender` stays as it is.
void override_return(struct override *override, uint32_t over_s, int64_t wall_s, int64_t mono_ms);
bool override_matches(const struct override *override, const struct override_match *match) PURE;

// NULL: out of memory.
struct override *override_copy(const struct override *from) MUST_USE;
// Takes NULL; returns NULL.
struct override *override_free(struct override *override);

// Whether older versions, which know drains of one site or target from the moment they are given, can hold it.
bool override_is_plain(const struct override *override) PURE;
// As entries of the file orders.json that older versions keep, which ignore the fields that they do not know. NULL: out
// of memory.
json_t *override_to_json(const struct override *override) MUST_USE;
// E_INVAL when it is not what override_to_json() writes for the kind; E_NOMEM.
int override_from_json(enum override_kind kind, json_t *object, struct override **ret_override) MUST_USE;
