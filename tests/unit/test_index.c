// The index of a view against a walk over everything.
#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>

#include "plainview.h"
#include "view/index.h"

enum { NAME_LEN = 300, LONG = 256 }; // octets; names are hashed 256 at a time

static int walk_apps(const struct view *view, const char *name)
{
	for (uint32_t i = 0; i < view->app_count; i++)
		if (strcasecmp(view->apps[i].name, name) == 0)
			return (int)i;
	return -1;
}

static int walk_spelled(const struct view *view, const char *name)
{
	for (uint32_t i = 0; i < view->app_count; i++)
		if (strcmp(view->apps[i].name, name) == 0)
			return (int)i;
	return -1;
}

static int walk_sites(const struct view *view, const char *name)
{
	for (uint32_t i = 0; i < view->site_count; i++)
		if (strcmp(view->sites[i].name, name) == 0)
			return (int)i;
	return -1;
}

static int walk_targets(const struct view *view, uint32_t app, uint32_t site)
{
	for (uint32_t i = 0; i < view->target_count; i++)
		if (view->targets[i].app == &view->apps[app] && view->targets[i].site == site)
			return (int)i;
	return -1;
}

static void check_name(const struct view *view, const char *name)
{
	char upper[NAME_LEN], longer[NAME_LEN + 4], shorter[NAME_LEN];

	snprintf(longer, sizeof(longer), "%s.x", name);
	snprintf(shorter, sizeof(shorter), "%s", name);
	if (shorter[0])
		shorter[strlen(shorter) - 1] = '\0';
	for (size_t i = 0; i <= strlen(name); i++)
		upper[i] = (char)toupper((unsigned char)name[i]);

	const char *const tried[] = {name, upper, longer, shorter};

	for (size_t i = 0; i < ARRAY_LEN(tried); i++) {
		assert_int_equal(index_find_app(view, tried[i]), walk_apps(view, tried[i]));
		assert_int_equal(index_find_site(view, tried[i]), walk_sites(view, tried[i]));
		assert_int_equal(index_find_spelled(view, tried[i]), walk_spelled(view, tried[i]));
	}
}

// All names of the view, of both kinds, and neighbours of them; all pairs; all sites' targets.
// What a walk over many apps takes from the index instead of from the apps and targets.
static void check_digest(const struct view *view)
{
	for (uint32_t site = 0; site < view->site_count; site++) {
		uint32_t ttl_s = 0, count;
		const uint32_t *targets = index_targets_of(view, site, &count);

		for (uint32_t i = 0; i < count; i++) {
			const struct app *app = view->targets[targets[i]].app;

			assert_ptr_equal(&view->apps[view->index->site_apps[view->index->site_first[site] + i]], app);
			ttl_s = app->ttl_s > ttl_s ? app->ttl_s : ttl_s;
		}
		assert_int_equal(view->index->site_ttl_s[site], ttl_s);
	}
	for (uint32_t i = 0; i < view->app_count; i++) {
		const struct index_app *brief = &view->index->brief_apps[i];
		bool all_public = true;

		for (uint32_t k = 0; k < view->apps[i].target_count; k++)
			all_public = all_public && view->sites[view->targets[view->apps[i].first_target + k].site].is_public;
		assert_int_equal(brief->first_target, view->apps[i].first_target);
		assert_int_equal(brief->target_count, view->apps[i].target_count);
		assert_int_equal(brief->all_public, all_public);
	}
}

static void check_view(const struct view *view)
{
	uint32_t listed = 0, count;

	for (uint32_t i = 0; i < view->app_count; i++)
		check_name(view, view->apps[i].name);
	for (uint32_t site = 0; site < view->site_count; site++) {
		const uint32_t *targets = index_targets_of(view, site, &count);

		check_name(view, view->sites[site].name);
		for (uint32_t i = 0; i < count; i++) {
			assert_int_equal(view->targets[targets[i]].site, site);
			assert_true(i == 0 || targets[i - 1] < targets[i]);
		}
		listed += count;
		for (uint32_t app = 0; app < view->app_count; app++) {
			assert_int_equal(index_target_at(view, app, site), walk_targets(view, app, site));
			assert_int_equal(index_find_target(view, view->apps[app].name, view->sites[site].name),
			                 walk_targets(view, app, site));
		}
	}
	assert_int_equal(listed, view->target_count); // each ascending and at its site: so each once
	check_name(view, "");
	check_name(view, "nothing of this name");
	check_digest(view);
}

