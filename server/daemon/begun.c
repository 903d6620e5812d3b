// Drains that have begun are looked at again, one after another; see inner.h.
#include <stddef.h>
#include <stdlib.h>

#include "base/clock.h"
#include "base/log.h"
#include "control/control.h"
#include "control/forecast.h"
#include "control/gate.h"
#include "control/ops.h"
#include "daemon/inner.h"
#include "daemon/serving.h"
#include "state/override.h"
#include "state/state.h"

// A look takes the main thread some milliseconds and holds a copy of all states, and any number of drains may begin at once: so
// they take turns with plans, and wait no longer than this list.
enum { WAITING_MAX = 100 };

struct begun {
	struct gate_turn turn;
	struct daemon *daemon;
	struct override *drain; // a copy
};

static void drop(struct begun *begun)
{
	struct daemon *daemon = begun->daemon;

	override_free(begun->drain);
	free(begun);
	if (--daemon->begun_waiting > 0 || !daemon->begun_unseen)
		return;
	log_warning("%zu more drains have begun at the same time, and were not looked at again", daemon->begun_unseen);
	daemon->begun_unseen = 0;
}

static void looked(void *ctx, json_t *forecast)
{
	struct begun *begun = ctx;
	const struct override *drain = begun->drain;
	struct gate *gate = begun->daemon->gate;
	char *why = forecast_refusal(forecast);

	if (why)
		log_warning("the drain of %s for %s begins, %s: %s; edgesteerctl undrain %s takes it back", drain->site,
		            drain->app ? drain->app : "every app",
		            drain->is_forced ? "by force" : "but would be REFUSED if it were given now", why, drain->site);
	free(why);
	json_decref(forecast);
	drop(begun);
	gate_leave(gate);
}

// It may have been taken back since.
static bool is_given(const struct begun *begun)
{
	const struct override *drain = begun->drain;
	const struct override *given = state_drain_given(begun->daemon->state, drain->app, drain->site);

	return given && given->has_begun && !given->is_returning && override_holds(given, clock_wall_s());
}

static void enter(struct gate_turn *turn, bool is_closed)
{
	struct begun *begun = (struct begun *)((char *)turn - offsetof(struct begun, turn));
	struct gate *gate = begun->daemon->gate;
	struct control_ops ops;

	if (is_closed || !is_given(begun)) {
		drop(begun);
		if (!is_closed)
			gate_leave(gate);
		return;
	}
	ops = interface_ops(begun->daemon);
	ops.background = control_background(begun->daemon->control);
	forecast_begin_of_begun(&ops, begun->drain, looked, begun);
}

void begun_look(struct daemon *daemon, const struct override *drain)
{
	struct begun *begun;

	if (!serving_started(daemon->serving))
		return;
	if (daemon->begun_waiting == WAITING_MAX || !(begun = calloc(1, sizeof(*begun)))) {
		daemon->begun_unseen++;
		return;
	}
	begun->turn.enter = enter;
	begun->daemon = daemon;
	begun->drain = override_copy(drain);
	daemon->begun_unseen += !begun->drain;
	daemon->begun_waiting++;
	if (begun->drain)
		gate_wait(daemon->gate, &begun->turn, false);
	else
		drop(begun);
}
