// One run of `discovery register`: what is to be registered with each service, gathered by the caller; a thread that has
// the plugins do it, one service after the other; and the steps that they have told. The main thread fills it and starts
// it, the thread alone works on it then, and the main thread reads it again when it has ended.
#pragma once

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "config/config.h"
#include "plugin/plugin.h"

struct arena;
struct registrar;

enum {
	REGISTRATION_ENDPOINTS_MAX = 2000, // of one service
	REGISTRATION_STEPS_MAX = 5000,     // of one service that are kept; the others are counted
	REGISTRATION_MS = 120000,          // for all of it
	REGISTRATION_TEXT_LEN = 256,       // of a text, cut
};

// Texts are in the arena, cleaned; NULL where the plugin gave none.
struct registration_step {
	enum edgesteer_action action;
	enum edgesteer_progress progress;
	const char *app, *site, *endpoint, *text;
};

// What is to be done with one service, and what was.
struct registration_part {
	struct registration *registration;
	struct registrar *registrar;       // borrowed from a service that stays until the registration has ended
	const char *label;                 // of the service
	const char **apps;
	size_t app_count, app_max;
	struct edgesteer_endpoint *endpoints;
	size_t endpoint_count, endpoint_cap;
	struct registration_step *steps;
	size_t step_count, step_cap, steps_lost;
	char error[REGISTRATION_TEXT_LEN]; // the last one that was reported; "": none
	bool has_failed;                   // the plugin could not find out what is registered
};

struct registration {
	struct arena *arena;
	bool is_applied;
	char *who;                         // asks for it, for the log
	struct registration_part parts[DISCOVERY_MAX];
	size_t part_count;
	void (*done)(void *ctx, const struct registration *registration);
	void *ctx;
	int wake_fd;                       // the main loop's
	pthread_t thread;
	bool is_started;
	_Atomic bool has_ended;
};

// NULL when out of memory. `who` is copied.
struct registration *registration_new(bool is_applied, const char *who) MUST_USE;
// Takes NULL; returns NULL. Its thread was not started, or has been joined.
struct registration *registration_free(struct registration *registration);

// A service, with up to `app_max` apps. NULL when out of memory.
struct registration_part *registration_add_part(struct registration *registration, struct registrar *registrar,
                                                const char *label, size_t app_max) MUST_USE;
// An app, whose endpoints are to be those that follow and no others. E_NOMEM.
int registration_add_app(struct registration_part *part, const char *app) MUST_USE;
// An app's load balancer at a site, with all addresses that it has; texts are copied. E_LIMIT, E_NOMEM.
int registration_add(struct registration_part *part, const char *app, const char *site, const struct addr *addresses,
                     size_t address_count) MUST_USE;

// For the registrar, on the thread: a step, or an error, as the plugin tells it.
void registration_take_step(struct registration_part *part, const struct edgesteer_step *step);
void registration_take_error(struct registration_part *part, const char *text);
