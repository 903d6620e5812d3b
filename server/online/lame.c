// Every listed name server asked; see lame.h.
#include "online/lame.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/parallel.h"
#include "wire/dns.h"

enum { LAME_THREADS = 16 };

struct round {
	const struct asking *asking;
	const struct apex *ours;
	const struct delegation *parents; // NULL: not known
	bool stands_for_parents;          // ours does
	int64_t deadline_ms;
	struct lame *lame;
};

static void add_address(struct lame_server *server, const struct addr *address, bool is_found)
{
	for (size_t i = 0; i < server->count; i++)
		if (addr_equal(&server->probes[i].address, address))
			return;
	if (server->count == LAME_ADDRESSES_MAX)
		server->left_out++;
	else
		server->probes[server->count++] = (struct lame_probe){.address = *address, .is_found = is_found};
}

// Where a resolver looks: glue that the parent gives; for a name outside the domain without any, what the name has.
static void find_addresses(const struct round *round, struct lame_server *server)
{
	const struct delegation_server *ours = delegation_find(&round->ours->delegation, &server->name);
	const struct delegation_server *parents = round->parents ? delegation_find(round->parents, &server->name) : NULL;
	const struct delegation_server *either = ours ? ours : parents;
	struct addr resolved[LAME_ADDRESSES_MAX];

	snprintf(server->why, sizeof(server->why), "has no address");
	for (size_t i = 0; parents && i < parents->address_count; i++)
		add_address(server, &parents->addresses[i], true);
	for (size_t i = 0; ours && i < ours->address_count; i++)
		add_address(server, &ours->addresses[i], round->stands_for_parents);
	if (server->count > 0 || either->is_inside)
		return;

	size_t count = recursors_addresses(&round->asking->recursors, &server->name, round->deadline_ms, resolved,
	                                   LAME_ADDRESSES_MAX, server->why);

	for (size_t i = 0; i < count; i++)
		add_address(server, &resolved[i], server->is_listed);
}

// ---- One server ----

// Whether a reply has the name servers of our zone, and no others.
static bool has_same_ns(const struct message *message, const struct apex *ours)
{
	const struct message_record *record;
	size_t at = 0, count = 0;

	while ((record = message_next(message, MESSAGE_ANSWER, DNS_NS, &ours->name, &at))) {
		if (!delegation_find(&ours->delegation, &record->name))
			return false;
		count++;
	}
	return count == ours->delegation.count;
}

// Whether it answers with the SOA of the domain, whose serial is stored.
static bool read_soa(const struct message *message, const struct wire_name *domain, struct lame_probe *probe)
{
	const struct message_record *soa;
	char rcode[ASK_WHY_LEN];
	size_t at = 0;

	soa = message_next(message, MESSAGE_ANSWER, DNS_SOA, domain, &at);
	if (message->rcode != DNS_NOERROR)
		snprintf(probe->why, sizeof(probe->why), "answers %s", ask_rcode(message->rcode, rcode));
	else if (!message->authoritative)
		snprintf(probe->why, sizeof(probe->why), "answers without authority");
	else if (!soa)
		snprintf(probe->why, sizeof(probe->why), "answers without an SOA record of the domain");
	else
		probe->serial = soa->serial;
	return message->rcode == DNS_NOERROR && message->authoritative && soa;
}

static int ask_probe(const struct round *round, struct lame_probe *probe)
{
	const struct wire_name *domain = &round->ours->name;
	struct message message;
	int err = parent_ask_server(round->asking, &probe->address, domain, DNS_SOA, round->deadline_ms, &message, probe->why);

	probe->was_asked = err != E_NOTFOUND;
	if (err < 0)
		return err == E_NOMEM ? err : E_OK;
	probe->answers = read_soa(&message, domain, probe);
	message_done(&message);
	if (!probe->answers)
		return E_OK;
	err = parent_ask_server(round->asking, &probe->address, domain, DNS_NS, round->deadline_ms, &message, probe->why);
	if (err == E_OK) {
		probe->has_same_ns = has_same_ns(&message, round->ours);
		message_done(&message);
	}
	return err == E_NOMEM ? err : E_OK;
}

static int ask_one(void *ctx, size_t i)
{
	const struct round *round = ctx;
	struct lame_server *server = &round->lame->servers[i];
	int err = E_OK;

	find_addresses(round, server);
	for (size_t j = 0; j < server->count && err == E_OK; j++)
		err = ask_probe(round, &server->probes[j]);
	return err;
}

// ---- All ----

static void add_servers(const struct delegation *delegation, bool is_listed, struct lame *lame)
{
	const size_t before = lame->count;

	for (size_t i = 0; i < delegation->count; i++) {
		size_t j = 0;

		while (j < before && !message_same_name(&lame->servers[j].name, &delegation->servers[i].name))
			j++;
		if (j == before)
			lame->servers[lame->count++] = (struct lame_server){.name = delegation->servers[i].name,
			                                                    .is_listed = is_listed};
	}
}

int lame_ask(const struct asking *asking, const struct apex *ours, const struct parent *parent, int64_t deadline_ms,
             struct lame *ret_lame)
{
	struct round round = {asking, ours, parent->outcome == PARENT_DELEGATES ? &parent->delegation : NULL,
	                      parent->outcome == PARENT_SERVES_IT || parent->outcome == PARENT_UNASKED, deadline_ms,
	                      ret_lame};

	ret_lame->count = 0;
	if (round.parents)
		add_servers(round.parents, true, ret_lame);
	add_servers(&ours->delegation, round.stands_for_parents, ret_lame);
	return parallel_run_on(LAME_THREADS, ret_lame->count, ask_one, &round);
}

bool lame_finds_answer(const struct lame *lame)
{
	for (size_t i = 0; i < lame->count; i++)
		for (size_t j = 0; j < lame->servers[i].count; j++)
			if (lame->servers[i].probes[j].is_found && lame->servers[i].probes[j].answers)
				return true;
	return false;
}
