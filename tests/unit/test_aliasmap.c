// Names' addresses: what is still to be written, and what a start finds of them.
#include "state/aliasmap.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "statedir.h"

static void assert_row(const struct aliasmap *map, const char *name, const char *addresses)
{
	const struct aliasmap_row *row = aliasmap_get(map, name);

	assert_non_null(row);
	assert_string_equal(row->addresses, addresses);
}

static bool keep_b(void *ctx, const char *name)
{
	(void)ctx;
	return strcmp(name, "b") == 0;
}

static void hands_out_what_has_changed(void **unused)
{
	struct aliasmap map = {0};
	struct aliasmap_row rows[4];

	(void)unused;
	assert_int_equal(aliasmap_load(&map, "old", "192.0.2.1", 9, 1), E_OK);
	assert_int_equal(aliasmap_take(&map, rows, 4), 0);
	assert_int_equal(aliasmap_set(&map, "old", "192.0.2.1", 9, 1), E_OK); // it is so already
	assert_int_equal(aliasmap_take(&map, rows, 4), 0);
	assert_int_equal(aliasmap_set(&map, "b", "192.0.2.2", 9, 1), E_OK);
	assert_int_equal(aliasmap_set(&map, "old", "192.0.2.3", 9, 1), E_OK);
	assert_int_equal(aliasmap_take(&map, rows, 4), 2);
	assert_int_equal(aliasmap_set(&map, "old", "192.0.2.4", 9, 2), E_OK); // meanwhile
	aliasmap_written(&map, rows, 2, true);
	assert_int_equal(aliasmap_take(&map, rows, 4), 1);
	assert_string_equal(rows[0].addresses, "192.0.2.4");
	aliasmap_written(&map, rows, 1, false); // the disk is full
	assert_int_equal(aliasmap_take(&map, rows, 4), 1);
	aliasmap_written(&map, rows, 1, true);
	assert_int_equal(aliasmap_take(&map, rows, 4), 0);

	aliasmap_retain(&map, keep_b, NULL);
	assert_null(aliasmap_get(&map, "old"));
	assert_row(&map, "b", "192.0.2.2");
	assert_int_equal(aliasmap_take(&map, rows, 4), 1);
	assert_string_equal(rows[0].name, "old");
	assert_null(rows[0].addresses);
	assert_int_equal(aliasmap_set(&map, "old", "192.0.2.5", 9, 3), E_OK); // it comes back before that is written
	aliasmap_written(&map, rows, 1, true);
	assert_row(&map, "old", "192.0.2.5");
	assert_int_equal(map.dirty_count, 1);
	aliasmap_done(&map);
}

static void has_a_limit(void **unused)
{
	struct aliasmap map = {0};
	char name[16];

	(void)unused;
	for (int i = 0; i <= STATE_ALIASES_MAX; i++) {
		snprintf(name, sizeof(name), "n%d", i);
		assert_int_equal(aliasmap_set(&map, name, "192.0.2.1", 1, 1), i < STATE_ALIASES_MAX ? E_OK : E_LIMIT);
	}
	assert_int_equal(aliasmap_set(&map, "n7", "192.0.2.2", 1, 1), E_OK);
	aliasmap_done(&map);
}

static bool keep_lb(void *ctx, const char *name)
{
	(void)ctx;
	return strcmp(name, "lb.example.net") == 0;
}

static void survives(void **unused)
{
	struct state *state = statedir_open();
	uint32_t ttl_s = 0;
	int64_t since_s = 0;

	(void)unused;
	assert_null(state_alias(state, "lb.example.net", &ttl_s, &since_s));
	state_set_alias(state, "lb.example.net", "192.0.2.1 2001:db8::1", 60, 1000); // older than any health that counts
	state_set_alias(state, "gone.example.net", "192.0.2.9", 60, 1000);
	state = statedir_reopen(state);
	assert_string_equal(state_alias(state, "lb.example.net", &ttl_s, &since_s), "192.0.2.1 2001:db8::1");
	assert_int_equal(ttl_s, 60);
	assert_int_equal(since_s, 1000);
	state_retain_aliases(state, keep_lb, NULL);
	state = statedir_reopen(state);
	assert_null(state_alias(state, "gone.example.net", &ttl_s, &since_s));
	assert_non_null(state_alias(state, "lb.example.net", &ttl_s, &since_s));
	state_close(state);
}

// A row that is not what was written sets the file aside; health.db may be lost.
static void refuses_what_was_not_written(void **unused)
{
	struct state *state = statedir_open();
	char path[128];
	uint32_t ttl_s;
	int64_t since_s;
	sqlite3 *db;

	(void)unused;
	state_set_alias(state, "lb.example.net", "192.0.2.1", 60, 1000);
	state_close(state);
	snprintf(path, sizeof(path), "%s/health.db", statedir);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, "UPDATE alias SET addresses = '192.0.2.66'", NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
	state = statedir_open();
	assert_null(state_alias(state, "lb.example.net", &ttl_s, &since_s));
	assert_int_equal(statedir_count("health.db.damaged-"), 1);
	state_close(state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(hands_out_what_has_changed),
		cmocka_unit_test(has_a_limit),
		cmocka_unit_test_setup_teardown(survives, statedir_setup, statedir_teardown),
		cmocka_unit_test_setup_teardown(refuses_what_was_not_written, statedir_setup, statedir_teardown),
	};

	log_set_level(LOG_LEVEL_ERROR - 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
