// The changes of what providers gave that are still to be written, in their order; see lastprovided.h. One batch at a
// time is with the writer.
#include "state/lastprovided.h"

#include <event2/event.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "state/writer.h"

// Seconds between writes, and after one that failed.
enum { SAVE_S = 1, AGAIN_S = 10 };

struct lastprovided {
	struct provided_list found;   // at the start, until it is taken
	struct provided_list changes;
	struct writer *writer;
	struct event *save;
	size_t batch_count;           // the first of the changes, which are with the writer
	bool is_under_way, is_stopped;
	int64_t failing_s;            // since when it cannot be written, wall clock; 0: it can
	bool is_full;                 // said in the log, once
	uint64_t written, lost;       // changes since the start
};

static void arm(struct lastprovided *last, int seconds)
{
	const struct timeval wait = {seconds, 0};

	if (last->changes.count > 0 && !last->is_under_way && !last->is_stopped &&
	    !event_pending(last->save, EV_TIMEOUT, NULL))
		event_add(last->save, &wait);
}

static size_t next_batch(const struct lastprovided *last)
{
	return last->changes.count < PROVIDED_BATCH_MAX ? last->changes.count : PROVIDED_BATCH_MAX;
}

static void submit(struct lastprovided *last)
{
	if (last->is_under_way || last->is_stopped || last->changes.count == 0)
		return;
	last->batch_count = next_batch(last);
	last->is_under_way = true;
	writer_submit_provided(last->writer, last->changes.rows, last->batch_count);
}

static void on_save(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	submit(arg);
}

void lastprovided_written(struct lastprovided *last, int err)
{
	must(last->is_under_way);
	last->failing_s = err == E_OK ? 0 : last->failing_s ? last->failing_s : clock_wall_s();
	last->is_under_way = false;
	if (err == E_OK) {
		provided_drop(&last->changes, last->batch_count);
		last->written += last->batch_count;
	}
	if (err == E_OK && last->changes.count >= PROVIDED_BATCH_MAX)
		submit(last);
	else
		arm(last, err == E_OK ? SAVE_S : AGAIN_S);
}

int64_t lastprovided_failing_s(const struct lastprovided *last)
{
	return last->failing_s;
}

int lastprovided_new(struct event_base *base, struct writer *writer, struct provided_list *found,
                     struct lastprovided **ret_last)
{
	struct lastprovided *last = calloc(1, sizeof(*last));

	if (!last)
		return E_NOMEM;
	last->writer = writer;
	last->save = evtimer_new(base, on_save, last);
	if (!last->save) {
		lastprovided_free(last);
		return E_NOMEM;
	}
	last->found = *found;
	*found = (struct provided_list){0};
	*ret_last = last;
	return E_OK;
}

struct lastprovided *lastprovided_free(struct lastprovided *last)
{
	if (!last)
		return NULL;
	if (last->save)
		event_free(last->save);
	provided_done(&last->found);
	provided_done(&last->changes);
	free(last);
	return NULL;
}

void lastprovided_stop(struct lastprovided *last)
{
	last->is_stopped = true;
}

int lastprovided_finish(struct lastprovided *last, const struct state_backend *backend, void *backend_ctx)
{
	int err = E_OK;

	must(last->is_stopped && !last->is_under_way);
	while (err == E_OK && last->changes.count > 0) {
		size_t count = next_batch(last);

		err = backend->provided(backend_ctx, last->changes.rows, count);
		if (err == E_OK)
			provided_drop(&last->changes, count);
	}
	return err;
}

void lastprovided_set(struct lastprovided *last, const char *owner, const char *key, const char *text)
{
	int err = provided_add(&last->changes, owner, key, text);

	arm(last, SAVE_S);
	if (err < 0 && !last->is_full)
		log_warning("what provider %s gives does not survive a restart: %s", owner, err_text(err));
	last->is_full |= err < 0;
	last->lost += err < 0;
}

void lastprovided_progress(const struct lastprovided *last, struct provided_progress *ret_progress)
{
	*ret_progress = (struct provided_progress){last->written + last->changes.count, last->written, last->lost};
}

void lastprovided_take_of(struct lastprovided *last, const char *owner,
                          void (*row)(void *ctx, const char *key, const char *text), void *ctx)
{
	struct provided_list *found = &last->found;
	size_t kept = 0;

	for (size_t i = 0; i < found->count; i++) {
		if (strcmp(found->rows[i]->owner, owner) != 0) {
			found->rows[kept++] = found->rows[i];
			continue;
		}
		row(ctx, found->rows[i]->key, found->rows[i]->text);
		free(found->rows[i]);
	}
	found->count = kept;
}

int lastprovided_take(struct lastprovided *last,
                      int (*row)(void *ctx, const char *owner, const char *key, const char *text), void *ctx)
{
	int err = E_OK;

	for (size_t i = 0; i < last->found.count && err == E_OK; i++)
		err = row(ctx, last->found.rows[i]->owner, last->found.rows[i]->key, last->found.rows[i]->text);
	provided_done(&last->found);
	return err;
}
