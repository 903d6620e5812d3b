// What the lookout tells, on a clock of the test's own and real inotify: whatever way a file changes, once, when it has come
// to rest; without inotify at the next look.
#include "watch/lookout.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/syscall.h>

#include "base/inputs.h"
#include "treefiles.h"

enum { QUIET_MS = 1000, QUIET_MAX_MS = 10000, STAT_MS = 30000 };

static struct {
	struct treefiles tree;
	struct lookout *lookout;
	int64_t now_ms;
	int init_errno, add_errno; // what inotify fails with; 0: it does not
	char told[1024];
} test;

// ---- in the place of the C library's --------------------------------------------------------------------------------

int inotify_init1(int flags)
{
	errno = test.init_errno;
	return errno ? -1 : (int)syscall(SYS_inotify_init1, flags);
}

int inotify_add_watch(int fd, const char *path, uint32_t mask)
{
	errno = test.add_errno;
	return errno ? -1 : (int)syscall(SYS_inotify_add_watch, fd, path, mask);
}

// ---- helpers --------------------------------------------------------------------------------------------------------

static int set_up(void **state)
{
	(void)state;
	memset(&test, 0, sizeof(test));
	treefiles_make(&test.tree);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	lookout_free(test.lookout);
	treefiles_end(&test.tree);
	return 0;
}

static struct inputs *list(const char *const *names)
{
	struct inputs *files = inputs_new();

	assert_non_null(files);
	inputs_section(files, INPUT_FEED, true);
	for (; *names; names++)
		if (strchr(*names, '*'))
			inputs_add_pattern(files, treefiles_path(&test.tree, *names));
		else
			inputs_add(files, treefiles_path(&test.tree, *names));
	return files;
}

// The names of what is told now, in the order of the list.
static const char *turn(int64_t now_ms)
{
	struct inputs *told = lookout_turn(test.lookout, now_ms);
	size_t at = 0;

	test.told[0] = '\0';
	for (size_t i = 0; told && i < inputs_count(told); i++)
		at += (size_t)snprintf(test.told + at, sizeof(test.told) - at, "%s%s", i ? " " : "",
		                       inputs_at(told, i)->path + strlen(test.tree.folder) + 1);
	inputs_free(told);
	return test.told;
}

// A lookout that has looked at these files once, at the time 0.
static void look_at(const char *const *names)
{
	static const struct lookout_times times = {QUIET_MS, QUIET_MAX_MS, STAT_MS};

	test.lookout = lookout_new(&times);
	assert_non_null(test.lookout);
	assert_string_equal(turn(0), "");
	assert_int_equal(lookout_next_ms(test.lookout), INT64_MAX);
	lookout_set(test.lookout, list(names));
	assert_string_equal(turn(0), "");
	assert_int_equal(lookout_next_ms(test.lookout), STAT_MS);
}

#define LOOK_AT(...) look_at((const char *const[]){__VA_ARGS__, NULL})

// A while passes in which nothing is due.
static void pass(void)
{
	test.now_ms += 100;
	assert_true(test.now_ms < lookout_next_ms(test.lookout));
}

// A change beside the files brings no look; one on the way to them brings one, even if they are what they were.
static void assert_nothing(bool looks)
{
	int64_t before_ms = lookout_next_ms(test.lookout);

	pass();
	assert_string_equal(turn(test.now_ms), "");
	assert_int_equal(lookout_next_ms(test.lookout), looks ? test.now_ms + STAT_MS : before_ms);
}

// Something has just changed, which inotify must have noticed; it is told a quiet second later and never again.
static void assert_told(const char *names)
{
	pass();
	assert_string_equal(turn(test.now_ms), "");
	assert_int_equal(lookout_next_ms(test.lookout), test.now_ms + QUIET_MS);
	assert_string_equal(turn(test.now_ms + QUIET_MS - 1), "");
	test.now_ms += QUIET_MS;
	assert_string_equal(turn(test.now_ms), names);
	assert_int_equal(lookout_next_ms(test.lookout), test.now_ms + STAT_MS);
	test.now_ms += STAT_MS;
	assert_string_equal(turn(test.now_ms), "");
}

