// discovery and learned: the services that are asked where clients are, and what is believed of them; see show.h.
#include <string.h>

#include "answer/locate.h"
#include "answer/pick.h"
#include "base/clock.h"
#include "control/call.h"
#include "control/find.h"
#include "control/measured.h"
#include "control/ops.h"
#include "control/reply_json.h"
#include "control/show.h"
#include "learn/learner.h"
#include "learn/shown.h"
#include "view/live.h"
#include "view/view.h"

static const char *const outcomes[INFORMANT_OUTCOMES] = {
	[EDGESTEER_FOUND] = "found", [EDGESTEER_NOT_FOUND] = "not_found", [EDGESTEER_BUSY] = "busy",
	[EDGESTEER_DENIED] = "denied", [EDGESTEER_TIMEOUT] = "timeout", [EDGESTEER_BROKEN] = "broken",
	[EDGESTEER_UNASKED] = "unasked",
};

static json_t *count(uint64_t number)
{
	return json_integer((json_int_t)number);
}

static json_t *service_json(const struct shown_service *service)
{
	json_t *object = json_object();

	object = reply_set(object, "name", reply_text(service->label));
	object = reply_set(object, "plugin", reply_text(service->plugin));
	object = reply_set(object, "state", json_string(shown_state(service)));
	object = reply_set(object, "open_ms", count((uint64_t)service->open_for_ms));
	object = reply_set(object, "rate", count(service->rate));
	object = reply_set(object, "concurrency", count(service->concurrency));
	object = reply_set(object, "in_flight", count(service->busy));
	object = reply_set(object, "asked", count(service->totals.asked));
	for (size_t i = 0; i < INFORMANT_OUTCOMES; i++)
		object = reply_set(object, outcomes[i], count(service->totals.outcomes[i]));
	object = reply_set(object, "unmatched", count(service->unmatched));
	object = reply_set(object, "names", count(service->names));
	object = reply_set(object, "too_many_names", count(service->totals.unnamed));
	object = reply_set(object, "error", reply_text(service->error[0] ? service->error : NULL));
	return reply_set(object, "error_time", reply_time(service->error_s));
}

json_t *show_discovery(const struct call *call)
{
	struct shown_status status = {0};
	json_t *list = json_array(), *reply = reply_ok();

	if (call->ops.learner)
		shown_read(call->ops.learner, &status);
	for (size_t i = 0; i < status.service_count; i++)
		list = reply_append(list, service_json(&status.services[i]));

	const struct {
		const char *key;
		uint64_t value;
	} counts[] = {
		{"noted", status.crowd_counts.noted},          {"dropped", status.dropped},
		{"limited", status.crowd_counts.limited},      {"not_believed", status.unbelieved},
		{"short_subnets", status.short_subnets},
		{"queue", status.crowd},                       {"entries", status.entries},
		{"octets", status.octets},                     {"learned", status.book_counts.learned},
		{"moved", status.book_counts.moved},           {"held_back", status.book_counts.held_back},
		{"waiting", status.waiting},                   {"withdrawn", status.book_counts.withdrawn},
		{"expired", status.book_counts.expired},       {"evicted", status.book_counts.evicted},
		{"out_of_reach", status.out_of_reach},         {"unknown_sites", status.unknown_sites},
		{"too_many_names", status.unnamed},
	};

	for (size_t i = 0; i < ARRAY_LEN(counts); i++)
		reply = reply_set(reply, counts[i].key, count(counts[i].value));
	reply = reply_set(reply, "observe", measured_json(&status.observe));
	return reply_set(reply, "services", list);
}

// ---- learned --------------------------------------------------------------------------------------------------------

struct listing {
	int64_t now_s;
	struct live alone;     // the published live part without what is learned
	const struct app *app; // it is shown what the table answers for it; NULL: nothing is
	json_t *list;
};

// The app that most of the sites are for: the table's answer for it says most about the table. NULL: there is none.
static const struct app *widest_app(const struct view *view)
{
	const struct app *widest = NULL;

	for (uint32_t i = 0; i < view->app_count; i++)
		if (!widest || view->apps[i].target_count > widest->target_count)
			widest = &view->apps[i];
	return widest;
}

