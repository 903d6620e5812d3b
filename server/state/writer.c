// The queue, the thread, and the way back; see writer.h. Overrides go before health, which is written in small pieces.
#include "state/writer.h"

#include <errno.h>
#include <event2/event.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "base/must.h"
#include "base/thread.h"

// Changes that share a commit; rows of health between two looks at the queue.
enum { COMMIT_MAX = 256, HEALTH_PIECE = 512 };

struct list {
	struct job *first, **end;
};

struct writer {
	const struct state_backend *backend;
	void *backend_ctx;
	struct writer_ops ops;
	struct event *wake;
	int wake_fd;
	pthread_t thread;
	pthread_mutex_t mutex;
	pthread_cond_t work;
	// Under the mutex.
	struct list queue;
	struct commit *first_commit, **last_commit; // what is to go back
	struct healthmap_row *health;
	size_t health_count;
	const struct aliasmap_row *aliases;
	size_t alias_count;
	struct provided_row *provided[PROVIDED_BATCH_MAX]; // copied: the caller's array may move
	size_t provided_count;
	bool has_health, health_is_done, has_provided, provided_is_done, is_stopping;
	int health_err, provided_err;
};

// Jobs that were committed together.
struct commit {
	struct job *jobs;
	struct commit *next;
	size_t count;
	struct change *changes[COMMIT_MAX];
	char why[STATE_WHY_LEN]; // nothing has changed; "": that is not so
};

// The thread ----------------------------------------------------------------------------------------------------------

