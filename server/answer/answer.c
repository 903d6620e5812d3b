// From query to response: parse the query, look its name up, locate the client, decide what to answer in a plan of
// ready-made RRsets, encode the plan. All queries of a batch are parsed, then all clients located, then each query is
// decided and encoded. See answer.h.
#include "answer/answer.h"

#include "answer/locate.h"
#include "answer/lookup.h"
#include "answer/pick.h"
#include "base/counters.h"
#include "base/must.h"
#include "view/answers.h"
#include "view/handouts.h"
#include "view/live.h"
#include "view/notes.h"
#include "view/view.h"
#include "view/wanted.h"
#include "wire/dns.h"
#include "wire/query.h"
#include "wire/reply.h"
#include "wire/transport.h"

enum { PLAN_ITEMS = LOOKUP_CHAIN_MAX + 2 };

_Static_assert((int)ANSWER_BATCH <= (int)LOCATE_MAX, "the clients of a batch are located together");

// An RRset of the reply. Its owner is a suffix of a name of the CNAME chain: name 0 is the question's, name k the
// target of the k-th CNAME of the answer section.
struct plan_item {
	const struct rrset *rrset;
	uint8_t section;
	uint8_t chain;
	uint8_t suffix; // offset in that name, octets
};

struct plan {
	unsigned rcode;
	bool aa;
	uint8_t scope;
	unsigned count;
	struct plan_item items[PLAN_ITEMS];
	const struct referral *referral;
	uint8_t referral_chain, referral_suffix; // its owner, as that of an item
	int ede;
	const char *ede_text;
};

struct answering {
	const struct live *live;
	const struct answer_client *client;
	struct plan *plan;
	struct query query;
	enum query_verdict verdict;
	unsigned rcode;          // for errors of the message itself; DNS_NOERROR: the query is to be decided
	struct lookup found;     // of the question's name, when rcode is DNS_NOERROR
	const struct app *app;   // the one that the client was located for; NULL: none yet
	struct location where;   // of the client, for that app
};

// RFC 8482 section 4.2: the answer to ANY is a synthesized HINFO: CPU "RFC8482", OS empty, TTL one hour.
static const uint8_t any_wire[] = {0xc0, 0x0c, 0, DNS_HINFO, 0, DNS_CLASS_IN, 0, 0, 0x0e, 0x10, 0, 9, 7,
                                   'R',  'F',  'C', '8', '4', '8', '2', 0};
static const struct rrset any_rrset = {any_wire, sizeof(any_wire), 3600, DNS_HINFO, 1};

static void add(struct plan *plan, enum reply_section section, const struct rrset *rrset, unsigned chain,
                unsigned suffix)
{
	dev_must(rrset && plan->count < PLAN_ITEMS && chain <= LOOKUP_CHAIN_MAX && suffix < NAME_WIRE_MAX);
	plan->items[plan->count++] = (struct plan_item){rrset, (uint8_t)section, (uint8_t)chain, (uint8_t)suffix};
}

// Whether the chain is a loop: an RRset that it has already leads to nothing new, and an answer has no duplicate
// records (RFC 2181 section 5).
static bool is_repeated(const struct plan *plan, const struct rrset *rrset)
{
	for (unsigned i = 0; i < plan->count; i++)
		if (plan->items[i].rrset == rrset)
			return true;
	return false;
}

// RFC 2308 section 3: the zone's SOA, with the TTL of `soa`, says how long to cache the negative answer.
static void negative(struct answering *a, const struct zone *zone, const struct rrset *soa, const struct name *name,
                     unsigned chain)
{
	dev_must(name->len >= zone->apex->name_len);
	add(a->plan, REPLY_AUTHORITY, soa, chain, (unsigned)(name->len - zone->apex->name_len));
}

// RFC 1034 section 4.3.2 step 3b. AA stays as the CNAMEs before it set it.
static void referral(struct answering *a, const struct node *cut, const struct name *name, unsigned chain)
{
	dev_must(name->len >= cut->name_len && chain <= LOOKUP_CHAIN_MAX);
	a->plan->referral = cut->referral;
	a->plan->referral_chain = (uint8_t)chain;
	a->plan->referral_suffix = (uint8_t)(name->len - cut->name_len);
}

static const struct rrset *last_resort(struct answering *a, const struct app *app, const struct pick *pick)
{
	counter_add(&a->client->counters->last_resort, 1);
	if (app->last_resort == LAST_RESORT_ADDRESSES)
		return answers_rrset(app->last, a->query.type);
	a->plan->rcode = DNS_SERVFAIL;
	a->plan->aa = false;
	a->plan->count = 0; // drops the CNAMEs that led here
	if (pick->outcome == PICK_DRAINED) {
		a->plan->ede = DNS_EDE_NETWORK_ERROR;
		a->plan->ede_text = "every site this client can reach is drained";
	} else if (pick->outcome == PICK_EMPTY) {
		a->plan->ede = DNS_EDE_NETWORK_ERROR;
		a->plan->ede_text = "no site this client can reach has an address";
	} else {
		a->plan->ede = DNS_EDE_NO_REACHABLE_AUTHORITY;
		a->plan->ede_text = "no site is reachable from this client's network";
	}
	return NULL;
}

