// Vantages and their reports; see matrix.h. Cells lie in one array without gaps: the last one moves into the place of one that
// goes. The cells of a target are a chain.
#include "health/matrix.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"

enum { CELLS_FIRST = 64 };

struct matrix {
	struct vantage vantages[MATRIX_VANTAGES_MAX];
	bool used[MATRIX_VANTAGES_MAX];
	struct matrix_cell *cells;
	size_t count, room;
	uint32_t *first;     // by target: its first cell + 1; 0: none
	uint32_t targets;
};

struct matrix *matrix_new(void)
{
	return calloc(1, sizeof(struct matrix));
}

struct matrix *matrix_free(struct matrix *matrix)
{
	if (!matrix)
		return NULL;
	free(matrix->cells);
	free(matrix->first);
	free(matrix);
	return NULL;
}

// ---- vantages -------------------------------------------------------------------------------------------------------

static bool is_idle(const struct vantage *vantage)
{
	return vantage->up + vantage->down == 0;
}

int matrix_vantage(struct matrix *matrix, const char *name, const char *carrier, unsigned *ret_vantage)
{
	int place = -1;

	must(strlen(name) < MATRIX_NAME_LEN && strlen(carrier) < MATRIX_NAME_LEN);
	for (unsigned i = 0; i < MATRIX_VANTAGES_MAX; i++) {
		const struct vantage *at = &matrix->vantages[i];

		if (matrix->used[i] && strcmp(at->name, name) == 0 && strcmp(at->carrier, carrier) == 0) {
			*ret_vantage = i;
			return E_OK;
		}
		// A free place, else that of the idle one that was heard of the longest ago.
		if (place < 0 || (matrix->used[place] && !matrix->used[i]) ||
		    (matrix->used[place] && is_idle(at) &&
		     (!is_idle(&matrix->vantages[place]) || at->heard_ms < matrix->vantages[place].heard_ms)))
			place = (int)i;
	}
	if (matrix->used[place] && !is_idle(&matrix->vantages[place]))
		return E_LIMIT;
	matrix->vantages[place] = (struct vantage){0};
	memcpy(matrix->vantages[place].name, name, strlen(name));
	memcpy(matrix->vantages[place].carrier, carrier, strlen(carrier));
	matrix->used[place] = true;
	*ret_vantage = (unsigned)place;
	return E_OK;
}

bool matrix_has_vantage(const struct matrix *matrix, unsigned vantage)
{
	return vantage < MATRIX_VANTAGES_MAX && matrix->used[vantage];
}

struct vantage *matrix_vantage_at(struct matrix *matrix, unsigned vantage)
{
	must(matrix_has_vantage(matrix, vantage));
	return &matrix->vantages[vantage];
}

// ---- cells ----------------------------------------------------------------------------------------------------------

// Where the cell's number + 1 is kept: the head of the chain, or the cell before.
static uint32_t *link_of(struct matrix *matrix, uint32_t target, size_t number)
{
	uint32_t *link = &matrix->first[target];

	while (*link != number + 1) {
		must(*link);
		link = &matrix->cells[*link - 1].next;
	}
	return link;
}

static void count_cell(struct matrix *matrix, const struct matrix_cell *cell, int by)
{
	struct vantage *vantage = &matrix->vantages[cell->vantage];
	uint32_t *counter = cell->up ? &vantage->up : &vantage->down;

	*counter += (uint32_t)by;
}

static void remove_cell(struct matrix *matrix, size_t number)
{
	const struct matrix_cell *last = &matrix->cells[matrix->count - 1];
	uint32_t *link = link_of(matrix, matrix->cells[number].target, number);

	count_cell(matrix, &matrix->cells[number], -1);
	*link = matrix->cells[number].next;
	if (number + 1 < matrix->count) {
		*link_of(matrix, last->target, matrix->count - 1) = (uint32_t)number + 1;
		matrix->cells[number] = *last;
	}
	matrix->count--;
}

static int make_room(struct matrix *matrix)
{
	size_t room = matrix->room ? matrix->room * 2 : CELLS_FIRST;
	struct matrix_cell *cells;

	if (matrix->count < matrix->room)
		return E_OK;
	if (matrix->count == MATRIX_CELLS_MAX)
		return E_LIMIT;
	cells = realloc(matrix->cells, room * sizeof(*cells));
	if (!cells)
		return E_NOMEM;
	matrix->cells = cells;
	matrix->room = room;
	return E_OK;
}

