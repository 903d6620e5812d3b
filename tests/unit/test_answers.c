// What targets are answered with: records as they are in a reply, made from any mix of addresses, and replaced while
// readers are at them.
#include "view/answers.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/publish.h"
#include "plainview.h"

static struct addr v4(uint8_t last)
{
	return (struct addr){ADDR_V4, {192, 0, 2, last}};
}

static struct addr v6(uint8_t last)
{
	return (struct addr){ADDR_V6, {0x20, 1, 0xd, 0xb8, [15] = last}};
}

static void test_records(void **unused)
{
	static const uint8_t a[] = {0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 192, 0, 2, 1,
	                            0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 30, 0, 4, 192, 0, 2, 2};
	static const uint8_t aaaa[] = {0xc0, 12, 0, 28, 0, 1, 0,   0, 0, 30, 0, 16, 0x20, 1, 0xd,
	                               0xb8, 0,  0, 0,  0, 0, 0, 0, 0, 0, 0,  0, 9};
	const struct addr mixed[] = {v4(1), v6(9), v4(2)}, back[] = {v4(1), v4(2), v6(9)};
	struct answers *answers = answers_new(mixed, 3, 30);
	const struct rrset *rrset;
	struct addr list[ANSWERS_ADDRESSES_MAX];

	(void)unused;
	assert_non_null(answers);
	rrset = answers_rrset(answers, DNS_A);
	assert_true(rrset && rrset->type == DNS_A && rrset->count == 2 && rrset->ttl_s == 30);
	assert_int_equal(rrset->wire_len, sizeof(a));
	assert_memory_equal(rrset->wire, a, sizeof(a));
	rrset = answers_rrset(answers, DNS_AAAA);
	assert_true(rrset && rrset->type == DNS_AAAA && rrset->count == 1 && rrset->ttl_s == 30);
	assert_int_equal(rrset->wire_len, sizeof(aaaa));
	assert_memory_equal(rrset->wire, aaaa, sizeof(aaaa));
	assert_null(answers_rrset(answers, DNS_HTTPS));
	assert_null(answers_cname(answers));
	assert_int_equal(answers_addresses(answers, list), 3);
	for (int i = 0; i < 3; i++)
		assert_true(addr_equal(&list[i], &back[i]));
	answers_free(answers);
}

// The same records with a shorter TTL, of addresses, of none and of a CNAME; and back.
static void test_capped(void **unused)
{
	static const uint8_t name[] = {3, 'a', 'l', 'b', 0};
	const struct addr mixed[] = {v4(1), v6(9), v4(2)};
	struct arena *arena = arena_new(4096);
	struct answers *answers[] = {answers_new(mixed, 3, 300), answers_new(NULL, 0, 300),
	                             answers_make_cname(arena, name, sizeof(name), 300)};

	(void)unused;
	for (size_t i = 0; i < 3; i++) {
		struct answers *capped = answers_capped(answers[i], 5), *back = answers_capped(capped, 0);
		struct answers *longer = answers_capped(answers[i], 900);

		assert_true(capped->ttl_s == 300 && capped->cap_s == 5 && capped->count == answers[i]->count && !capped->in_arena);
		for (unsigned k = 0; k < capped->count; k++) {
			const struct rrset *rrset = &capped->rrsets[k];
			size_t len = rrset->wire_len / rrset->count;

			assert_int_equal(rrset->ttl_s, 5);
			for (unsigned r = 0; r < rrset->count; r++)
				assert_memory_equal(rrset->wire + r * len + 6, ((uint8_t[]){0, 0, 0, 5}), 4);
		}
		assert_true(answers[i]->count == 0 || !answers_equal(capped, answers[i]));
		assert_true(answers_equal(back, answers[i]) && back->cap_s == 0);
		assert_true(answers_equal(longer, answers[i]));
		answers_free(capped);
		answers_free(back);
		answers_free(longer);
		answers_free(answers[i]);
	}
	arena_free(arena);
}

