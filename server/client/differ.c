// Comparing daemons; see differ.h. Each one's replies become facts, a flat object from what a fact is of to its value;
// then the objects are compared. What every daemon has for itself is no fact: its counters, its clock, its addresses.
#include "client/differ.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "base/parallel.h"
#include "client/exchange.h"
#include "client/fault.h"
#include "client/json.h"
#include "client/member.h"
#include "client/outcome.h"
#include "client/print.h"

enum { KEY_LEN = 1024, VALUE_LEN = 1024, DIGEST_SHOWN = 16, CLOCKS_S = 10, TO_LEN = CTL_PERCENT_LEN + CTL_TIME_LEN + 8 };

struct comparing {
	const struct client_members *members;
	unsigned timeout_s;
	json_t **facts;               // by member; NULL: it has not answered
	struct client_outcome *asked; // and then why
};

// ---- facts ----------------------------------------------------------------------------------------------------------

// Takes ownership of the value. A key is "WHAT" or "WHAT OF".
static void add(json_t *facts, const char *what, const char *of, json_t *value)
{
	char key[KEY_LEN];

	snprintf(key, sizeof(key), "%s%s%s", what, of[0] ? " " : "", of);
	must(value && json_object_set_new(facts, key, value) == 0);
}

static void add_status(json_t *facts, const json_t *status)
{
	static const char *const counts[] = {"zones", "apps", "sites", "targets", "prefixes", "places"};
	const json_t *digests = json_object_get(status, "digests");

	add(facts, "version", "", json_string(client_text(status, "version")));
	if (json_is_object(digests)) {
		add(facts, "config", "", json_string(client_text(digests, "config")));
		add(facts, "files", "", json_string(client_text(digests, "files")));
	}
	add(facts, "reload", "",
	    json_string(json_is_true(json_object_get(status, "last_reload_held"))   ? "the last one is held"
	                : json_is_false(json_object_get(status, "last_reload_ok")) ? "the last one failed"
	                                                                           : "fine"));
	add(facts, "view", "",
	    json_string(json_is_true(json_object_get(status, "serving")) ? "served" : "nothing is served yet"));
	for (size_t i = 0; i < ARRAY_LEN(counts); i++) {
		const json_t *count = strcmp(counts[i], "targets") == 0
		                          ? json_object_get(json_object_get(status, "states"), "total")
		                          : json_object_get(status, counts[i]);

		if (json_is_integer(count))
			add(facts, "view", counts[i], json_integer(json_integer_value(count)));
	}
	if (client_int(status, "volatile_count") > 0)
		add(facts, "overrides", "not saved", json_integer(client_int(status, "volatile_count")));
	if (json_is_object(json_object_get(status, "changes_refused")))
		add(facts, "overrides", "changes", json_string("refused"));
}

static const char *target_name(const char *app, const char *site, char *buf)
{
	snprintf(buf, KEY_LEN, "%.500s%s%.500s", app, app[0] ? "/" : "", site);
	return buf;
}

// What was ordered, and not when: that differs where daemons are told one after the other. Only what goes by the clock
// is compared by it.
static json_t *drain_value(const json_t *drain)
{
	const char *phase = client_text(drain, "phase");
	bool by_clock =
		strcmp(phase, "scheduled") == 0 || strcmp(phase, "returning") == 0 || client_int(drain, "over_s") > 0;

	return json_pack("{s:s, s:I, s:I, s:I, s:s, s:s, s:b}", "phase",
	                 strcmp(phase, "scheduled") == 0 || strcmp(phase, "returning") == 0 ? phase : "drained", "start",
	                 by_clock ? client_int(drain, "start") : 0, "until", client_int(drain, "until"), "over_s",
	                 client_int(drain, "over_s"), "by", client_text(drain, "by"), "reason",
	                 client_text(drain, "reason"), "saved", !json_is_true(json_object_get(drain, "volatile")));
}

