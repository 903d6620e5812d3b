// A prober under test: a config made by hand, an event loop, and what the prober said. For the health tests.
#pragma once

#include <event2/event.h>
#include <stddef.h>

#include "config/config.h"
#include "health/health.h"

struct responder;

enum { PROBER_PATIENT_MS = 5000, PROBER_SAVED_SINCE_S = 1000000 };

struct prober {
	struct event_base *base;
	struct health *health;
	struct config config;          // change it, then prober_configure()
	struct config_check checks[2];
	unsigned changes, settles;     // calls of the ops
	size_t last_changed;
	struct addr last_address;      // of it
	int saved;                     // what ops.saved says
	uint32_t saved_endpoint;       // the one that it says this of, and of others the contrary; 0: of all
	size_t listed;                 // how many endpoints ops.listed named last
	unsigned busy;                 // for prober_until_under_way(), prober_until_probed()
};

// Apps "app0.example.com", ..., each with targets at the sites "site-0", ...; all of them at 127.0.0.1 with check 0:
// HTTP "/healthz" every 100 ms, status 200-299, rise and fall 1. Check 1 is the same. The timeout is one that only what
// is silent runs into, however busy the machine: who tests timeouts sets it.
void prober_open(struct prober *prober, size_t apps, size_t targets);
void prober_close(struct prober *prober);
// The same with a responder on 127.0.0.1, which both checks ask.
void prober_open_with(struct prober *prober, struct responder *responder, size_t apps, size_t targets);
void prober_close_with(struct prober *prober, struct responder *responder);
void prober_configure(struct prober *prober);
struct config_target *prober_target(struct prober *prober, size_t app, size_t target);

const struct health_target *prober_health(struct prober *prober, size_t target);
// Runs the loop until target 0 is in that state, or `limit_ms` have passed; returns how long it took, or -1.
int64_t prober_until(struct prober *prober, bool up, unsigned limit_ms);
int64_t prober_until_settled(struct prober *prober, unsigned limit_ms);
// Until so many probes are under way; false when they never are.
bool prober_until_under_way(struct prober *prober, unsigned count);
// Until so many more probes have ended; false when they never do.
bool prober_until_probed(struct prober *prober, unsigned count);
void prober_run(struct prober *prober, unsigned ms);
