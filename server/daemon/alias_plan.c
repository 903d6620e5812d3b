// Collects the names of a config; see alias_plan.h.
#include "daemon/alias_plan.h"

#include <stdlib.h>

#include "base/dict.h"
#include "base/err.h"
#include "config/config.h"

static size_t count_users(const struct config *config, size_t *ret_targets)
{
	size_t count = 0;

	*ret_targets = 0;
	for (size_t i = 0; i < config->app_count; i++) {
		*ret_targets += config->apps[i].target_count;
		for (size_t k = 0; k < config->apps[i].target_count; k++)
			count += (config->apps[i].targets[k].alias != NULL) + (config->apps[i].targets[k].check_name != NULL);
	}
	return count;
}

// A further user of a name goes before the others. `name` NULL: there is none.
static int add(struct alias_plan *plan, const char *name, struct alias_user user)
{
	struct dict_entry *found = name ? (struct dict_entry *)dict_find(plan->first, name) : NULL;
	uintptr_t number = plan->user_count + 1;
	int err = E_OK;

	if (!name)
		return E_OK;

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
	size_t target_count, count = count_users(config, &target_count);
	struct alias_plan *plan = calloc(1, sizeof(*plan));
	uint32_t target = 0;
	int err = E_OK;

	if (!plan)
		return NULL;
	plan->config = config;
	plan->first = dict_new();
	plan->names = calloc(count + 1, sizeof(*plan->names));
	plan->users = calloc(count + 1, sizeof(*plan->users));
	plan->told = calloc(target_count + 1, sizeof(*plan->told));
	plan->target_count = target_count;
	if (!plan->first || !plan->names || !plan->users || !plan->told)
		return alias_plan_free(plan);
	for (uint32_t i = 0; i < config->app_count; i++)
		for (uint32_t k = 0; k < config->apps[i].target_count && err == E_OK; k++, target++) {
			const struct config_target *written = &config->apps[i].targets[k];

			err = add(plan, written->alias, (struct alias_user){target, false, i, k, ALIAS_PLAN_NONE});
			if (err == E_OK)
				err = add(plan, written->check_name, (struct alias_user){target, true, i, k, ALIAS_PLAN_NONE});
		}
	return err == E_OK ? plan : alias_plan_free(plan);
}

struct alias_plan *alias_plan_free(struct alias_plan *plan)
{
	if (!plan)
		return NULL;
	dict_free(plan->first);
	free(plan->names);
	free(plan->users);
	free(plan->told);
	free(plan);
	return NULL;
}

const char *alias_plan_name(const struct alias_plan *plan, const struct alias_user *user)
{
	const struct config_target *written = &plan->config->apps[user->app].targets[user->slot];

	return user->is_probed ? written->check_name : written->alias;
}
