// Looking names up in the view; see find.h.
#include "control/find.h"

#include "answer/lookup.h"
#include "base/must.h"
#include "base/nearest.h"
#include "control/reply_json.h"
#include "view/index.h"
#include "view/live.h"
#include "view/view.h"
#include "wire/dns.h"
#include "wire/name.h"

// Suggestions are looked for among at most FIND_NEAREST_MAX names, to bound the time on the main loop.
enum { FIND_NEAREST_MAX = 10000 };

const struct live *find_live(json_t **ret_refusal)
{
	const struct live *live = live_current();

	if (!live)
		*ret_refusal = reply_error(REPLY_REFUSED, "nothing is served yet: the daemon is starting");
	return live;
}

// `other`: what has this name instead ("a site"); NULL: nothing.
static json_t *not_found(const char *what, const char *name, const char *other, const struct nearest *nearest)
{
	char meant[NEAREST_MEANT_MAX];

	if (other)
		return reply_error(REPLY_REFUSED, "no %s '%.255s': that is %s", what, name, other);
	return reply_error(REPLY_REFUSED, "no %s '%.255s'%s", what, name, nearest_meant(nearest, '\'', meant));
}

// As the config has names: in lower case, without the final dot, with escapes only where needed.
static int app_number(const struct view *view, const char *name)
{
	uint8_t wire[NAME_WIRE_MAX];
	char canonical[NAME_TEXT_MAX];
	size_t len;

	if (name_from_text(name, wire, &len) < 0)
		return -1;
	name_fold(wire, len);
	return index_find_app(view, name_to_text(wire, len, canonical));
}

// The wildcard app that answers for a name that is no app's own; NULL: there is none.
static const char *wildcard_of(const struct view *view, const char *text)
{
	uint8_t wire[NAME_WIRE_MAX];
	struct name name;
	size_t len;

	if (name_from_text(text, wire, &len) < 0 || name_read(wire, len, &name) < 0)
		return NULL;

	struct lookup found = lookup_name(view->zones, &name, DNS_A);

	return found.result == LOOKUP_NODE && found.node->app != ZONE_APP_NONE ? view->apps[found.node->app].name : NULL;
}

struct nearest find_near_app(const struct view *view, const char *name)
{
	struct nearest nearest = nearest_begin(name);

	for (uint32_t i = 0; i < view->app_count && i < FIND_NEAREST_MAX; i++)
		nearest_offer(&nearest, view->apps[i].name);
	return nearest;
}

int find_site(const struct view *view, const char *name, json_t **ret_refusal)
{
	int site = index_find_site(view, name);
	struct nearest nearest = nearest_begin(name);

	if (site >= 0)
		return site;
	for (uint32_t i = 0; i < view->site_count; i++)
		nearest_offer(&nearest, view->sites[i].name);
	*ret_refusal = not_found("site", name, app_number(view, name) >= 0 ? "an app" : NULL, &nearest);
	return -1;
}

int find_app(const struct view *view, const char *name, json_t **ret_refusal)
{
	int app = app_number(view, name);

	if (app >= 0)
		return app;

	const char *wildcard = wildcard_of(view, name);

	if (wildcard) {
		*ret_refusal = reply_error(REPLY_REFUSED, "no app '%.255s' of its own: the wildcard app '%s' serves it", name,
		                           wildcard);
		return -1;
	}

	struct nearest nearest = find_near_app(view, name);

	*ret_refusal = not_found("app", name, index_find_site(view, name) >= 0 ? "a site" : NULL, &nearest);
	return -1;
}

int find_target(const struct view *view, int app, int site, json_t **ret_refusal)
{
	int target;

	must(app >= 0 && (uint32_t)app < view->app_count && site >= 0 && (uint32_t)site < view->site_count);
	target = index_target_at(view, (uint32_t)app, (uint32_t)site);
	if (target < 0)
		*ret_refusal = reply_error(REPLY_REFUSED, "%s has no target at %s", view->apps[app].name,
		                           view->sites[site].name);
	return target;
}