static void notify(struct writer *writer)
{
	uint64_t one = 1;

	while (write(writer->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

// Takes jobs off the queue, in order. Under the mutex.
static struct commit *take_jobs(struct writer *writer, struct commit *commit)
{
	struct job **end = &commit->jobs;

	must(writer->queue.first);
	*commit = (struct commit){.jobs = writer->queue.first};
	while (*end && commit->count < COMMIT_MAX) {
		commit->changes[commit->count++] = (*end)->change;
		end = &(*end)->next;
	}
	writer->queue.first = *end;
	if (!*end)
		writer->queue.end = &writer->queue.first;
	*end = NULL;
	return commit;
}

// Without the mutex. The jobs go back before settle(), which may take as long again.
static void commit_jobs(struct writer *writer, struct commit *commit)
{
	struct change *changes[COMMIT_MAX];
	size_t count = commit->count;

	writer->backend->commit(writer->backend_ctx, commit->changes, count, commit->why);
	memcpy(changes, commit->changes, count * sizeof(struct change *));
	for (struct job *job = commit->jobs; job; job = job->next) {
		job->err = job->change->err;
		job->revision = job->change->revision;
		job->why = commit->why[0] ? commit->why : NULL;
		job->change = NULL;
	}
	pthread_mutex_lock(&writer->mutex);
	*writer->last_commit = commit;
	writer->last_commit = &commit->next;
	pthread_mutex_unlock(&writer->mutex);
	notify(writer);
	writer->backend->settle(writer->backend_ctx, changes, count);
	for (size_t i = 0; i < count; i++)
		change_free(changes[i]);
}

// Neighbours share pages.
static int by_name(const void *a, const void *b)
{
	const struct healthmap_row *left = a, *right = b;
	int order = strcmp(left->app, right->app);

	return order ? order : strcmp(left->site, right->site);
}

// One piece. Without the mutex. True when it was the last one.
static bool write_health(struct writer *writer, size_t *from)
{
	must(*from <= writer->health_count);

	size_t count = writer->health_count - *from < HEALTH_PIECE ? writer->health_count - *from : HEALTH_PIECE;

	if (*from == 0 && count > 1)
		qsort(writer->health, writer->health_count, sizeof(*writer->health), by_name);

	int err = E_OK;

	if (*from == 0 && writer->alias_count > 0)
		err = writer->backend->aliases(writer->backend_ctx, writer->aliases, writer->alias_count);
	if (err == E_OK)
		err = writer->backend->health(writer->backend_ctx, writer->health + *from, count);

	*from += count;
	if (err == E_OK && *from < writer->health_count)
		return false;
	pthread_mutex_lock(&writer->mutex);
	writer->has_health = false;
	writer->health_is_done = true;
	writer->health_err = err;
	pthread_mutex_unlock(&writer->mutex);
	notify(writer);
	return true;
}

// Without the mutex.
static void write_provided(struct writer *writer)
{
	int err = writer->backend->provided(writer->backend_ctx, writer->provided, writer->provided_count);

	pthread_mutex_lock(&writer->mutex);
	writer->has_provided = false;
	writer->provided_is_done = true;
	writer->provided_err = err;
	pthread_mutex_unlock(&writer->mutex);
	notify(writer);
}

// Under the mutex. Returns when there may be something to do. `wait_ms` negative: no time limit.
static void wait_for_work(struct writer *writer, int wait_ms)
{
	struct timespec until;

	if (wait_ms < 0) {
		pthread_cond_wait(&writer->work, &writer->mutex);
		return;
	}
	clock_gettime(CLOCK_MONOTONIC, &until);
	until.tv_sec += wait_ms / 1000;
	until.tv_nsec += wait_ms % 1000 * 1000000L;
	if (until.tv_nsec >= 1000000000L) {
		until.tv_nsec -= 1000000000L;
		until.tv_sec++;
	}
	pthread_cond_timedwait(&writer->work, &writer->mutex, &until);
}

static bool has_work(const struct writer *writer)
{
	return writer->queue.first || writer->has_health || writer->has_provided || writer->is_stopping;
}

// Under the mutex, which is released meanwhile.
static void rest(struct writer *writer)
{
	pthread_mutex_unlock(&writer->mutex);

	int wait_ms = writer->backend->tend(writer->backend_ctx);

	pthread_mutex_lock(&writer->mutex);
	if (!has_work(writer))
		wait_for_work(writer, wait_ms);
}

static void *run(void *ctx)
{
	struct writer *writer = ctx;
	struct commit *commit = NULL;
	size_t health_from = 0;

	pthread_mutex_lock(&writer->mutex);
	for (;;) {
		bool has_jobs = writer->queue.first && (commit || (commit = malloc(sizeof(*commit))));

		if (has_jobs) {
			take_jobs(writer, commit);
			pthread_mutex_unlock(&writer->mutex);
			commit_jobs(writer, commit);
			commit = NULL; // the main thread frees it
			pthread_mutex_lock(&writer->mutex);
		} else if (writer->queue.first) {
			wait_for_work(writer, 10); // for memory
		} else if (writer->has_health) {
			pthread_mutex_unlock(&writer->mutex);
			if (write_health(writer, &health_from))
				health_from = 0;
			pthread_mutex_lock(&writer->mutex);
		} else if (writer->has_provided) {
			pthread_mutex_unlock(&writer->mutex);
			write_provided(writer);
			pthread_mutex_lock(&writer->mutex);
		} else if (writer->is_stopping) {
			break;
		} else {
			rest(writer);
		}
	}
	pthread_mutex_unlock(&writer->mutex);
	free(commit);
	return NULL;
}

// The main thread -----------------------------------------------------------------------------------------------------

static void deliver(struct writer *writer)
{
	pthread_mutex_lock(&writer->mutex);

	struct commit *commit = writer->first_commit;
	bool health_is_done = writer->health_is_done;
	int health_err = writer->health_err;
	bool provided_is_done = writer->provided_is_done;
	int provided_err = writer->provided_err;

	writer->provided_is_done = false;
	writer->first_commit = NULL;
	writer->last_commit = &writer->first_commit;
	writer->health_is_done = false;
	pthread_mutex_unlock(&writer->mutex);
	while (commit) {
		struct commit *next = commit->next;

		writer->ops.committed(writer->ops.ctx, commit->jobs);
		free(commit);
		commit = next;
	}
	if (health_is_done)
		writer->ops.health_written(writer->ops.ctx, health_err);
	if (provided_is_done)
		writer->ops.provided_written(writer->ops.ctx, provided_err);
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	uint64_t count;

	(void)what;
	while (read(fd, &count, sizeof(count)) < 0 && errno == EINTR)
		;
	deliver(arg);
}

static void make_condition(pthread_cond_t *condition)
{
	pthread_condattr_t attributes; // lint-ok: the system's name

	must(pthread_condattr_init(&attributes) == 0);
	must(pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0);
	must(pthread_cond_init(condition, &attributes) == 0);
	pthread_condattr_destroy(&attributes);
}

static void writer_free(struct writer *writer)
{
	if (writer->wake)
		event_free(writer->wake);
	if (writer->wake_fd >= 0)
		close(writer->wake_fd);
	pthread_cond_destroy(&writer->work);
	pthread_mutex_destroy(&writer->mutex);
	free(writer);
}

int writer_start(struct event_base *base, const struct state_backend *backend, void *backend_ctx,
                 const struct writer_ops *ops, struct writer **ret_writer)
{
	struct writer *writer = calloc(1, sizeof(*writer));

	if (!writer)
		return E_NOMEM;
	writer->backend = backend;
	writer->backend_ctx = backend_ctx;
	writer->ops = *ops;
	writer->queue.end = &writer->queue.first;
	writer->last_commit = &writer->first_commit;
	must(pthread_mutex_init(&writer->mutex, NULL) == 0);
	make_condition(&writer->work);
	writer->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	writer->wake = writer->wake_fd < 0 ? NULL : event_new(base, writer->wake_fd, EV_READ | EV_PERSIST, on_wake, writer);
	if (writer->wake)
		event_priority_set(writer->wake, 0); // before a thousand probes
	if (!writer->wake || event_add(writer->wake, NULL) < 0 ||
	    !thread_start(&writer->thread, "state", run, writer)) {
		int err = writer->wake_fd < 0 ? E_IO : E_NOMEM;

		writer_free(writer);
		return err;
	}
	*ret_writer = writer;
	return E_OK;
}

void writer_submit(struct writer *writer, struct job *job)
{
	job->next = NULL;
	pthread_mutex_lock(&writer->mutex);
	must(!writer->is_stopping && job->change);
	*writer->queue.end = job;
	writer->queue.end = &job->next;
	pthread_cond_signal(&writer->work);
	pthread_mutex_unlock(&writer->mutex);
}

void writer_submit_health(struct writer *writer, struct healthmap_row *rows, size_t count,
                          const struct aliasmap_row *aliases, size_t alias_count)
{
	pthread_mutex_lock(&writer->mutex);
	must(!writer->is_stopping && !writer->has_health && !writer->health_is_done);
	writer->health = rows;
	writer->health_count = count;
	writer->aliases = aliases;
	writer->alias_count = alias_count;
	writer->has_health = true;
	pthread_cond_signal(&writer->work);
	pthread_mutex_unlock(&writer->mutex);
}

void writer_submit_provided(struct writer *writer, struct provided_row *const *rows, size_t count)
{
	pthread_mutex_lock(&writer->mutex);
	must(!writer->is_stopping && !writer->has_provided && !writer->provided_is_done && count <= PROVIDED_BATCH_MAX);
	memcpy(writer->provided, rows, count * sizeof(struct provided_row *));
	writer->provided_count = count;
	writer->has_provided = true;
	pthread_cond_signal(&writer->work);
	pthread_mutex_unlock(&writer->mutex);
}

void writer_stop(struct writer *writer)
{
	pthread_mutex_lock(&writer->mutex);
	writer->is_stopping = true;
	pthread_cond_signal(&writer->work);
	pthread_mutex_unlock(&writer->mutex);
	must(pthread_join(writer->thread, NULL) == 0);
	deliver(writer);
	writer_free(writer);
}
