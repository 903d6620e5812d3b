// Starting threads; see thread.h.
#include "base/thread.h"

#include <signal.h>

bool thread_start(pthread_t *ret_thread, const char *name, void *(*run)(void *ctx), void *ctx)
{
	sigset_t all, before;
	bool is_started;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before); // inherited from the first instruction on
	is_started = pthread_create(ret_thread, NULL, run, ctx) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (is_started)
		pthread_setname_np(*ret_thread, name);
	return is_started;
}