// ---- changes --------------------------------------------------------------------------------------------------------

static void test_one_file(void **state)
{
	(void)state;
	treefiles_write(&test.tree, "a.csv", "1");
	treefiles_write(&test.tree, "b.csv", "1");
	LOOK_AT("a.csv", "b.csv");
	assert_true(lookout_fd(test.lookout) >= 0);
	treefiles_replace(&test.tree, "a.csv", "2");
	assert_told("a.csv");
	treefiles_write(&test.tree, "b.csv", "in place");
	assert_told("b.csv");
	treefiles_replace(&test.tree, "b.csv", "3");
	treefiles_replace(&test.tree, "a.csv", "3");
	assert_told("a.csv b.csv");
	treefiles_remove(&test.tree, "a.csv");
	assert_told("a.csv");
	treefiles_write(&test.tree, "a.csv", "1");
	assert_told("a.csv");
	assert_int_equal(chmod(treefiles_path(&test.tree, "b.csv"), 0600), 0);
	assert_told("b.csv");
}

// What goes on beside the files brings no look.
static void test_neighbours(void **state)
{
	(void)state;
	treefiles_write(&test.tree, "a.csv", "1");
	LOOK_AT("a.csv");
	treefiles_write(&test.tree, "other.csv", "1");
	treefiles_rename(&test.tree, "other.csv", "a.csv.tmp");
	assert_nothing(false);
}

// A file that is being written is told when it has been left alone, or has not been for too long.
static void test_moving(void **state)
{
	char text[64] = "";
	int64_t began_ms;

	(void)state;
	treefiles_write(&test.tree, "a.csv", "");
	treefiles_write(&test.tree, "b.csv", "");
	LOOK_AT("a.csv", "b.csv");
	pass();
	for (int i = 0; i < 5; i++, test.now_ms += QUIET_MS) {
		treefiles_write(&test.tree, "a.csv", strcat(text, "x"));
		assert_string_equal(turn(test.now_ms), "");
	}
	assert_string_equal(turn(test.now_ms), "a.csv");
	pass();
	for (began_ms = test.now_ms; test.now_ms < began_ms + QUIET_MAX_MS; test.now_ms += QUIET_MS) {
		treefiles_write(&test.tree, "a.csv", strcat(text, "x"));
		assert_string_equal(turn(test.now_ms), "");
	}
	treefiles_write(&test.tree, "a.csv", strcat(text, "x"));
	assert_string_equal(turn(test.now_ms), "a.csv");
	treefiles_write(&test.tree, "a.csv", strcat(text, "x")); // and on
	assert_told("a.csv");
}

// What had changed before it was watched is told too: it is the stamp of what was read that counts.
static void test_changed_before(void **state)
{
	const char *const names[] = {"a.csv", NULL};

	(void)state;
	treefiles_write(&test.tree, "a.csv", "1");
	LOOK_AT("a.csv");

	struct inputs *files = list(names);

	treefiles_replace(&test.tree, "a.csv", "2");
	lookout_set(test.lookout, files);
	assert_string_equal(turn(100), "");
	assert_string_equal(turn(99 + QUIET_MS), "");
	assert_string_equal(turn(100 + QUIET_MS), "a.csv");
	treefiles_replace(&test.tree, "a.csv", "3");
	assert_string_equal(turn(5000), "");
	lookout_set(test.lookout, list(names)); // somebody has read it meanwhile
	assert_string_equal(turn(5500), "");
	assert_string_equal(turn(6500), "");
	assert_int_equal(lookout_next_ms(test.lookout), 5500 + STAT_MS);
}

// ---- ways -----------------------------------------------------------------------------------------------------------

