// Brings what is registered with Verizon's service in step with the targets; see register.h. A list of the service
// (registry.h) has the endpoints of the apps that `endpoints-id` gives its ID; an app without an ID there has a list of its
// own, which is found by what is in it, or made.
//
//   an app's endpoint   in the list      what is done
//   is to be there      as it should be  keep
//   is to be there      otherwise        change
//   is to be there      not              add
//   is not              ours             remove; the last one with its list
//   any                 another's        the whole list is left: it can only be written whole
//
// Entries of apps that the registration does not name stay as they are.
#include "register.h"

#include <stdlib.h>
#include <string.h>

enum { GROUPS_MAX = 100, CHANGES_MAX = 2 * REGISTRY_LIST_MAX };

// What one list is to have.
struct group {
	char id[REGISTRY_ID_SIZE]; // "": there is no list yet
	const char *app;           // whose own list it is; NULL: that of all apps that have the ID
	json_t *had;               // its entries; NULL: not read yet
	bool is_found;             // by what is in it: `endpoints-id` has not its ID
	const char *fault;         // why it must be left; NULL: it need not
	char fault_text[VERDICT_TEXT_SIZE];
};

// One endpoint of a list.
struct change {
	enum edgesteer_action action;
	const char *app, *site, *ern;
	char text[REGISTRY_WHY_SIZE]; // "": none
};

struct plan {
	struct change changes[CHANGES_MAX];
	size_t count, real; // of `real`: other than KEEP
	json_t *wanted;     // the whole list
};

struct work {
	const struct eds *eds;
	const struct registry_options *options;
	const struct edgesteer_registration *registration;
	struct visit *visit;
	struct group groups[GROUPS_MAX];
	size_t group_count;
	bool is_over;              // the service refuses us, or asks us to wait: nothing more is sent
	struct verdict why;
};

static const char *text_of(const json_t *entry, const char *name)
{
	const char *text = json_string_value(json_object_get(entry, name));

	return text ? text : "";
}

// ---- telling --------------------------------------------------------------------------------------------------------

static void tell(const struct work *work, const struct change *change, enum edgesteer_progress progress, const char *id,
                 const char *text)
{
	const struct edgesteer_host *host = work->eds->host;
	char endpoint[REGISTRY_ID_SIZE + REGISTRY_WORD_SIZE + 1];
	const struct edgesteer_step step = {
		.size = sizeof(step), .action = change->action, .progress = progress, .app = change->app, .site = change->site,
		.endpoint = *id ? endpoint : NULL, .text = *text ? text : NULL,
	};

	snprintf(endpoint, sizeof(endpoint), "%s%s%s", id, change->ern ? "/" : "", change->ern ? change->ern : "");
	host->step(host, &step);
}

static bool is_of_group(const struct work *work, const struct group *group, const char *app)
{
	const char *id = perapp_find(work->eds->endpoints_ids, app);

	return group->app ? strcmp(group->app, app) == 0 : id && strcmp(id, group->id) == 0;
}

// A whole list is left.
static void leave_group(const struct work *work, const struct group *group, const char *text)
{
	for (size_t i = 0; i < work->registration->app_count; i++) {
		const struct change change = {.action = EDGESTEER_LEAVE, .app = work->registration->apps[i]};

		if (is_of_group(work, group, change.app))
			tell(work, &change, EDGESTEER_PLANNED, group->id, text);
	}
}

static void set_fault(struct group *group, const char *text)
{
	snprintf(group->fault_text, sizeof(group->fault_text), "%s", text);
	group->fault = group->fault_text;
}

// After this, nothing more is to be sent: asking on would do no good.
static void note_failure(struct work *work, const struct verdict *verdict)
{
	if (verdict->outcome != EDGESTEER_BUSY && verdict->outcome != EDGESTEER_DENIED && verdict->outcome != EDGESTEER_TIMEOUT)
		return;
	work->is_over = true;
	work->why = *verdict;
}

// ---- finding the lists ----------------------------------------------------------------------------------------------

static struct group *find_group(struct work *work, const char *id)
{
	for (size_t i = 0; i < work->group_count; i++)
		if (strcmp(work->groups[i].id, id) == 0)
			return &work->groups[i];
	return NULL;
}

