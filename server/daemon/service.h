// The daemon's dealings with the system it runs on: the service manager's notifications, limits and privileges. Called
// by main and the daemon, on the main thread.
#pragma once

#include <stdbool.h>

#include "base/attr.h"

struct config;
struct config_server;
struct report;

// Sends a state ("READY=1") to the service manager, as sd_notify(3) does; does nothing without one.
void service_notify(const char *state);

// Makes the allocator return memory that a reload has freed to the system. Before anything is allocated.
void service_tune_memory(void);

// Returns what is free of the allocator's heaps to the system: what a generation had in small pieces lies between what is
// kept. Takes some milliseconds for each hundred megabytes, in which other threads' allocations may wait. Any thread.
void service_trim_memory(void);

// Raises the soft limit of open files to the hard limit: each probe and each TCP connection needs a descriptor.
void service_raise_limits(void);

// For `-t`: reports what would make a start fail on this machine, a user that does not exist or a state folder that can
// be neither written nor made. Changes nothing, but as root becomes that user, as a start does, and then returns true.
// Only root can, so for anybody else's test of another user's folder it notes that there was none.
bool service_test(const struct config_server *server, struct report *report) MUST_USE;

// Before the sockets are bound, without `user:`: gives up all capabilities but the one for ports below 1024. (To become
// another user takes others, which it ends with.) While there is one thread only, as the next one.
void service_keep_binding(const struct config_server *server);
// Once they are bound: makes the folders of the control socket and of the state, owned by `user:`, permanently becomes
// that user, and gives up every capability, as root also. Reports what that means for root without `user:`. E_IO;
// E_NOTFOUND: there is no such user; E_NOMEM. The first two are reported.
int service_drop_privileges(const struct config_server *server, struct report *report) MUST_USE;

// After that: E_IO, which is reported, when the user cannot write the state folder. One on a file system that is
// read-only can be served from.
int service_check_state(const struct config_server *server, struct report *report) MUST_USE;
// After that: warns of files that were read before and that the user cannot read any more, so that reloads would fail.
// Files of `locate:` sources are not known here.
void service_check_files(const struct config *config, struct report *report);

// How many sets of sockets the config asks for; with `workers: 0`, one for each CPU that the process may run on.
unsigned service_socket_sets(const struct config_server *server);
