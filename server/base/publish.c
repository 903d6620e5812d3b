// liburcu's QSBR flavour behind publish.h. liburcu is not instrumented for ThreadSanitizer, so the order that a grace
// period guarantees is annotated by hand; in other builds the annotations are empty.
#include "base/publish.h"

#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>
#include <urcu-qsbr.h>
#include <urcu/urcu-qsbr.h>

#include "base/must.h"

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

struct retired {
	struct rcu_head head;
	void *object;
	void (*free_object)(void *object);
};

static void free_retired(struct rcu_head *head)
{
	struct retired *retired = caa_container_of(head, struct retired, head);

	ORDER_ACQUIRE();
	retired->free_object(retired->object);
	free(retired);
}

void publish_retire(const void *object, void (*free_object)(void *object))
{
	if (!object)
		return;

	struct retired *retired = malloc(sizeof(*retired));

	must(free_object);
	must(retired); // a few dozen bytes; without them the object could be neither freed safely nor kept track of
	retired->object = (void *)object;
	retired->free_object = free_object;
	ORDER_RELEASE();
	urcu_qsbr_thread_online(); // call_rcu() needs its caller online (see its manual); it does not wait
	urcu_qsbr_call_rcu(&retired->head, free_retired);
	urcu_qsbr_thread_offline();
}

static void post(void *freed)
{
	must(sem_post(freed) == 0);
}

// Objects are freed in the order they were retired, so when one more is freed, all before it are. (rcu_barrier() does
// the same, but contains a hand-over that ThreadSanitizer takes for a race.)
void publish_drain(void)
{
	sem_t freed;

	must(sem_init(&freed, 0, 0) == 0);
	publish_retire(&freed, post);
	while (sem_wait(&freed) < 0)
		must(errno == EINTR);
	sem_destroy(&freed);
}
