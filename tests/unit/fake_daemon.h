// A daemon played for the control socket's verbs: a small view made by hand, health and reloads that the test decides,
// and a state folder. For test_verbs, test_control and the fuzz target. Health's and explain's functions are defined
// here, so that the real ones are not linked.
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

enum { FAKE_TARGETS_MAX = 5000 };

// The sites and apps of it:
//
//            bos, nyc (wavelength,  ber (wavelength,  use1 (region,   ttl
//            of verizon)            of vodafone-de)   public)
//   app      bos, nyc               -                 use1             30
//   video    bos                    ber               use1             60
//   carrier  bos                    ber               -                20
//   web      -                      -                 use1              5
//
// fake_daemon_open() with `many` adds apps "many0" … of one target each, at use1.
enum { FAKE_BOS, FAKE_NYC, FAKE_BER, FAKE_USE1, FAKE_SITES };

struct fake_daemon {
	struct control_ops ops;
	struct health_target health[FAKE_TARGETS_MAX];
	unsigned changes;         // commits of the state
	unsigned changes_replied; // how many there were when the last reply came
	struct ledger ledger;     // what caches may still have of earlier generations; the test's seconds begin at 0
	struct view *view;        // the published one's or, not `serving`, the fake's own
	struct live preview;      // of that, before it serves
	struct handouts *handouts; // for two workers
	struct event_base *base;
	const char *version;
	// Reloads: called at once with `reload_err`, or kept.
	bool keep_reload;
	int reload_err;
	void (*reload_done)(void *ctx, int err, const struct report *report);
	void *reload_ctx;
	size_t pad;               // octets of padding in `stats`
	char folder[64];
};

void fake_daemon_open(struct fake_daemon *fake, unsigned many, bool serving);
// The end of a first round: what was not `serving` is published.
void fake_daemon_serve(struct fake_daemon *fake);
void fake_daemon_close(struct fake_daemon *fake);
// Ends a kept reload; for E_INVAL with two errors and a warning in its report.
void fake_daemon_end_reload(struct fake_daemon *fake, int err);
// Opens the state in the fake's folder, which must not be open.
void fake_daemon_open_state(struct fake_daemon *fake);
// Health and overrides into what is published, as the daemon's main does.
void fake_daemon_publish(struct fake_daemon *fake);
// Gives an override past the verbs, and waits until it holds. Returns what state_put() says.
int fake_daemon_put(struct fake_daemon *fake, const struct override *override);
void fake_daemon_remove_all(struct fake_daemon *fake);
// Overrides of that kind that hold.
size_t fake_daemon_count(const struct fake_daemon *fake, enum override_kind kind);
// Runs one line through the verbs, and the loop until it is answered. The reply, the caller's; NULL when it has not
// come yet (a kept reload).
json_t *fake_daemon_ask(struct fake_daemon *fake, const char *line, size_t len);
