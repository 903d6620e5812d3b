// The reports of vantages, by a clock of the test's own: ages, order, caps, generations, against a plain table.
#include "health/matrix.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"

enum { TARGETS = 20, VANTAGES = 5, TURNS = 20000, NEW = 0xffffffff };

static struct matrix *begin(uint32_t targets)
{
	struct matrix *matrix = matrix_new();
	uint32_t *old_of_new = malloc((targets + 1) * sizeof(*old_of_new)), *first = calloc(targets + 1, sizeof(*first));

	assert_non_null(matrix);
	for (uint32_t i = 0; i < targets; i++)
		old_of_new[i] = NEW;
	matrix_renumber(matrix, old_of_new, first, targets);
	free(old_of_new);
	return matrix;
}

static unsigned vantage(struct matrix *matrix, const char *name, const char *carrier)
{
	unsigned number = 99;

	assert_int_equal(matrix_vantage(matrix, name, carrier, &number), E_OK);
	return number;
}

static bool put(struct matrix *matrix, unsigned number, uint32_t target, bool up, int64_t observed_ms, int64_t until_ms)
{
	bool changed = false;

	assert_int_equal(matrix_put(matrix, number, target, up, observed_ms, until_ms, &changed), E_OK);
	return changed;
}

static unsigned gone;

static void count_gone(void *ctx, uint32_t target)
{
	(void)ctx;
	(void)target;
	gone++;
}

static void test_ages(void **unused)
{
	struct matrix *matrix = begin(3);
	unsigned a = vantage(matrix, "a", ""), b = vantage(matrix, "b", "kddi");

	(void)unused;
	assert_true(put(matrix, a, 1, false, 1000, 31000));
	assert_false(put(matrix, a, 1, false, 2000, 32000));
	assert_true(put(matrix, a, 1, true, 3000, 33000));
	assert_true(put(matrix, b, 1, false, 3000, 13000));
	assert_int_equal(matrix_tally(matrix, 1, "", 32999).up, 1);
	assert_int_equal(matrix_tally(matrix, 1, "", 33000).up, 0); // not fresh, though still there
	assert_int_equal(matrix_tally(matrix, 1, "kddi", 5000).down, 1);
	assert_int_equal(matrix_tally(matrix, 1, "", 5000).down, 0);
	assert_int_equal(matrix_tally(matrix, 0, "", 5000).up, 0);
	gone = 0;
	matrix_expire(matrix, 12999, count_gone, NULL);
	assert_int_equal(gone, 0);
	matrix_expire(matrix, 13000, count_gone, NULL);
	assert_int_equal(gone, 1);
	assert_int_equal(matrix_vantage_at(matrix, b)->down, 0);
	assert_int_equal(matrix_count(matrix), 1);
	matrix_free(matrix);
}

// What was seen earlier and comes later changes nothing.
static void test_order(void **unused)
{
	struct matrix *matrix = begin(1);
	unsigned a = vantage(matrix, "a", "");
	bool changed = false;

	(void)unused;
	assert_true(put(matrix, a, 0, true, 5000, 35000));
	assert_int_equal(matrix_put(matrix, a, 0, false, 4999, 90000, &changed), E_STATE);
	assert_false(changed);
	assert_int_equal(matrix_tally(matrix, 0, "", 6000).up, 1);
	assert_true(put(matrix, a, 0, false, 5000, 35000));
	assert_int_equal(matrix_first(matrix, 0)->since_ms, 5000);
	matrix_free(matrix);
}

// A vantage for another carrier is another one; those with nothing to say give way.
static void test_vantages(void **unused)
{
	struct matrix *matrix = begin(2);
	char name[16];
	unsigned number, first = vantage(matrix, "v", "");

	(void)unused;
	assert_int_not_equal(vantage(matrix, "v", "kddi"), first);
	assert_int_equal(vantage(matrix, "v", ""), first);
	for (int i = 0; i < 1000; i++) { // nobody has said anything yet
		snprintf(name, sizeof(name), "w%d", i);
		(void)vantage(matrix, name, "");
	}
	for (int i = 0; i < MATRIX_VANTAGES_MAX; i++) {
		snprintf(name, sizeof(name), "x%d", i);
		(void)put(matrix, vantage(matrix, name, ""), 0, true, 1, 100);
	}
	assert_int_equal(matrix_vantage(matrix, "late", "", &number), E_LIMIT);
	assert_int_equal(matrix_vantage(matrix, "x7", "", &number), E_OK);
	matrix_expire(matrix, 100, count_gone, NULL);
	assert_int_equal(matrix_vantage(matrix, "late", "", &number), E_OK);
	matrix_free(matrix);
}

