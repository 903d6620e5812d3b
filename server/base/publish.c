// liburcu's QSBR flavour behind publish.h. liburcu is not instrumented for ThreadSanitizer, so the order that a grace
// period guarantees is annotated by hand; in other builds the annotations are empty.
#include "base/publish.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <urcu-qsbr.h>
#include <urcu/urcu-qsbr.h>

#include "base/must.h"
#include "base/thread.h"

#ifdef __SANITIZE_THREAD__
void __tsan_acquire(void *addr);
void __tsan_release(void *addr);
static char grace; // stands for "a grace period has passed"
#define ORDER_RELEASE() __tsan_release(&grace)
#define ORDER_ACQUIRE() __tsan_acquire(&grace)
#else
#define ORDER_RELEASE() ((void)0)
#define ORDER_ACQUIRE() ((void)0)
#endif

void publish_register_reader(void)
{
	urcu_qsbr_register_thread();
	urcu_qsbr_thread_offline();
}

void publish_unregister_reader(void)
{
	ORDER_RELEASE();
	urcu_qsbr_unregister_thread();
}

void publish_online(void)
{
	urcu_qsbr_thread_online();
}

void publish_offline(void)
{
	ORDER_RELEASE();
	urcu_qsbr_thread_offline();
}

const void *publish_swap(struct published *published, const void *object)
{
	return atomic_exchange_explicit(&published->pointer, object, memory_order_acq_rel);
}

// ---- the reclaimer

// call_rcu() would do, but it aborts the process when it cannot make its thread, and has no room for what is to be freed
// when memory has run out.
enum { GATHER_MS = 2 }; // what is retired within this shares a grace period

struct retired {
	STAILQ_ENTRY(retired) links;
	void *object;
	void (*free_object)(void *object);
	bool is_borrowed; // not to be freed itself
};

STAILQ_HEAD(retired_list, retired);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t not_empty = PTHREAD_COND_INITIALIZER;
static struct retired_list waiting = STAILQ_HEAD_INITIALIZER(waiting);
static bool is_running; // the reclaimer is

static void take_waiting(struct retired_list *taken)
{
	pthread_mutex_lock(&lock);
	while (STAILQ_EMPTY(&waiting))
		pthread_cond_wait(&not_empty, &lock);
	pthread_mutex_unlock(&lock);
	poll(NULL, 0, GATHER_MS);
	pthread_mutex_lock(&lock);
	STAILQ_CONCAT(taken, &waiting);
	pthread_mutex_unlock(&lock);
}

static void *reclaim(void *unused)
{
	struct retired_list taken = STAILQ_HEAD_INITIALIZER(taken);
	struct retired *retired;

	for (;;) {
		take_waiting(&taken);
		urcu_qsbr_synchronize_rcu();
		ORDER_ACQUIRE();
		while ((retired = STAILQ_FIRST(&taken))) {
			bool is_borrowed = retired->is_borrowed;

			STAILQ_REMOVE_HEAD(&taken, links);
			retired->free_object(retired->object); // takes away `retired` if that is borrowed
			if (!is_borrowed)
				free(retired);
		}
	}
	return unused;
}

// Under the lock. False: there is no reclaimer now.
static bool start_reclaimer(void)
{
	pthread_t thread;

	if (is_running)
		return true;
	is_running = thread_start(&thread, "reclaim", reclaim, NULL);
	if (is_running)
		pthread_detach(thread);
	return is_running;
}

// Takes `retired`; false: it could not.
static bool enqueue(struct retired *retired)
{
	bool is_taken;

	pthread_mutex_lock(&lock);
	is_taken = start_reclaimer();
	if (is_taken) {
		STAILQ_INSERT_TAIL(&waiting, retired, links);
		pthread_cond_signal(&not_empty);
	}
	pthread_mutex_unlock(&lock);
	return is_taken;
}

void publish_retire(const void *object, void (*free_object)(void *object))
{
	struct retired *retired;

	if (!object)
		return;
	must(free_object);
	ORDER_RELEASE();
	retired = malloc(sizeof(*retired));
	if (retired) {
		*retired = (struct retired){.object = (void *)object, .free_object = free_object};
		if (enqueue(retired))
			return;
		free(retired);
	}
	// Out of memory. Readers are online for a batch of messages at most, so this takes well under a millisecond.
	urcu_qsbr_synchronize_rcu();
	ORDER_ACQUIRE();
	free_object((void *)object);
}

static void post(void *freed)
{
	must(sem_post(freed) == 0);
}

// Objects are freed in the order they were retired, so when one more is, all before it are.
void publish_drain(void)
{
	struct retired last = {.free_object = post, .is_borrowed = true};
	sem_t freed;

	must(sem_init(&freed, 0, 0) == 0);
	last.object = &freed;
	ORDER_RELEASE();
	if (enqueue(&last)) // else nothing has been left for later
		while (sem_wait(&freed) < 0)
			must(errno == EINTR);
	sem_destroy(&freed);
}
