// From the targets' TTLs and what caches may have of earlier answers; see safe.h.
#include "control/safe.h"

#include "base/clock.h"
#include "base/must.h"
#include "control/cover.h"
#include "control/ops.h"
#include "state/override.h"
#include "view/answers.h"
#include "view/index.h"
#include "view/live.h"
#include "view/view.h"

// Beyond so many targets the TTLs of the config count, which are at least those answered.
enum { TARGETS_READ_MAX = 10000, NO_APP = -1 };

// Beyond the TTL: our clock's seconds are rounded down; so are those of caches, which hold an answer until its last second has
// passed (unbound); and an answer from the moment before may still be under way.
enum { SLACK_S = 1 + 1 + 1 };

struct longest {
	const struct view *view;
	uint32_t ttl_s;
};

static void look_at(void *ctx, uint32_t target)
{
	struct longest *longest = ctx;
	const struct answers *answers = answers_of(&longest->view->targets[target]);
	uint32_t ttl_s = longest->view->targets[target].app->ttl_s;

	if (answers && answers->count > 0 && answers->rrsets[0].ttl_s < ttl_s)
		ttl_s = answers->rrsets[0].ttl_s;
	if (longest->ttl_s < ttl_s)
		longest->ttl_s = ttl_s;
}

static uint32_t longest_ttl_s(const struct view *view, const struct override *drain)
{
	struct longest longest = {view, 0};

	if (cover_count(view, drain) <= TARGETS_READ_MAX) {
		cover_each(view, drain, look_at, &longest);
		return longest.ttl_s;
	}
	for (int site = 0; (site = cover_next_site(view, drain, site)) >= 0; site++)
		if (longest.ttl_s < view->index->site_ttl_s[site])
			longest.ttl_s = view->index->site_ttl_s[site];
	return longest.ttl_s;
}

int64_t safe_left_s(const struct control_ops *ops, const struct override *drain)
{
	const struct live *live = ops->live(ops->ctx);
	int64_t cached_s = ops->cached_s(ops->ctx, drain), ttl_s = live ? longest_ttl_s(live->view, drain) : 0;

	return SLACK_S + (cached_s > ttl_s ? cached_s : ttl_s);
}

int64_t safe_after_s(const struct control_ops *ops, const struct override *drain)
{
	int64_t now_s = clock_wall_s(), ends_s = override_start_s(drain) + drain->over_s;

	if (drain->is_returning)
		return 0;
	if (drain->safe_mono_s)
		return now_s + drain->safe_mono_s - clock_mono_ms() / 1000;
	return (ends_s > now_s ? ends_s : now_s) + safe_left_s(ops, drain);
}
