// The observer: a thread that reads the lines of measured round trips that come by a socket or a file, and passes them to the
// hopper. It alone waits for a file system that hangs.
#pragma once

#include <limits.h>

#include "base/attr.h"
#include "learn/inlet.h"

struct hopper;
struct observer;

struct observer_place {
	struct inlet_place inlet;
	char file[PATH_MAX];       // "": none
};

// Starts it, if there is anything to read from. `wake_fd`, which is copied, is told when something was read; `hopper` is
// used until the thread has ended. NULL: it could not be started, which was logged, or there is nothing to do. What of the
// two cannot be opened is logged and left out.
struct observer *observer_start(struct hopper *hopper, int wake_fd, const struct observer_place *place);
// Whether it reads from just there.
bool observer_reads(const struct observer *observer, const struct observer_place *place);
// Whether it receives by its socket.
bool observer_has_socket(const struct observer *observer);
// Has it end, and frees it then; does not wait for that. Takes NULL; returns NULL.
struct observer *observer_stop(struct observer *observer);
