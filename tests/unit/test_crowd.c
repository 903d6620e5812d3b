// The crowd: the busiest first, whoever else comes; what one sender can do; what is forgotten.
#include "learn/crowd.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/hash.h"

static struct crowd_note note_of(uint32_t prefix, uint32_t sender)
{
	struct crowd_note note = {
		.client = {.family = ADDR_V4, .bytes = {(uint8_t)(prefix >> 16), (uint8_t)(prefix >> 8), (uint8_t)prefix, 9}},
		.sender = {.family = ADDR_V4, .bytes = {192, (uint8_t)(sender >> 16), (uint8_t)(sender >> 8), (uint8_t)sender}},
		.by_ecs = true,
		.services = 1,
	};

	note.prefix = (struct prefix){addr_cut(&note.client, 24), 24};
	return note;
}

static uint32_t number_of(const struct crowd_member *member)
{
	const uint8_t *b = member->prefix.addr.bytes;

	return (uint32_t)b[0] << 16 | (uint32_t)b[1] << 8 | b[2];
}

static bool always(void *ctx, const struct crowd_member *member)
{
	(void)ctx, (void)member;
	return true;
}

// A million prefixes that are seen once, and a hundred that are busy, by very many senders.
static void test_busiest(void **state)
{
	struct crowd *crowd = crowd_new();
	struct crowd_member *busiest[100];
	unsigned found = 0;

	(void)state;
	assert_non_null(crowd);
	for (uint32_t i = 0; i < 1000000; i++) {
		struct crowd_note once = note_of(1000 + i, i), busy = note_of(i % 100, i + 7);

		(void)crowd_note(crowd, &once, 1000);
		if (i % 4 == 0)
			(void)crowd_note(crowd, &busy, 1000);
		assert_true(crowd_count(crowd) <= CROWD_MAX);
	}
	assert_int_equal(crowd_busiest(crowd, 0, 1000, always, NULL, busiest, 100), 100);
	for (unsigned i = 0; i < 100; i++) {
		found += number_of(busiest[i]) < 100;
		assert_true(i == 0 || busiest[i]->weight <= busiest[i - 1]->weight);
	}
	assert_int_equal(found, 25); // those that i % 4 == 0 leads to
	assert_int_equal(crowd_busiest(crowd, 1, 1000, always, NULL, busiest, 100), 0); // another service
	assert_true(crowd_counts_of(crowd)->replaced > 100000);
	crowd_free(crowd);
}

// One sender makes one note in twenty at most, a believed one as many as it likes.
static void test_sender(void **state)
{
	struct crowd *crowd = crowd_new();
	unsigned forged = 0, believed = 0;

	(void)state;
	assert_non_null(crowd);
	for (uint32_t i = 0; i < 100000; i++) {
		struct crowd_note honest = note_of(i % 500, i), forger = note_of(600000 + i, 1 << 20);

		(void)crowd_note(crowd, &honest, 1000);
		forged += crowd_note(crowd, &forger, 1000) != NULL;
	}
	assert_true(forged <= 100000 / CROWD_SHARE * 21 / 19);
	assert_true(forged >= 100000 / CROWD_SHARE / 2);
	assert_in_range(crowd_counts_of(crowd)->limited, 100000 - forged, 100000 - forged + 100); // few share their count with others
	for (uint32_t i = 0; i < 10000; i++) {
		struct crowd_note note = note_of(i % 500, 1 << 20);

		note.is_trusted = true;
		believed += crowd_note(crowd, &note, 1000) != NULL;
	}
	assert_int_equal(believed, 10000);
	crowd_free(crowd);
}

// What is one sender: an IPv4 address, and the /48 that whoever has it may divide as they like.
static void test_who_is_one_sender(void **state)
{
	static const struct {
		const char *base;
		unsigned from, to; // the octets of it that differ from note to note
		bool is_one;
	} rows[] = {
		{"2001:db8:1::", 6, 16, true}, {"2001:db8:1::", 4, 6, false}, {"198.51.100.0", 3, 4, false}, {"198.51.100.0", 4, 4, true},
	};

	(void)state;
	for (size_t row = 0; row < ARRAY_LEN(rows); row++) {
		struct crowd *crowd = crowd_new();
		unsigned noted = 0;

		assert_non_null(crowd);
		for (uint32_t i = 0; i < CROWD_FLOOR / 2; i++) { // of which a twentieth of CROWD_FLOOR is one sender's
			struct crowd_note note = note_of(i, 0);

			assert_int_equal(addr_parse(rows[row].base, &note.sender), 0);
			for (unsigned octet = rows[row].from; octet < rows[row].to; octet++)
				note.sender.bytes[octet] = (uint8_t)hash_mix(i * 16 + octet);
			noted += crowd_note(crowd, &note, 1000) != NULL;
		}
		if (rows[row].is_one)
			assert_int_equal(noted, CROWD_FLOOR / CROWD_SHARE);
		else
			assert_true(noted > 5 * CROWD_FLOOR / CROWD_SHARE);
		crowd_free(crowd);
	}
}

static void test_decay(void **state)
{
	struct crowd *crowd = crowd_new();
	struct crowd_note note = note_of(7, 1);
	const struct crowd_member *member = NULL;

	(void)state;
	assert_non_null(crowd);
	for (int i = 0; i < 8; i++)
		member = crowd_note(crowd, &note, 60000);
	assert_int_equal(member->weight, 8);
	for (int minute = 2; minute <= 4; minute++)
		crowd_tick(crowd, minute * 60000);
	assert_int_equal(crowd_find(crowd, &note.prefix)->weight, 1);
	crowd_tick(crowd, 5 * 60000);
	assert_null(crowd_find(crowd, &note.prefix));
	assert_int_equal(crowd_count(crowd), 0);
	crowd_free(crowd);
}

// The table, against an array that says who is in.
static void test_table(void **state)
{
	enum { COUNT = 3000 };
	static bool in[COUNT];
	struct crowd *crowd = crowd_new();
	size_t count = 0;

	(void)state;
	assert_non_null(crowd);
	for (uint32_t i = 0; i < 60000; i++) {
		uint32_t n = (uint32_t)(hash_mix(i) % COUNT);
		struct crowd_note note = note_of(n, i);
		struct crowd_member *member = crowd_find(crowd, &note.prefix);

		assert_int_equal(member != NULL, in[n]);
		if (member)
			crowd_drop(crowd, member);
		else
			assert_non_null(crowd_note(crowd, &note, 1000));
		in[n] = !in[n];
		count = in[n] ? count + 1 : count - 1;
		assert_int_equal(crowd_count(crowd), count);
	}
	crowd_free(crowd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_busiest), cmocka_unit_test(test_sender), cmocka_unit_test(test_who_is_one_sender),
		cmocka_unit_test(test_decay), cmocka_unit_test(test_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
