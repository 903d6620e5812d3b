// Whose session is whose, how old one gets, and how many there are.
#include "http/sessions.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>

static struct addr addr_of(const char *text)
{
	struct addr addr;

	assert_int_equal(addr_parse(text, &addr), 0);
	return addr;
}

// The session is held, and released at once.
static const struct session *touch(struct sessions *sessions, const struct session_peer *peer, int64_t now_s)
{
	CURL *easy = curl_easy_init();
	struct session *session = sessions_hold(sessions, peer, now_s);

	if (session) {
		assert_int_equal(sessions_use(session, easy), 0);
		sessions_release(sessions, session, easy);
	}
	curl_easy_cleanup(easy);
	return session;
}

static void each_peer_has_its_own(void **state)
{
	const struct addr one = addr_of("192.0.2.1"), two = addr_of("192.0.2.2"), six = addr_of("2001:db8::1");
	const struct session_peer peers[] = {
		{&one, 443, "a.x", 1}, {&two, 443, "a.x", 1}, {&six, 443, "a.x", 1}, {&one, 444, "a.x", 1}, {&one, 443, "b.x", 1},
		{&one, 443, "a.x", 2},
	};
	enum { COUNT = sizeof(peers) / sizeof(peers[0]) };
	struct sessions *sessions = sessions_new();
	const struct session *first[COUNT];

	(void)state;
	for (size_t i = 0; i < COUNT; i++) {
		first[i] = touch(sessions, &peers[i], 100);
		assert_non_null(first[i]);
		assert_int_equal(sessions_count(sessions), i + 1);
		for (size_t k = 0; k < i; k++)
			assert_ptr_not_equal(first[i], first[k]);
	}
	for (size_t i = 0; i < COUNT; i++)
		assert_ptr_equal(touch(sessions, &peers[i], 200), first[i]);
	sessions_refresh(sessions);
	assert_int_equal(sessions_count(sessions), 0);
	sessions_free(sessions);
	assert_null(sessions_free(NULL));
}

// However often it is used: a certificate is looked at again.
static void they_grow_old(void **state)
{
	const struct addr addr = addr_of("192.0.2.1");
	const struct session_peer peer = {&addr, 443, "a.x", 1};
	struct sessions *sessions = sessions_new();
	CURL *easy = curl_easy_init(), *other = curl_easy_init();
	struct session *held = sessions_hold(sessions, &peer, 1000), *again;

	(void)state;
	assert_int_equal(sessions_use(held, easy), 0);
	again = sessions_hold(sessions, &peer, 1000 + SESSIONS_AGE_S - 1);
	assert_ptr_equal(again, held);
	sessions_release(sessions, again, other);
	again = sessions_hold(sessions, &peer, 1000 + SESSIONS_AGE_S);
	assert_ptr_not_equal(again, held); // while the old one is in use
	assert_int_equal(sessions_count(sessions), 1);
	sessions_release(sessions, held, easy);
	assert_ptr_equal(sessions_hold(sessions, &peer, 1000 + 2 * SESSIONS_AGE_S - 1), again);
	sessions_release(sessions, again, other);
	sessions_refresh(sessions); // while it is held
	assert_int_equal(sessions_count(sessions), 0);
	sessions_release(sessions, again, other);
	curl_easy_cleanup(easy);
	curl_easy_cleanup(other);
	sessions_free(sessions);
}

static void there_is_a_limit(void **state)
{
	const struct addr addr = addr_of("192.0.2.1");
	struct sessions *sessions = sessions_new();
	char name[32];
	const struct session_peer peer = {&addr, 443, name, 1};

	(void)state;
	for (int i = 0; i <= SESSIONS_MAX; i++) {
		snprintf(name, sizeof(name), "%d.x", i);
		assert_int_equal(touch(sessions, &peer, 0) != NULL, i < SESSIONS_MAX);
	}
	snprintf(name, sizeof(name), "0.x");
	assert_non_null(touch(sessions, &peer, SESSIONS_AGE_S)); // an old one makes room for itself
	assert_int_equal(sessions_count(sessions), SESSIONS_MAX);
	sessions_free(sessions);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_peer_has_its_own),
		cmocka_unit_test(they_grow_old),
		cmocka_unit_test(there_is_a_limit),
	};
	int failed;

	curl_global_init(CURL_GLOBAL_DEFAULT);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	curl_global_cleanup();
	return failed;
}
