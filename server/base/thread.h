// Threads beside the main one.
#pragma once

#include <pthread.h>
#include <stdbool.h>

#include "base/attr.h"

// Starts run(ctx) on a thread of that name (up to 15 letters) with every signal blocked: signals are the main thread's.
// False: there is none.
bool thread_start(pthread_t *ret_thread, const char *name, void *(*run)(void *ctx), void *ctx) MUST_USE;
