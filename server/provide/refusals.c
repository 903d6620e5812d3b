// Remembering what was said; see refusals.h.
#include "provide/refusals.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/attr.h"
#include "base/hash.h"
#include "base/log.h"
#include "config/config.h"
#include "provide/merged.h"
#include "provide/object.h"
#include "provide/provider.h"

enum { SHOWN_MAX = 100 }; // of one config; further ones are counted

static uint64_t hash_of(const struct config_refused *refused)
{
	const char *const texts[] = {refused->from, refused->app, refused->site, refused->why};
	uint64_t hash = 0;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		hash = hash_bytes(hash, texts[i], strlen(texts[i]));
	return hash;
}

static int by_number(const void *a, const void *b)
{
	uint64_t left = *(const uint64_t *)a, right = *(const uint64_t *)b;

	return left < right ? -1 : left > right;
}

static bool is_known(const struct refusals *refusals, uint64_t hash)
{
	return refusals->count > 0 && bsearch(&hash, refusals->hashes, refusals->count, sizeof(hash), by_number);
}

void refusals_log(struct refusals *refusals, const struct config *config)
{
	uint64_t *hashes = calloc(config->refused_count + 1, sizeof(*hashes)); // without memory, it is said again next time
	size_t told = 0;

	for (size_t i = 0; i < config->refused_count; i++) {
		const struct config_refused *refused = &config->refused[i];
		uint64_t hash = hash_of(refused);

		if (hashes)
			hashes[i] = hash;
		if (!is_known(refusals, hash) && told++ < SHOWN_MAX)
			log_warning("providers: %s is not used for %s at %s: %s", refused->from, refused->app, refused->site,
			            refused->why);
	}
	if (told > SHOWN_MAX)
		log_warning("providers: %zu more targets are not used", told - SHOWN_MAX);
	if (hashes)
		qsort(hashes, config->refused_count, sizeof(*hashes), by_number);
	free(refusals->hashes);
	*refusals = (struct refusals){hashes, hashes ? config->refused_count : 0};
}

void refusals_log_conflicts(const struct merged_group *group)
{
	for (size_t i = 0; i < group->count; i++) {
		struct object *other = group->objects[i];

		if (other->is_told || other == group->used || other->vanished_ms || object_same_balancer(other, group->used))
			continue;
		other->is_told = true;
		log_warning("providers: %s: %s is not used for %s at %s: %s of %s is, which %s", other->provider->label, other->key,
		            other->app, other->site, group->used->key, group->used->provider->label,
		            group->used->created_s && group->used->created_s != other->created_s ? "is older" : "comes first");
	}
}

void refusals_done(struct refusals *refusals)
{
	free(refusals->hashes);
	*refusals = (struct refusals){0};
}
