// Builds the table of a set of sites; see steer.h. Every place is ranked once, and the prefix table is remapped from
// places to rankings.
#include "steer/steer.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "steer/place.h"
#include "steer/ptree.h"

static int freeze(const struct ptree *places, const uint32_t *map, struct lpm *ret_lpm)
{
	struct ptree *tree;
	int err = ptree_remap(places, map, &tree);

	if (err < 0)
		return err;
	err = lpm_freeze(tree, ret_lpm);
	ptree_free(tree);
	return err;
}

static int copy_spec(struct steer *steer, const struct ranking_spec *spec)
{
	uint16_t *sites = calloc(spec->count ? spec->count : 1, sizeof(*sites));
	uint32_t *weights = spec->weights ? calloc(spec->count, sizeof(*weights)) : NULL;

	steer->spec = *spec;
	steer->spec.sites = sites;
	steer->spec.weights = weights;
	if (!sites || (spec->weights && !weights))
		return E_NOMEM;
	memcpy(sites, spec->sites, spec->count * sizeof(*sites));
	if (weights)
		memcpy(weights, spec->weights, spec->count * sizeof(*weights));
	return E_OK;
}

int steer_build(const struct steer_input *in, const struct ranking_spec *spec, struct steer **ret_steer)
{
	struct steer *steer = calloc(1, sizeof(*steer));
	struct ranking_maker *maker = ranking_maker_new(in, spec);
	uint32_t *map = calloc(in->places->count, sizeof(*map));
	int err = steer && maker && map ? copy_spec(steer, spec) : E_NOMEM;

	for (size_t i = 0; err == E_OK && i < in->places->count; i++)
		err = ranking_of_place(maker, &in->places->table[i], &map[i]);
	if (err == E_OK)
		err = freeze(in->places->v4, map, &steer->v4);
	if (err == E_OK)
		err = freeze(in->places->v6, map, &steer->v6);
	if (err == E_OK) {
		struct ranking_set set = ranking_maker_finish(maker);

		steer->rankings = set.bytes;
		steer->rankings_len = set.len;
		steer->ranking_count = set.count;
		*ret_steer = steer;
	} else {
		steer_free(steer);
	}
	ranking_maker_free(maker);
	free(map);
	return err;
}

struct steer *steer_free(struct steer *steer)
{
	if (!steer)
		return NULL;
	free((void *)steer->spec.sites);
	free((void *)steer->spec.weights);
	free((void *)steer->rankings);
	lpm_wipe(&steer->v4);
	lpm_wipe(&steer->v6);
	free(steer);
	return NULL;
}

size_t steer_bytes(const struct steer *steer)
{
	return sizeof(*steer) + steer->rankings_len + lpm_bytes(&steer->v4) + lpm_bytes(&steer->v6);
}
