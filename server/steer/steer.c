// Builds what a set of sites needs; see steer.h.
#include "steer/steer.h"

#include <stdlib.h>

#include "base/err.h"
#include "steer/place.h"

// Copies the spec, and indexes its sites.
static int take_spec(struct steer *steer, const struct ranking_spec *spec)
{
	unsigned bits = 1;
	uint16_t *slots;

	while (1u << bits < 2u * spec->count) // at most half full
		bits++;
	slots = calloc((size_t)1 << bits, sizeof(*slots));
	steer->slots = slots;
	steer->slots_bits = bits;
	if (!slots || ranking_spec_copy(spec, &steer->spec) < 0)
		return E_NOMEM;
	for (uint16_t slot = 0; slot < spec->count; slot++) {
		uint32_t at = steer_slot_hash(spec->sites[slot], bits);

		while (slots[at])
			at = (at + 1) & ((1u << bits) - 1);
		slots[at] = slot + 1;
	}
	return E_OK;
}

// Ranks every place. The rankings become the steer's, their positions by place the caller's, who frees them.
static int rank_places(const struct steer_input *in, struct steer *steer, uint32_t **ret_units)
{
	struct ranking_maker *maker = ranking_maker_new(in, &steer->spec);
	uint32_t *units = calloc(in->places->count, sizeof(*units));
	int err = maker && units ? E_OK : E_NOMEM;

	for (size_t i = 0; err == E_OK && i < in->places->count; i++)
		err = ranking_of_place(maker, &in->places->table[i], &units[i]);
	if (err == E_OK) {
		struct ranking_set set = ranking_maker_finish(maker);

		steer->orders = steer->rankings = set.bytes;
		steer->order_unit = RANKING_UNIT;
		steer->rankings_len = set.len;
		steer->ranking_count = set.count;
		*ret_units = units;
	} else {
		free(units);
	}
	ranking_maker_free(maker);
	return err;
}

int steer_build_own(const struct steer_input *in, const struct ranking_spec *spec, struct steer *ret_steer)
{
	uint32_t *units = NULL;
	int err;

	*ret_steer = (struct steer){.form = STEER_OWN, .table = &ret_steer->own};
	err = take_spec(ret_steer, spec);
	if (err == E_OK)
		err = rank_places(in, ret_steer, &units);
	if (err == E_OK)
		err = lpm_pair_freeze(in->places->v4, in->places->v6, units, &ret_steer->own);
	if (err < 0)
		steer_wipe(ret_steer);
	free(units);
	return err;
}

int steer_build_mapped(const struct steer_input *in, const struct lpm_pair *places, const struct ranking_spec *spec,
                       struct steer *ret_steer)
{
	uint32_t *units = NULL;
	int err;

	*ret_steer = (struct steer){.form = STEER_MAPPED, .table = places};
	err = take_spec(ret_steer, spec);
	if (err == E_OK)
		err = rank_places(in, ret_steer, &units);
	ret_steer->of_places = units;
	if (err < 0)
		steer_wipe(ret_steer);
	return err;
}

int steer_build_shared(const struct ranks_table *ranks, const struct ranking_spec *spec, struct steer *ret_steer)
{
	uint16_t *columns = calloc(spec->count ? spec->count : 1, sizeof(*columns));

	must(!spec->weights && spec->metro != METRO_SOLE);
	*ret_steer = (struct steer){.form = STEER_SHARED, .table = &ranks->classes, .columns = columns,
	                             .orders = (const void *)ranks->rows,
	                             .order_unit = (uint32_t)(ranks->row_len * sizeof(*ranks->rows))};
	if (!columns || take_spec(ret_steer, spec) < 0) {
		steer_wipe(ret_steer);
		return E_NOMEM;
	}
	for (uint16_t slot = 0; slot < spec->count; slot++)
		columns[slot] = ranks->columns[spec->sites[slot]];
	return E_OK;
}

void steer_wipe(struct steer *steer)
{
	ranking_spec_wipe(&steer->spec);
	free((void *)steer->slots);
	free(steer->rankings);
	free((void *)steer->of_places);
	free((void *)steer->columns);
	lpm_pair_wipe(&steer->own);
	*steer = (struct steer){0};
}

size_t steer_bytes(const struct steer *steer)
{
	return steer->rankings_len + lpm_pair_bytes(&steer->own);
}
