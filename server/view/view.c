// Freeing views; see view.h.
#include "view/view.h"

#include <stdlib.h>

#include "view/answers.h"
#include "view/tables.h"

struct view *view_free(struct view *view)
{
	if (!view)
		return NULL;
	for (uint32_t i = 0; i < view->target_count; i++)
		answers_free((struct answers *)answers_of(&view->targets[i]));
	steering_free(view->extension);
	zonedb_free(view->own_zones);
	tables_free(view->tables);
	free(view->handout_slots);
	arena_free(view->arena);
	free(view);
	return NULL;
}

struct steer_input view_steer_input(const struct view *view)
{
	return (struct steer_input){view->places, view->sites, &view->model, view->measured, view->prior};
}
