// The watcher's thread: what it tells reaches the event loop, and one that hangs in a file system can be left behind.
#include "watch/filewatch.h"

#include <event2/event.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/syscall.h>

#include "base/inputs.h"
#include "treefiles.h"

enum { PATIENCE_MS = 60000 };

static struct {
	struct treefiles tree;
	struct event_base *base;
	struct filewatch *watch;
	pthread_t main;
	pthread_mutex_t gate; // of inotify_add_watch()
	sem_t at_gate;
	size_t wanted;        // files, until the loop ends
	char told[1024];
} test = {.gate = PTHREAD_MUTEX_INITIALIZER};

int inotify_add_watch(int fd, const char *path, uint32_t mask)
{
	sem_post(&test.at_gate);
	pthread_mutex_lock(&test.gate);
	pthread_mutex_unlock(&test.gate);
	return (int)syscall(SYS_inotify_add_watch, fd, path, mask);
}

static void changed(void *ctx, const struct inputs *files)
{
	assert_ptr_equal(ctx, &test);
	assert_true(pthread_equal(pthread_self(), test.main));
	for (size_t i = 0; i < inputs_count(files); i++) {
		strcat(test.told, strrchr(inputs_at(files, i)->path, '/'));
		test.wanted--;
	}
	if (test.wanted == 0)
		event_base_loopbreak(test.base);
}

static const char *run_until(size_t files)
{
	static const struct timeval patience = {PATIENCE_MS / 1000, 0};

	test.told[0] = '\0';
	test.wanted = files;
	event_base_loopexit(test.base, &patience);
	event_base_dispatch(test.base);
	assert_int_equal(test.wanted, 0);
	return test.told;
}

static struct inputs *list(void)
{
	struct inputs *files = inputs_new();

	assert_non_null(files);
	inputs_add(files, treefiles_path(&test.tree, "a.csv"));
	inputs_add(files, treefiles_path(&test.tree, "b.csv"));
	return files;
}

static int set_up(void **state)
{
	static const struct lookout_times times = {.quiet_ms = 200, .quiet_max_ms = 60000, .stat_ms = 3600000};
	static const struct filewatch_ops ops = {changed, &test};

	(void)state;
	test.main = pthread_self();
	assert_int_equal(sem_init(&test.at_gate, 0, 0), 0);
	test.base = event_base_new();
	test.watch = filewatch_new(test.base, &times, &ops);
	assert_true(test.base && test.watch);
	treefiles_make(&test.tree);
	treefiles_write(&test.tree, "a.csv", "1");
	treefiles_write(&test.tree, "b.csv", "1");
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	assert_true(filewatch_stop(test.watch, PATIENCE_MS));
	assert_null(filewatch_free(test.watch));
	event_base_free(test.base);
	treefiles_end(&test.tree);
	return 0;
}

static void test_told(void **state)
{
	(void)state;
	filewatch_set(test.watch, list());
	treefiles_replace(&test.tree, "a.csv", "2");
	assert_string_equal(run_until(1), "/a.csv");
	treefiles_replace(&test.tree, "b.csv", "2");
	assert_string_equal(run_until(1), "/b.csv");

	struct inputs *files = list();

	treefiles_replace(&test.tree, "a.csv", "3");
	treefiles_replace(&test.tree, "b.csv", "3");
	filewatch_set(test.watch, files);
	assert_true(strlen(run_until(2)) == strlen("/a.csv/b.csv"));
}

static void test_hangs(void **state)
{
	struct inputs *files = list();

	(void)state;
	pthread_mutex_lock(&test.gate);
	treefiles_replace(&test.tree, "a.csv", "2");
	filewatch_set(test.watch, files);
	assert_int_equal(sem_wait(&test.at_gate), 0);
	filewatch_set(test.watch, list()); // the main thread waits for nothing
	assert_false(filewatch_stop(test.watch, 50));
	pthread_mutex_unlock(&test.gate);
	assert_true(filewatch_stop(test.watch, PATIENCE_MS));
}

static void test_nothing(void **state)
{
	(void)state;
	assert_true(filewatch_stop(NULL, 0));
	assert_null(filewatch_free(NULL));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_told, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_hangs, set_up, tear_down),
		cmocka_unit_test(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