// The app whose targets answer the query at a node; NULL: none, so the zone's records do.
static const struct app *steered_app(const struct answering *a, const struct node *node)
{
	const struct app *app;

	if (node->app == ZONE_APP_NONE || a->query.type == DNS_ANY)
		return NULL;
	dev_must(node->app >= 0 && (uint32_t)node->app < a->live->view->app_count);
	app = &a->live->view->apps[node->app];
	return a->query.type == DNS_A || a->query.type == DNS_AAAA || app->any_cname ? app : NULL;
}

// The RRset that steering gives this client for the query's type; NULL: NODATA, or an error in the plan's rcode.
static const struct rrset *steered(struct answering *a, const struct app *app)
{
	if (unlikely(app != a->app)) { // a CNAME led here
		a->app = app;
		a->where = locate_client(a->live, app, &a->query.ecs, &a->client->addr);
	}

	struct pick pick = pick_target(a->live, app, &a->where);

	counter_add(&a->client->counters->steered, 1);
	a->plan->scope = a->where.scope; // with a client subnet only the question's own name is steered: see answer_name()
	if (unlikely(!pick.target))
		return last_resort(a, app, &pick);
	if (unlikely(pick.outcome == PICK_FAIL_OPEN))
		counter_add(&a->client->counters->fail_open, 1);

	const struct rrset *rrset = answers_rrset(answers_of(pick.target), a->query.type);

	if (rrset)
		handouts_count(pick.target->handouts, a->client->worker);
	return rrset;
}

static const struct rrset *node_rrset_or_cname(const struct node *node, uint16_t type)
{
	const struct rrset *rrset = node_rrset(node, type);

	return rrset ? rrset : node_rrset(node, DNS_CNAME);
}

// What a node answers. The first row that applies:
//
//   QTYPE      at an app                                          elsewhere
//   ANY        HINFO, RFC 8482 (an empty non-terminal: NODATA)    the same
//   A, AAAA    steered                                            the type, else CNAME, else NODATA
//   other      steered if some target answers with a CNAME;       the type, else CNAME, else NODATA
//              else the type, else CNAME, else NODATA
//
// *ret_soa is the SOA of a NODATA, else NULL. Where steering took part, the next decision may differ, so the NODATA is
// cached no longer than the app's answers.
static const struct rrset *answer_node(struct answering *a, const struct lookup *found, const struct rrset **ret_soa)
{
	const struct rrset *rrset = NULL, *soa = &found->zone->negative_soa;
	const struct node *node = found->node;
	uint16_t type = a->query.type;
	const struct app *app = steered_app(a, node);

	*ret_soa = NULL;
	if (app) {
		rrset = steered(a, app);
		if (a->plan->rcode == DNS_SERVFAIL)
			return NULL;
		soa = app->negative_soa;
	}
	if (type == DNS_ANY)
		rrset = node->rrset_count || node->app != ZONE_APP_NONE ? &any_rrset : NULL;
	else if (!app || (!rrset && type != DNS_A && type != DNS_AAAA))
		rrset = node_rrset_or_cname(node, type);
	*ret_soa = rrset ? NULL : soa;
	return rrset;
}

// One step of the CNAME chain: answers `name`, whose lookup is `found`. Returns the CNAME to follow, or NULL at the
// end.
static const struct rrset *answer_name(struct answering *a, const struct name *name, const struct lookup *found,
                                       unsigned chain)
{
	struct plan *plan = a->plan;
	const struct rrset *rrset, *soa;

	switch (found->result) {
	case LOOKUP_NOT_OURS:
		if (chain == 0) {
			plan->rcode = DNS_REFUSED;
			plan->ede = DNS_EDE_NOT_AUTHORITATIVE;
		}
		return NULL;
	case LOOKUP_CUT:
		referral(a, found->node, name, chain);
		return NULL;
	case LOOKUP_NXDOMAIN:
		plan->aa = true;
		plan->rcode = DNS_NXDOMAIN;
		negative(a, found->zone, &found->zone->negative_soa, name, chain);
		return NULL;
	case LOOKUP_NODE:
		// RFC 7871 section 7.2.1: the CNAMEs that lead here are the same for all clients, and must not be cached for
		// only the block that the app's answer is for. The resolver asks for the target itself.
		if (chain > 0 && found->node->app != ZONE_APP_NONE && a->query.ecs.present)
			return NULL;
		break;
	}
	rrset = answer_node(a, found, &soa);
	plan->aa = plan->aa || plan->rcode == DNS_NOERROR;
	if (soa)
		negative(a, found->zone, soa, name, chain);
	if (!rrset || is_repeated(plan, rrset))
		return NULL;
	add(plan, REPLY_ANSWER, rrset, chain, 0);
	return rrset->type == DNS_CNAME && a->query.type != DNS_CNAME ? rrset : NULL;
}

