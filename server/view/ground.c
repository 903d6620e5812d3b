// Counting the users of what views share; see ground.h.
#include "view/ground.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/users.h"
#include "steer/place.h"
#include "zone/zone.h"

static const size_t GROUND_BYTES_MAX = (size_t)1 << 30;

struct ground *ground_new(void)
{
	struct ground *ground = calloc(1, sizeof(*ground));

	if (!ground)
		return NULL;
	users_start(&ground->users);
	ground->arena = arena_new(GROUND_BYTES_MAX);
	return ground->arena ? ground : ground_free(ground);
}

struct ground *ground_use(struct ground *ground)
{
	users_add(&ground->users);
	return ground;
}

struct ground *ground_free(struct ground *ground)
{
	if (!ground || !users_leave(&ground->users))
		return NULL;
	zonedb_free(ground->zones);
	places_free(ground->places);
	arena_free(ground->arena);
	free(ground);
	return NULL;
}
