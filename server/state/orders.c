// Sets of orders and their JSON; see orders.h.
#include "state/orders.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"

enum { LOST_LOGGED_MAX = 10 };

// `text` may be NULL when it is not `needed`.
static int check_text(const char *text, bool needed)
{
	if (!text)
		return needed ? E_INVAL : E_OK;

	size_t len = strnlen(text, STATE_TEXT_MAX + 1);

	if (len > STATE_TEXT_MAX)
		return E_LIMIT;

	json_t *string = json_stringn(text, len); // what JSON cannot hold would make a damaged file

	json_decref(string);
	return string && (len > 0 || !needed) ? E_OK : E_INVAL;
}

int orders_check_drain(const struct drain *drain)
{
	int err = check_text(drain->site, true);

	if (err == E_OK && drain->app)
		err = check_text(drain->app, true);
	if (err == E_OK)
		err = check_text(drain->reason, false);
	if (err == E_OK)
		err = check_text(drain->who, true);
	return err;
}

int orders_check_force(const struct force *force)
{
	int err = check_text(force->site, true);

	if (err == E_OK)
		err = check_text(force->app, true);
	if (err == E_OK)
		err = check_text(force->who, true);
	return err;
}

struct drain *orders_drain_free(struct drain *drain)
{
	if (!drain)
		return NULL;
	free(drain->site);
	free(drain->app);
	free(drain->reason);
	free(drain->who);
	free(drain);
	return NULL;
}

// False without memory. NULL for NULL.
static bool copy_text(char **to, const char *from)
{
	*to = from ? strdup(from) : NULL;
	return *to || !from;
}

struct drain *orders_drain_new(const struct drain *from)
{
	struct drain *drain = calloc(1, sizeof(*drain));

	if (!drain)
		return NULL;
	drain->since_s = from->since_s;
	drain->until_s = from->until_s;
	if (copy_text(&drain->site, from->site) && copy_text(&drain->app, from->app) &&
	    copy_text(&drain->reason, from->reason) && copy_text(&drain->who, from->who))
		return drain;
	return orders_drain_free(drain);
}

struct force *orders_force_free(struct force *force)
{
	if (!force)
		return NULL;
	free(force->app);
	free(force->site);
	free(force->who);
	free(force);
	return NULL;
}

struct force *orders_force_new(const struct force *from)
{
	struct force *force = calloc(1, sizeof(*force));

	if (!force)
		return NULL;
	force->since_s = from->since_s;
	force->to = from->to;
	if (copy_text(&force->app, from->app) && copy_text(&force->site, from->site) && copy_text(&force->who, from->who))
		return force;
	return orders_force_free(force);
}

void orders_done(struct orders *orders)
{
	free(orders->drains);
	free(orders->forces);
	table_done(&orders->drained);
	table_done(&orders->forced);
	*orders = (struct orders){0};
}

void orders_wipe(struct orders *orders)
{
	for (size_t i = 0; i < orders->drain_count; i++)
		orders_drain_free(orders->drains[i]);
	for (size_t i = 0; i < orders->force_count; i++)
		orders_force_free(orders->forces[i]);
	orders_done(orders);
}

static int make_room(struct orders *orders, size_t drains, size_t forces)
{
	orders->drains = calloc(drains + 1, sizeof(struct drain *));
	orders->forces = calloc(forces + 1, sizeof(struct force *));
	if (orders->drains && orders->forces)
		return E_OK;
	orders_done(orders);
	return E_NOMEM;
}

int orders_share(const struct orders *from, struct orders *ret_orders)
{
	struct orders orders = {0};

	if (make_room(&orders, from->drain_count, from->force_count) < 0)
		return E_NOMEM;
	for (size_t i = 0; i < from->drain_count; i++)
		orders.drains[orders.drain_count++] = from->drains[i];
	for (size_t i = 0; i < from->force_count; i++)
		orders.forces[orders.force_count++] = from->forces[i];
	*ret_orders = orders;
	return E_OK;
}

int orders_index(struct orders *orders)
{
	int err = E_OK;

	for (size_t i = 0; i < orders->drain_count && err == E_OK; i++) {
		const struct drain *drain = orders->drains[i];

		err = table_add(&orders->drained, drain->app ? drain->app : "", drain->site, (uint32_t)i);
	}
	for (size_t i = 0; i < orders->force_count && err == E_OK; i++) {
		const struct force *force = orders->forces[i];

		err = table_add(&orders->forced, force->app, force->site, (uint32_t)i);
	}
	return err;
}

struct drain *orders_find_drain(const struct orders *orders, const char *app, const char *site, size_t *ret_at)
{
	const struct table_slot *slot = table_find(&orders->drained, app ? app : "", site);

	if (!slot)
		return NULL;
	if (ret_at)
		*ret_at = slot->value;
	return orders->drains[slot->value];
}

struct force *orders_find_force(const struct orders *orders, const char *app, const char *site, size_t *ret_at)
{
	const struct table_slot *slot = table_find(&orders->forced, app, site);

