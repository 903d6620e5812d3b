// Stores themselves: versions and migrations, values, and results of statements.
#include "state/store.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/log.h"
#include "tempdir.h"

static const char *const steps[] = {
	"CREATE TABLE thing (name TEXT PRIMARY KEY, value INTEGER) WITHOUT ROWID;",
	"ALTER TABLE thing ADD COLUMN note TEXT; CREATE TABLE other (x INTEGER);",
	"CREATE INDEX by_value ON thing (value);",
};

static char dir[TEMPDIR_LEN];
static struct folder folder;

static int set_up(void **unused)
{
	(void)unused;
	return tempdir_make(dir) < 0 || folder_open(dir, &folder) < 0 ? -1 : 0;
}

static int tear_down(void **unused)
{
	char command[TEMPDIR_LEN + 16];

	(void)unused;
	folder_close(&folder);
	snprintf(command, sizeof(command), "rm -rf '%s'", dir);
	return system(command);
}

static struct store *open_store(int version, bool expect_sound)
{
	const struct store_schema schema = {steps, version};
	struct store *store = NULL;
	bool is_sound = false;

	assert_int_equal(store_open(&folder, "a.db", &schema, true, &store, &is_sound), E_OK);
	assert_int_equal(is_sound, expect_sound);
	return store;
}

static void make_store(int version)
{
	const struct store_schema schema = {steps, version};

	assert_int_equal(store_build(&folder, "a.db", &schema, NULL, NULL), E_OK);
	assert_int_equal(store_install(&folder, "a.db"), E_OK);
}

static void check_version(int expected)
{
	const char *why;
	int version = 0;

	assert_int_equal(store_version(&folder, "a.db", &version, &why), E_OK);
	assert_int_equal(version, expected);
}

static void put(struct store *store, const char *name, int64_t value)
{
	const struct store_value values[] = {store_text(name), store_number(value)};
	size_t changed = 0;

	assert_int_equal(store_run(store, "INSERT INTO thing (name, value) VALUES (?, ?)", values, 2, &changed), E_OK);
	assert_int_equal(changed, 1);
}

static int count_row(void *ctx, const struct store_value *columns, size_t count)
{
	assert_int_equal(count, 2);
	assert_int_equal(columns[0].type, STORE_TEXT);
	assert_int_equal(columns[1].type, STORE_NUMBER);
	++*(int *)ctx;
	return E_OK;
}

static int stop(void *ctx, const struct store_value *columns, size_t count)
{
	(void)columns;
	(void)count;
	return ++*(int *)ctx == 2 ? E_LIMIT : E_OK;
}

static int count_things(struct store *store)
{
	int count = 0;

	assert_int_equal(store_each(store, "SELECT name, value FROM thing", NULL, 0, count_row, &count), E_OK);
	return count;
}

static void test_versions(void **unused)
{
	const char *why;
	int version;

	(void)unused;
	assert_int_equal(store_version(&folder, "a.db", &version, &why), E_NOTFOUND);
	make_store(1);
	check_version(1);

	struct store *store = open_store(1, true);

	put(store, "one", 1);
	store_close(store);
	for (int next = 2; next <= 3; next++) { // one step, and the header has the version before anything else is written
		store = open_store(next, true);
		check_version(next);
		put(store, next == 2 ? "two" : "three", next);
		assert_int_equal(count_things(store), next);
		store_close(store);
	}

	const struct store_schema older = {steps, 2};
	bool is_sound;

	assert_int_equal(store_open(&folder, "a.db", &older, true, &store, &is_sound), E_STATE);
	store = open_store(3, true);
	assert_int_equal(count_things(store), 3);
	store_close(store);
}

static void test_two_steps_at_once(void **unused)
{
	(void)unused;
	make_store(1);

	struct store *store = open_store(3, true);

	put(store, "one", 1);
	store_close(store);
	check_version(3);
	store_close(open_store(3, true));
}

static void test_transactions(void **unused)
{
	int rows = 0;

	(void)unused;
	make_store(1);

	struct store *store = open_store(1, true);

	assert_int_equal(store_begin(store), E_OK);
	put(store, "one", 1);
	store_rollback(store);
	assert_int_equal(count_things(store), 0);
	assert_int_equal(store_begin(store), E_OK);
	put(store, "one", 1);
	put(store, "two", -1);
	put(store, "three", INT64_MIN);
	assert_int_equal(store_commit(store), E_OK);
	assert_true(store_pending(store) > 0);
	assert_int_equal(store_each(store, "SELECT name, value FROM thing", NULL, 0, stop, &rows), E_LIMIT);
	assert_int_equal(rows, 2);
	assert_int_equal(store_checkpoint(store, false), E_OK);
	assert_int_equal(store_pending(store), 0);
	store_close(store);
	store = open_store(1, true);
	assert_int_equal(count_things(store), 3);
	// What cannot be is the file's fault, never ours.
	assert_int_equal(store_run(store, "INSERT INTO nothing VALUES (1)", NULL, 0, NULL), E_INVAL);
	assert_true(strlen(store_error(store)) > 0);
	store_close(store);
}

static int expect_types(void *ctx, const struct store_value *columns, size_t count)
{
	static const enum store_type types[] = {STORE_NULL, STORE_NUMBER, STORE_TEXT, STORE_OTHER, STORE_OTHER, STORE_OTHER};

	(void)ctx;
	assert_int_equal(count, ARRAY_LEN(types));
	for (size_t i = 0; i < count; i++)
		assert_int_equal(columns[i].type, types[i]);
	assert_string_equal(columns[2].text, "x");
	return E_OK;
}

static void test_values(void **unused)
{
	(void)unused;
	make_store(1);

	struct store *store = open_store(1, true);

	assert_int_equal(store_each(store, "SELECT NULL, 7, 'x', 7.5, x'00', 'a' || char(0) || 'b'", NULL, 0, expect_types,
	                            NULL), E_OK);
	store_close(store);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_versions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_two_steps_at_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_transactions, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_values, set_up, tear_down),
	};

	log_set_level((enum log_level)0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
