// The thread and its two queues; see background.h. An eventfd tells the main loop that a job has been worked on.
#include "control/background.h"

#include <event2/event.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/must.h"
#include "base/publish.h"
#include "base/thread.h"

struct queue {
	struct background_job *first, **last;
};

struct background {
	pthread_t thread;
	bool started;
	pthread_mutex_t lock;   // of the queues and the two below them
	pthread_cond_t wake, idle;
	struct queue waiting, worked;
	bool is_working, stopping;
	int ready_fd;
	struct event *ready;
};

static void push(struct queue *queue, struct background_job *job)
{
	job->next = NULL;
	*queue->last = job;
	queue->last = &job->next;
}

static struct background_job *pop(struct queue *queue)
{
	struct background_job *job = queue->first;

	if (job && !(queue->first = job->next))
		queue->last = &queue->first;
	return job;
}

static void *run(void *ctx)
{
	struct background *background = ctx;
	uint64_t one = 1;

	publish_register_reader();
	publish_offline();
	pthread_mutex_lock(&background->lock);
	for (;;) {
		struct background_job *job = pop(&background->waiting);

		if (!job && background->stopping)
			break;
		if (!job) {
			pthread_cond_wait(&background->wake, &background->lock);
			continue;
		}
		background->is_working = true;
		pthread_mutex_unlock(&background->lock);
		publish_online();
		job->work(job);
		publish_offline();
		pthread_mutex_lock(&background->lock);
		push(&background->worked, job);
		background->is_working = false;
		pthread_cond_signal(&background->idle);
		must(write(background->ready_fd, &one, sizeof(one)) == sizeof(one));
	}
	pthread_mutex_unlock(&background->lock);
	publish_unregister_reader();
	return NULL;
}

static void finish_worked(struct background *background)
{
	struct background_job *job;

	for (;;) {
		pthread_mutex_lock(&background->lock);
		job = pop(&background->worked);
		pthread_mutex_unlock(&background->lock);
		if (!job)
			return;
		job->done(job);
	}
}

static void on_ready(evutil_socket_t fd, short what UNUSED, void *ctx)
{
	uint64_t count;

	if (read(fd, &count, sizeof(count)) == sizeof(count))
		finish_worked(ctx);
}

struct background *background_new(struct event_base *base)
{
	struct background *background = calloc(1, sizeof(*background));

	if (!background)
		return NULL;
	background->waiting.last = &background->waiting.first;
	background->worked.last = &background->worked.first;
	pthread_mutex_init(&background->lock, NULL);
	pthread_cond_init(&background->wake, NULL);
	pthread_cond_init(&background->idle, NULL);
	background->ready_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (background->ready_fd >= 0)
		background->ready = event_new(base, background->ready_fd, EV_READ | EV_PERSIST, on_ready, background);
	if (background->ready && event_add(background->ready, NULL) == 0)
		background->started = thread_start(&background->thread, "control", run, background);
	if (!background->started)
		return background_free(background);
	return background;
}

struct background *background_free(struct background *background)
{
	if (!background)
		return NULL;
	if (background->started) {
		pthread_mutex_lock(&background->lock);
		background->stopping = true;
		pthread_cond_signal(&background->wake);
		pthread_mutex_unlock(&background->lock);
		pthread_join(background->thread, NULL);
		finish_worked(background);
	}
	must(!background->waiting.first && !background->worked.first);
	if (background->ready)
		event_free(background->ready);
	if (background->ready_fd >= 0)
		close(background->ready_fd);
	pthread_cond_destroy(&background->wake);
	pthread_cond_destroy(&background->idle);
	pthread_mutex_destroy(&background->lock);
	free(background);
	return NULL;
}

void background_settle(struct background *background)
{
	if (!background)
		return;
	pthread_mutex_lock(&background->lock);
	while (background->waiting.first || background->is_working)
		pthread_cond_wait(&background->idle, &background->lock);
	pthread_mutex_unlock(&background->lock);
	finish_worked(background);
}

void background_run(struct background *background, struct background_job *job)
{
	must(job->work && job->done);
	pthread_mutex_lock(&background->lock);
	must(!background->stopping);
	push(&background->waiting, job);
	pthread_cond_signal(&background->wake);
	pthread_mutex_unlock(&background->lock);
}