static void test_random_views(void **unused)
{
	enum { APPS_MAX = 70 }; // past the sizes at which the tables grow: 8, 16, 32, 64
	static char names[APPS_MAX][NAME_LEN], site_names[PLAINVIEW_SITES_MAX][16];
	static struct plainview_app apps[APPS_MAX];
	const char *sites[PLAINVIEW_SITES_MAX + 1] = {NULL};

	(void)unused;
	srand(3);
	for (int i = 0; i < PLAINVIEW_SITES_MAX; i++)
		snprintf(site_names[i], sizeof(site_names[i]), i % 2 ? "Site-%d" : "site-%d", i);
	for (int count = 0; count <= APPS_MAX; count++) {
		int site_count = count ? rand() % PLAINVIEW_SITES_MAX : 0;

		for (int i = 0; i < count; i++) {
			snprintf(names[i], sizeof(names[i]), "%s%d.Example.%d", i % 3 ? "app" : "APP", i, rand() % 3);
			apps[i] = (struct plainview_app){names[i], (uint32_t)rand() % 300, (uint32_t)rand() & ((1U << site_count) - 1)};
		}
		for (int i = 0; i < PLAINVIEW_SITES_MAX; i++)
			sites[i] = i < site_count ? site_names[i] : NULL;

		struct view *view = plainview_new(1, sites, apps, (size_t)count);

		check_view(view);
		view_free(view);
	}
}

// Names that are alike for as long as one piece that is hashed, and one letter longer or shorter than it.
static void test_alike(void **unused)
{
	enum { ALIKE = 24 };
	static char names[ALIKE][NAME_LEN];
	static const char *const sites[] = {"a", "A", "aa", NULL}; // sites' case is not apart
	struct plainview_app apps[ALIKE];

	(void)unused;
	for (int i = 0; i < ALIKE; i++) {
		size_t len = LONG - 4 + (size_t)i / 3;

		memset(names[i], 'n', len);
		names[i][len - 1] = (char)('a' + i % 3);
		apps[i] = (struct plainview_app){names[i], 30, 1U << i % 3};
	}

	struct view *view = plainview_new(1, sites, apps, ALIKE);

	check_view(view);
	for (int i = 0; i < ALIKE; i++)
		assert_int_equal(index_find_app(view, names[i]), i);
	assert_int_equal(index_find_site(view, "a"), 0);
	assert_int_equal(index_find_site(view, "A"), 1);
	assert_int_equal(index_find_site(view, "aA"), -1);
	view_free(view);
}

// Many names fall on the same slots of the table, among them the last one, from where the search wraps around to the
// first.
static void test_crowded_slots(void **unused)
{
	enum { APPS = 8, TRIES = 200 }; // eight names on sixteen slots
	char names[APPS][NAME_LEN];
	struct plainview_app apps[APPS];
	static const char *const sites[] = {"s", NULL};
	bool last_taken = false;

	(void)unused;
	for (int try = 0; try < TRIES; try++) {
		for (int i = 0; i < APPS; i++) {
			snprintf(names[i], NAME_LEN, "n%d-%d", try, i);
			apps[i] = (struct plainview_app){names[i], 30, 1};
		}

		struct view *view = plainview_new(1, sites, apps, APPS);

		check_view(view);
		last_taken |= view->index->apps[view->index->app_mask] != 0 && view->index->apps[0] != 0;
		view_free(view);
	}
	assert_true(last_taken);
}

static void test_empty_view(void **unused)
{
	static const char *const none[] = {NULL}, *const one[] = {"s", NULL};
	static const struct plainview_app bare[] = {{"a", 30, 0}};
	struct view *view = plainview_new(1, none, NULL, 0);
	uint32_t count = 7;

	(void)unused;
	check_view(view);
	assert_int_equal(index_find_app(view, "a"), -1);
	assert_int_equal(index_find_site(view, ""), -1);
	view_free(view);

	view = plainview_new(1, one, bare, 1); // an app without a target, a site without one
	check_view(view);
	assert_int_equal(index_target_at(view, 0, 0), -1);
	assert_int_equal(index_find_target(view, "a", "s"), -1);
	assert_int_equal(index_find_target(view, "b", "s"), -1);
	assert_int_equal(index_find_target(view, "a", "t"), -1);
	index_targets_of(view, 0, &count);
	assert_int_equal(count, 0);
	view_free(view);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_random_views),
		cmocka_unit_test(test_alike),
		cmocka_unit_test(test_crowded_slots),
		cmocka_unit_test(test_empty_view),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