static void test_cap(void **unused)
{
	const uint32_t targets = MATRIX_CELLS_MAX / 2 + 10;
	struct matrix *matrix = begin(targets);
	unsigned a = vantage(matrix, "a", ""), b = vantage(matrix, "b", "");
	bool changed = false;

	(void)unused;
	for (uint32_t i = 0; i < MATRIX_CELLS_MAX / 2; i++) {
		(void)put(matrix, a, i, true, 1, 100);
		(void)put(matrix, b, i, false, 1, 100);
	}
	assert_int_equal(matrix_put(matrix, a, targets - 1, true, 1, 100, &changed), E_LIMIT);
	assert_false(put(matrix, a, 5, true, 2, 100)); // what is there can change
	assert_int_equal(matrix_vantage_at(matrix, b)->down, MATRIX_CELLS_MAX / 2);
	matrix_free(matrix);
}

// ---- against a plain table ------------------------------------------------------------------------------------------

struct plain {
	bool there, up;
	int64_t until_ms;
};

static void compare(const struct matrix *matrix, struct plain table[VANTAGES][TARGETS], int64_t now_ms)
{
	static const char *const carriers[] = {"", "kddi", "verizon"};

	for (uint32_t target = 0; target < TARGETS; target++)
		for (size_t c = 0; c < 3; c++) {
			struct tally tally = matrix_tally(matrix, target, carriers[c], now_ms), expected = {0};

			for (unsigned v = 0; v < VANTAGES; v++)
				if (v % 3 == c && table[v][target].there && table[v][target].until_ms > now_ms)
					tally_add(&expected, table[v][target].up ? WORD_UP : WORD_DOWN);
			assert_int_equal(tally.up, expected.up);
			assert_int_equal(tally.down, expected.down);
		}
}

// A reload that drops some targets, adds some, and moves the rest.
static void renumber(struct matrix *matrix, struct plain table[VANTAGES][TARGETS])
{
	uint32_t old_of_new[TARGETS], *first = calloc(TARGETS + 1, sizeof(*first)), shift = (uint32_t)rand() % TARGETS;
	struct plain old[VANTAGES][TARGETS];

	memcpy(old, table, sizeof(old));
	for (uint32_t i = 0; i < TARGETS; i++) {
		old_of_new[i] = rand() % 5 ? (i + shift) % TARGETS : NEW;
		for (unsigned v = 0; v < VANTAGES; v++)
			table[v][i] = old_of_new[i] == NEW ? (struct plain){0} : old[v][old_of_new[i]];
	}
	matrix_renumber(matrix, old_of_new, first, TARGETS);
}

static void test_random(void **unused)
{
	static const char *const carriers[] = {"", "kddi", "verizon"};
	struct plain table[VANTAGES][TARGETS] = {0};
	struct matrix *matrix = begin(TARGETS);
	int64_t now_ms = 1;

	(void)unused;
	srand(1);
	for (int turn = 0; turn < TURNS; turn++) {
		unsigned v = (unsigned)rand() % VANTAGES;
		uint32_t target = (uint32_t)rand() % TARGETS;
		char name[] = {(char)('a' + v), '\0'};
		struct plain *plain = &table[v][target];
		bool up = rand() % 2;

		now_ms += rand() % 50;
		matrix_expire(matrix, now_ms, count_gone, NULL);
		for (unsigned i = 0; i < VANTAGES * TARGETS; i++)
			if (table[i / TARGETS][i % TARGETS].until_ms <= now_ms)
				table[i / TARGETS][i % TARGETS] = (struct plain){0};
		assert_int_equal(put(matrix, vantage(matrix, name, carriers[v % 3]), target, up, now_ms, now_ms + 1000),
		                 !plain->there || plain->up != up);
		*plain = (struct plain){true, up, now_ms + 1000};
		if (rand() % 50 == 0)
			renumber(matrix, table);
		compare(matrix, table, now_ms);
	}
	matrix_free(matrix);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ages), cmocka_unit_test(test_order),  cmocka_unit_test(test_vantages),
		cmocka_unit_test(test_cap),  cmocka_unit_test(test_random),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
