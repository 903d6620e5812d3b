// Publishing and retiring: what a reader has loaded is not freed before the reader goes offline; retired objects are
// freed in order, each once, and publish_drain() waits for all of them.
#include "base/publish.h"

#include <poll.h>
#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

enum { OBJECTS = 1000, PATIENCE_MS = 50 };

static struct published published;

struct object {
	unsigned number;
	atomic_uint freed; // how often
};

static struct object objects[OBJECTS];
static atomic_uint freed_count;
static atomic_bool is_out_of_order;

static void free_object(void *object)
{
	struct object *one = object;

	if (one->number != atomic_fetch_add(&freed_count, 1))
		atomic_store(&is_out_of_order, true);
	atomic_fetch_add(&one->freed, 1);
}

static int set_up(void **state)
{
	(void)state;
	for (unsigned i = 0; i < OBJECTS; i++) {
		objects[i].number = i;
		atomic_store(&objects[i].freed, 0);
	}
	atomic_store(&freed_count, 0);
	atomic_store(&is_out_of_order, false);
	return 0;
}

struct reader {
	sem_t has_loaded, go_on;
	unsigned freed_meanwhile; // of what it loaded
};

static void *read_slowly(void *arg)
{
	struct reader *reader = arg;

	publish_register_reader();
	publish_online();

	const struct object *object = publish_load(&published);

	sem_post(&reader->has_loaded);
	sem_wait(&reader->go_on);
	reader->freed_meanwhile = atomic_load(&object->freed);
	publish_offline();
	publish_unregister_reader();
	return NULL;
}

static void test_readers_keep(void **state)
{
	struct reader reader = {.freed_meanwhile = 1};
	pthread_t thread;

	(void)state;
	sem_init(&reader.has_loaded, 0, 0);
	sem_init(&reader.go_on, 0, 0);
	assert_null(publish_swap(&published, &objects[0]));
	assert_int_equal(pthread_create(&thread, NULL, read_slowly, &reader), 0);
	sem_wait(&reader.has_loaded);
	assert_ptr_equal(publish_swap(&published, &objects[1]), &objects[0]);
	publish_retire(&objects[0], free_object); // and does not wait for the reader
	poll(NULL, 0, PATIENCE_MS);
	sem_post(&reader.go_on);
	publish_drain();
	assert_int_equal(atomic_load(&objects[0].freed), 1);
	assert_int_equal(atomic_load(&objects[1].freed), 0);
	pthread_join(thread, NULL);
	assert_int_equal(reader.freed_meanwhile, 0);
	assert_ptr_equal(publish_swap(&published, NULL), &objects[1]);
	sem_destroy(&reader.has_loaded);
	sem_destroy(&reader.go_on);
}

static void test_in_order(void **state)
{
	(void)state;
	publish_drain(); // nothing is there
	for (unsigned i = 0; i < OBJECTS; i++) {
		publish_retire(&objects[i], free_object);
		publish_retire(NULL, free_object);
		if (i % 100 == 0)
			poll(NULL, 0, 1); // so that there are several grace periods
	}
	publish_drain();
	assert_int_equal(atomic_load(&freed_count), OBJECTS);
	assert_false(atomic_load(&is_out_of_order));
	for (unsigned i = 0; i < OBJECTS; i++)
		assert_int_equal(atomic_load(&objects[i].freed), 1);
	publish_drain();
	assert_int_equal(atomic_load(&freed_count), OBJECTS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_readers_keep, set_up),
		cmocka_unit_test_setup(test_in_order, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
