// Freeing views; see view.h.
#include "view/view.h"

#include <stdlib.h>

#include "steer/prior.h"
#include "view/answers.h"

struct view *view_free(struct view *view)
{
	if (!view)
		return NULL;
	for (uint32_t i = 0; i < view->target_count; i++)
		answers_free((struct answers *)answers_of(&view->targets[i]));
	steering_free(view->steering);
	prior_free(view->prior);
	free(view->handout_slots);
	zonedb_free(view->zones);
	places_free(view->places);
	arena_free(view->arena);
	free(view);
	return NULL;
}

struct steer_input view_steer_input(const struct view *view)
{
	return (struct steer_input){view->places, view->sites, &view->model, view->measured, view->prior};
}
