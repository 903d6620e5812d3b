// The daemon's dealings with the system it runs on: the service manager's notifications, limits and privileges. Called
// by main and the daemon, on the main thread.
#pragma once

#include "base/attr.h"

struct config;
struct config_server;
struct report;

// Sends a state ("READY=1") to the service manager, as sd_notify(3) does; does nothing without one.
void service_notify(const char *state);

// Makes the allocator return memory that a reload has freed to the system. Before anything is allocated.
void service_tune_memory(void);

// Raises the soft limit of open files to the hard limit: each probe and each TCP connection needs a descriptor.
void service_raise_limits(void);

// For `-t`: reports what would make a start fail on this machine, a user that does not exist or a state folder that can
// be neither written nor made. Changes nothing, but may become that user: nothing else can be done afterwards.
void service_test(const struct config_server *server, struct report *report);

// Makes the folders of the control socket and of the state, owned by `user:`, and permanently becomes that user.
// Without one, only the folders are made. E_IO; E_NOTFOUND: there is no such user; E_NOMEM. The first two are reported.
int service_drop_privileges(const struct config_server *server, struct report *report) MUST_USE;

// After that: E_IO, which is reported, when the user cannot write the state folder. One on a file system that is
// read-only can be served from.
int service_check_state(const struct config_server *server, struct report *report) MUST_USE;
// After that: warns of files that were read before and that `user:` cannot read, so that reloads would fail. Files of
// `locate:` sources are not known here.
void service_check_files(const struct config *config, struct report *report);