static void decide(struct answering *a)
{
	const struct rrset *cname = answer_name(a, &a->query.name, &a->found, 0);
	struct name target;

	// A longer chain stops here, as does a loop; the resolver asks for the rest itself. (RFC 1034 section 3.6.2
	// discourages chains altogether.)
	for (unsigned chain = 1; cname && chain <= LOOKUP_CHAIN_MAX; chain++) {
		if (lookup_target(cname, &target) < 0)
			return;

		struct lookup found = lookup_name(a->live->view->zones, &target, a->query.type);

		cname = answer_name(a, &target, &found, chain);
	}
}

// Not inline: the registers are the answers'.
static NOINLINE void encode_referral(struct reply *reply, const struct referral *referral, size_t owner)
{
	const size_t records = reply->len;

	reply_add_compressed(reply, REPLY_AUTHORITY, &referral->parts[REFERRAL_NS], owner, records, true);
	reply_add_compressed(reply, REPLY_ADDITIONAL, &referral->parts[REFERRAL_GLUE], owner, records, true);
	reply_add_compressed(reply, REPLY_ADDITIONAL, &referral->parts[REFERRAL_SIBLINGS], owner, records, false);
}

static size_t encode(const struct answering *a, const struct reply_opt *opt, size_t limit, uint8_t *wire)
{
	const struct plan *plan = a->plan;
	uint16_t base[LOOKUP_CHAIN_MAX + 2] = {DNS_HEADER_LEN}; // offset in the reply of each name of the chain
	struct reply reply;

	reply_begin(&reply, wire, limit, &a->query, opt);
	for (unsigned i = 0; i < plan->count; i++) {
		const struct plan_item *item = &plan->items[i];
		size_t at = reply_add(&reply, item->section, item->rrset->wire, item->rrset->wire_len, item->rrset->count,
		                      (size_t)base[item->chain] + item->suffix);

		// The RDATA of a CNAME is the next name.
		base[item->chain + 1] = (uint16_t)(at + DNS_RECORD_LEN);
	}
	if (plan->referral)
		encode_referral(&reply, plan->referral, (size_t)base[plan->referral_chain] + plan->referral_suffix);
	if (reply.truncated)
		counter_add(&a->client->counters->truncated, 1);
	return reply_finish(&reply, plan->rcode, plan->aa, opt);
}

static void count_reply(const struct answer_client *client, const struct query *query, unsigned rcode)
{
	struct counters *counters = client->counters;

	counter_add(transport_queries(counters, client->transport), 1);
	if (query->ecs.present)
		counter_add(&counters->queries_ecs, 1);
	switch (rcode) {
	case DNS_NOERROR: counter_add(&counters->noerror, 1); break;
	case DNS_NXDOMAIN: counter_add(&counters->nxdomain, 1); break;
	case DNS_FORMERR: counter_add(&counters->formerr, 1); break;
	case DNS_REFUSED: counter_add(&counters->refused, 1); break;
	case DNS_SERVFAIL: counter_add(&counters->servfail, 1); break;
	default: counter_add(&counters->other_rcode, 1);
	}
}

// The rcode for a message that is malformed or not for an authoritative server; DNS_NOERROR when it is to be decided.
static unsigned rcode_of(enum query_verdict verdict, const struct query *query)
{
	switch (verdict) {
	case QUERY_FORMERR: return DNS_FORMERR;
	case QUERY_NOTIMP: return DNS_NOTIMP;
	case QUERY_BADVERS: return DNS_BADVERS;
	case QUERY_NOTAUTH: return DNS_NOTAUTH;
	case QUERY_OK:
	case QUERY_SILENCE: break;
	}
	if (query->type == DNS_NXNAME) // RFC 9824 section 3.5
		return DNS_FORMERR;
	return query->class_ != DNS_CLASS_IN || query->type == DNS_AXFR || query->type == DNS_IXFR ? DNS_REFUSED
	                                                                                             : DNS_NOERROR;
}

// Does what is possible before the client is located.
static void begin(struct answering *a, const struct live *live, const struct answer_message *message)
{
	a->live = live;
	a->client = &message->client;
	a->app = NULL;
	a->verdict = query_read(message->query, message->len, &a->query);
	if (unlikely(a->verdict == QUERY_SILENCE))
		return;
	a->rcode = rcode_of(a->verdict, &a->query);
	if (unlikely(a->rcode != DNS_NOERROR))
		return;
	a->found = lookup_name(live->view->zones, &a->query.name, a->query.type);
	if (a->found.result == LOOKUP_NODE)
		a->app = steered_app(a, a->found.node);
}