// Where the clients of a prefix were sent if nothing were learned of them. NULL: nowhere.
static const char *site_by_table(const struct listing *listing, const struct prefix *prefix)
{
	struct location where = {
		.client = &prefix->addr, .hit = steer_lookup(listing->app->steer, &prefix->addr), .by_ecs = true,
	};
	struct pick pick = pick_target(&listing->alone, listing->app, &where);

	return pick.target ? listing->alone.view->sites[pick.target->site].name : NULL;
}

static const char *state_of(const struct book_entry *entry, int64_t now_s)
{
	if (entry->opinion.is_ready)
		return "waits to move";
	if (!entry->opinion.has_held)
		return entry->misses ? "not found" : "being learned";
	return opinion_is_disputed(&entry->opinion) ? "disputed" : now_s < entry->held_until_s ? "fresh" : "stale";
}

json_t *show_learned_sites(const struct shown_entry *shown)
{
	json_t *sites = json_array();

	for (unsigned i = 0; i < FINDING_SITES_MAX && shown->sites[i][0]; i++)
		sites = reply_append(sites, reply_text(shown->sites[i]));
	return sites;
}

static json_t *entry_json(const struct listing *listing, const struct shown_entry *shown)
{
	const struct book_entry *entry = &shown->entry;
	char text[ADDR_TEXT_LEN];
	json_t *object = json_object();

	object = reply_set(object, "prefix", json_string(prefix_format(&entry->prefix, text)));
	object = reply_set(object, "state", json_string(state_of(entry, listing->now_s)));
	object = reply_set(object, "sites", show_learned_sites(shown));
	object = reply_set(object, "carrier", reply_text(shown->carrier[0] ? shown->carrier : NULL));
	object = reply_set(object, "class", reply_text(shown->class_[0] ? shown->class_ : NULL));
	object = reply_set(object, "table", reply_text(listing->app ? site_by_table(listing, &entry->prefix) : NULL));
	object = reply_set(object, "source", reply_text(shown->source));
	object = reply_set(object, "learned", reply_time(entry->learned_s));
	object = reply_set(object, "heard", reply_time(entry->heard_s));
	object = reply_set(object, "fresh_until", reply_time(entry->fresh_until_s));
	object = reply_set(object, "samples", count(entry->samples));
	object = reply_set(object, "confidence", count(entry->opinion.confidence));
	return reply_set(object, "weight", count(entry->weight));
}

static void list_entry(void *ctx, const struct shown_entry *shown)
{
	struct listing *listing = ctx;

	listing->list = reply_append(listing->list, entry_json(listing, shown));
}

// The app that is asked for, or the widest one. NULL in *ret_refusal unless there is no such app.
static const struct app *app_of(const struct call *call, const struct view *view, json_t **ret_refusal)
{
	const char *name = call_text(call, "app");
	int number = name ? find_app(view, name, ret_refusal) : -1;

	return number >= 0 ? &view->apps[number] : name ? NULL : widest_app(view);
}

json_t *show_learned(const struct call *call)
{
	const char *text = call_text(call, "prefix");
	const struct live *live = call->ops.live(call->ops.ctx);
	struct prefix prefix;
	const struct shown_filter filter = {text ? &prefix : NULL, call_text(call, "site"), call_text(call, "source")};
	struct listing listing = {.now_s = clock_wall_s()};
	size_t found = 0;
	json_t *refusal = NULL;

	if (text && prefix_parse(text, &prefix, NULL) < 0)
		return reply_error(REPLY_USAGE, "'%.64s' is not an address or a prefix like 192.0.2.0/24", text);
	if (live) {
		listing.alone = *live;
		listing.alone.learned = NULL;
		listing.app = app_of(call, live->view, &refusal);
	}
	if (refusal)
		return refusal;
	listing.list = json_array();
	if (call->ops.learner)
		found = shown_each(call->ops.learner, &filter, SHOW_LEARNED_MAX, list_entry, &listing);

	json_t *reply = reply_set(reply_ok(), "app", reply_text(listing.app ? listing.app->name : NULL));

	return reply_set(reply_set(reply, "learned", listing.list), "count", count(found));
}
