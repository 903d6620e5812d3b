// A queue with a wake-up; see inbox.h.
#include "provide/inbox.h"

#include <errno.h>
#include <event2/event.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/err.h"
#include "base/must.h"
#include "provide/batch.h"

struct inbox {
	struct inbox_ops ops;
	struct event *wake;
	int wake_fd;
	pthread_mutex_t mutex;
	pthread_cond_t room;
	struct inbox_message *first, **end; // under the mutex
};

static void notify(struct inbox *inbox)
{
	uint64_t one = 1;

	while (write(inbox->wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

// Under the mutex.
static void append(struct inbox *inbox, struct inbox_message *message)
{
	message->next = NULL;
	*inbox->end = message;
	inbox->end = &message->next;
	notify(inbox);
}

int inbox_put(struct inbox *inbox, struct inbox_sender *sender, struct batch *batch)
{
	struct inbox_message *message = malloc(sizeof(*message));
	int err = message ? E_OK : E_NOMEM;

	pthread_mutex_lock(&inbox->mutex);
	while (message && sender->batches == INBOX_BATCHES_MAX && !sender->is_closed)
		pthread_cond_wait(&inbox->room, &inbox->mutex);
	if (sender->is_closed)
		err = E_STATE;
	if (err == E_OK) {
		*message = (struct inbox_message){.sender = sender, .batch = batch};
		sender->batches++;
		append(inbox, message);
	}
	pthread_mutex_unlock(&inbox->mutex);
	if (err < 0) {
		free(message);
		batch_free(batch);
	}
	return err;
}

void inbox_end(struct inbox *inbox, struct inbox_sender *sender)
{
	pthread_mutex_lock(&inbox->mutex);
	sender->last = (struct inbox_message){.sender = sender};
	append(inbox, &sender->last);
	pthread_mutex_unlock(&inbox->mutex);
}

void inbox_close(struct inbox *inbox, struct inbox_sender *sender)
{
	pthread_mutex_lock(&inbox->mutex);
	sender->is_closed = true;
	pthread_cond_broadcast(&inbox->room);
	pthread_mutex_unlock(&inbox->mutex);
}

static struct inbox_message *take_all(struct inbox *inbox)
{
	struct inbox_message *first;

	pthread_mutex_lock(&inbox->mutex);
	first = inbox->first;
	inbox->first = NULL;
	inbox->end = &inbox->first;
	pthread_mutex_unlock(&inbox->mutex);
	return first;
}

// What arrives meanwhile is for the next turn of the loop.
void inbox_handle(struct inbox *inbox)
{
	struct inbox_message *next;

	for (struct inbox_message *message = take_all(inbox); message; message = next) {
		struct inbox_sender *sender = message->sender;
		struct batch *batch = message->batch;

		next = message->next;
		if (batch) {
			free(message); // else it is a part of the sender
			pthread_mutex_lock(&inbox->mutex);
			sender->batches--;
			pthread_cond_broadcast(&inbox->room);
			pthread_mutex_unlock(&inbox->mutex);
		}
		inbox->ops.arrived(inbox->ops.ctx, sender->provider, batch);
	}
}

static void on_wake(evutil_socket_t fd, short what, void *arg)
{
	uint64_t count;

	(void)what;
	while (read(fd, &count, sizeof(count)) < 0 && errno == EINTR)
		;
	inbox_handle(arg);
}

int inbox_new(struct event_base *base, const struct inbox_ops *ops, struct inbox **ret_inbox)
{
	struct inbox *inbox = calloc(1, sizeof(*inbox));

	if (!inbox)
		return E_NOMEM;
	inbox->ops = *ops;
	inbox->end = &inbox->first;
	must(pthread_mutex_init(&inbox->mutex, NULL) == 0);
	must(pthread_cond_init(&inbox->room, NULL) == 0);
	inbox->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	inbox->wake = inbox->wake_fd < 0 ? NULL : event_new(base, inbox->wake_fd, EV_READ | EV_PERSIST, on_wake, inbox);
	if (!inbox->wake || event_add(inbox->wake, NULL) < 0) {
		int err = inbox->wake_fd < 0 ? E_IO : E_NOMEM;

		inbox_free(inbox);
		return err;
	}
	*ret_inbox = inbox;
	return E_OK;
}

struct inbox *inbox_free(struct inbox *inbox)
{
	if (!inbox)
		return NULL;
	must(!inbox->first);
	if (inbox->wake)
		event_free(inbox->wake);
	if (inbox->wake_fd >= 0)
		close(inbox->wake_fd);
	pthread_cond_destroy(&inbox->room);
	pthread_mutex_destroy(&inbox->mutex);
	free(inbox);
	return NULL;
}
