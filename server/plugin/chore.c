// The thread of a plugin's work; see chore.h.
#include "plugin/chore.h"

#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/must.h"
#include "base/thread.h"

int chore_init(struct chore *chore, const struct chore_ops *ops, void *ctx)
{
	*chore = (struct chore){.ops = ops, .ctx = ctx};
	chore->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return chore->stop_fd < 0 ? E_IO : E_OK;
}

void chore_wipe(struct chore *chore)
{
	if (chore->stop_fd >= 0)
		close(chore->stop_fd);
	chore->stop_fd = -1;
}

// Whether it is to stop within that time.
static bool stops_within(const struct chore *chore, int milliseconds)
{
	struct pollfd wait = {.fd = chore->stop_fd, .events = POLLIN};
	int64_t end_ms = clock_mono_ms() + milliseconds, left_ms = milliseconds;
	int ready;

	while ((ready = poll(&wait, 1, (int)left_ms)) < 0 && errno == EINTR)
		left_ms = end_ms > clock_mono_ms() ? end_ms - clock_mono_ms() : 0;
	return ready != 0; // an error stops it too, rather than turning in a circle
}

// Whether to go on, after a pause.
static bool pause_after_failure(struct chore *chore, int64_t began_ms, int *again_s)
{
	if (clock_mono_ms() - began_ms >= CHORE_AGAIN_MAX_S * 1000)
		*again_s = CHORE_AGAIN_FIRST_S;
	chore->ops->pausing(chore->ctx, *again_s);
	if (stops_within(chore, *again_s * 1000) || chore->is_to_stop)
		return false;
	chore->ops->resuming(chore->ctx);
	*again_s = *again_s * 2 < CHORE_AGAIN_MAX_S ? *again_s * 2 : CHORE_AGAIN_MAX_S;
	return true;
}

static void *run(void *ctx)
{
	struct chore *chore = ctx;
	int again_s = CHORE_AGAIN_FIRST_S;

	for (bool goes_on = true; goes_on;) {
		int64_t began_ms = clock_mono_ms();

		chore->ops->call(chore->ctx);
		goes_on = !chore->is_to_stop && pause_after_failure(chore, began_ms, &again_s);
	}
	chore->ops->ended(chore->ctx);
	return NULL;
}

bool chore_start(struct chore *chore, const char *name)
{
	must(!chore->is_started);
	chore->is_started = thread_start(&chore->thread, name, run, chore);
	return chore->is_started;
}

void chore_stop(struct chore *chore)
{
	uint64_t one = 1;

	must(chore->is_started);
	chore->is_to_stop = true;
	while (write(chore->stop_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

void chore_join(struct chore *chore)
{
	must(chore->is_started && pthread_join(chore->thread, NULL) == 0);
	chore->is_started = false;
}
