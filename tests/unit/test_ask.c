// The load client's question: the # digits of a name become each number once, far from its neighbours; a reply belongs to
// the query of its own name only.
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>

#include "ask.h"

enum { QUESTION_AT = 12 };

static void make(struct ask *ask, const char *name, uint32_t name_count)
{
	assert_int_equal(ask_make(ask, name, "A", 1232), 0);
	assert_int_equal(ask_many(ask, name_count), 0);
}

// The question of a reply without records, as a server sends it back.
static size_t make_reply(const struct ask *ask, uint32_t number, uint8_t *reply)
{
	memcpy(reply, ask->head, ask->head_len);
	ask_number(ask, number, reply);
	reply[2] = 0x84;
	reply[11] = 0;
	return (size_t)QUESTION_AT + ask->question_len;
}

static void a_number_has_its_digits(void **state)
{
	struct ask ask;
	uint8_t head[ASK_HEAD_MAX];

	(void)state;
	make(&ask, "x.a####b.example", 10000);
	memcpy(head, ask.head, ask.head_len);
	assert_memory_equal(head + QUESTION_AT, "\1x\6a0000b\7example", 18);
	ask_number(&ask, 9876, head);
	assert_memory_equal(head + QUESTION_AT, "\1x\6a9876b\7example", 18);
	ask_number(&ask, 42, head);
	assert_memory_equal(head + QUESTION_AT, "\1x\6a0042b\7example", 18);
}

static void a_length_is_no_digit(void **state)
{
	struct ask ask;

	(void)state;
	// 35 octets: the label's length is the code of #.
	make(&ask, "a##34567890123456789012345678901234.example", 100);
	assert_int_equal(ask.digits_at, QUESTION_AT + 2);
	assert_int_equal(ask.digits_len, 2);
	assert_int_equal(ask.head[QUESTION_AT], '#');
}

static void digits_are_enough_and_side_by_side(void **state)
{
	static const struct {
		const char *name;
		uint32_t name_count;
	} wrong[] = {{"app.example", 1}, {"a#.example", 11}, {"a#b#.example", 10}, {"a#.#.example", 10}, {"a#.example", 0},
	             {"a##########.example", ASK_NAMES_MAX + 1}};
	struct ask ask;

	(void)state;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		assert_int_equal(ask_make(&ask, wrong[i].name, "A", 1232), 0);
		assert_true(ask_many(&ask, wrong[i].name_count) < 0);
	}
	make(&ask, "a#.example", 10);
	make(&ask, "a#########.example", ASK_NAMES_MAX);
}

static void every_name_has_its_turn(void **state)
{
	enum { MOST = 2000 };
	static uint32_t seen[MOST];
	struct ask ask;

	(void)state;
	for (uint32_t count = 1; count <= MOST; count++) {
		uint32_t number = 0, near = 0;

		make(&ask, "a####.example", count);
		for (uint32_t i = 0; i < count; i++) {
			uint32_t next = ask_next(&ask, number);

			assert_in_range(number, 0, count - 1);
			assert_int_not_equal(seen[number], count);
			seen[number] = count;
			near += labs((long)next - (long)number) < count / 4;
			number = next;
		}
		assert_int_equal(number, 0);
		assert_true(count < 16 || near == 0);
	}
}

static void a_reply_is_to_its_own_name(void **state)
{
	struct ask ask;
	struct reply reply;
	uint8_t message[ASK_HEAD_MAX];

	(void)state;
	make(&ask, "a####.example", 1000);

	size_t len = make_reply(&ask, 321, message);

	assert_true(ask_read(&ask, 321, message, len, true, &reply));
	assert_int_equal(reply.address.family, ADDR_NONE);
	assert_false(ask_read(&ask, 320, message, len, true, &reply));
	assert_false(ask_read(&ask, 321, message, len - 1, true, &reply));
	message[len - 3] ^= 28 ^ 1; // another type
	assert_false(ask_read(&ask, 321, message, len, true, &reply));
}

static void one_name_stays_as_it_is(void **state)
{
	struct ask ask;
	struct reply reply;
	uint8_t message[ASK_HEAD_MAX];

	(void)state;
	assert_int_equal(ask_make(&ask, "a#.example", "A", 1232), 0);
	assert_int_equal(ask_next(&ask, 0), 0);

	size_t len = make_reply(&ask, 0, message);

	assert_memory_equal(message + QUESTION_AT, "\2a#\7example", 11);
	assert_true(ask_read(&ask, 0, message, len, false, &reply));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_number_has_its_digits),
		cmocka_unit_test(a_length_is_no_digit),
		cmocka_unit_test(digits_are_enough_and_side_by_side),
		cmocka_unit_test(every_name_has_its_turn),
		cmocka_unit_test(a_reply_is_to_its_own_name),
		cmocka_unit_test(one_name_stays_as_it_is),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