int matrix_put(struct matrix *matrix, unsigned vantage, uint32_t target, bool up, int64_t observed_ms, int64_t until_ms,
               bool *ret_changed)
{
	struct matrix_cell *cell = NULL;
	uint32_t at;

	must(target < matrix->targets && matrix_has_vantage(matrix, vantage));
	for (at = matrix->first[target]; at && !cell; at = matrix->cells[at - 1].next)
		if (matrix->cells[at - 1].vantage == vantage)
			cell = &matrix->cells[at - 1];
	if (cell && cell->observed_ms > observed_ms)
		return E_STATE;
	*ret_changed = !cell || cell->up != up;
	if (cell) {
		count_cell(matrix, cell, -1);
	} else {
		int err = make_room(matrix);

		if (err < 0)
			return err;
		cell = &matrix->cells[matrix->count++];
		*cell = (struct matrix_cell){.target = target, .next = matrix->first[target], .vantage = (uint8_t)vantage};
		matrix->first[target] = (uint32_t)matrix->count;
	}
	cell->since_ms = *ret_changed ? observed_ms : cell->since_ms;
	cell->up = up;
	cell->observed_ms = observed_ms;
	cell->until_ms = until_ms;
	count_cell(matrix, cell, 1);
	return E_OK;
}

void matrix_expire(struct matrix *matrix, int64_t now_ms, void (*each)(void *ctx, uint32_t target), void *ctx)
{
	for (size_t i = matrix->count; i > 0; i--) { // what moves into a gap has been looked at
		uint32_t target = matrix->cells[i - 1].target;

		if (matrix->cells[i - 1].until_ms > now_ms)
			continue;
		remove_cell(matrix, i - 1);
		each(ctx, target);
	}
}

void matrix_renumber(struct matrix *matrix, const uint32_t *old_of_new, uint32_t *first, uint32_t count)
{
	size_t kept = 0;

	for (size_t i = 0; i < matrix->count; i++)
		matrix->cells[i].stays = false;
	for (uint32_t i = 0; i < count && matrix->count > 0; i++) {
		uint32_t at = old_of_new[i] < matrix->targets ? matrix->first[old_of_new[i]] : 0;

		for (; at; at = matrix->cells[at - 1].next) {
			matrix->cells[at - 1].target = i;
			matrix->cells[at - 1].stays = true;
		}
	}
	for (size_t i = 0; i < matrix->count; i++) {
		struct matrix_cell *cell = &matrix->cells[kept];

		if (!matrix->cells[i].stays) {
			count_cell(matrix, &matrix->cells[i], -1);
			continue;
		}
		*cell = matrix->cells[i];
		cell->next = first[cell->target];
		first[cell->target] = (uint32_t)++kept;
	}
	matrix->count = kept;
	free(matrix->first);
	matrix->first = first;
	matrix->targets = count;
}

size_t matrix_count(const struct matrix *matrix)
{
	return matrix->count;
}

const struct matrix_cell *matrix_cell_at(const struct matrix *matrix, size_t number)
{
	must(number < matrix->count);
	return &matrix->cells[number];
}

// ---- questions ------------------------------------------------------------------------------------------------------

static const struct matrix_cell *cell_of(const struct matrix *matrix, uint32_t number)
{
	return number ? &matrix->cells[number - 1] : NULL;
}

const struct matrix_cell *matrix_first(const struct matrix *matrix, uint32_t target)
{
	must(target < matrix->targets);
	return cell_of(matrix, matrix->first[target]);
}

const struct matrix_cell *matrix_next(const struct matrix *matrix, const struct matrix_cell *cell)
{
	return cell_of(matrix, cell->next);
}

struct tally matrix_tally(const struct matrix *matrix, uint32_t target, const char *carrier, int64_t now_ms)
{
	struct tally tally = {0};

	for (const struct matrix_cell *cell = matrix_first(matrix, target); cell; cell = matrix_next(matrix, cell))
		if (cell->until_ms > now_ms && strcmp(matrix->vantages[cell->vantage].carrier, carrier) == 0)
			tally_add(&tally, cell->up ? WORD_UP : WORD_DOWN);
	return tally;
}
