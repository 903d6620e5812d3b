// Collects the names of a config; see alias_plan.h.
#include "daemon/alias_plan.h"

#include <stdlib.h>

#include "base/dict.h"
#include "base/err.h"
#include "config/config.h"

static size_t count_users(const struct config *config)
{
	size_t count = 0;

	for (size_t i = 0; i < config->app_count; i++)
		for (size_t k = 0; k < config->apps[i].target_count; k++)
			count += config->apps[i].targets[k].alias != NULL;
	return count;
}

// A further user of a name goes before the others.
static int add(struct alias_plan *plan, const char *name, struct alias_user user)
{
	struct dict_entry *found = (struct dict_entry *)dict_find(plan->first, name);
	uintptr_t number = plan->user_count + 1;
	int err = E_OK;

	user.next = found ? (uint32_t)found->value - 1 : ALIAS_PLAN_NONE;
	if (found) {
		found->value = number;
	} else {
		err = dict_add(plan->first, name, number);
		plan->names[plan->name_count++] = name;
	}
	plan->users[plan->user_count++] = user;
	return err;
}

struct alias_plan *alias_plan_new(const struct config *config)
{
	size_t count = count_users(config);
	struct alias_plan *plan = calloc(1, sizeof(*plan));
	uint32_t target = 0;
	int err = E_OK;

	if (!plan)
		return NULL;
	plan->config = config;
	plan->first = dict_new();
	plan->names = calloc(count + 1, sizeof(*plan->names));
	plan->users = calloc(count + 1, sizeof(*plan->users));
	if (!plan->first || !plan->names || !plan->users)
		return alias_plan_free(plan);
	for (uint32_t i = 0; i < config->app_count; i++)
		for (uint32_t k = 0; k < config->apps[i].target_count; k++, target++)
			if (err == E_OK && config->apps[i].targets[k].alias)
				err = add(plan, config->apps[i].targets[k].alias, (struct alias_user){target, i, k, ALIAS_PLAN_NONE, 0});
	return err == E_OK ? plan : alias_plan_free(plan);
}

struct alias_plan *alias_plan_free(struct alias_plan *plan)
{
	if (!plan)
		return NULL;
	dict_free(plan->first);
	free(plan->names);
	free(plan->users);
	free(plan);
	return NULL;
}

static int by_target(const void *key, const void *element)
{
	uint32_t wanted = *(const uint32_t *)key, have = ((const struct alias_user *)element)->target;

	return (wanted > have) - (wanted < have);
}

const struct alias_user *alias_plan_find(const struct alias_plan *plan, uint32_t target)
{
	return bsearch(&target, plan->users, plan->user_count, sizeof(*plan->users), by_target);
}