static void note_one(const struct answering *a, const struct wanted *wanted, struct notes_ring *ring)
{
	const struct view *view = a->live->view;
	const struct location *where = &a->where;
	struct note note = {
		.client = *where->client, .sender = a->client->addr, .sender_port_be16 = a->client->port_be16,
		.app = (uint32_t)(a->app - view->apps), .generation = (uint32_t)view->generation, .by_ecs = where->by_ecs,
		.source_len = where->by_ecs ? a->query.ecs.source_len : 0,
	};

	if (!wanted || wanted_has(wanted, where->client))
		notes_put(ring, &note);
}

// Leaves notes of one located query of the batch in so many: `wanted` not NULL: of those whose client a service could be asked
// about.
static NOINLINE void note_some(const struct wanted *wanted, struct notes_ring *ring, const struct answering *batch,
                               unsigned count)
{
	unsigned located = 0;

	for (unsigned i = 0; i < count; i++) {
		if (!batch[i].app || located++ < ring->left)
			continue;
		note_one(&batch[i], wanted, ring);
		notes_look(ring);
	}
}

// `located` of the batch's queries are for apps.
static ALWAYS_INLINE void note(const struct wanted *wanted, struct notes *notes, const struct answering *batch,
                               unsigned count, unsigned located)
{
	struct notes_ring *ring = notes_ring(notes, batch[0].client->worker);

	if (unlikely(ring->left < located))
		note_some(wanted, ring, batch, count);
	ring->left -= located;
}

// Locates every client for the app that its query is for.
static void locate(const struct live *live, struct answering *batch, unsigned count)
{
	struct locate_request requests[ANSWER_BATCH];
	unsigned wanted = 0;

	for (unsigned i = 0; i < count; i++) {
		struct answering *a = &batch[i];

		if (a->app)
			requests[wanted++] = (struct locate_request){a->app, &a->query.ecs, &a->client->addr, &a->where};
	}
	if (unlikely(wanted == 0))
		return;
	locate_all(live, requests, wanted);
	if (likely(live->samples))
		note(NULL, live->samples, batch, count, wanted);
	if (unlikely(live->wanted))
		note(live->wanted, live->wanted->notes, batch, count, wanted);
}

static size_t finish(struct answering *a, uint8_t *reply)
{
	const struct view_limits *limits = &a->live->view->limits;
	const struct query *query = &a->query;

	if (unlikely(a->verdict == QUERY_SILENCE)) {
		counter_add(&a->client->counters->ignored, 1);
		return 0;
	}

	struct plan plan;

	plan.rcode = a->rcode;
	plan.aa = false;
	plan.scope = 0;
	plan.count = 0;
	plan.referral = NULL;
	plan.ede = DNS_EDE_NONE;
	plan.ede_text = "";
	a->plan = &plan;
	if (likely(plan.rcode == DNS_NOERROR))
		decide(a);
	count_reply(a->client, query, plan.rcode);

	const struct transport_row *transport = &transport_rows[a->client->transport];
	size_t limit = !transport->udp_size_counts          ? DNS_MESSAGE_MAX
	               : query->udp_size < limits->udp_size ? query->udp_size
	                                                    : limits->udp_size;

	dev_must(limit >= DNS_UDP_PLAIN);
	if (!query->edns)
		return encode(a, NULL, limit, reply);

	struct reply_opt opt = {
		.udp_size = limits->udp_size,
		.ecs = query->ecs.present && a->verdict != QUERY_FORMERR,
		.ecs_scope = plan.scope,
		.nsid = query->nsid ? limits->nsid : NULL,
		.nsid_len = limits->nsid_len,
		.keepalive_100ms = transport->keepalive && query->keepalive ? a->client->idle_100ms : -1,
		.ede = plan.ede,
		.ede_text = plan.ede_text,
	};

	return encode(a, &opt, limit, reply);
}

void answer_batch(const struct live *live, struct answer_message *messages, unsigned count)
{
	struct answering batch[ANSWER_BATCH];

	dev_must(count <= ANSWER_BATCH);
	for (unsigned i = 0; i < count; i++)
		begin(&batch[i], live, &messages[i]);
	locate(live, batch, count);
	for (unsigned i = 0; i < count; i++)
		messages[i].len = finish(&batch[i], messages[i].reply);
}

size_t answer_query(const struct live *live, const struct answer_client *client, const uint8_t *query, size_t len,
                    uint8_t *reply)
{
	struct answer_message message = {*client, query, len, reply};

	answer_batch(live, &message, 1);
	return message.len;
}
