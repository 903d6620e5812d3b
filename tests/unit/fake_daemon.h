// A fake daemon for the control socket's verbs: a small view made by hand, health and reloads decided by the test, and
// a state folder. For the tests of control/ and the fuzz target. It defines the functions of health and explain, so
// that the real ones are not linked.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "config/config.h"
#include "control/control.h"
#include "control/ops.h"
#include "health/health.h"
#include "state/ledger.h"
#include "state/state.h"
#include "view/live.h"

struct event_base;
struct handouts;
struct view;

enum { FAKE_TARGETS_MAX = 5000, FAKE_MANY = 4500 };

// Its sites and apps:
//
//            bos, nyc (wavelength,  ber (wavelength,  use1 (region,   ttl
//            of verizon)            of vodafone-de)   public)
//   app      bos, nyc               -                 use1             30
//   video    bos                    ber               use1             60
//   carrier  bos                    ber               -                20
//   web      -                      -                 use1              5
//
// web has addresses as its last resort, the others SERVFAIL.
// fake_daemon_open() with `many` adds apps "many0" … of one target each, at use1.
enum { FAKE_LAST_RESORT = 3 }; // the number of the app that has one
enum { FAKE_BOS, FAKE_NYC, FAKE_BER, FAKE_USE1, FAKE_SITES };

struct fake_daemon {
	struct control_ops ops;
	struct health_target health[FAKE_TARGETS_MAX];
	unsigned changes;         // commits of the state
	unsigned changes_replied; // value of `changes` at the last reply
	struct ledger ledger;     // answers of earlier generations still in caches; the test's clock starts at 0 s
	struct view *view;        // the published one's or, not `serving`, the fake's own
	struct live preview;      // of that, before it serves
	struct handouts *handouts; // for two workers
	struct event_base *base;
	const char *version;
	// Reloads: called at once with `reload_err`, or kept.
	bool keep_reload;
	bool reload_forced;   // the last one was
	int reload_err;
	void (*reload_done)(void *ctx, int err, const struct report *report);
	void *reload_ctx;
	size_t pad;               // octets of padding in `stats`
	char folder[64];
};

void fake_daemon_open(struct fake_daemon *fake, unsigned many, bool serving);
// Finishes the first round: publishes if not `serving` yet.
void fake_daemon_serve(struct fake_daemon *fake);
void fake_daemon_close(struct fake_daemon *fake);

// For cmocka: one that serves, one that waits for its first round, and one with FAKE_MANY more apps.
extern struct fake_daemon fake_daemon;
int fake_daemon_set_up(void **unused);
int fake_daemon_set_up_starting(void **unused);
int fake_daemon_set_up_many(void **unused);
int fake_daemon_tear_down(void **unused);

// Finishes a kept reload; with E_INVAL its report has two errors and a warning.
void fake_daemon_end_reload(struct fake_daemon *fake, int err);
// Opens the state in the fake's folder, which must not be open.
void fake_daemon_open_state(struct fake_daemon *fake);
// Publishes health and overrides, as the daemon does.
void fake_daemon_publish(struct fake_daemon *fake);
// Sets an override without a verb, and waits until it is in effect. Returns the result of state_put().
int fake_daemon_put(struct fake_daemon *fake, const struct override *override);
void fake_daemon_remove_all(struct fake_daemon *fake);
// How many overrides of that kind there are.
size_t fake_daemon_count(const struct fake_daemon *fake, enum override_kind kind);
// Runs one line through the verbs, and the loop until it is answered. The reply, the caller's; NULL when it has not
// come yet (a kept reload).
json_t *fake_daemon_ask(struct fake_daemon *fake, const char *line, size_t len);
