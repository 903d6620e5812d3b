// net/holders.c against a plain count: a hundred thousand random connections of few networks and of many.
#include "net/holders.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

enum { LIMIT = 100, STEPS = 100000, NETWORKS_MAX = 300 };

static struct holders holders;
static void *memory;

static int setup(void **state)
{
	(void)state;
	memory = calloc(1, holders_size(LIMIT));
	assert_non_null(memory);
	holders_init(&holders, memory, LIMIT, 1);
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	free(memory);
	return 0;
}

static struct addr address(const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(text, &addr), 0);
	return addr;
}

static struct holder *add(const char *text)
{
	struct addr addr = address(text);

	return holders_add(&holders, &addr);
}

static void counted_by_network(void **state)
{
	struct holder *four, *six;

	(void)state;
	assert_null(holders_most(&holders));
	four = add("192.0.2.1");
	assert_ptr_equal(add("192.0.2.255"), four);
	assert_ptr_not_equal(add("192.0.3.1"), four);
	six = add("2001:db8:0:100::1");
	assert_ptr_equal(add("2001:db8:0:1ff::1"), six);
	assert_ptr_not_equal(add("2001:db8:0:200::1"), six);
	assert_ptr_equal(holders_most(&holders), four); // both have two, this one for longer
	assert_ptr_equal(add("2001:db8:0:100::2"), six);
	assert_ptr_equal(holders_most(&holders), six);
	holders_remove(&holders, six);
	holders_remove(&holders, six);
	assert_ptr_equal(holders_most(&holders), four);
}

// Every step adds or removes one; then the largest count is that of the model, and whoever is named has it.
static void as_the_model(void **state)
{
	static unsigned counts[NETWORKS_MAX], held[LIMIT];
	static struct holder *of[NETWORKS_MAX];

	(void)state;
	srandom(7);
	for (unsigned networks = 1; networks <= NETWORKS_MAX; networks = networks * 7 + 1) {
		unsigned total = 0;

		memset(counts, 0, sizeof(counts));
		for (unsigned i = 0; i < STEPS; i++) {
			unsigned most = 0, number;

			if (total < LIMIT && (total == 0 || random() % 2)) {
				struct addr addr = {ADDR_V4, {10, 0, 0, (uint8_t)random()}};

				number = (unsigned)random() % networks;
				addr.bytes[1] = (uint8_t)(number >> 8);
				addr.bytes[2] = (uint8_t)number;
				of[number] = holders_add(&holders, &addr);
				counts[number]++;
				held[total++] = number;
			} else {
				unsigned at = (unsigned)random() % total;

				number = held[at];
				held[at] = held[--total];
				holders_remove(&holders, of[number]);
				counts[number]--;
			}
			for (unsigned k = 0; k < networks; k++)
				most = counts[k] > most ? counts[k] : most;
			assert_int_equal(most, holders.most);
			assert_true(most == 0 ? !holders_most(&holders) : holders_most(&holders)->count == most);
			assert_true(counts[number] == 0 || of[number]->count == counts[number]);
		}
		while (total > 0)
			holders_remove(&holders, of[held[--total]]);
		assert_null(holders_most(&holders));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(counted_by_network, setup, teardown),
		cmocka_unit_test_setup_teardown(as_the_model, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
