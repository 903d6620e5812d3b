// The name servers that a zone of ours has; see apex.h.
#include "online/apex.h"

#include <string.h>

#include "steer/site.h"
#include "view/answers.h"
#include "view/app.h"
#include "view/view.h"
#include "wire/dns.h"
#include "zone/zone.h"

// RDATA of record `i`; *at is where it starts, and is moved to the next one.
static const uint8_t *next_rdata(const struct rrset *rrset, size_t *at, size_t *ret_len)
{
	const uint8_t *record = rrset->wire + *at;

	*ret_len = (size_t)(record[DNS_RECORD_LEN - 2] << 8 | record[DNS_RECORD_LEN - 1]);
	*at += DNS_RECORD_LEN + *ret_len;
	return record + DNS_RECORD_LEN;
}

static void add_rrset(struct delegation *delegation, struct delegation_server *server, const struct rrset *rrset)
{
	size_t at = 0, len;

	for (unsigned i = 0; rrset && i < rrset->count; i++) {
		const uint8_t *rdata = next_rdata(rrset, &at, &len);
		struct addr address = {.family = rrset->type == DNS_A ? ADDR_V4 : ADDR_V6};

		memcpy(address.bytes, rdata, addr_bits(address.family) / 8);
		delegation_add_address(delegation, server, &address, rrset->ttl_s);
	}
}

// A resolver may be anybody's client, so a carrier's site is no address for it.
static void add_app(const struct view *view, const struct app *app, struct delegation *delegation,
                    struct delegation_server *server)
{
	server->is_steered = true;
	for (unsigned i = 0; i < app->target_count; i++) {
		const struct target *target = &view->targets[app->first_target + i];
		struct addr list[ANSWERS_ADDRESSES_MAX];
		size_t count = view->sites[target->site].is_public ? answers_addresses(answers_of(target), list) : 0;

		for (size_t j = 0; j < count; j++)
			delegation_add_address(delegation, server, &list[j], app->ttl_s);
	}
}

static void add_server(const struct view *view, const struct wire_name *name, struct apex *apex)
{
	struct delegation_server *server = delegation_add(&apex->delegation, name, &apex->name);
	const struct node *node = zonedb_find(view->zones, name->wire, name->len, name_hash(name->wire, name->len));

	if (!server || !server->is_inside || !node)
		return;
	if (node->app != ZONE_APP_NONE)
		add_app(view, &view->apps[node->app], &apex->delegation, server);
	add_rrset(&apex->delegation, server, node_rrset(node, DNS_A));
	add_rrset(&apex->delegation, server, node_rrset(node, DNS_AAAA));
}

static uint32_t read_serial(const struct rrset *soa)
{
	enum { SERIAL_FROM_END = 20 };
	size_t at = 0, len;
	const uint8_t *rdata = next_rdata(soa, &at, &len) + len - SERIAL_FROM_END;

	return (uint32_t)rdata[0] << 24 | (uint32_t)rdata[1] << 16 | (uint32_t)rdata[2] << 8 | rdata[3];
}

void apex_read(const struct view *view, const struct zone *zone, struct apex *ret_apex)
{
	size_t at = 0;

	*ret_apex = (struct apex){.serial = read_serial(zone->soa), .is_signed = node_rrset(zone->apex, DNS_DNSKEY)};
	ret_apex->name.len = zone->apex->name_len;
	memcpy(ret_apex->name.wire, zone->apex->name, zone->apex->name_len);
	ret_apex->delegation.ttl_s = zone->ns->ttl_s;
	for (unsigned i = 0; i < zone->ns->count; i++) {
		struct wire_name name = {.len = 0};
		const uint8_t *rdata = next_rdata(zone->ns, &at, &name.len);

		memcpy(name.wire, rdata, name.len);
		name_fold(name.wire, name.len);
		add_server(view, &name, ret_apex);
	}
}
