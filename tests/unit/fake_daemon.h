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

enum { STAGE_TARGETS_MAX = 5000 };

// The sites and apps of it:
//
//            bos, nyc (wavelength,  ber (wavelength,  use1 (region,   ttl
//            of verizon)            of vodafone-de)   public)
//   app      bos, nyc               -                 use1             30
//   video    bos                    ber               use1             60
//   carrier  bos                    ber               -                20
//   web      -                      -                 use1              5
//
// stage_open() with `many` adds apps "many0" … of one target each, at use1.
enum { STAGE_BOS, STAGE_NYC, STAGE_BER, STAGE_USE1, STAGE_SITES };

struct stage {
	struct control_ops ops;
	struct health_target health[STAGE_TARGETS_MAX];
	unsigned changes;         // calls of orders_changed
	struct view *view;        // the published one's or, not `serving`, the stage's own
	const char *version;
	// Reloads: called at once with `reload_err`, or kept.
	bool keep_reload;
	int reload_err;
	void (*reload_done)(void *ctx, int err, const struct report *report);
	void *reload_ctx;
	size_t pad;               // octets of padding in `stats`
	char folder[64];
};

void stage_open(struct stage *stage, unsigned many, bool serving);
// The end of a first round: what was not `serving` is published.
void stage_serve(struct stage *stage);
void stage_close(struct stage *stage);
// Ends a kept reload; for E_INVAL with two errors and a warning in its report.
void stage_end_reload(struct stage *stage, int err);
// Health and orders into what is published, as the daemon's main does.
void stage_publish(struct stage *stage);
// Runs one line through the verbs. The reply, the caller's; NULL when it has not come yet (a kept reload).
json_t *stage_ask(struct stage *stage, const char *line, size_t len);
