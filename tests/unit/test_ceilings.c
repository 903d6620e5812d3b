// Ceilings over reloads: what there was of one is found by name, and as fast with as many as there may be. What they do to answers:
// tests/flow/ceilings.py.
#include "daemon/ceilings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "base/err.h"
#include "plainview.h"
#include "view/live.h"

enum { APPS = CONFIG_CEILINGS_MAX / 4, NAME_LEN = 64, MOST = 100, LATER_MS = 1000000 };

static const char *const here[] = {"bos", "nyc", NULL}, *const there[] = {"ber", "nyc", "bos", NULL};

struct world {
	struct view *view;
	struct config *config;
};

static struct world begin(const char *const *sites, const struct plainview_app *apps, size_t count)
{
	struct world world = {.view = plainview_new(1, sites, apps, count)};

	world.config = plainview_config(world.view);
	return world;
}

static void set_loads(struct world world)
{
	for (size_t i = 0; i < world.config->site_count; i++)
		world.config->sites[i].load_ceiling = MOST;
	for (size_t i = 0; i < world.config->app_count; i++)
		for (size_t k = 0; k < world.config->apps[i].target_count; k++)
			world.config->apps[i].targets[k].load_ceiling = MOST;
}

static uint32_t share_of(const struct ceilings *ceilings, const char *app, const char *site)
{
	struct ceilings_shown shown = {0};

	assert_true(ceilings_of(ceilings, app, site, true, 2000, &shown));
	return shown.share;
}

// The same site has another number, beside others that come and go; a site's is not a target's, nor one of answers one of load.
static void test_found_by_name(void **unused)
{
	static const struct plainview_app before[] = {{"a.example", 30, 3}, {"b.example", 30, 3}};
	static const struct plainview_app after[] = {{"b.example", 30, 7}, {"c.example", 30, 7}, {"a.example", 30, 6}};
	struct world old = begin(here, before, 2), new = begin(there, after, 3);
	struct ceilings *ceilings, *next;
	struct ceilings_shown shown;

	(void)unused;
	set_loads(old);
	set_loads(new);
	new.config->sites[2].ceiling = MOST;
	ceilings = ceilings_new(old.config, old.view);
	next = ceilings_new(new.config, new.view);
	assert_non_null(ceilings);
	assert_non_null(next);
	assert_int_equal(ceilings_load(ceilings, NULL, "bos", 2 * MOST, LATER_MS, 1000), E_OK);
	assert_int_equal(ceilings_load(ceilings, "b.example", "nyc", 4 * MOST, LATER_MS, 1000), E_OK);
	assert_int_equal(ceilings_load(ceilings, "b.example", "ber", 1, LATER_MS, 1000), E_NOTFOUND);
	assert_true(ceilings_turn(ceilings, old.view, 1000));

	uint32_t of_site = share_of(ceilings, NULL, "bos"), of_target = share_of(ceilings, "b.example", "nyc");

	assert_true(of_target < of_site && of_site < SHARE_ALL);
	ceilings_follow(next, ceilings);
	assert_int_equal(share_of(next, NULL, "bos"), of_site);
	assert_int_equal(share_of(next, "b.example", "nyc"), of_target);
	assert_int_equal(share_of(next, "a.example", "nyc"), SHARE_ALL);
	assert_int_equal(share_of(next, "b.example", "bos"), SHARE_ALL);
	assert_int_equal(share_of(next, NULL, "nyc"), SHARE_ALL);
	assert_int_equal(share_of(next, NULL, "ber"), SHARE_ALL);
	assert_true(ceilings_of(next, NULL, "bos", false, 2000, &shown));
	assert_int_equal(shown.share, SHARE_ALL);
	assert_false(ceilings_of(next, NULL, "ber", false, 2000, &shown));
	assert_false(ceilings_of(next, "d.example", "bos", true, 2000, &shown));
	ceilings_free(next);
	view_free(old.view);
	view_free(new.view);
}

static double cpu_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct world begin_large(const char *suffix)
{
	static char names[APPS][NAME_LEN];
	static struct plainview_app apps[APPS];
	struct world world;

	for (size_t i = 0; i < APPS; i++) {
		snprintf(names[i], NAME_LEN, "one-of-very-many-%04zu.%s", i, suffix);
		apps[i] = (struct plainview_app){names[i], 30, 3};
	}
	world = begin(here, apps, APPS);
	set_loads(world);
	for (size_t i = 0; i < 2; i++)
		world.config->sites[i].load_ceiling = 0;
	for (size_t i = 0; i < APPS; i++)
		for (size_t k = 0; k < 2; k++)
			world.config->apps[i].targets[k].ceiling = MOST;
	return world;
}

// On the main thread, which may be held up for 50 ms: it takes a few, with sanitizers too. None of them is in both.
static void test_as_many_as_there_may_be(void **unused)
{
	struct world old = begin_large("old.example"), new = begin_large("new.example");
	struct ceilings *ceilings = ceilings_new(old.config, old.view), *next = ceilings_new(new.config, new.view);
	double began_s = cpu_s(), took_s;

	(void)unused;
	assert_non_null(ceilings);
	assert_non_null(next);
	ceilings_follow(next, ceilings);
	took_s = cpu_s() - began_s;
	print_message("%d ceilings follow as many others: %.3f ms\n", CONFIG_CEILINGS_MAX, took_s * 1e3);
	assert_true(took_s < 0.05);
	ceilings_free(next);
	view_free(old.view);
	view_free(new.view);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_found_by_name),
		cmocka_unit_test(test_as_many_as_there_may_be),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
