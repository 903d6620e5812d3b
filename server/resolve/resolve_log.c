// Lines and their limit; see resolve_log.h.
#include "resolve/resolve_log.h"

#include <inttypes.h>
#include <stdbool.h>

#include "base/clock.h"
#include "base/log.h"
#include "resolve/resolve_name.h"

enum { LINES_MAX = 20, MINUTE_MS = 60000 };

static bool may_write(struct resolve_log *log)
{
	int64_t now_ms = clock_mono_ms();

	if (!log->minute_ms || now_ms - log->minute_ms >= MINUTE_MS) {
		if (log->left_out > 0)
			log_warning("%" PRIu64 " more lines about names of targets were left out within the last minute; "
			            "`edgesteerctl targets` shows them", log->left_out);
		*log = (struct resolve_log){.minute_ms = now_ms};
	}
	if (log->lines < LINES_MAX) {
		log->lines++;
		return true;
	}
	log->left_out++;
	return false;
}

void resolve_log_failed(struct resolve_log *log, const struct resolve_name *name)
{
	size_t count = name->last_good.count;

	if (!may_write(log))
		return;
	if (count == 0)
		log_warning("%s cannot be resolved: %s; it has no address", name->name, name->error);
	else // whether they stay beyond `alias-max-age` is not decided here
		log_warning("%s cannot be resolved: %s; its last %zu %s, from %" PRId64 " s ago, %s", name->name, name->error, count,
		            count == 1 ? "address" : "addresses", clock_wall_s() - name->last_good.good_s,
		            name->is_expired ? "expired" : count == 1 ? "stays in use" : "stay in use");
}

void resolve_log_recovered(struct resolve_log *log, const struct resolve_name *name, int64_t failed_ms)
{
	if (may_write(log))
		log_notice("%s is resolved again, after %" PRId64 " s", name->name, failed_ms / 1000);
}

void resolve_log_expired(struct resolve_log *log, const struct resolve_name *name, int64_t age_s)
{
	if (may_write(log))
		log_warning("the addresses of %s are from %" PRId64 " s ago, longer than `alias-max-age`: `alias-expired` says what is "
		            "answered", name->name, age_s);
}

void resolve_log_first_round(size_t unknown)
{
	if (unknown > 0)
		log_warning("%zu names of targets are not resolved yet: their targets have no address until they are", unknown);
}

void resolve_log_refused(struct resolve_log *log, const char *app, const char *site, const char *name, const char *addr,
                         const char *why, bool is_taken)
{
	if (may_write(log))
		log_warning("%s at %s: the address %s of %s is %s: %s", app, site, addr, name,
		            is_taken ? "taken in spite of this" : "refused", why);
}

void resolve_log_no_resolver(const char *why)
{
	log_error("names of targets cannot be resolved: %s", why);
}
