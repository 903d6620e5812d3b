// Bounded log lines; see health_log.h.
#include "health/health_log.h"

#include <inttypes.h>

#include "base/clock.h"
#include "base/log.h"
#include "health/watch.h"

enum { EVERY_MS = 60000, LINES_MAX = 100 };

static bool has_passed(int64_t *last_ms)
{
	int64_t now_ms = clock_mono_ms();

	if (*last_ms && now_ms - *last_ms < EVERY_MS)
		return false;
	*last_ms = now_ms;
	return true;
}

// Whether one more line about a single check may be written in this minute. What the last one left out is reported with
// the first line of the next.
static bool may_tell(struct health_log *log)
{
	if (has_passed(&log->minute_ms)) {
		if (log->left_out)
			log_notice("health: %" PRIu64 " more checks began or stopped failing, without a line of their own: there are "
			           "at most %d a minute", log->left_out, LINES_MAX);
		log->lines = 0;
		log->left_out = 0;
	}
	if (log->lines < LINES_MAX) {
		log->lines++;
		return true;
	}
	log->left_out++;
	return false;
}

void health_log_failing(struct health_log *log, const struct endpoint *endpoint)
{
	char name[WATCH_NAME_LEN];

	if (may_tell(log))
		log_notice("health: the check of %s fails, %u of %u times until it counts as down: %s", watch_name(endpoint, name),
		           endpoint->shown.streak, endpoint->probe.check->conf.fall, endpoint->shown.text);
}

void health_log_recovered(struct health_log *log, const struct endpoint *endpoint, unsigned failures)
{
	char name[WATCH_NAME_LEN];

	if (may_tell(log))
		log_notice("health: the check of %s succeeds again after %u %s", watch_name(endpoint, name), failures,
		           failures == 1 ? "failure" : "failures");
}

void health_log_local(struct health_log *log, const struct endpoint *endpoint)
{
	char name[WATCH_NAME_LEN];

	if (has_passed(&log->local_ms))
		log_error("health: cannot probe %s, and perhaps others: %s", watch_name(endpoint, name),
		          endpoint->shown.text);
}

void health_log_late(struct health_log *log, const struct endpoint *endpoint, int64_t late_ms, uint64_t waiting,
                     enum health_late why)
{
	static const char *const reasons[] = {
		[HEALTH_LATE_BUSY] = "the main thread is fully busy",
		[HEALTH_LATE_LIMIT] = "`probes` allows no more at once",
		[HEALTH_LATE_TYPE] = "no more checks of its type are made at once",
	};
	char name[WATCH_NAME_LEN];

	if (has_passed(&log->late_ms))
		log_warning("health: probes are late: %s is probed %.1f s after it was due and %" PRIu64 " more are "
		            "waiting, because %s", watch_name(endpoint, name), (double)late_ms / 1000, waiting,
		            reasons[why]);
}

// If every target timed out, so many probes would be under way at once. With a lower limit they queue, and failures are
// detected late just when it matters.
void health_log_limit(double at_worst, unsigned limit)
{
	if (at_worst > limit + 0.5) // a sum of fractions
		log_warning("health: if every target timed out, %.0f probes would be under way at once; `probes` allows %u, "
		            "so probes would be late", at_worst, limit);
}

void health_log_limit_of(const char *type, double at_worst, unsigned limit)
{
	if (at_worst > limit + 0.5)
		log_warning("health: if every target timed out, %.0f probes of type %s would be under way at once; no more than %u "
		            "are, so they would be late", at_worst, type, limit);
}
