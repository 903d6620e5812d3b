// Time that passes faster for one process, for fastclock.py: preloaded into the daemon, its clocks go at the pace that the
// file named by $FASTCLOCK_FILE gives, and it jumps ahead as that says, and what it waits for with a timeout it waits for by these clocks. It never waits
// less than that. nanosleep() sleeps by them too, usleep() in true time.

#ifndef _GNU_SOURCE
#define _GNU_SOURCE // pthread_cond_clockwait()
#endif

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

// A wait is divided, so that it notices a change of pace.
enum { STRETCHES_MAX = 64, SLICE_MS = 50, NS_PER_MS = 1000000, NS_PER_S = 1000000000 };

// As in fastclock.py. From true monotonic time `from_ns` on the monotonic clock shows `shown_ns`, and goes at `pace`.
struct stretch {
	int64_t from_ns, shown_ns, pace;
};

struct plan {
	uint64_t count; // written after the row
	int64_t jumped_ns; // never less than before, so nobody sees a clock go back
	struct stretch stretches[STRETCHES_MAX];
};

static const struct plan no_plan;
static const struct plan *plan = &no_plan;

__attribute__((constructor)) static void map_file(void)
{
	const char *path = getenv("FASTCLOCK_FILE");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0)
		return;

	void *map = mmap(NULL, sizeof(*plan), PROT_READ, MAP_SHARED, fd, 0);

	if (map != MAP_FAILED)
		plan = map;
	close(fd);
}

static int64_t true_ns(clockid_t clock)
{
	struct timespec now;

	syscall(SYS_clock_gettime, clock, &now);
	return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

// What the monotonic clock shows, how far that is ahead of the truth, and the pace.
static int64_t look(int64_t *ret_ahead_ns, int64_t *ret_pace)
{
	int64_t now_ns = true_ns(CLOCK_MONOTONIC);
	uint64_t i = __atomic_load_n(&plan->count, __ATOMIC_ACQUIRE);

	while (i > 0 && plan->stretches[i - 1].from_ns > now_ns)
		i--;

	const struct stretch true_pace = {now_ns, now_ns, 1}, *in_use = i > 0 ? &plan->stretches[i - 1] : &true_pace;
	int64_t shown_ns = in_use->shown_ns + (now_ns - in_use->from_ns) * in_use->pace +
	                   __atomic_load_n(&plan->jumped_ns, __ATOMIC_ACQUIRE);

	*ret_ahead_ns = shown_ns - now_ns;
	*ret_pace = in_use->pace;
	return shown_ns;
}

static int64_t shown_ns(void)
{
	int64_t ahead_ns, pace;

	return look(&ahead_ns, &pace);
}

// ---- what time it is ------------------------------------------------------------------------------------------------

int clock_gettime(clockid_t clock, struct timespec *ret_now)
{
	int64_t ahead_ns = 0, pace;
	int result = (int)syscall(SYS_clock_gettime, clock, ret_now);

	if (result < 0 || clock == CLOCK_PROCESS_CPUTIME_ID || clock == CLOCK_THREAD_CPUTIME_ID)
		return result;
	(void)look(&ahead_ns, &pace);
	ahead_ns += ret_now->tv_nsec;
	ret_now->tv_sec += ahead_ns / NS_PER_S;
	ret_now->tv_nsec = ahead_ns % NS_PER_S;
	return result;
}

int gettimeofday(struct timeval *restrict ret_now, void *restrict zone)
{
	struct timespec now;

	(void)zone;
	clock_gettime(CLOCK_REALTIME, &now);
	*ret_now = (struct timeval){now.tv_sec, now.tv_nsec / 1000};
	return 0;
}

time_t time(time_t *ret_now)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	if (ret_now)
		*ret_now = now.tv_sec;
	return now.tv_sec;
}

// ---- waiting --------------------------------------------------------------------------------------------------------

static int64_t deadline_of(int timeout_ms)
{
	return timeout_ms < 0 ? INT64_MAX : shown_ns() + (int64_t)timeout_ms * NS_PER_MS;
}

// How long to wait in true time, at most; 0: the deadline has passed.
static int slice_ms(int64_t deadline_ns)
{
	int64_t ahead_ns, pace, left_ns = deadline_ns - look(&ahead_ns, &pace);
	int64_t left_ms = left_ns <= 0 ? 0 : (left_ns / pace + NS_PER_MS - 1) / NS_PER_MS;

	return left_ns > 0 && left_ms == 0 ? 1 : left_ms > SLICE_MS ? SLICE_MS : (int)left_ms;
}

int epoll_wait(int fd, struct epoll_event *events, int count, int timeout_ms)
{
	int64_t deadline_ns = deadline_of(timeout_ms);
	int got, wait_ms;

	do {
		wait_ms = slice_ms(deadline_ns);
		got = (int)syscall(SYS_epoll_pwait, fd, events, count, wait_ms, NULL, 0);
	} while (got == 0 && wait_ms > 0);
	return got;
}

int poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	int64_t deadline_ns = deadline_of(timeout_ms);
	int got, wait_ms;

	do {
		wait_ms = slice_ms(deadline_ns);

		struct timespec wait = {0, (long)wait_ms * NS_PER_MS};

		got = (int)syscall(SYS_ppoll, fds, count, &wait, NULL, 0);
	} while (got == 0 && wait_ms > 0);
	return got;
}

int nanosleep(const struct timespec *span, struct timespec *ret_left)
{
	int64_t deadline_ns = shown_ns() + (int64_t)span->tv_sec * NS_PER_S + span->tv_nsec, left_ns;
	int result = 0, wait_ms;

	while (result == 0 && (wait_ms = slice_ms(deadline_ns)) > 0) {
		struct timespec wait = {0, (long)wait_ms * NS_PER_MS};

		result = (int)syscall(SYS_nanosleep, &wait, NULL);
	}
	left_ns = deadline_ns - shown_ns();
	if (result < 0 && ret_left)
		*ret_left = (struct timespec){left_ns > 0 ? left_ns / NS_PER_S : 0, left_ns > 0 ? left_ns % NS_PER_S : 0};
	return result;
}

// The daemon's conditions all go by the monotonic clock. A slice that has passed is a wakeup for no reason, as any wait may have:
// the caller has to see what has become true while the mutex was not held, for which nobody may be signalled again.
int pthread_cond_timedwait(pthread_cond_t *restrict condition, pthread_mutex_t *restrict mutex,
                           const struct timespec *restrict until)
{
	int64_t deadline_ns = (int64_t)until->tv_sec * NS_PER_S + until->tv_nsec, slice_ns;
	int wait_ms = slice_ms(deadline_ns), result;

	if (wait_ms <= 0)
		return ETIMEDOUT;
	slice_ns = true_ns(CLOCK_MONOTONIC) + (int64_t)wait_ms * NS_PER_MS;
	result = pthread_cond_clockwait(condition, mutex, CLOCK_MONOTONIC,
	                                &(struct timespec){slice_ns / NS_PER_S, slice_ns % NS_PER_S});
	return result == ETIMEDOUT && slice_ms(deadline_ns) > 0 ? 0 : result;
}
