// Rows that are written behind, under three owners that no provider is; see afterwards.h.
#include "state/afterwards.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "state/lastprovided.h"
#include "state/overrides.h"
#include "state/rows.h"

enum { KEY_LEN = 32, SAFE_LEN = 64 };

static const char ended_owner[] = "/ended", safe_owner[] = "/safe", former_owner[] = "/ttl";

struct opening {
	struct afterwards *afterwards;
	struct overrides *overrides;
	int64_t wall_s, mono_s;
	int err;
};

static void load_ended(void *ctx, const char *key, const char *text)
{
	struct opening *opening = ctx;
	int err = ended_load(&opening->afterwards->ended, key, text);

	if (err == E_NOMEM)
		opening->err = err;
	if (err == E_INVAL)
		lastprovided_set(opening->afterwards->last, ended_owner, key, NULL);
}

static void load_former(void *ctx, const char *key, const char *text)
{
	struct opening *opening = ctx;

	if (former_load(&opening->afterwards->former, key, text) == E_NOMEM)
		opening->err = E_NOMEM;
}

static const char *key_of(uint64_t number, char key[KEY_LEN])
{
	snprintf(key, KEY_LEN, "%020" PRIu64, number);
	return key;
}

// The override with this revision; NULL: there is none.
static struct override *find_revision(const struct overrides *overrides, uint64_t revision)
{
	for (size_t i = 0; i < overrides->count; i++)
		if (overrides->rows[i]->revision == revision)
			return overrides->rows[i];
	return NULL;
}

// The row says of which override it is by its sum, as numbers may be given again.
static void load_safe(void *ctx, const char *key, const char *text)
{
	struct opening *opening = ctx;
	struct override *override = find_revision(opening->overrides, strtoull(key, NULL, 10));
	uint64_t sum;
	int64_t safe_s;

	// By a clock that has been set back it may have to take its clients once more.
	if (!override || override->share_now > 0 || sscanf(text, "%" SCNx64 " %" SCNd64, &sum, &safe_s) != 2 ||
	    sum != rows_sum(override)) {
		lastprovided_set(opening->afterwards->last, safe_owner, key, NULL);
		return;
	}
	override->safe_mono_s = opening->mono_s + (safe_s > opening->wall_s ? safe_s - opening->wall_s : 0);
}

static void prune(struct afterwards *afterwards, int64_t now_s)
{
	struct ended_list *ended = &afterwards->ended;
	char key[KEY_LEN];

	while (ended->count > ENDED_MAX || (ended->count > 0 && ended->rows[0].at_s < now_s - ENDED_KEPT_S)) {
		lastprovided_set(afterwards->last, ended_owner, key_of(ended->rows[0].number, key), NULL);
		ended_drop_first(ended);
	}
}

int afterwards_open(struct afterwards *afterwards, struct lastprovided *last, struct overrides *overrides,
                    int64_t wall_s, int64_t mono_s)
{
	struct opening opening = {afterwards, overrides, wall_s, mono_s, E_OK};

	afterwards->last = last;
	lastprovided_take_of(last, ended_owner, load_ended, &opening);
	lastprovided_take_of(last, former_owner, load_former, &opening);
	lastprovided_take_of(last, safe_owner, load_safe, &opening);
	ended_sort(&afterwards->ended);
	prune(afterwards, wall_s);
	return opening.err;
}

void afterwards_done(struct afterwards *afterwards)
{
	ended_done(&afterwards->ended);
	former_done(&afterwards->former);
}

void afterwards_ended(struct afterwards *afterwards, const struct override *override, enum ended_how how,
                      const char *ender, const char *by, int64_t now_s)
{
	struct ended_list *ended = &afterwards->ended;
	char key[KEY_LEN], *text = NULL;

	if (ended_add(ended, override, how, ender, by, now_s) == E_OK && (text = ended_text_of_last(ended)))
		lastprovided_set(afterwards->last, ended_owner, key_of(ended->rows[ended->count - 1].number, key), text);
	else
		log_warning("out of memory: that the %s of %s has ended is not kept, but for the log",
		            override_kind_text(override->kind), override->site[0] ? override->site : override->app);
	free(text);
	prune(afterwards, now_s);
}

void afterwards_gone(struct afterwards *afterwards, const struct override *override)
{
	char key[KEY_LEN];

	if (override->safe_mono_s && !override->is_volatile)
		lastprovided_set(afterwards->last, safe_owner, key_of(override->revision, key), NULL);
}

void afterwards_safe(struct afterwards *afterwards, const struct override *override, int64_t safe_s)
{
	char key[KEY_LEN], text[SAFE_LEN];

	if (override->is_volatile) // it has no row to go with
		return;
	snprintf(text, sizeof(text), "%" PRIx64 " %" PRId64, rows_sum(override), safe_s);
	lastprovided_set(afterwards->last, safe_owner, key_of(override->revision, key), text);
}

void afterwards_answered(struct afterwards *afterwards, const char *site, uint32_t ttl_s, int64_t now_s)
{
	char text[FORMER_TEXT_LEN];

	if (former_set(&afterwards->former, site, ttl_s, now_s, text))
		lastprovided_set(afterwards->last, former_owner, site, text);
}
