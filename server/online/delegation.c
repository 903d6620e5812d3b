// Delegations compared; see delegation.h.
#include "online/delegation.h"

#include <string.h>

#include "online/message.h"

struct comparing {
	void (*each)(void *ctx, const struct difference *difference);
	void *ctx;
	size_t count;
};

// The index of the server of that name; `count`: there is none.
static size_t index_of(const struct delegation *delegation, const struct wire_name *name)
{
	size_t i = 0;

	while (i < delegation->count && !message_same_name(&delegation->servers[i].name, name))
		i++;
	return i;
}

const struct delegation_server *delegation_find(const struct delegation *delegation, const struct wire_name *name)
{
	size_t i = index_of(delegation, name);

	return i < delegation->count ? &delegation->servers[i] : NULL;
}

struct delegation_server *delegation_add(struct delegation *delegation, const struct wire_name *name,
                                         const struct wire_name *domain)
{
	const size_t i = index_of(delegation, name);

	if (i == DELEGATION_SERVERS_MAX) {
		delegation->is_cut = true;
		return NULL;
	}

	struct delegation_server *server = &delegation->servers[i];

	if (i < delegation->count)
		return server;
	delegation->count++;
	server->name = *name;
	server->is_inside = name_ends_with(name->wire, name->len, domain->wire, domain->len);
	return server;
}

static bool has_address(const struct delegation_server *server, const struct addr *address)
{
	for (size_t i = 0; i < server->address_count; i++)
		if (addr_equal(&server->addresses[i], address))
			return true;
	return false;
}

void delegation_add_address(struct delegation *delegation, struct delegation_server *server, const struct addr *address,
                            uint32_t ttl_s)
{
	if (has_address(server, address))
		return;
	if (server->address_count == DELEGATION_ADDRESSES_MAX) {
		delegation->is_cut = true;
		return;
	}
	server->addresses[server->address_count++] = *address;
	server->ttl_s[address->family == ADDR_V6] = ttl_s;
}

static void tell(struct comparing *comparing, enum difference_kind kind, const struct delegation_server *server,
                 const struct addr *address)
{
	const struct difference difference = {kind, server, address ? *address : (struct addr){.family = ADDR_NONE}};

	comparing->count++;
	comparing->each(comparing->ctx, &difference);
}

static void compare_glue(const struct delegation_server *ours, const struct delegation_server *parents,
                         struct comparing *comparing)
{
	if (ours->is_steered && parents->address_count == 0)
		tell(comparing, DIFFERENCE_LACKS_GLUE, ours, NULL);
	for (size_t i = 0; i < ours->address_count && !ours->is_steered; i++)
		if (!has_address(parents, &ours->addresses[i]))
			tell(comparing, DIFFERENCE_LACKS_GLUE, ours, &ours->addresses[i]);
	if (ours->is_steered && ours->address_count == 0)
		return;
	for (size_t i = 0; i < parents->address_count; i++)
		if (!has_address(ours, &parents->addresses[i]))
			tell(comparing, DIFFERENCE_EXTRA_GLUE, ours, &parents->addresses[i]);
}

size_t delegation_compare(const struct delegation *ours, const struct delegation *parents,
                          void (*each)(void *ctx, const struct difference *difference), void *ctx)
{
	struct comparing comparing = {each, ctx, 0};

	for (size_t i = 0; i < ours->count; i++) {
		const struct delegation_server *server = &ours->servers[i], *other = delegation_find(parents, &server->name);

		if (!other)
			tell(&comparing, DIFFERENCE_LACKS_NS, server, NULL);
		else if (server->is_inside)
			compare_glue(server, other, &comparing);
	}
	for (size_t i = 0; i < parents->count; i++)
		if (!delegation_find(ours, &parents->servers[i].name))
			tell(&comparing, DIFFERENCE_EXTRA_NS, &parents->servers[i], NULL);
	return comparing.count;
}
