// The inside of the daemon, for the files of this folder that react to its parts: reactions.c to what they report,
// reloads.c to builds, interface.c to the control socket.
#pragma once

#include <stdbool.h>

#include "base/attr.h"
#include "control/ops.h"
#include "daemon/building.h"
#include "daemon/metrics.h"
#include "edgesteer-plugin.h"

struct aliases;
struct control;
struct control_ops;
struct door;
struct door_ops;
struct event;
struct event_base;
struct gate;
struct handed;
struct handouts;
struct handover;
struct learner;
struct health;
struct judge;
struct keys;
struct provide;
struct readiness;
struct reload;
struct reload_ops;
struct report;
struct restart;
struct rollback;
struct scrape;
struct serving;
struct sockets;
struct state;
struct watching;
struct workers;

enum {
	SIGNALS = 3,
	SIGNAL_HUP = 2,          // index of SIGHUP
	COALESCE_US = 5000,      // changes within this are published together
	PUBLISH_AGAIN_S = 1,     // after it has failed
};

struct daemon {
	struct event_base *base;
	struct event *signals[SIGNALS];
	struct event *publish;   // timer: health has changed
	struct event *expiry;    // timer: the next drain expires
	struct event *sampling;  // timer: workers have left samples
	struct event *first_round_timeout; // timer: the first round of checks has taken too long
	struct serving *serving;
	struct handouts *handouts;
	struct handed *handed;   // when they have counted last
	struct sockets *sockets;
	unsigned workers_max;    // there are hand-out counters for this many
	struct workers *workers; // NULL until the first round of health checks has finished
	struct health *health;
	struct judge *judge;     // what is believed of it
	struct state *state;
	struct aliases *aliases;
	struct readiness *readiness;
	struct gate *gate;       // of drains and plans
	unsigned begun_waiting;  // drains that have begun, and are looked at or wait for it
	size_t begun_unseen;     // those that there was no room for
	struct control *control;
	struct door *door;       // NULL: none is configured
	struct scrape *scrape;   // NULL: no door
	struct reload *reload;
	struct watching *watching;
	struct building building; // for the builder
	struct provide *provide;
	struct learner *learner;
	bool joins_fail;         // the last one did, and it was said
	bool joins_first;        // what providers gave before the start is to be served from the first answer on
	struct event *forget;    // some of what the last reload took away is to be forgotten
	struct rollback *rollback; // the load before the one in use
	struct restart *restart; // settings that reloads do not change
	int64_t ceilings_ms;     // when they were looked at last, monotonic
	int64_t reload_began_ms; // the last one, monotonic
	bool reload_again;       // SIGHUP arrived during a reload: start another one after it
	struct keys *keys;       // of the first generation, until the door is opened
	struct handover *first;  // of the first generation, until the checks start
	struct metrics_facts facts;
	int result;
};

// ---- reactions.c

// Opens state, health, aliases and readiness. The state logs its own errors.
int reactions_open(struct daemon *daemon);
// Removes drains that have expired, has others begin or go on, and sets the timer for the next time.
void reactions_expire(struct daemon *daemon);
// Once, when the overrides from before the start are applied.
void reactions_begin(struct daemon *daemon);
// Another generation is in use: notes its TTLs.
void reactions_answered(struct daemon *daemon);
// As provide_ops.ready_changed.
void reactions_ready_changed(void *ctx, const char *app, const char *site, enum edgesteer_health health);
// For the timers `publish` and `expiry`.
void reactions_on_publish(int fd, short what, void *arg);
void reactions_on_expiry(int fd, short what, void *arg);

// ---- reloads.c

// Opens what reloads, and what watches files. E_NOMEM.
int reloads_open(struct daemon *daemon, const struct report *first);
// As control_ops.reload.
void reloads_begin(void *ctx, enum control_reload how, void (*done)(void *done_ctx, int err, const struct report *report),
                   void *done_ctx);
// As control_ops.compare and control_ops.rollback.
void reloads_compare(void *ctx, const char *path, const char *app,
                     void (*done)(void *done_ctx, int err, const struct report *report), void *done_ctx);
int reloads_roll_back(void *ctx, const char *who, const char *by, const char *reason,
                      void (*done)(void *done_ctx, int err, const struct report *report), void *done_ctx) MUST_USE;
// A reload that nobody waits for; if one is under way, another one after it.
void reloads_by_signal(struct daemon *daemon);
// Starts the providers. E_INVAL (reported), E_IO, E_NOMEM.
int reloads_provide(struct daemon *daemon, struct report *report);
// Starts the services that are asked where clients are. E_INVAL (reported), E_IO, E_NOMEM.
int reloads_learn(struct daemon *daemon, struct report *report);
// For the timer `forget`.
void reloads_on_forget(int fd, short what, void *arg);

// ---- interface.c

// What the control socket may ask and do.
struct control_ops interface_ops(struct daemon *daemon);
// What the HTTP door may ask and do, and what renders the metrics for it. E_NOMEM.
int interface_open_door(struct daemon *daemon, struct keys *keys) MUST_USE;

// ---- begun.c

// A drain was looked at when it was ordered, and begins now. What has changed since may make it one that would be refused; but
// somebody counts on it, so it goes on, and that is logged.
void begun_look(struct daemon *daemon, const struct override *drain);

// ---- daemon.c

// A first round is over, of checks or of look-ups: serves when both are.
void daemon_first_round_over(struct daemon *daemon);
