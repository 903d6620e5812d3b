// Whom to ask; see members.h.
#include "client/members.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/must.h"
#include "client/fault.h"
#include "client/groups.h"
#include "client/url.h"

int client_members_want(struct client_wanted *wanted, const char *address, struct client_fault *fault)
{
	const char *wrong = client_url_is(address) ? client_url_fault(address) : NULL;

	if (wrong)
		return client_fault(fault, false, "'%s' %s", address, wrong);
	if (!address[0])
		return client_fault(fault, false, "-s needs the path of a socket, or a URL");
	for (size_t i = 0; i < wanted->count; i++)
		if (strcmp(wanted->addresses[i], address) == 0)
			return client_fault(fault, false, "'%s' is given twice", address);
	if (wanted->count == CLIENT_MEMBERS_MAX)
		return client_fault(fault, false, "-s is given more than %d times", CLIENT_MEMBERS_MAX);
	wanted->addresses[wanted->count++] = address;
	return 0;
}

static int by_address(const struct client_wanted *wanted, struct arena *arena, struct client_members *ret_members)
{
	struct client_member *at = arena_take_array(arena, wanted->count, sizeof(*at));

	must(at); // some kilobytes
	for (size_t i = 0; i < wanted->count; i++) {
		const char *address = wanted->addresses[i];

		at[i] = client_url_is(address) ? wanted->with : (struct client_member){.socket = address};
		at[i].name = address;
		if (!at[i].socket)
			at[i].url = client_url_trim(arena, address);
	}
	*ret_members = (struct client_members){at, wanted->count, wanted->count > 1};
	return 0;
}

// What is set and not empty.
static const char *env(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] ? value : NULL;
}

int client_members_find(const struct client_wanted *wanted, struct arena *arena, struct client_members *ret_members,
                        struct client_fault *fault)
{
	const struct client_member *with = &wanted->with;
	struct client_wanted alone = {.addresses = {CLIENT_DEFAULT_SOCKET}, .count = 1, .with = *with};
	const char *group = wanted->group, *socket = env("EDGESTEER_SOCKET");
	bool is_url = false;

	if (wanted->count > 0 && group)
		return client_fault(fault, false, "-s and --group are both given: one of them says whom to ask");
	for (size_t i = 0; i < wanted->count; i++)
		is_url = is_url || client_url_is(wanted->addresses[i]);
	if (!is_url && (with->ca_file || with->token_file || with->cert || with->key))
		return client_fault(fault, false, "--ca-file, --token-file, --cert and --key are for an -s that is a URL");
	if (!with->cert != !with->key)
		return client_fault(fault, false, "--cert and --key go together");
	if (wanted->count > 0)
		return by_address(wanted, arena, ret_members);
	if (!group && socket) {
		alone.count = 0;
		return client_members_want(&alone, socket, fault) < 0 ? -1 : by_address(&alone, arena, ret_members);
	}
	group = group ? group : env("EDGESTEER_GROUP");

	int found = client_groups_find(group, arena, ret_members, fault);

	return found != 0 ? found < 0 ? -1 : 0 : by_address(&alone, arena, ret_members);
}