// Of one family, of none, and as many as there may be.
static void test_counts(void **unused)
{
	struct addr all[ANSWERS_ADDRESSES_MAX], list[ANSWERS_ADDRESSES_MAX];

	(void)unused;
	for (unsigned v4_count = 0; v4_count <= ANSWERS_ADDRESSES_MAX; v4_count++)
		for (unsigned count = v4_count; count <= ANSWERS_ADDRESSES_MAX; count++) {
			struct answers *answers;

			for (unsigned i = 0; i < count; i++)
				all[i] = i < v4_count ? v4((uint8_t)i) : v6((uint8_t)i);
			answers = answers_new(all, count, 5);
			assert_non_null(answers);
			assert_int_equal(answers_rrset(answers, DNS_A) != NULL, v4_count > 0);
			assert_int_equal(answers_rrset(answers, DNS_AAAA) != NULL, count > v4_count);
			assert_int_equal(answers_addresses(answers, list), count);
			for (unsigned i = 0; i < count; i++)
				assert_true(addr_equal(&list[i], &all[i]));
			answers_free(answers);
		}
}

static void test_cname(void **unused)
{
	static const uint8_t name[] = "\2lb\1x", record[] = {0xc0, 12, 0, 5, 0, 1, 0, 0, 0, 7, 0, 6, 2, 'l', 'b', 1, 'x', 0};
	struct arena *arena = arena_new(4096);
	struct addr list[ANSWERS_ADDRESSES_MAX];
	struct answers *answers = answers_make_cname(arena, name, sizeof(name), 7);
	const struct rrset *rrset = answers_cname(answers);

	(void)unused;
	assert_true(rrset && rrset->type == DNS_CNAME && rrset->count == 1 && rrset->wire_len == sizeof(record));
	assert_memory_equal(rrset->wire, record, sizeof(record));
	assert_ptr_equal(answers_rrset(answers, DNS_A), rrset); // for every type
	assert_ptr_equal(answers_rrset(answers, DNS_HTTPS), rrset);
	assert_int_equal(answers_addresses(answers, list), 0);
	arena_free(arena);
}

// ---- replaced while they are read -----------------------------------------------------------------------------------

enum { REPLACED = 2000 };

struct reader {
	const struct target *target;
	atomic_bool stops;
	unsigned long wrong;
};

// Every answer is one that was set, whole: as many addresses as the last octet of each says.
static void *read_answers(void *arg)
{
	struct reader *reader = arg;
	struct addr list[ANSWERS_ADDRESSES_MAX];

	publish_register_reader();
	while (!atomic_load(&reader->stops)) {
		publish_online();
		for (int i = 0; i < 16; i++) {
			size_t count = answers_addresses(answers_of(reader->target), list);

			for (size_t k = 0; k < count; k++)
				reader->wrong += !addr_equal(&list[k], &(struct addr){ADDR_V4, {192, 0, 2, (uint8_t)count}});
			reader->wrong += count == 0;
		}
		publish_offline();
	}
	publish_unregister_reader();
	return NULL;
}

static void test_replaced(void **unused)
{
	static const char *const sites[] = {"s", NULL};
	const struct plainview_app app = {"a.x", 60, 1};
	struct view *view = plainview_new(1, sites, &app, 1);
	struct reader reader = {.target = &view->targets[0]};
	struct addr list[ANSWERS_ADDRESSES_MAX];
	pthread_t thread;

	(void)unused;
	publish_register_reader();
	list[0] = v4(1);
	atomic_init(&((struct target *)reader.target)->answers, answers_make(view->arena, list, 1, 60));
	assert_int_equal(pthread_create(&thread, NULL, read_answers, &reader), 0);
	for (unsigned i = 0; i < REPLACED; i++) {
		unsigned count = i % ANSWERS_ADDRESSES_MAX + 1;
		struct answers *answers;

		for (unsigned k = 0; k < count; k++)
			list[k] = v4((uint8_t)count);
		answers = answers_new(list, count, 60);
		assert_non_null(answers);
		answers_set(reader.target, answers);
		assert_ptr_equal(answers_of(reader.target), answers);
	}
	atomic_store(&reader.stops, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(reader.wrong, 0);
	publish_drain();
	view_free(view); // and the last answers, which the leak checker misses otherwise
	publish_unregister_reader();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_records), cmocka_unit_test(test_capped),
		cmocka_unit_test(test_counts),
		cmocka_unit_test(test_cname),
		cmocka_unit_test(test_replaced),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