// As kubelet does it: files are links through `..data`, which is replaced.
static void test_config_map(void **state)
{
	char name[64], link[32];

	(void)state;
	treefiles_folder(&test.tree, "map");
	treefiles_folder(&test.tree, "map/..0");
	treefiles_write(&test.tree, "map/..0/a.csv", "0");
	treefiles_link(&test.tree, "..0", "map/..data");
	treefiles_link(&test.tree, "..data/a.csv", "map/a.csv");
	LOOK_AT("map/a.csv");
	for (int i = 1; i <= 3; i++) {
		snprintf(name, sizeof(name), "map/..%d", i);
		treefiles_folder(&test.tree, name);
		snprintf(name, sizeof(name), "map/..%d/a.csv", i);
		treefiles_write(&test.tree, name, "new");
		snprintf(link, sizeof(link), "..%d", i);
		treefiles_link(&test.tree, link, "map/..data_tmp");
		treefiles_rename(&test.tree, "map/..data_tmp", "map/..data");
		assert_told("map/a.csv");
		snprintf(name, sizeof(name), "map/..%d", i - 1);
		treefiles_remove(&test.tree, name);
		assert_nothing(false); // it is on no way any more
	}
	treefiles_write(&test.tree, "map/..3/a.csv", "in place");
	assert_told("map/a.csv");
}

// The link may be anywhere on the way, and lead anywhere.
static void test_linked_folder(void **state)
{
	char target[PATH_MAX];

	(void)state;
	treefiles_folder(&test.tree, "one");
	treefiles_folder(&test.tree, "two");
	treefiles_folder(&test.tree, "way");
	treefiles_write(&test.tree, "one/a.csv", "1");
	treefiles_write(&test.tree, "two/a.csv", "2");
	treefiles_link(&test.tree, "../one", "way/here");
	LOOK_AT("way/here/a.csv");
	treefiles_replace(&test.tree, "one/a.csv", "3");
	assert_told("way/here/a.csv");
	strcpy(target, treefiles_path(&test.tree, "two"));
	treefiles_link(&test.tree, target, "way/next");
	treefiles_rename(&test.tree, "way/next", "way/here");
	assert_told("way/here/a.csv");
	treefiles_replace(&test.tree, "two/a.csv", "4");
	assert_told("way/here/a.csv");
}

static void test_folder_made_again(void **state)
{
	(void)state;
	treefiles_folder(&test.tree, "x");
	treefiles_folder(&test.tree, "x/y");
	treefiles_write(&test.tree, "x/y/a.csv", "1");
	LOOK_AT("x/y/a.csv");
	treefiles_remove(&test.tree, "x");
	assert_told("x/y/a.csv");
	treefiles_folder(&test.tree, "x");
	assert_nothing(true);
	treefiles_folder(&test.tree, "x/y");
	assert_nothing(true);
	treefiles_write(&test.tree, "x/y/a.csv", "2");
	assert_told("x/y/a.csv");
	treefiles_folder(&test.tree, "z");
	treefiles_write(&test.tree, "z/a.csv", "3");
	treefiles_rename(&test.tree, "x/y", "old");
	treefiles_rename(&test.tree, "z", "x/y");
	assert_told("x/y/a.csv");
	treefiles_replace(&test.tree, "x/y/a.csv", "4");
	assert_told("x/y/a.csv");
}

// Links that lead nowhere, or to themselves.
static void test_loops(void **state)
{
	(void)state;
	treefiles_link(&test.tree, "b", "a");
	treefiles_link(&test.tree, "a", "b");
	treefiles_link(&test.tree, "c/d", "c");
	treefiles_link(&test.tree, "nothing", "e");
	LOOK_AT("a", "c", "c/d/f", "e");
	treefiles_write(&test.tree, "nothing", "1");
	assert_told("e");
	treefiles_replace(&test.tree, "b", "1");
	assert_told("a");
}

