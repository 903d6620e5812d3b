// An entry of `discovery` with `register`: a second instance of its plugin, on which register_targets() is called, by the
// thread of a registration (registration.h), while look_up() goes on with the first.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "plugin/instance.h"

struct config;
struct config_discovery;
struct registration;
struct registration_part;
struct view;

struct registrar {
	struct instance base;  // first: the plugin's pointer to what it is lent is also one to the struct registrar
	char **apps;           // owned
	size_t app_count;
	unsigned rate;
	int stop_fd;           // readable when register_targets() is to return
	struct registration_part *part; // of the call under way; NULL: there is none. The registration's thread's
};

// Opens the instance of an entry that has `register`; its messages, which the first instance has given too, are dropped
// but for this: that its plugin registers nothing. E_INVAL (reported), E_IO (errno), E_NOMEM.
int registrar_open(const struct config *config, const struct config_discovery *entry, struct report *report,
                   struct registrar **ret_registrar) MUST_USE;
// Takes NULL; returns NULL. No call is under way.
struct registrar *registrar_free(struct registrar *registrar);
// Tells a call that is under way, and all that come, to end. Takes NULL.
void registrar_stop(struct registrar *registrar);
// Starts a thread that calls register_targets() for each part of the registration and writes to `wake_fd` when it has
// ended. False: there is no thread for it.
bool registrar_start(struct registration *registration, int wake_fd) MUST_USE;

// Whether one of the carriers reaches the site, and not everybody does: of what everybody reaches, a service of a carrier's
// edges knows nothing. `number` is the site's in the view.
bool registrar_reaches(const struct view *view, uint32_t number, char *const *carriers, size_t carrier_count);
