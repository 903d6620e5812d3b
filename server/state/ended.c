// The list and its rows' text, JSON; see ended.h.
#include "state/ended.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"

enum { ROOM_FIRST = 64 };

static const char *const how_texts[] = {
	[ENDED_TAKEN_BACK] = "taken back", [ENDED_RAN_OUT] = "ran out", [ENDED_REPLACED] = "replaced",
};

const char *ended_how_text(enum ended_how how)
{
	must((size_t)how < ARRAY_LEN(how_texts));
	return how_texts[how];
}

static void free_one(struct ended *ended)
{
	override_free(ended->override);
	free(ended->ender);
	free(ended->by);
}

static int reserve(struct ended_list *list)
{
	size_t room = list->room ? list->room * 2 : ROOM_FIRST;

	if (list->count < list->room)
		return E_OK;

	struct ended *rows = reallocarray(list->rows, room, sizeof(*rows));

	if (!rows)
		return E_NOMEM;
	list->rows = rows;
	list->room = room;
	return E_OK;
}

int ended_add(struct ended_list *list, const struct override *override, enum ended_how how, const char *ender,
              const char *by, int64_t at_s)
{
	struct ended ended = {.override = override_copy(override), .how = how, .at_s = at_s, .number = list->next,
	                      .ender = ender ? strdup(ender) : NULL, .by = by ? strdup(by) : NULL};

	if (!ended.override || (ender && !ended.ender) || (by && !ended.by) || reserve(list) < 0) {
		free_one(&ended);
		return E_NOMEM;
	}
	list->rows[list->count++] = ended;
	list->next++;
	return E_OK;
}

void ended_drop_first(struct ended_list *list)
{
	must(list->count > 0);
	free_one(&list->rows[0]);
	list->count--;
	memmove(list->rows, list->rows + 1, list->count * sizeof(*list->rows));
}

char *ended_text_of_last(const struct ended_list *list)
{
	const struct ended *last = &list->rows[list->count - 1];
	json_t *override = override_to_json(last->override);
	json_t *object = override ? json_pack("{s:i, s:i, s:I, s:s*, s:s*, s:o}", "kind", (int)last->override->kind, "how",
	                                      (int)last->how, "at", (json_int_t)last->at_s, "ender", last->ender, "by",
	                                      last->by, "override", override) : NULL;
	char *text = object ? json_dumps(object, JSON_COMPACT) : NULL;

	must(list->count > 0);
	json_decref(object);
	return text;
}

int ended_load(struct ended_list *list, const char *key, const char *text)
{
	json_t *object = json_loads(text, JSON_REJECT_DUPLICATES, NULL), *written;
	const char *ender = NULL, *by = NULL;
	struct override *override = NULL;
	char *end;
	uint64_t number = strtoull(key, &end, 10);
	json_int_t at_s;
	int kind, how, err;

	if (*end || json_unpack(object, "{s:i, s:i, s:I, s?s, s?s, s:o}", "kind", &kind, "how", &how, "at", &at_s, "ender",
	                        &ender, "by", &by, "override", &written) < 0 ||
	    kind < 0 || kind >= OVERRIDE_KINDS || how < 0 || (size_t)how >= ARRAY_LEN(how_texts)) {
		json_decref(object);
		return E_INVAL;
	}
	err = override_from_json((enum override_kind)kind, written, &override);
	if (err == E_OK)
		err = ended_add(list, override, (enum ended_how)how, ender, by, at_s);
	if (err == E_OK) {
		list->rows[list->count - 1].number = number;
		if (list->next <= number)
			list->next = number + 1;
	}
	override_free(override);
	json_decref(object);
	return err;
}

static int by_number(const void *a, const void *b)
{
	const struct ended *left = a, *right = b;

	return (left->number > right->number) - (left->number < right->number);
}

void ended_sort(struct ended_list *list)
{
	if (list->count > 1)
		qsort(list->rows, list->count, sizeof(*list->rows), by_number);
}

void ended_done(struct ended_list *list)
{
	for (size_t i = 0; i < list->count; i++)
		free_one(&list->rows[i]);
	free(list->rows);
	*list = (struct ended_list){0};
}
