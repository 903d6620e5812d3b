// Which transfers share a store of certificates, and when one is freed.
#include "http/ca_stores.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <event2/event.h>

static struct ca_stores stores;

static void never(CURL *easy, CURLcode code)
{
	(void)easy;
	fail_msg("a transfer ended: %d", code);
}

static size_t count(void)
{
	size_t n = 0;

	for (const struct ca_store *store = stores.first; store; store = store->next)
		n++;
	return n;
}

// A store for a system's file.
static struct ca_store *hold(const char *file)
{
	return ca_stores_hold(&stores, &(struct ca_source){.file = file});
}

static int set_up(void **state)
{
	(void)state;
	stores = (struct ca_stores){.base = event_base_new(), .done = never};
	return stores.base && curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK ? 0 : -1;
}

static int tear_down(void **state)
{
	(void)state;
	ca_stores_refresh(&stores);
	assert_int_equal(count(), 0);
	event_base_free(stores.base);
	curl_global_cleanup();
	return 0;
}

static void test_shared(void **state)
{
	struct ca_store *none = hold(""), *a = hold("a");

	(void)state;
	assert_true(none && a && none != a && none->loop != a->loop);
	assert_ptr_equal(hold("a"), a);
	assert_ptr_equal(hold(""), none);
	ca_stores_release(&stores, a);
	ca_stores_release(&stores, a);
	assert_int_equal(count(), 2); // kept for the next transfer
	assert_ptr_equal(hold("a"), a);
	ca_stores_release(&stores, a);
	ca_stores_release(&stores, none);
	ca_stores_release(&stores, none);
}

// Certificates are told apart by their text, not by where it is, and hashes only make that quick.
static void test_pem(void **state)
{
	char text[] = "one", same[] = "one", other[] = "two";
	const struct ca_source one = {.file = "", .pem = text, .hash = 7}, again = {.file = "", .pem = same, .hash = 7},
	                       two = {.file = "", .pem = other, .hash = 7};
	struct ca_store *none = hold(""), *a = ca_stores_hold(&stores, &one), *b = ca_stores_hold(&stores, &two);

	(void)state;
	assert_true(none && a && b && a != b && a != none && b != none);
	assert_true(!none->certs && a->certs && b->certs);
	text[0] = 'x'; // the store has a copy
	assert_ptr_equal(ca_stores_hold(&stores, &again), a);
	ca_stores_release(&stores, a);
	ca_stores_release(&stores, a);
	ca_stores_release(&stores, b);
	ca_stores_release(&stores, none);
}

// A file that is to be read again is read by the next transfer; those under way keep what they have.
static void test_refresh(void **state)
{
	struct ca_store *old, *next;

	(void)state;
	ca_stores_refresh(&stores);
	assert_int_equal(count(), 0);
	old = hold("a");
	assert_ptr_equal(hold("a"), old);
	ca_stores_refresh(&stores);
	next = hold("a");
	assert_ptr_not_equal(next, old);
	assert_int_equal(count(), 2);
	ca_stores_release(&stores, old);
	assert_int_equal(count(), 2); // one transfer is left
	ca_stores_release(&stores, old);
	assert_int_equal(count(), 1);
	assert_ptr_equal(stores.first, next);
	ca_stores_release(&stores, next);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_shared),
		cmocka_unit_test(test_pem),
		cmocka_unit_test(test_refresh),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
