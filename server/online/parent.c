// The parent's side of a delegation; see parent.h.
#include "online/parent.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "wire/dns.h"

enum { PARENT_SERVERS_MAX = 13, PARENT_ADDRESSES_MAX = 4 };

int parent_ask_server(const struct asking *asking, const struct addr *address, const struct wire_name *name,
                      uint16_t type, int64_t deadline_ms, struct message *ret_message, char why[static ASK_WHY_LEN])
{
	const struct question question = {.name = *name, .type = type};
	struct sockaddr_storage server;

	addr_to_sockaddr(address, asking->port, &server);
	return ask(&server, &question, deadline_ms, ret_message, why);
}

static void strip_label(struct wire_name *name)
{
	const size_t label = 1 + (size_t)name->wire[0];

	name->len -= label;
	memmove(name->wire, name->wire + label, name->len);
}

// The closest zone above the domain, with its name servers. E_IO, E_NOTFOUND (both with `why`), E_NOMEM.
static int find_zone(const struct asking *asking, const struct wire_name *domain, int64_t deadline_ms,
                     struct wire_name *ret_zone, struct message *ret_servers, char *why)
{
	struct wire_name zone = *domain;

	while (zone.len > 1) {
		struct message message;
		size_t at = 0;

		strip_label(&zone);

		int err = recursors_ask(&asking->recursors, &zone, DNS_NS, deadline_ms, &message, why);

		if (err < 0)
			return err;
		if (message_next(&message, MESSAGE_ANSWER, DNS_NS, &zone, &at)) {
			*ret_zone = zone;
			*ret_servers = message;
			return E_OK;
		}
		message_done(&message);
	}
	snprintf(why, ASK_WHY_LEN, "no zone above it has name servers, as the resolver says");
	return E_NOTFOUND;
}

// ---- What a reply says ----

static void read_referral(const struct message *message, const struct wire_name *domain, struct delegation *delegation)
{
	const struct message_record *record;
	size_t at = 0;

	while ((record = message_next(message, MESSAGE_AUTHORITY, DNS_NS, domain, &at))) {
		struct delegation_server *server = delegation_add(delegation, &record->name, domain);
		const struct message_record *glue;
		size_t a = 0, aaaa = 0;

		delegation->ttl_s = record->ttl_s;
		if (!server)
			continue;
		while ((glue = message_next(message, MESSAGE_ADDITIONAL, DNS_A, &server->name, &a)))
			delegation_add_address(delegation, server, &glue->addr, glue->ttl_s);
		while ((glue = message_next(message, MESSAGE_ADDITIONAL, DNS_AAAA, &server->name, &aaaa)))
			delegation_add_address(delegation, server, &glue->addr, glue->ttl_s);
	}
}

// PARENT_UNASKED: it is of no use, for the reason in `why`. The first row that applies:
//
//   REFUSED, SERVFAIL, ...                          of no use
//   NS of the domain in the answer, with AA         PARENT_SERVES_IT
//   NS of the domain in the authority section       PARENT_DELEGATES
//   NS of another name there: a referral            of no use
//   NOERROR or NXDOMAIN, with AA                    PARENT_HAS_NOTHING
//   else: it does not have the parent zone          of no use
static enum parent_outcome read_reply(const struct message *message, const struct wire_name *domain,
                                      struct delegation *delegation, char *why)
{
	const struct message_record *elsewhere;
	char text[NAME_TEXT_MAX], rcode[ASK_WHY_LEN];
	size_t answer = 0, authority = 0, other = 0;

