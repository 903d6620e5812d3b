// What caches may still have, and the table it is kept in, against a plain list.
#include "state/ledger.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

enum { KEYS = 300 };

static void name(unsigned key, char app[static 16], char site[static 16])
{
	snprintf(app, 16, "app%u", key / 7);
	snprintf(site, 16, "site%u", key % 7);
}

static void test_left(void **unused)
{
	struct ledger ledger = {0};

	(void)unused;
	assert_int_equal(ledger_left_s(&ledger, "a", "s", 100), 0);
	assert_int_equal(ledger_left_s(&ledger, NULL, "s", 100), 0);
	assert_int_equal(ledger_add(&ledger, "a", "s", 130, 100), E_OK);
	assert_int_equal(ledger_add(&ledger, "b", "s", 160, 100), E_OK);
	assert_int_equal(ledger_add(&ledger, "a", "s", 120, 100), E_OK); // the later one counts
	assert_int_equal(ledger_add(&ledger, "c", "s", 100, 100), E_OK); // over already
	assert_int_equal(ledger_left_s(&ledger, "a", "s", 100), 30);
	assert_int_equal(ledger_left_s(&ledger, "a", "s", 129), 1);
	assert_int_equal(ledger_left_s(&ledger, "a", "s", 130), 0);
	assert_int_equal(ledger_left_s(&ledger, "c", "s", 100), 0);
	assert_int_equal(ledger_left_s(&ledger, NULL, "s", 100), 60);
	assert_int_equal(ledger_left_s(&ledger, NULL, "t", 100), 0);
	assert_int_equal(ledger_left_s(&ledger, NULL, "s", 200), 0);
	ledger_prune(&ledger, 140);
	assert_int_equal(ledger.until.count, 1);
	assert_int_equal(ledger_left_s(&ledger, "b", "s", 140), 20);
	ledger_done(&ledger);
}

static void test_at_random(void **unused)
{
	struct ledger ledger = {0};
	int64_t until_s[KEYS] = {0}, now_s = 1000;
	unsigned seed = 1;

	(void)unused;
	for (int i = 0; i < 60000; i++) {
		unsigned key = (unsigned)rand_r(&seed) % KEYS;
		int64_t next_s = now_s + rand_r(&seed) % 50;
		char app[16], site[16];

		name(key, app, site);
		assert_int_equal(ledger_add(&ledger, app, site, next_s, now_s), E_OK);
		until_s[key] = next_s > until_s[key] ? next_s : until_s[key];
		now_s += rand_r(&seed) % 2;
		if (i % 100 == 0)
			ledger_prune(&ledger, now_s);
		key = (unsigned)rand_r(&seed) % KEYS;
		name(key, app, site);
		assert_int_equal(ledger_left_s(&ledger, app, site, now_s), until_s[key] > now_s ? until_s[key] - now_s : 0);
	}
	ledger_prune(&ledger, now_s + 100);
	assert_int_equal(ledger.until.count, 0);
	ledger_done(&ledger);
}

// It does not grow with expired entries.
static void test_bounded(void **unused)
{
	struct ledger ledger = {0};
	char app[16];

	(void)unused;
	for (int i = 0; i < 100000; i++) {
		snprintf(app, sizeof(app), "app%d", i);
		assert_int_equal(ledger_add(&ledger, app, "s", i + 100, i), E_OK);
	}
	assert_true(ledger.until.count < 3000);
	ledger_done(&ledger);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_left),
		cmocka_unit_test(test_at_random),
		cmocka_unit_test(test_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
