// From the config's targets to probes, and from their results to what daemons are told; see agent.h.
#include "probe/agent.h"

#include <event2/event.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "config/config.h"
#include "health/health.h"
#include "health/watchlist.h"

enum { PRIORITIES = 3, SIGNALS = 2 };

struct agent {
	const struct agent_config *config;
	struct event_base *base;
	struct event *signals[SIGNALS];
	struct health *health;
	struct push_target *targets;    // as the prober numbers them
	size_t count, probed;
	struct push *pushes[AGENT_DAEMONS_MAX];
};

static bool is_wanted(const struct agent_config *agent, const char *site)
{
	for (size_t i = 0; i < agent->site_count; i++)
		if (strcmp(agent->sites[i], site) == 0)
			return true;
	return agent->site_count == 0;
}

// Targets at other sites, and those whose addresses are a host's, which only the daemon looks up, have no check here.
static int list_targets(struct agent *agent, struct config *config)
{
	size_t number = 0;

	for (size_t i = 0; i < config->app_count; i++)
		agent->count += config->apps[i].target_count;
	agent->targets = calloc(agent->count + 1, sizeof(*agent->targets));
	if (!agent->targets)
		return E_NOMEM;
	for (size_t i = 0; i < config->app_count; i++)
		for (size_t k = 0; k < config->apps[i].target_count; k++) {
			struct config_target *target = &config->apps[i].targets[k];
			const char *site = config->sites[target->site].name;

			if (!is_wanted(agent->config, site) ||
			    (target->check_address_count == 0 && (target->address_count == 0 || target->check_name)))
				target->check = CONFIG_CHECK_NONE;
			agent->probed += target->check != CONFIG_CHECK_NONE;
			agent->targets[number++] = (struct push_target){.app = config->apps[i].name, .site = site};
		}
	return agent->probed > 0 ? E_OK : E_NOTFOUND;
}

static void on_changed(void *ctx, size_t number, const struct health_address *address UNUSED)
{
	struct agent *agent = ctx;
	struct push_target *target = &agent->targets[number];

	must(number < agent->count);
	target->known = true;
	target->up = health_up(agent->health, number);
	for (size_t i = 0; i < agent->config->url_count; i++)
		push_changed(agent->pushes[i], number);
}

static void on_settled(void *ctx)
{
	const struct agent *agent = ctx;

	log_info("probe: each of %zu targets has a result", agent->probed);
}

static void on_signal(evutil_socket_t number, short what, void *ctx)
{
	struct agent *agent = ctx;

	(void)what;
	log_notice("%s: stopping", strsignal((int)number));
	event_base_loopbreak(agent->base);
}

static int open_agent(struct agent *agent, const struct config *config)
{
	static const int numbers[SIGNALS] = {SIGTERM, SIGINT};
	const struct health_ops ops = {.changed = on_changed, .settled = on_settled, .ctx = agent};
	struct watchlist *list = NULL;
	int err;

	agent->base = event_base_new();
	if (!agent->base || event_base_priority_init(agent->base, PRIORITIES) < 0)
		return E_NOMEM;
	signal(SIGPIPE, SIG_IGN);
	for (int i = 0; i < SIGNALS; i++) {
		agent->signals[i] = evsignal_new(agent->base, numbers[i], on_signal, agent);
		if (!agent->signals[i] || event_add(agent->signals[i], NULL) < 0)
			return E_NOMEM;
	}
	agent->health = health_new(agent->base, &ops);
	if (!agent->health)
		return E_NOMEM;
	for (size_t i = 0; i < agent->config->url_count; i++)
		if (!(agent->pushes[i] = push_new(agent->base, &agent->config->push, agent->config->urls[i], agent->targets,
		                                  agent->count)))
			return E_NOMEM;
	err = watchlist_new(config, NULL, &list);
	if (err == E_OK)
		health_configure(agent->health, list, config->server.probes);
	return err;
}

static void close_agent(struct agent *agent)
{
	for (size_t i = 0; i < agent->config->url_count; i++)
		push_free(agent->pushes[i]);
	health_free(agent->health);
	for (int i = 0; i < SIGNALS; i++)
		if (agent->signals[i])
			event_free(agent->signals[i]);
	if (agent->base)
		event_base_free(agent->base);
	free(agent->targets);
}

int agent_run(struct config *config, const struct agent_config *from)
{
	struct agent agent = {.config = from};
	int err = list_targets(&agent, config);

	if (err == E_OK)
		err = open_agent(&agent, config);
	if (err == E_OK) {
		log_notice("edgesteer-probe " PACKAGE_VERSION ": vantage %s probes %zu targets and tells %zu %s", from->push.vantage,
		           agent.probed, from->url_count, from->url_count == 1 ? "daemon" : "daemons");
		event_base_dispatch(agent.base);
	}
	close_agent(&agent);
	return err;
}