static void add_overrides(json_t *facts, const json_t *status)
{
	const json_t *drains = json_object_get(status, "drains"), *forces = json_object_get(status, "forces");
	const json_t *adoptions = json_object_get(status, "adoptions");
	char of[KEY_LEN];

	for (size_t i = 0; i < json_array_size(drains); i++) {
		const json_t *drain = json_array_get(drains, i);

		add(facts, "drain", target_name(client_text(drain, "app"), client_text(drain, "site"), of), drain_value(drain));
	}
	for (size_t i = 0; i < json_array_size(forces); i++) {
		const json_t *force = json_array_get(forces, i);

		add(facts, "force", target_name(client_text(force, "app"), client_text(force, "site"), of),
		    json_pack("{s:s, s:s, s:s}", "to", client_text(force, "to"), "by", client_text(force, "by"), "reason",
		              client_text(force, "reason")));
	}
	for (size_t i = 0; i < json_array_size(adoptions); i++) {
		const json_t *adoption = json_array_get(adoptions, i);

		add(facts, "adopt", client_text(adoption, "app"),
		    json_pack("{s:f, s:I, s:s, s:s}", "to", json_number_value(json_object_get(adoption, "to")), "over_s",
		              client_int(adoption, "over_s"), "by", client_text(adoption, "by"), "reason",
		              client_text(adoption, "reason")));
	}
}

static void add_health(json_t *facts, const json_t *reply)
{
	const json_t *apps = json_object_get(reply, "apps");
	char of[KEY_LEN];

	for (size_t i = 0; i < json_array_size(apps); i++) {
		const json_t *app = json_array_get(apps, i), *targets = json_object_get(app, "targets");

		for (size_t j = 0; j < json_array_size(targets); j++) {
			const json_t *target = json_array_get(targets, j);

			// A drain is a fact of its own.
			if (!json_is_object(json_object_get(target, "drained")))
				add(facts, "health", target_name(client_text(app, "name"), client_text(target, "site"), of),
				    json_string(client_text(target, "state")));
		}
	}
}

static void add_zones(json_t *facts, const json_t *reply)
{
	const json_t *zones = json_object_get(reply, "zones");

	for (size_t i = 0; i < json_array_size(zones); i++) {
		const json_t *zone = json_array_get(zones, i);

		// One that is the time of the load is as different as the loads are.
		add(facts, "serial", client_text(zone, "name"),
		    json_is_true(json_object_get(zone, "automatic")) ? json_string("of its load")
		                                                     : json_integer(client_int(zone, "serial")));
	}
}

// A member's reply to a verb, or NULL with its outcome set.
static json_t *ask(const struct comparing *comparing, size_t number, const char *verb)
{
	const struct client_exchange how = {.timeout_s = comparing->timeout_s};
	struct client_fault fault = {.is_unreached = false};
	struct client_outcome *asked = &comparing->asked[number];
	json_t *request = json_pack("{s:s}", "verb", verb);

	must(request);
	client_outcome_set(asked, client_exchange_all(&comparing->members->at[number], request, &how, &fault), &fault);
	json_decref(request);
	if (!client_outcome_is_ok(asked))
		return NULL;

	json_t *reply = asked->reply;

	asked->reply = NULL;
	return reply;
}

static int ask_member(void *ctx, size_t number)
{
	static const struct {
		const char *verb;
		void (*add)(json_t *facts, const json_t *reply);
	} parts[] = {{"status", add_status}, {"status", add_overrides}, {"zones", add_zones}, {"apps", add_health}};
	struct comparing *comparing = ctx;
	json_t *facts = json_object(), *reply = NULL;
	bool serves = true;

	must(facts);
	for (size_t i = 0; i < ARRAY_LEN(parts) && serves; i++) {
		if (i == 0 || strcmp(parts[i].verb, parts[i - 1].verb) != 0) {
			json_decref(reply);
			reply = ask(comparing, number, parts[i].verb);
		}
		if (!reply) {
			json_decref(facts);
			return 0;
		}
		parts[i].add(facts, reply);
		// There are neither zones nor targets before the first round of health checks.
		serves = i != 1 || json_is_true(json_object_get(reply, "serving"));
	}
	json_decref(reply);
	comparing->facts[number] = facts;
	return 0;
}

// ---- comparing ------------------------------------------------------------------------------------------------------

static bool same_moment(const json_t *a, const json_t *b, const char *key)
{
	json_int_t left = client_int(a, key), right = client_int(b, key);

	return left == right || (left && right && llabs(left - right) <= CLOCKS_S);
}

