// Two ledgers, as when a generation is replaced is not known while the next one is built; see caches.h.
#include "daemon/caches.h"

#include <stdlib.h>

#include "base/clock.h"
#include "base/err.h"

// The old view is answered from until the new one is published, and the clock's seconds are rounded down.
enum { SLACK_S = 2 };

int64_t caches_now_s(void)
{
	return clock_mono_ms() / 1000;
}

struct caches *caches_new(void)
{
	return calloc(1, sizeof(struct caches));
}

struct caches *caches_next(const struct caches *before)
{
	struct caches *caches = caches_new();
	int64_t now_s = caches_now_s();
	int err = caches ? E_OK : E_NOMEM;

	if (err == E_OK && before)
		err = ledger_add_all(&caches->earlier, &before->earlier, 0, now_s);
	if (err == E_OK && before)
		err = ledger_add_all(&caches->earlier, &before->latest, before->replaced_s, now_s);
	if (err == E_OK || err == E_LIMIT) // then it is the oldest that are known
		return caches;
	caches_free(caches);
	return NULL;
}

void caches_free(void *ctx)
{
	struct caches *caches = ctx;

	if (!caches)
		return;
	ledger_done(&caches->earlier);
	ledger_done(&caches->latest);
	free(caches);
}

int caches_add(struct caches *caches, const char *app, const char *site, uint32_t ttl_s)
{
	return ledger_add(&caches->latest, app, site, (int64_t)ttl_s + SLACK_S, 0);
}

int caches_add_former(struct caches *caches, const char *site, int64_t left_s)
{
	int64_t now_s = caches_now_s();

	return ledger_add(&caches->earlier, "", site, now_s + left_s + SLACK_S, now_s);
}

int64_t caches_left_s(const struct caches *caches, bool (*is_wanted)(const void *ctx, const char *app, const char *site),
                      const void *ctx)
{
	int64_t now_s = caches_now_s();
	int64_t earlier_s = ledger_left_of(&caches->earlier, is_wanted, ctx, now_s);
	int64_t latest_s = ledger_left_of(&caches->latest, is_wanted, ctx, now_s - caches->replaced_s);

	return latest_s > earlier_s ? latest_s : earlier_s;
}
