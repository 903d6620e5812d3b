// Requests and lists of many parts; see exchange.h.
#include "client/exchange.h"

#include "base/attr.h"
#include "client/fault.h"
#include "client/https.h"
#include "client/json.h"
#include "client/link.h"
#include "client/member.h"

enum { TRIES_MAX = 5 };

json_t *client_exchange(const struct client_member *to, const json_t *request, const struct client_exchange *how,
                        struct client_fault *fault)
{
	return to->socket ? client_link_ask(to->socket, request, how->timeout_s, how->progress, fault)
	                  : client_https_ask(to, request, how->changes, how->timeout_s, fault);
}

// Whether two parts belong to the same list. If it changed in between, some entries may be in neither part.
static bool same_version(const json_t *reply, const json_t *part)
{
	static const char *const numbers[] = {"generation", "overrides_revision"};

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		const json_t *before = json_object_get(reply, numbers[i]), *now = json_object_get(part, numbers[i]);

		if (json_is_integer(before) && json_is_integer(now) && !json_equal(before, now))
			return false;
	}
	return true;
}

// Requests the parts after the first one, `reply`, of which it takes ownership, and returns all of them as one reply,
// or the daemon's refusal (NULL: `fault` says why there is none). If the list changed in between, sets *ret_changed and
// returns the first part.
static json_t *add_parts(const struct client_member *to, json_t *request, json_t *reply,
                         const struct client_exchange *how, struct client_fault *fault, bool *ret_changed)
{
	static const char *const lists[] = {"apps", "targets", "drains", "forces", "adoptions", "ended", "zones"};
	json_t *all = json_deep_copy(reply);
	json_int_t from = 0, next = client_int(reply, "next");

	while (next > from) {
		json_object_set_new(request, "from", json_integer(next));

		json_t *part = client_exchange(to, request, how, fault);

		if (!json_is_true(json_object_get(part, "ok"))) {
			json_decref(all);
			json_decref(reply);
			return part;
		}
		if (!same_version(reply, part)) {
			*ret_changed = true;
			json_decref(part);
			json_decref(all);
			return reply;
		}
		for (size_t i = 0; i < ARRAY_LEN(lists); i++)
			client_extend(all, lists[i], json_object_get(part, lists[i]));
		from = next;
		next = client_int(part, "next");
		json_decref(part);
	}
	json_decref(reply);
	json_object_del(all, "next");
	return all;
}

json_t *client_exchange_all(const struct client_member *to, json_t *request, const struct client_exchange *how,
                            struct client_fault *fault)
{
	json_t *reply = NULL;
	bool changed = true;

	for (unsigned tries = 0; changed && tries < TRIES_MAX; tries++) {
		changed = false;
		json_decref(reply);
		json_object_del(request, "from");
		reply = client_exchange(to, request, how, fault);
		if (reply && client_int(reply, "next") > 0)
			reply = add_parts(to, request, reply, how, fault, &changed);
	}
	if (!changed)
		return reply;
	if (how->counts) {
		json_object_del(reply, "next");
		json_object_set_new(reply, "warnings",
		                    json_pack("[s]", "overrides changed while they were listed: the lists are incomplete"));
		return reply;
	}
	json_decref(reply);
	client_fault(fault, false, "the configuration was reloaded during each of %d attempts to read the list; try again",
	             TRIES_MAX);
	return NULL;
}
