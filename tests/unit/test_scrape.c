// What a scrape has of the targets: the first ones by name and the rest as "other", whose count no generation lowers.
#include "daemon/scrape.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <event2/event.h>

#include "base/attr.h"
#include "base/err.h"
#include "plainview.h"
#include "view/handouts.h"
#include "view/live.h"

enum { SHOWN = 2 };

static const char *const sites[] = {"s", "t", NULL};

static struct {
	struct event_base *base;
	struct scrape *scrape;
	struct handouts *handouts;
	char *text;
} test;

static int set_up(void **unused)
{
	(void)unused;
	publish_register_reader();
	test.base = event_base_new();
	test.scrape = scrape_new(test.base, SHOWN);
	test.handouts = handouts_new(1);
	return test.base && test.scrape && test.handouts ? 0 : -1;
}

static int tear_down(void **unused)
{
	(void)unused;
	live_withdraw();
	publish_drain();
	scrape_free(test.scrape);
	handouts_free(test.handouts);
	event_base_free(test.base);
	free(test.text);
	test.text = NULL;
	publish_unregister_reader();
	return 0;
}

// Publishes apps with a target at "s" each, answered as often as before; the second one's is drained, the third's down.
static struct view *serve(uint64_t generation, const char *const *names, size_t count)
{
	const struct view *previous = live_current() ? live_current()->view : NULL;
	struct plainview_app apps[8];
	uint32_t old_of_new[8];
	struct live *live = live_next();
	struct target_states *states;
	struct view *view;

	for (size_t i = 0; i < count; i++) {
		int old = previous ? plainview_target(previous, names[i], "s") : -1;

		apps[i] = (struct plainview_app){names[i], 60, 1};
		old_of_new[i] = old < 0 ? UINT32_MAX : (uint32_t)old;
	}
	view = plainview_new(generation, sites, apps, count);
	assert_int_equal(handouts_bind(test.handouts, view, previous, old_of_new), E_OK);
	states = live_states_new(view->target_count);
	if (count > 1)
		states->octets[1] = TARGET_DRAINED;
	if (count > 2)
		states->octets[2] = TARGET_DOWN;
	live->view = view;
	live->states = states;
	live_publish(live);
	return view;
}

static void keep_text(void *ctx, char *text, size_t len)
{
	(void)ctx;
	free(test.text);
	test.text = strndup(text, len);
	free(text);
	event_base_loopbreak(test.base);
}

// Whether the next scrape has that line.
static void expect(const char *line, bool is_there)
{
	const struct metrics_source source = {0}; // a plain view has no zones to be counted
	char whole[256];

	scrape_begin(test.scrape, &source, false, keep_text, NULL);
	event_base_dispatch(test.base);
	snprintf(whole, sizeof(whole), "\n%s\n", line);
	if (!strstr(test.text, whole) == is_there)
		fail_msg("%s%s", line, is_there ? " is missing" : " is there");
}

static void answer(const struct view *view, const char *app, unsigned times)
{
	for (unsigned i = 0; i < times; i++)
		handouts_count(view->targets[plainview_target(view, app, "s")].handouts, 0);
}

static void test_other(void **unused)
{
	static const char *const four[] = {"a", "b", "c", "d"}, *const two[] = {"a", "b"}, *const turned[] = {"d", "c", "b", "a"};
	struct view *view = serve(1, four, 4);

	(void)unused;
	answer(view, "a", 1);
	answer(view, "c", 10);
	answer(view, "d", 100);
	expect("edgesteer_answers_total{app=\"a\",site=\"s\"} 1", true);
	expect("edgesteer_answers_total{app=\"c\",site=\"s\"} 10", false);
	expect("edgesteer_answers_total{app=\"other\",site=\"other\"} 110", true);
	serve(2, two, 2); // c and d are gone
	expect("edgesteer_answers_total{app=\"other\",site=\"other\"} 110", true);
	view = serve(3, four, 4);
	answer(view, "c", 5); // counted anew
	expect("edgesteer_answers_total{app=\"other\",site=\"other\"} 115", true);
	answer(view, "a", 3);
	view = serve(4, turned, 4); // a and b move there, d and c away
	expect("edgesteer_answers_total{app=\"c\",site=\"s\"} 5", true);
	expect("edgesteer_answers_total{app=\"a\",site=\"s\"} 4", false);
	expect("edgesteer_answers_total{app=\"other\",site=\"other\"} 115", true);
	answer(view, "b", 7);
	expect("edgesteer_answers_total{app=\"other\",site=\"other\"} 122", true);
}

static void test_states(void **unused)
{
	static const char *const three[] = {"a", "b", "c"};

	(void)unused;
	expect("edgesteer_target_states{state=\"up\"} 0", false); // nothing is served yet
	serve(1, three, 3);
	expect("edgesteer_target_states{state=\"up\"} 1", true);
	expect("edgesteer_target_states{state=\"down\"} 1", true);
	expect("edgesteer_target_states{state=\"drained\"} 1", true);
	expect("edgesteer_target_up{app=\"a\",site=\"s\"} 1", true);
	expect("edgesteer_target_up{app=\"b\",site=\"s\"} 0", true);
	expect("edgesteer_target_drained{app=\"a\",site=\"s\"} 0", false);
	expect("edgesteer_target_drained{app=\"b\",site=\"s\"} 1", true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_other, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_states, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