	if (!slot)
		return NULL;
	if (ret_at)
		*ret_at = slot->value;
	return orders->forces[slot->value];
}

json_t *orders_to_json(const struct orders *orders)
{
	json_t *drains = json_array(), *forces = json_array();

	for (size_t i = 0; i < orders->drain_count; i++) {
		const struct drain *d = orders->drains[i];

		if (json_array_append_new(drains, json_pack("{s:s, s:s*, s:s*, s:s, s:I, s:I}", "site", d->site, "app", d->app,
		                                            "reason", d->reason, "who", d->who, "since",
		                                            (json_int_t)d->since_s, "until", (json_int_t)d->until_s)) < 0)
			goto out;
	}
	for (size_t i = 0; i < orders->force_count; i++) {
		const struct force *f = orders->forces[i];

		if (json_array_append_new(forces, json_pack("{s:s, s:s, s:s, s:s, s:I}", "app", f->app, "site", f->site, "to",
		                                            f->to == FORCE_UP ? "up" : "down", "who", f->who, "since",
		                                            (json_int_t)f->since_s)) < 0)
			goto out;
	}
	return json_pack("{s:i, s:o, s:o}", "version", STATE_VERSION, "drains", drains, "forces", forces);
out:
	json_decref(drains);
	json_decref(forces);
	return NULL;
}

static struct drain *drain_from_json(json_t *object)
{
	const char *site, *app = NULL, *reason = NULL, *who;
	json_int_t since, until;

	if (json_unpack(object, "{s:s, s?s, s?s, s:s, s:I, s:I}", "site", &site, "app", &app, "reason", &reason, "who",
	                &who, "since", &since, "until", &until) < 0)
		return NULL;

	struct drain drain = {(char *)site, (char *)app, (char *)reason, (char *)who, since, until};

	return orders_check_drain(&drain) == E_OK ? orders_drain_new(&drain) : NULL;
}

static struct force *force_from_json(json_t *object)
{
	const char *app, *site, *to, *who;
	json_int_t since;

	if (json_unpack(object, "{s:s, s:s, s:s, s:s, s:I}", "app", &app, "site", &site, "to", &to, "who", &who, "since",
	                &since) < 0)
		return NULL;
	if (strcmp(to, "up") != 0 && strcmp(to, "down") != 0)
		return NULL;

	struct force force = {(char *)app, (char *)site, (char *)who, since, to[0] == 'u' ? FORCE_UP : FORCE_DOWN};

	return orders_check_force(&force) == E_OK ? orders_force_new(&force) : NULL;
}

static void log_lost(const char *list, size_t number, size_t *lost)
{
	if (++*lost <= LOST_LOGGED_MAX)
		log_error("entry %zu of the saved %s is not what edgesteerd writes: left out", number + 1, list);
}

static int add_drain(struct orders *orders, json_t *object)
{
	struct drain *drain = drain_from_json(object);

	if (!drain)
		return E_INVAL;

	int err = table_add(&orders->drained, drain->app ? drain->app : "", drain->site, (uint32_t)orders->drain_count);

	if (err == E_OK)
		orders->drains[orders->drain_count++] = drain;
	else
		orders_drain_free(drain);
	return err;
}

static int add_force(struct orders *orders, json_t *object)
{
	struct force *force = force_from_json(object);

	if (!force)
		return E_INVAL;

	int err = table_add(&orders->forced, force->app, force->site, (uint32_t)orders->force_count);

	if (err == E_OK)
		orders->forces[orders->force_count++] = force;
	else
		orders_force_free(force);
	return err;
}

static int add_list(struct orders *orders, const json_t *root, const char *key,
                    int (*add)(struct orders *orders, json_t *object), size_t *lost)
{
	const json_t *list = json_object_get(root, key);

	if (!json_is_array(list)) {
		log_error("the saved %s are no list: left out", key);
		++*lost;
	}
	for (size_t i = 0; i < json_array_size(list); i++) {
		int err = i < STATE_ORDERS_MAX ? add(orders, json_array_get(list, i)) : E_LIMIT;

		if (err == E_NOMEM)
			return err;
		if (err < 0)
			log_lost(key, i, lost);
	}
	return E_OK;
}

static size_t room_for(const json_t *root, const char *key)
{
	size_t count = json_array_size(json_object_get(root, key));

	return count < STATE_ORDERS_MAX ? count : STATE_ORDERS_MAX;
}

int orders_from_json(const json_t *root, struct orders *ret_orders, size_t *ret_lost)
{
	struct orders orders = {0};
	size_t lost = 0;
	int err = make_room(&orders, room_for(root, "drains"), room_for(root, "forces"));

	if (err == E_OK)
		err = add_list(&orders, root, "drains", add_drain, &lost);
	if (err == E_OK)
		err = add_list(&orders, root, "forces", add_force, &lost);
	if (err < 0) {
		orders_wipe(&orders);
		return err;
	}
	*ret_orders = orders;
	*ret_lost = lost;
	return E_OK;
}
