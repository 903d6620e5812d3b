// Lays the names of apps over a zonedb; see overlay.h. An overlay has a node for every app, for the names between it and
// what the base has (RFC 8020: they exist too), and for the parent of every wildcard, which points to it.
#include "zone/overlay.h"

#include <stdbool.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/must.h"
#include "wire/dns.h"
#include "zone/validate.h"
#include "zone/zone.h"
#include "zone/zonedb.h"

static const struct node *find(const struct zonedb *db, const uint8_t *name, size_t len)
{
	return zonedb_find(db, name, len, name_hash(name, len));
}

// One label up.
static void step_up(const uint8_t **name, size_t *len)
{
	size_t label = (size_t)**name + 1;

	must(**name > 0 && label < *len);
	*name += label;
	*len -= label;
}

// The deepest name of the base at or above one, and in *ret_missing how many names are missing down to that one. NULL:
// in no zone.
static const struct node *encloser(const struct zonedb *base, const struct wire_name *wire, size_t *ret_missing)
{
	const uint8_t *name = wire->wire;
	size_t len = wire->len;
	const struct node *node = find(base, name, len);

	*ret_missing = 0;
	while (!node && *name) {
		step_up(&name, &len);
		node = find(base, name, len);
		++*ret_missing;
	}
	return node;
}

const char *overlay_refusal(const struct zonedb *base, const struct wire_name *name)
{
	size_t missing;
	const struct node *node = encloser(base, name, &missing);

	if (!node)
		return "it is in none of our domains";
	if (node->cut)
		return "it would never be answered: it is delegated away";
	if (missing)
		return NULL;
	if (node->app != ZONE_APP_NONE)
		return "it is an app of the config";
	for (unsigned i = 0; i < node->rrset_count; i++)
		if (zone_validate_beside_app(node->rrsets[i].type, false))
			return "its zone's file has records of that name which would bypass steering";
	return NULL;
}

// The node of a name in the overlay itself, made like that of the base, or empty, when it has none yet.
static struct node *take_node(struct zonedb *db, size_t *used, const struct zone *zone, const uint8_t *name, size_t len)
{
	const struct node *found = find(db, name, len);
	struct node *node;

	if (found >= db->nodes && found < db->nodes + *used)
		return (struct node *)found;
	must(*used < db->node_count);
	node = &db->nodes[(*used)++];
	if (found)
		*node = *found;
	else
		*node = (struct node){.name = arena_copy(db->arena, name, len), .zone = zone, .name_len = (uint8_t)len,
		                      .labels = (uint8_t)name_labels(name), .flags = NODE_ENT, .app = ZONE_APP_NONE};
	if (!node->name)
		return NULL;
	if (node->labels > db->max_labels)
		db->max_labels = node->labels;
	zonedb_index(db, node, name_hash(name, len));
	return node;
}

static bool is_wildcard(const struct node *node)
{
	return node->name[0] == 1 && node->name[1] == '*';
}

// How many nodes an app may take: its own, those missing above it, and the parents of wildcards.
static size_t most_nodes(const struct zonedb *base, const struct wire_name *app)
{
	const uint8_t *name = app->wire;
	size_t len = app->len, missing, count;

	(void)encloser(base, app, &missing);
	count = missing + 1;
	for (; *name; step_up(&name, &len))
		count += name[0] == 1 && name[1] == '*';
	return count;
}

// The node of the app's name, those of the names above it that the base has not, and the parent of each wildcard among
// them, which points to it.
static int add_app(struct zonedb *db, size_t *used, const struct overlay_app *from)
{
	const uint8_t *name = from->name.wire;
	size_t len = from->name.len, missing;
	const struct node *above = encloser(db->base, &from->name, &missing);

	must(above && !above->cut);

	struct node *node = take_node(db, used, above->zone, name, len);

	if (!node)
		return E_NOMEM;
	node->app = from->app;
	node->flags &= (uint8_t)~NODE_ENT;
	for (size_t i = 1; i < missing || is_wildcard(node); i++) {
		step_up(&name, &len);

		struct node *parent = take_node(db, used, above->zone, name, len);

		if (!parent)
			return E_NOMEM;
		if (is_wildcard(node))
			parent->wildcard = node;
		node = parent;
	}
	return E_OK;
}

int overlay_new(const struct zonedb *base, const struct overlay_app *apps, size_t count, struct zonedb **ret_db)
{
	size_t most = 0, used = 0;
	struct zonedb *db;
	int err = E_OK;

	for (size_t i = 0; i < count; i++)
		most += most_nodes(base, &apps[i].name);
	db = zonedb_new(most);
	if (!db)
		return E_NOMEM;
	db->base = base;
	db->zones = base->zones;
	db->zone_count = base->zone_count;
	db->max_labels = base->max_labels;
	for (size_t i = 0; i < count && err == E_OK; i++)
		err = add_app(db, &used, &apps[i]);
	db->node_count = used;
	if (err == E_OK)
		*ret_db = db;
	else
		zonedb_free(db);
	return err;
}