static void make_groups(struct work *work)
{
	for (size_t i = 0; i < work->registration->app_count && work->group_count < GROUPS_MAX; i++) {
		const char *app = work->registration->apps[i], *id = perapp_find(work->eds->endpoints_ids, app);
		struct group *group = &work->groups[work->group_count];

		if (id && find_group(work, id))
			continue;
		snprintf(group->id, sizeof(group->id), "%s", id ? id : "");
		group->app = id ? NULL : app;
		work->group_count++;
	}
}

// The app whose own list this is, by what is in it; NULL: none that has no ID.
static struct group *recognize(struct work *work, const json_t *list)
{
	char app_id[REGISTRY_WORD_SIZE];

	if (json_array_size(list) == 0 || !registry_is_ours(work->options, list))
		return NULL;
	for (size_t i = 0; i < work->group_count; i++) {
		struct group *group = &work->groups[i];
		size_t alike = 0;

		if (!group->app)
			continue;
		registry_app_id(group->app, app_id);
		for (size_t k = 0; k < json_array_size(list); k++)
			alike += strcmp(text_of(json_array_get(list, k), "applicationId"), app_id) == 0;
		if (alike == json_array_size(list))
			return group;
	}
	return NULL;
}

// Takes the list.
static void assign(struct work *work, const char *id, json_t *list)
{
	struct group *group = recognize(work, list);

	if (group && *group->id) {
		const struct change change = {.action = EDGESTEER_LEAVE, .app = group->app};

		tell(work, &change, EDGESTEER_PLANNED, id, "a second list of this app: it can be deleted by hand");
	}
	if (!group || *group->id) {
		json_decref(list);
		return;
	}
	snprintf(group->id, sizeof(group->id), "%s", id);
	group->had = list;
	group->is_found = true;
}

// Looks through all lists of the account. False: there may be one that was not seen.
static bool look_through(struct work *work, struct verdict *ret_verdict)
{
	json_t *ids = registry_list_all(work->visit, work->options, ret_verdict);
	bool good = ids != NULL;

	if (json_array_size(ids) > REGISTRY_LISTS_MAX) {
		verdict_set(ret_verdict, EDGESTEER_BROKEN, "the account has %zu lists, more than %d: give this app's in "
		            "`endpoints-id`", json_array_size(ids), (int)REGISTRY_LISTS_MAX);
		good = false;
	}
	for (size_t i = 0; good && i < json_array_size(ids); i++) {
		const char *id = json_string_value(json_array_get(ids, i));
		json_t *list = find_group(work, id) ? NULL : registry_read(work->visit, work->options, id, ret_verdict);

		if (list)
			assign(work, id, list);
		else
			good = find_group(work, id) || ret_verdict->outcome == EDGESTEER_NOT_FOUND; // gone meanwhile
	}
	json_decref(ids);
	return good;
}

// Finds the lists of apps that have no ID in `endpoints-id`. When that is not possible none may be made: there would be
// two.
static void find_lists(struct work *work)
{
	struct verdict verdict = {0};
	bool is_needed = false;

	for (size_t i = 0; i < work->group_count; i++)
		is_needed |= work->groups[i].app != NULL;
	if (!is_needed || look_through(work, &verdict))
		return;
	note_failure(work, &verdict);
	for (size_t i = 0; i < work->group_count; i++)
		if (work->groups[i].app && !*work->groups[i].id)
			set_fault(&work->groups[i], verdict.text);
}

// ---- one list -------------------------------------------------------------------------------------------------------

struct reversal {
	const char *site, *ern;
};

static int reverse(void *ctx, const char *ern, const char *site)
{
	struct reversal *reversal = ctx;

	if (strcmp(site, reversal->site) != 0)
		return 0;
	reversal->ern = ern;
	return 1;
}

// What the service calls a site: what `sites` says, else by its own name. NULL: it would not take it.
static const char *ern_of(const struct work *work, const char *site)
{
	struct reversal reversal = {site, site};

	work->eds->host->option_map(work->eds->host, "sites", reverse, &reversal);
	return registry_is_word(reversal.ern, "-") ? reversal.ern : NULL;
}

static const json_t *find_entry(const json_t *list, const char *ern, const char *app_id)
{
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *entry = json_array_get(list, i);

		if (strcmp(text_of(entry, "ern"), ern) == 0 && strcmp(text_of(entry, "applicationId"), app_id) == 0)
			return entry;
	}
	return NULL;
}

static struct change *add_change(struct plan *plan, enum edgesteer_action action)
{
	struct change *change = &plan->changes[plan->count];