static bool same(const json_t *a, const json_t *b)
{
	static const char *const moments[] = {"start", "until"};
	const char *key;
	json_t *value;

	if (!json_is_object(a) || !json_is_object(b))
		return a == b || json_equal(a, b);
	json_object_foreach((json_t *)a, key, value)
	{
		bool is_moment = false;

		for (size_t i = 0; i < ARRAY_LEN(moments); i++)
			is_moment = is_moment || strcmp(key, moments[i]) == 0;
		if (is_moment ? !same_moment(a, b, key) : !json_equal(value, json_object_get(b, key)))
			return false;
	}
	return true;
}

// By name the value of each daemon that has answered; NULL: it is the same on all. The caller's.
static json_t *values_of(const struct comparing *comparing, const char *key)
{
	const struct client_members *members = comparing->members;
	const json_t *first = NULL;
	bool differs = false, any = false;
	json_t *values;

	for (size_t i = 0; i < members->count; i++) {
		const json_t *value = json_object_get(comparing->facts[i], key);

		if (!comparing->facts[i])
			continue;
		differs = differs || (any && !same(first, value));
		first = any ? first : value;
		any = true;
	}
	if (!differs)
		return NULL;
	values = json_object();
	must(values);
	for (size_t i = 0; i < members->count; i++) {
		json_t *value = json_object_get(comparing->facts[i], key);

		if (comparing->facts[i])
			must(json_object_set_new(values, members->at[i].name, value ? json_incref(value) : json_null()) == 0);
	}
	return values;
}

// From each key of any daemon that is not the same on all to its values, in the order in which they are found.
static json_t *compare(const struct comparing *comparing)
{
	json_t *seen = json_object(), *differences = json_object();
	const char *key;
	json_t *value;

	must(seen && differences);
	for (size_t i = 0; i < comparing->members->count; i++) {
		json_object_foreach(comparing->facts[i], key, value)
		{
			json_t *values;

			if (json_object_get(seen, key))
				continue;
			must(json_object_set_new(seen, key, json_true()) == 0);
			values = values_of(comparing, key);
			if (values)
				must(json_object_set_new(differences, key, values) == 0);
		}
	}
	json_decref(seen);
	return differences;
}

// ---- showing --------------------------------------------------------------------------------------------------------

// A force's direction, or the share that an adoption comes to.
static const char *to_text(const json_t *value, char buf[TO_LEN])
{
	json_int_t over_s = client_int(value, "over_s");
	char percent[CTL_PERCENT_LEN], span[CTL_TIME_LEN];

	if (!json_is_number(json_object_get(value, "to")))
		return client_text(value, "to");
	snprintf(buf, TO_LEN, "%s%s%s", client_percent(value, "to", percent), over_s ? " over " : "",
	         over_s ? client_span(over_s, span) : "");
	return buf;
}

static const char *value_text(const char *key, const json_t *value, char *buf)
{
	const char *reason = client_text(value, "reason"), *by = client_text(value, "by"), *text = json_string_value(value);
	bool is_digest = strncmp(key, "config", 6) == 0 || strncmp(key, "files", 5) == 0;
	char until[CTL_TIME_LEN], start[CTL_TIME_LEN], to[TO_LEN];

	if (json_is_integer(value))
		snprintf(buf, VALUE_LEN, "%lld", (long long)json_integer_value(value));
	else if (text)
		snprintf(buf, VALUE_LEN, "%.*s", is_digest ? DIGEST_SHOWN : VALUE_LEN - 1, text);
	else if (!json_is_object(value))
		snprintf(buf, VALUE_LEN, "none");
	else
		snprintf(buf, VALUE_LEN, "%s%s%s%s%s%s%s%s%s%s%s", to_text(value, to), client_text(value, "phase"),
		         client_int(value, "start") ? " from " : "",
		         client_int(value, "start") ? client_time(client_int(value, "start"), start) : "",
		         client_int(value, "until") ? " until " : "",
		         client_int(value, "until") ? client_time(client_int(value, "until"), until) : "",
		         json_is_false(json_object_get(value, "saved")) ? " NOT SAVED" : "", by[0] ? " by " : "", by,
		         reason[0] ? ": " : "", reason);
	return buf;
}

