// What the daemon has to do with the system it runs on: the service manager's notifications, and giving up privileges.
// Called by main only.
#pragma once

#include "base/attr.h"

struct config;
struct config_server;
struct report;

// Tells the service manager a state as sd_notify(3) does ("READY=1"); nothing when there is none.
void service_notify(const char *state);

// Makes memory that a reload has freed go back to the system. First of all, before anything is taken.
void service_tune_memory(void);

// Raises the limit of open files as far as it goes: each probe and each TCP connection takes one.
void service_raise_limits(void);

// Tells what a start would fail by here, for `-t`, which may run elsewhere: a user that there is not.
void service_test(const struct config_server *server, struct report *report);

// Makes the folders of the control socket and of the state, gives them to `user:`, and becomes that user for good. With
// no user set only the folders are made. What fails is reported: E_IO, E_NOTFOUND.
int service_drop_privileges(const struct config_server *server, struct report *report) MUST_USE;

// Warns of files that were read before that and cannot be read by `user:`. What sources read is not known here.
void service_check_files(const struct config *config, struct report *report);
