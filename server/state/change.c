// Making and freeing changes; see change.h.
#include "state/change.h"

#include <stdlib.h>
#include <string.h>

struct change *change_put(const struct override *override)
{
	struct change *change = calloc(1, sizeof(*change));

	if (!change)
		return NULL;
	change->type = CHANGE_PUT;
	change->put = override_copy(override);
	return change->put ? change : change_free(change);
}

struct change *change_remove(const struct override_match *match)
{
	struct change *change = calloc(1, sizeof(*change));

	if (!change)
		return NULL;
	change->type = CHANGE_REMOVE;
	change->match = (struct override_match){.kind = match->kind, .site = strdup(match->site),
	                                        .app = match->app ? strdup(match->app) : NULL,
	                                        .every_app = match->every_app};
	return change->match.site && (change->match.app || !match->app) ? change : change_free(change);
}

struct change *change_expire(int64_t now_s, uint64_t upto)
{
	struct change *change = calloc(1, sizeof(*change));

	if (!change)
		return NULL;
	change->type = CHANGE_EXPIRE;
	change->now_s = now_s;
	change->upto = upto;
	return change;
}

struct change *change_free(struct change *change)
{
	if (!change)
		return NULL;
	override_free(change->put);
	free((char *)change->match.site);
	free((char *)change->match.app);
	free(change);
	return NULL;
}