	if (message->rcode != DNS_NOERROR && message->rcode != DNS_NXDOMAIN) {
		snprintf(why, ASK_WHY_LEN, "answers %s", ask_rcode(message->rcode, rcode));
		return PARENT_UNASKED;
	}
	if (message->authoritative && message_next(message, MESSAGE_ANSWER, DNS_NS, domain, &answer))
		return PARENT_SERVES_IT;
	if (message_next(message, MESSAGE_AUTHORITY, DNS_NS, domain, &authority)) {
		read_referral(message, domain, delegation);
		return PARENT_DELEGATES;
	}
	elsewhere = message_next(message, MESSAGE_AUTHORITY, DNS_NS, NULL, &other);
	if (elsewhere && !message->authoritative) {
		snprintf(why, ASK_WHY_LEN, "refers to the servers of %.80s",
		         name_to_text(elsewhere->owner.wire, elsewhere->owner.len, text));
		return PARENT_UNASKED;
	}
	if (message->authoritative)
		return PARENT_HAS_NOTHING;
	snprintf(why, ASK_WHY_LEN, "answers without authority");
	return PARENT_UNASKED;
}

// ---- Asking ----

// Whether the parent says that the domain is signed.
static bool ask_ds(const struct asking *asking, const struct wire_name *domain, int64_t deadline_ms,
                   const struct addr *address)
{
	struct message message;
	char why[ASK_WHY_LEN];
	size_t at = 0;

	if (parent_ask_server(asking, address, domain, DNS_DS, deadline_ms, &message, why) < 0)
		return false;

	bool has_ds = message_next(&message, MESSAGE_ANSWER, DNS_DS, domain, &at);

	message_done(&message);
	return has_ds;
}

// One address of one server of the parent. Returns whether nobody else need be asked.
static bool ask_address(const struct asking *asking, const struct wire_name *domain, int64_t deadline_ms,
                        const struct wire_name *server, const struct addr *address, struct parent *parent)
{
	char reason[ASK_WHY_LEN], at[ADDR_TEXT_LEN];
	struct message message;
	enum parent_outcome outcome = PARENT_UNASKED;

	if (parent_ask_server(asking, address, domain, DNS_NS, deadline_ms, &message, reason) == E_OK) {
		outcome = read_reply(&message, domain, &parent->delegation, reason);
		message_done(&message);
	}
	if (outcome == PARENT_UNASKED) {
		snprintf(parent->why, ASK_WHY_LEN, "%s: %.70s", addr_format(address, at), reason);
		return false;
	}
	parent->outcome = outcome;
	parent->server = *server;
	parent->address = *address;
	if (outcome == PARENT_DELEGATES)
		parent->has_ds = ask_ds(asking, domain, deadline_ms, address);
	return outcome != PARENT_SERVES_IT; // another one may tell
}

static bool ask_server(const struct asking *asking, const struct wire_name *domain, int64_t deadline_ms,
                       const struct wire_name *server, struct parent *parent)
{
	struct addr addresses[PARENT_ADDRESSES_MAX];
	char why[ASK_WHY_LEN], text[NAME_TEXT_MAX];
	size_t count = recursors_addresses(&asking->recursors, server, deadline_ms, addresses, PARENT_ADDRESSES_MAX, why);

	if (count == 0)
		snprintf(parent->why, ASK_WHY_LEN, "%.50s: %.70s", name_to_text(server->wire, server->len, text), why);
	for (size_t i = 0; i < count; i++)
		if (ask_address(asking, domain, deadline_ms, server, &addresses[i], parent))
			return true;
	return false;
}

int parent_ask(const struct asking *asking, const struct wire_name *domain, int64_t deadline_ms,
               struct parent *ret_parent)
{
	struct message servers;
	const struct message_record *record;
	size_t at = 0;

	*ret_parent = (struct parent){.outcome = PARENT_UNASKED};

	int err = find_zone(asking, domain, deadline_ms, &ret_parent->zone, &servers, ret_parent->why);

	if (err < 0)
		return err == E_NOMEM ? err : E_OK;
	for (unsigned i = 0; i < PARENT_SERVERS_MAX; i++)
		if (!(record = message_next(&servers, MESSAGE_ANSWER, DNS_NS, &ret_parent->zone, &at)) ||
		    ask_server(asking, domain, deadline_ms, &record->name, ret_parent))
			break;
	message_done(&servers);
	return E_OK;
}
