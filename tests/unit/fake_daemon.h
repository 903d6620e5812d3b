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
	unsigned changes;         // calls of orders_changed
	struct view *view;        // the published one's or, not `serving`, the fake's own
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
// Health and orders into what is published, as the daemon's main does.
void fake_daemon_publish(struct fake_daemon *fake);
// Runs one line through the verbs. The reply, the caller's; NULL when it has not come yet (a kept reload).
json_t *fake_daemon_ask(struct fake_daemon *fake, const char *line, size_t len);
