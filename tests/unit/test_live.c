// The live part: publications share the parts that did not change, and what they no longer have is reused, but only
// when no reader can be at it.
#include "view/live.h"

#include <pthread.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/err.h"
#include "plainview.h"

static const char *const sites[] = {"s", "t", "u", NULL};

static int set_up(void **unused)
{
	(void)unused;
	publish_register_reader();
	return 0;
}

static int tear_down(void **unused)
{
	(void)unused;
	publish_unregister_reader();
	return 0;
}

// A view whose only app has `count` targets.
static struct view *make_view(uint64_t generation, unsigned count)
{
	const struct plainview_app app = {"a.x", 60, (1u << count) - 1};

	return plainview_new(generation, sites, &app, 1);
}

// Publishes; NULL: the part does not change. Returns the states published.
static const struct target_states *publish(const struct view *view, uint8_t state)
{
	struct live *live = live_next();

	assert_non_null(live);
	if (view)
		live->view = view;
	live->states = live_states_new(live->view->target_count);
	assert_non_null(live->states);
	((struct target_states *)live->states)->octets[0] = state;
	live_publish(live);
	return live->states;
}

static void test_next(void **unused)
{
	struct view *first = make_view(1, 2), *second = make_view(2, 3);
	const struct target_states *states;
	struct live *live;

	(void)unused;
	assert_null(live_current());
	publish(first, TARGET_DOWN);
	assert_int_equal(live_current()->epoch, 1);
	assert_int_equal(live_state(live_current(), 0), TARGET_DOWN);
	assert_int_equal(live_state(live_current(), 1), 0);

	states = publish(NULL, TARGET_DRAINED);
	assert_ptr_equal(live_current()->view, first); // the view is shared
	assert_int_equal(live_current()->epoch, 2);
	assert_int_equal(live_state(live_current(), 0), TARGET_DRAINED);

	live = live_next(); // nothing changes: all of it is shared
	live_publish(live);
	publish_drain();
	assert_ptr_equal(live_current(), live);
	assert_ptr_equal(live_current()->states, states);
	assert_int_equal(live_state(live_current(), 0), TARGET_DRAINED);

	publish(second, 0);
	assert_ptr_equal(live_current()->view, second);
	assert_int_equal(live_current()->states->count, 3);
	live_withdraw();
	assert_null(live_current());
	publish_drain();
}

static void test_spares(void **unused)
{
	const struct target_states *retired;
	struct target_states *states, *other;

	(void)unused;
	retired = publish(make_view(1, 2), TARGET_DOWN);
	publish(NULL, 0);
	publish_drain();
	states = live_states_new(2);
	assert_ptr_equal(states, retired);
	assert_int_equal(states->octets[0], 0); // not as it was retired

	retired = publish(NULL, TARGET_DOWN);
	publish(NULL, 0);
	publish_drain();
	other = live_states_new(3); // the spare one is too small
	assert_int_equal(other->count, 3);
	assert_int_equal(other->octets[2], 0);
	free(states);
	free(other);
	live_withdraw();
	publish_drain();
}

// live_reserve() sets aside what the next publication takes.
static void test_reserve(void **unused)
{
	struct target_states *states;
	struct live *live;
	void *freed[4];

	(void)unused;
	assert_int_equal(live_reserve(2), E_OK);
	live = live_next();
	states = live_states_new(2);
	assert_null(live->view);
	assert_int_equal(states->octets[0] | states->octets[1], 0);
	live->view = make_view(1, 2);
	live->states = states;
	live_publish(live);
	publish(NULL, TARGET_DOWN);
	publish_drain();

	// Both are spare now: reserving takes them rather than new ones, and puts them back.
	assert_int_equal(live_reserve(2), E_OK);
	for (size_t i = 0; i < ARRAY_LEN(freed); i++) // were they freed, malloc() would give them out here
		freed[i] = malloc(sizeof(*live));
	assert_ptr_equal(live_next(), live);
	assert_ptr_equal(live_states_new(2), states);
	for (size_t i = 0; i < ARRAY_LEN(freed); i++)
		free(freed[i]);
	assert_ptr_equal(live->view, live_current()->view);
	free(live);
	free(states);
	live_withdraw();
	publish_drain();
}

struct reader {
	sem_t loaded, leave;
	uint8_t seen;
};

static void *read_slowly(void *arg)
{
	struct reader *reader = arg;
	const struct live *live;

	publish_register_reader();
	publish_online();
	live = live_read();
	assert_int_equal(sem_post(&reader->loaded), 0);
	assert_int_equal(sem_wait(&reader->leave), 0);
	reader->seen = live_state(live, 0);
	publish_offline();
	publish_unregister_reader();
	return NULL;
}

// A reader that loaded the live part before a publication has it until it goes offline.
static void test_reader(void **unused)
{
	const struct target_states *held;
	struct target_states *states[4];
	struct reader reader;
	pthread_t thread;

	(void)unused;
	held = publish(make_view(1, 2), TARGET_DOWN);
	assert_int_equal(sem_init(&reader.loaded, 0, 0), 0);
	assert_int_equal(sem_init(&reader.leave, 0, 0), 0);
	assert_int_equal(pthread_create(&thread, NULL, read_slowly, &reader), 0);
	assert_int_equal(sem_wait(&reader.loaded), 0);
	publish(make_view(2, 2), 0);
	for (size_t i = 0; i < ARRAY_LEN(states); i++) {
		states[i] = live_states_new(2);
		assert_ptr_not_equal(states[i], held);
	}
	for (size_t i = 0; i < ARRAY_LEN(states); i++)
		free(states[i]);
	assert_int_equal(sem_post(&reader.leave), 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(reader.seen, TARGET_DOWN);
	live_withdraw();
	publish_drain();
	sem_destroy(&reader.loaded);
	sem_destroy(&reader.leave);
}

static void test_text(void **unused)
{
	(void)unused;
	assert_string_equal(live_state_text(0), "up");
	assert_string_equal(live_state_text(TARGET_DOWN), "down");
	assert_string_equal(live_state_text(TARGET_DRAINED), "drained");
	assert_string_equal(live_state_text(TARGET_DOWN | TARGET_DRAINED), "drained, down");
	assert_string_equal(live_state_text(TARGET_EMPTY), "no address");
	assert_string_equal(live_state_text(TARGET_EMPTY | TARGET_DOWN), "no address");
	assert_string_equal(live_state_text(TARGET_EMPTY | TARGET_DRAINED), "drained, no address");
	assert_string_equal(live_state_text(TARGET_EMPTY | TARGET_DRAINED | TARGET_DOWN), "drained, no address");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_next),   cmocka_unit_test(test_spares), cmocka_unit_test(test_reserve),
		cmocka_unit_test(test_reader), cmocka_unit_test(test_text),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
