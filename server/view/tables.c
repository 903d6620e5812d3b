// Counting the users of tables; see tables.h.
#include "view/tables.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/users.h"
#include "steer/prior.h"
#include "steer/steering.h"
#include "view/ground.h"

static const size_t TABLES_BYTES_MAX = (size_t)1 << 30;

struct tables *tables_new(struct ground *ground)
{
	struct tables *tables = calloc(1, sizeof(*tables));

	if (!tables)
		return NULL;
	users_start(&tables->users);
	tables->ground = ground_use(ground);
	tables->arena = arena_new(TABLES_BYTES_MAX);
	return tables->arena ? tables : tables_free(tables);
}

struct tables *tables_use(struct tables *tables)
{
	users_add(&tables->users);
	return tables;
}

struct tables *tables_free(struct tables *tables)
{
	if (!tables || !users_leave(&tables->users))
		return NULL;
	steering_free(tables->steering);
	prior_free(tables->prior);
	ground_free(tables->ground);
	arena_free(tables->arena);
	free(tables);
	return NULL;
}

struct steer_input tables_steer_input(const struct tables *tables)
{
	const struct ground *ground = tables->ground;

	return (struct steer_input){ground->places, tables->sites, &ground->model, ground->measured, tables->prior};
}