// "NAME, NAME: VALUE; NAME: VALUE", those of one value together.
static void show_values(const char *key, json_t *values)
{
	const char *name, *other, *before = "";
	char text[VALUE_LEN];
	json_t *value, *another, *shown = json_object();

	must(shown);
	json_object_foreach(values, name, value)
	{
		const char *between = "";

		if (json_object_get(shown, name))
			continue;
		client_print(stdout, "%s", before);
		json_object_foreach(values, other, another)
		{
			if (!same(value, another) || json_object_get(shown, other))
				continue;
			client_print(stdout, "%s%s", between, other);
			between = ", ";
			must(json_object_set_new(shown, other, json_true()) == 0);
		}
		client_print(stdout, ": %s", value_text(key, value, text));
		before = "; ";
	}
	putchar('\n');
	json_decref(shown);
}

static void show(json_t *differences, size_t answered)
{
	const char *key;
	json_t *values;

	json_object_foreach(differences, key, values)
	{
		client_print(stdout, "%s  ", key);
		show_values(key, values);
	}
	if (json_object_size(differences) == 0 && answered > 1)
		client_print(stdout, "%zu daemons are the same\n", answered);
}

static json_t *as_json(const struct comparing *comparing, json_t *differences)
{
	json_t *list = json_array(), *answered = json_array(), *silent = json_object();
	const char *key;
	json_t *values;

	for (size_t i = 0; i < comparing->members->count; i++) {
		const char *name = comparing->members->at[i].name;

		if (comparing->facts[i])
			json_array_append_new(answered, json_string(name));
		else
			json_object_set_new(silent, name, json_string(client_text(comparing->asked[i].reply, "error")));
	}
	json_object_foreach(differences, key, values)
	{
		size_t len = strcspn(key, " ");

		json_array_append_new(list, json_pack("{s:o, s:s, s:O}", "what", json_stringn(key, len), "of",
		                                      key[len] ? key + len + 1 : "", "values", values));
	}
	return json_pack("{s:b, s:b, s:o, s:o, s:o}", "ok", 1, "same", json_array_size(list) == 0, "members", answered,
	                 "not_compared", silent, "differences", list);
}

// Prints what was found. The exit code.
static int conclude(const struct comparing *comparing, bool json)
{
	size_t answered = 0, unreached = 0, count = comparing->members->count;
	json_t *differences = compare(comparing);
	bool differ = json_object_size(differences) > 0;

	for (size_t i = 0; i < count; i++) {
		answered += comparing->facts[i] != NULL;
		unreached += !comparing->facts[i] && comparing->asked[i].is_unreached;
	}
	if (json) {
		json_t *object = as_json(comparing, differences);

		must(object && json_dumpf(object, stdout, CLIENT_JSON_FLAGS) == 0);
		putchar('\n');
		json_decref(object);
	} else {
		show(differences, answered);
	}
	fflush(stdout);
	for (size_t i = 0; i < count; i++)
		if (!comparing->facts[i])
			client_print(stderr, "edgesteerctl: %s: %s\n", comparing->members->at[i].name,
			             client_text(comparing->asked[i].reply, "error"));
	json_decref(differences);
	return unreached == count ? CLIENT_UNREACHED : answered < count ? CLIENT_PARTLY : differ ? CLIENT_REFUSED : 0;
}

int client_differ(bool json, const struct client_members *members, unsigned timeout_s)
{
	size_t count = members->count;
	struct comparing comparing = {members, timeout_s, calloc(count, sizeof(json_t *)),
	                              calloc(count, sizeof(struct client_outcome))};
	int code;

	if (count < 2) {
		fputs("edgesteerctl: diff needs several daemons: -s more than once, or a group of several\n", stderr);
		free(comparing.facts);
		free(comparing.asked);
		return CLIENT_USAGE;
	}
	must(comparing.facts && comparing.asked);
	must(parallel_run_on((unsigned)count, count, ask_member, &comparing) == 0);
	code = conclude(&comparing, json);
	for (size_t i = 0; i < count; i++)
		json_decref(comparing.facts[i]);
	client_outcomes_wipe(comparing.asked, count);
	free(comparing.facts);
	free(comparing.asked);
	return code;
}
