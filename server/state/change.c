// Making and freeing changes; see change.h.
#include "state/change.h"

#include <stdlib.h>

#include "base/err.h"

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
	return override_match_copy(match, &change->match) == E_OK ? change : change_free(change);
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
	override_match_done(&change->match);
	free(change);
	return NULL;
}