static void test_pattern(void **state)
{
	(void)state;
	treefiles_folder(&test.tree, "conf.d");
	treefiles_write(&test.tree, "conf.d/1.yaml", "");
	LOOK_AT("conf.d/*.yaml", "conf.d/1.yaml");
	treefiles_write(&test.tree, "conf.d/note.txt", "");
	assert_nothing(true);
	treefiles_write(&test.tree, "conf.d/2.yaml", "");
	assert_told("conf.d/*.yaml");
	treefiles_rename(&test.tree, "conf.d/2.yaml", "conf.d/3.yaml");
	assert_told("conf.d/*.yaml");
	treefiles_remove(&test.tree, "conf.d/3.yaml");
	assert_told("conf.d/*.yaml");
}

// ---- without inotify, or less of it ---------------------------------------------------------------------------------

// How often the log has the text; it is standard error's, which goes to a file meanwhile.
static int begin_log(void)
{
	int before = dup(STDERR_FILENO);
	int fd = open(treefiles_path(&test.tree, "log"), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

	assert_true(before >= 0 && fd >= 0);
	assert_true(dup2(fd, STDERR_FILENO) == STDERR_FILENO);
	close(fd);
	return before;
}

static unsigned end_log(int before, const char *text)
{
	char log[4096] = "";
	unsigned count = 0;

	assert_true(pread(STDERR_FILENO, log, sizeof(log) - 1, 0) >= 0);
	assert_true(dup2(before, STDERR_FILENO) == STDERR_FILENO);
	close(before);
	for (const char *at = log; (at = strstr(at, text)); at++)
		count++;
	return count;
}

// Noticed at the next look only; the reason is said once.
static void assert_slow(const char *why)
{
	int before = begin_log();

	treefiles_write(&test.tree, "a.csv", "1");
	LOOK_AT("a.csv");
	treefiles_replace(&test.tree, "a.csv", "2");
	assert_string_equal(turn(100), "");
	assert_string_equal(turn(STAT_MS - 1), "");
	assert_string_equal(turn(STAT_MS), "");
	assert_string_equal(turn(STAT_MS + QUIET_MS), "a.csv");
	test.now_ms = 2 * STAT_MS + QUIET_MS;
	assert_string_equal(turn(test.now_ms), "");
	assert_int_equal(end_log(before, why), 1);
}

static void test_no_inotify(void **state)
{
	(void)state;
	test.init_errno = EMFILE;
	assert_slow("Too many open files: changes are noticed within 30 s");
	assert_int_equal(lookout_fd(test.lookout), -1);
}

static void test_limit(void **state)
{
	(void)state;
	test.add_errno = ENOSPC;
	assert_slow("the limit of inotify watches is reached: changes are noticed within 30 s");
	test.add_errno = 0; // raised meanwhile: the next look watches again
	test.now_ms += STAT_MS;
	assert_string_equal(turn(test.now_ms), "");
	treefiles_replace(&test.tree, "a.csv", "3");
	assert_told("a.csv");
}

// More events than the kernel keeps: the last ones are lost, and that is told instead.
static void test_overflow(void **state)
{
	FILE *limit = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
	unsigned long max = 0;

	(void)state;
	if (!limit || fscanf(limit, "%lu", &max) != 1 || max > 200000) {
		if (limit)
			fclose(limit);
		skip();
	}
	fclose(limit);
	treefiles_write(&test.tree, "a.csv", "1");
	treefiles_write(&test.tree, "new", "2");
	LOOK_AT("a.csv");
	for (unsigned long i = 0; i <= max; i += 2) {
		treefiles_link(&test.tree, "x", "y");
		assert_int_equal(unlink(treefiles_path(&test.tree, "y")), 0);
	}
	treefiles_rename(&test.tree, "new", "a.csv");
	assert_told("a.csv");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
	const struct CMUnitTest tests[] = {
		TEST(test_one_file),      TEST(test_neighbours),        TEST(test_moving), TEST(test_changed_before), TEST(test_config_map),
		TEST(test_linked_folder), TEST(test_folder_made_again), TEST(test_loops),  TEST(test_pattern),
		TEST(test_no_inotify),    TEST(test_limit),             TEST(test_overflow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