	if (plan->count == CHANGES_MAX)
		return NULL;
	plan->count++;
	plan->real += action != EDGESTEER_KEEP;
	*change = (struct change){.action = action};
	return change;
}

static bool plan_endpoint(struct work *work, const struct group *group, const struct edgesteer_endpoint *endpoint,
                          struct plan *plan)
{
	const char *ern = ern_of(work, endpoint->site);
	struct change left = {.action = EDGESTEER_LEAVE, .app = endpoint->app, .site = endpoint->site}, *change;
	char app_id[REGISTRY_WORD_SIZE], why[REGISTRY_WHY_SIZE] = "";
	const json_t *had;
	json_t *wanted;

	if (!ern) {
		tell(work, &left, EDGESTEER_PLANNED, group->id, "the service takes names of edges of 3 to 32 letters, digits and "
		     "hyphens: give this site's `ern` in `sites`");
		return true;
	}
	registry_app_id(endpoint->app, app_id);
	had = find_entry(group->had, ern, app_id);
	wanted = registry_make_entry(work->options, endpoint, ern, had);
	if (!wanted || json_array_append_new(plan->wanted, wanted) < 0)
		return false;
	change = add_change(plan, !had ? EDGESTEER_ADD : registry_is_same(wanted, had, why) ? EDGESTEER_KEEP : EDGESTEER_CHANGE);
	if (!change)
		return false;
	change->app = endpoint->app;
	change->site = endpoint->site;
	change->ern = ern;
	snprintf(change->text, sizeof(change->text), "%s", why);
	return true;
}

// The app of the registration that an entry is of; NULL: none.
static const char *app_of(const struct work *work, const struct group *group, const json_t *entry)
{
	char app_id[REGISTRY_WORD_SIZE];

	for (size_t i = 0; i < work->registration->app_count; i++) {
		registry_app_id(work->registration->apps[i], app_id);
		if (is_of_group(work, group, work->registration->apps[i]) && strcmp(text_of(entry, "applicationId"), app_id) == 0)
			return work->registration->apps[i];
	}
	return NULL;
}

// What the list has, and is not wanted: removed, or, of other apps, kept.
static bool plan_entry(const struct work *work, const struct group *group, json_t *entry, struct plan *plan)
{
	const char *app = app_of(work, group, entry), *ern = text_of(entry, "ern");
	struct change *change;

	if (!app)
		return json_array_append(plan->wanted, entry) == 0;
	if (find_entry(group->had, ern, text_of(entry, "applicationId")) == entry &&
	    find_entry(plan->wanted, ern, text_of(entry, "applicationId")))
		return true;
	change = add_change(plan, EDGESTEER_REMOVE);
	if (change) {
		change->app = app;
		change->site = change->ern = ern;
	}
	return change != NULL;
}

// False: out of memory, or more than a list takes.
static bool make_plan(struct work *work, const struct group *group, struct plan *plan)
{
	const struct edgesteer_registration *registration = work->registration;
	bool good = (plan->wanted = json_array()) != NULL;

	for (size_t i = 0; i < registration->endpoint_count && good; i++)
		if (is_of_group(work, group, registration->endpoints[i].app))
			good = plan_endpoint(work, group, &registration->endpoints[i], plan);
	for (size_t i = 0; i < json_array_size(group->had) && good; i++)
		good = plan_entry(work, group, json_array_get(group->had, i), plan);
	return good && json_array_size(plan->wanted) <= REGISTRY_LIST_MAX;
}

// Whether the service has what it was given. PUT is not documented to replace, so that this is looked at.
static bool verify(struct work *work, const struct plan *plan, const char *id, struct verdict *ret_verdict)
{
	struct verdict verdict = {0};
	json_t *now = registry_read(work->visit, work->options, id, &verdict);
	size_t count = json_array_size(plan->wanted);
	char why[REGISTRY_WHY_SIZE] = "";

	if (!now && verdict.outcome == EDGESTEER_NOT_FOUND && count == 0)
		return true;
	if (!now) {
		verdict_set(ret_verdict, verdict.outcome, "it was sent, but cannot be read again: %.100s", verdict.text);
		return false;
	}
	if (json_array_size(now) != count)
		snprintf(why, sizeof(why), "%zu endpoints instead of %zu", json_array_size(now), count);
	for (size_t i = 0; i < count && !*why; i++) {
		const json_t *wanted = json_array_get(plan->wanted, i);
		const json_t *has = find_entry(now, text_of(wanted, "ern"), text_of(wanted, "applicationId"));

		if (!has)
			snprintf(why, sizeof(why), "%.32s is missing", text_of(wanted, "ern"));
		else
			(void)registry_is_same(wanted, has, why);
	}
	json_decref(now);
	if (*why)
		verdict_set(ret_verdict, EDGESTEER_BROKEN, "the service has taken it, and shows something else: %.100s", why);
	return !*why;
}

