// Tells the host of the targets; see emit.h.
#include "emit.h"

#include <search.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What was put under a key.
struct emitted {
	struct emitted *next;
	const char *key;   // within the block
	char *said;        // all that was told of it, as one text
	uint64_t round;    // the last one that claimed it
	bool refused;
};

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct emitted *)a)->key, ((const struct emitted *)b)->key);
}

void emit_begin(struct emit *emit, const struct edgesteer_host *host)
{
	*emit = (struct emit){.host = host};
}

static struct emitted *find(struct emit *emit, const char *key)
{
	const struct emitted wanted = {.key = key};
	struct emitted **found = tfind(&wanted, &emit->by_key, compare);

	return found ? *found : NULL;
}

static struct emitted *add(struct emit *emit, const char *key)
{
	size_t size = strlen(key) + 1;
	struct emitted *added = calloc(1, sizeof(*added) + size);

	if (!added)
		return NULL;
	added->key = memcpy(added + 1, key, size);
	if (!tsearch(added, &emit->by_key, compare)) {
		free(added);
		return NULL;
	}
	added->next = emit->first;
	emit->first = added;
	emit->count++;
	return added;
}

static void forget(struct emit *emit, struct emitted **link)
{
	struct emitted *gone = *link;

	*link = gone->next;
	tdelete(gone, &emit->by_key, compare);
	emit->refused -= gone->refused;
	emit->count--;
	free(gone->said);
	free(gone);
}

void emit_free(struct emit *emit)
{
	while (emit->first)
		forget(emit, &emit->first);
}

static char *describe(const struct claim *claim)
{
	char *said;
	int len = asprintf(&said, "%s\n%s\n%s\n%lld\n%d", claim->app, claim->site, claim->balancer,
	                   (long long)claim->object->created_s, (int)claim->health);

	return len < 0 ? NULL : said;
}

static int put(struct emit *emit, struct emitted *emitted, const struct claim *claim)
{
	const struct kobject *object = claim->object;
	const struct edgesteer_target target = {
		.size = sizeof(target),
		.key = claim->key,
		.app = claim->app,
		.site = claim->site,
		.alias = object->alias,
		.addresses = object->alias ? NULL : object->addresses,
		.address_count = object->alias ? 0 : object->address_count,
		.created_s = object->created_s,
		.health = claim->health,
	};
	int err = emit->host->put(emit->host, &target);

	emit->refused -= emitted->refused;
	emitted->refused = err == EDGESTEER_REFUSED;
	emit->refused += emitted->refused;
	return emitted->refused ? 0 : err;
}

// Returns 1 when it was put, 0 when it was told before, or negative.
static int emit_claim(struct emit *emit, const struct claim *claim, bool all, bool again, struct remarks *remarks)
{
	struct emitted *emitted = find(emit, claim->key);

	if (!emitted && !(emitted = add(emit, claim->key)))
		return -1;
	if (emitted->round == emit->round) {
		remark(remarks, "%s: its parts are at different sites, %s too: only one counts", claim->key, claim->site);
		return 0;
	}
	emitted->round = emit->round;

	char *said = describe(claim);

	if (!said)
		return -1;
	if (!all && emitted->said && strcmp(emitted->said, said) == 0 && !(again && emitted->refused)) {
		free(said);
		return 0;
	}
	free(emitted->said);
	emitted->said = said;

	int err = put(emit, emitted, claim);

	return err < 0 ? err : 1;
}

// Returns how many were dropped, or negative.
static int drop_gone(struct emit *emit)
{
	int dropped = 0;

	for (struct emitted **link = &emit->first; *link;) {
		if ((*link)->round == emit->round) {
			link = &(*link)->next;
			continue;
		}

		int err = emit->host->drop(emit->host, (*link)->key);

		if (err < 0)
			return err;
		forget(emit, link);
		dropped++;
	}
	return dropped;
}

int emit_claims(struct emit *emit, const struct claims *claims, bool whole, bool again, struct remarks *remarks)
{
	const struct edgesteer_host *host = emit->host;
	bool all = whole && !emit->whole;
	int changes = all ? 1 : 0, err = all ? host->begin(host) : 0;

	emit->round++;
	for (size_t i = 0; i < claims->count && err >= 0; i++) {
		err = emit_claim(emit, &claims->list[i], all, again, remarks);
		changes += err > 0;
	}
	if (err >= 0 && (err = drop_gone(emit)) >= 0)
		changes += err;
	if (err < 0)
		return err;
	emit->whole |= whole;
	return changes ? host->commit(host) : 0;
}
