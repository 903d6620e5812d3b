// Thin wrappers over clock_gettime.
#include "base/clock.h"

#include <stdatomic.h>
#include <time.h>

enum { NS_PER_S = 1000000000 };

int64_t clock_mono_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t clock_mono_ms(void)
{
	return clock_mono_ns() / 1000000;
}

int64_t clock_wall_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return now.tv_sec;
}

int64_t clock_wall_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int64_t read_ns(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (int64_t)now.tv_sec * NS_PER_S + now.tv_nsec;
}

// How far the wall clock was ahead of the time since the machine's start, when somebody looked first.
static int64_t steady_ahead_ns(void)
{
	static _Atomic int64_t ahead_ns; // 0: nobody has
	int64_t found_ns = atomic_load(&ahead_ns), read = found_ns ? 0 : read_ns(CLOCK_REALTIME) - read_ns(CLOCK_BOOTTIME);

	if (found_ns)
		return found_ns;
	if (read == 0)
		read = 1;
	return atomic_compare_exchange_strong(&ahead_ns, &found_ns, read) ? read : found_ns;
}

static int64_t steady_ns(void)
{
	int64_t ahead_ns = steady_ahead_ns(); // first: it may look at the clock itself

	return read_ns(CLOCK_BOOTTIME) + ahead_ns;
}

int64_t clock_steady_s(void)
{
	return steady_ns() / NS_PER_S;
}

int64_t clock_stepped_s(void)
{
	int64_t ahead_ns = read_ns(CLOCK_REALTIME) - steady_ns();

	return (ahead_ns + (ahead_ns < 0 ? -NS_PER_S / 2 : NS_PER_S / 2)) / NS_PER_S;
}