static void carry_out(struct work *work, struct group *group, const struct plan *plan)
{
	bool is_new = !*group->id, good;
	char id[REGISTRY_ID_SIZE], text[VERDICT_TEXT_SIZE] = "";
	struct verdict verdict = {0};

	snprintf(id, sizeof(id), "%s", group->id);
	good = registry_write(work->visit, work->options, plan->wanted, id, &verdict) && verify(work, plan, id, &verdict);
	if (!good)
		note_failure(work, &verdict);
	if (is_new && *id)
		snprintf(text, sizeof(text), "in a new list: put `%s: %s` into `endpoints-id`", group->app, id);
	for (size_t i = 0; i < plan->count; i++) {
		const struct change *change = &plan->changes[i];
		bool is_kept = change->action == EDGESTEER_KEEP;

		tell(work, change, is_kept ? EDGESTEER_PLANNED : good ? EDGESTEER_DONE : EDGESTEER_FAILED, id,
		     is_kept ? "" : !good ? verdict.text : is_new ? text : change->text);
	}
}

static void follow_plan(struct work *work, struct group *group)
{
	struct plan *plan = calloc(1, sizeof(*plan));

	if (!plan || !make_plan(work, group, plan)) {
		leave_group(work, group, plan && json_array_size(plan->wanted) > REGISTRY_LIST_MAX
		            ? "a list has at most 100 endpoints: give each app an ID of its own in `endpoints-id`" : "out of memory");
	} else if (plan->real > 0 && work->registration->apply) {
		carry_out(work, group, plan);
	} else {
		for (size_t i = 0; i < plan->count; i++)
			tell(work, &plan->changes[i], EDGESTEER_PLANNED, group->id,
			     plan->changes[i].action == EDGESTEER_ADD && !*group->id ? "in a new list" : plan->changes[i].text);
	}
	if (plan)
		json_decref(plan->wanted);
	free(plan);
}

static void bring_in_step(struct work *work, struct group *group)
{
	struct verdict verdict = {0};

	if (work->is_over && !group->fault) {
		char text[VERDICT_TEXT_SIZE];

		snprintf(text, sizeof(text), "not tried: %.140s", work->why.text);
		set_fault(group, text);
	}
	if (!group->fault && *group->id && !group->had) {
		group->had = registry_read(work->visit, work->options, group->id, &verdict);
		if (!group->had) {
			note_failure(work, &verdict);
			set_fault(group, verdict.outcome == EDGESTEER_NOT_FOUND
			          ? "the service has no list of this ID: take the ID out of `endpoints-id` to have one made" : verdict.text);
		}
	}
	if (!group->fault && !registry_is_ours(work->options, group->had))
		set_fault(group, "others have endpoints in this list: give this app another in `endpoints-id`, or none to have one made");
	if (group->fault)
		leave_group(work, group, group->fault);
	else
		follow_plan(work, group);
}

int register_targets(const struct eds *eds, const struct inquiry *inquiry, const struct registry_options *options,
                     const struct edgesteer_registration *registration)
{
	struct work *work = calloc(1, sizeof(*work));
	struct visit *visit = visit_new(eds->host, &inquiry->clients, &inquiry->peer, registration->rate,
	                                registration->deadline_ms);

	if (!work || !visit) {
		free(work);
		visit_free(visit);
		eds->host->report(eds->host, EDGESTEER_ERROR, NULL, 0, "out of memory");
		return -1;
	}
	work->eds = eds;
	work->options = options;
	work->registration = registration;
	work->visit = visit;
	make_groups(work);
	find_lists(work);
	for (size_t i = 0; i < work->group_count; i++) {
		bring_in_step(work, &work->groups[i]);
		json_decref(work->groups[i].had);
	}
	visit_free(visit);
	free(work);
	return 0;
}
