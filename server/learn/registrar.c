// The instances that register; see registrar.h.
#include "learn/registrar.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/log.h"
#include "base/names.h"
#include "base/thread.h"
#include "config/config.h"
#include "learn/registration.h"
#include "steer/place.h"
#include "view/view.h"

_Static_assert(offsetof(struct registrar, base) == 0, "a pointer to what is lent is one to its struct registrar");

static struct registrar *of(const struct edgesteer_host *lent)
{
	return (struct registrar *)lent;
}

static int lent_stop_fd(const struct edgesteer_host *lent)
{
	return of(lent)->stop_fd;
}

static void lent_step(const struct edgesteer_host *lent, const struct edgesteer_step *step)
{
	struct registrar *registrar = of(lent);

	if (registrar->part)
		registration_take_step(registrar->part, step);
	else
		instance_error(&registrar->base, "breaks the plugin contract: step() outside of register_targets()");
}

static void say(struct instance *instance, enum report_level level, const char *file, size_t line, const char *text)
{
	struct registrar *registrar = (struct registrar *)instance;

	(void)file, (void)line;
	if (level == REPORT_ERROR && registrar->part)
		registration_take_error(registrar->part, text);
	else
		log_notice("discovery: %s: register: %s", instance->plugin.methods->name, text);
}

static void call(struct registrar *registrar, struct registration_part *part)
{
	const struct edgesteer_registration registration = {
		.size = sizeof(registration),
		.apply = part->registration->is_applied,
		.deadline_ms = clock_mono_ms() + REGISTRATION_MS / (int64_t)part->registration->part_count,
		.rate = registrar->rate,
		.apps = part->apps,
		.app_count = part->app_count,
		.endpoints = part->endpoints,
		.endpoint_count = part->endpoint_count,
	};

	registrar->part = part;
	part->has_failed = registrar->base.plugin.methods->register_targets(registrar->base.self, &registration) < 0;
	registrar->part = NULL;
	if (part->has_failed && !part->error[0])
		registration_take_error(part, "failed without reporting an error");
	if (part->error[0])
		log_error("discovery: %s: register: %s (%s)", part->label, part->error, part->registration->who);
}

bool registrar_reaches(const struct view *view, uint32_t number, char *const *carriers, size_t carrier_count)
{
	const struct site *site = &view->sites[number];

	for (size_t i = 0; i < carrier_count && !site->is_public; i++) {
		int carrier = names_find(view->places->carriers, carriers[i], strlen(carriers[i]));

		if (carrier > 0 && site_reached_by(site, (uint16_t)carrier))
			return true;
	}
	return false;
}

void registrar_stop(struct registrar *registrar)
{
	uint64_t one = 1;

	while (registrar && write(registrar->stop_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
}

// ---- the thread -----------------------------------------------------------------------------------------------------

static void *run(void *ctx)
{
	struct registration *registration = ctx;
	int wake_fd = registration->wake_fd;
	uint64_t one = 1;

	for (size_t i = 0; i < registration->part_count; i++)
		call(registration->parts[i].registrar, &registration->parts[i]);
	registration->has_ended = true;
	while (write(wake_fd, &one, sizeof(one)) < 0 && errno == EINTR)
		;
	return NULL;
}

bool registrar_start(struct registration *registration, int wake_fd)
{
	registration->wake_fd = wake_fd;
	registration->is_started = thread_start(&registration->thread, "register", run, registration);
	return registration->is_started;
}

// ---- making one -----------------------------------------------------------------------------------------------------

static int copy_apps(struct registrar *registrar, const struct config_discovery *entry)
{
	registrar->apps = calloc(entry->register_count, sizeof(*registrar->apps));
	for (; registrar->apps && registrar->app_count < entry->register_count; registrar->app_count++)
		if (!(registrar->apps[registrar->app_count] = strdup(entry->register_apps[registrar->app_count])))
			return E_NOMEM;
	return registrar->apps ? E_OK : E_NOMEM;
}

// Plugins of ABI 1.3 end before register_targets().
static bool can_register(const struct edgesteer_plugin *methods)
{
	return methods->size >= offsetof(struct edgesteer_plugin, register_targets) + sizeof(methods->register_targets) &&
	       methods->register_targets;
}

static int open_instance(struct registrar *registrar, const struct config *config, const struct config_discovery *entry,
                         struct report *report)
{
	static const struct edgesteer_host job = {.stop_fd = lent_stop_fd, .step = lent_step};
	const struct plugin_entry at = {PLUGIN_DISCOVERY, entry->plugin, entry->options, entry->mark};
	struct report *aside = report_new();
	int err = aside ? instance_open(&registrar->base, &job, config->server.plugin_dir, &at, aside) : E_NOMEM;

	report_free(aside);
	if (err == E_INVAL)
		plugin_say(report, REPORT_ERROR, &at, NULL, "cannot be opened once more, for `register`");
	if (err < 0)
		return err;
	registrar->base.say = say;
	if (can_register(registrar->base.plugin.methods))
		return E_OK;
	plugin_say(report, REPORT_ERROR, &at, NULL, "has no register_targets(), which `register` needs");
	instance_close(&registrar->base, NULL);
	registrar->base.plugin.methods = NULL;
	return E_INVAL;
}

int registrar_open(const struct config *config, const struct config_discovery *entry, struct report *report,
                   struct registrar **ret_registrar)
{
	struct registrar *registrar = calloc(1, sizeof(*registrar));
	int err = registrar ? copy_apps(registrar, entry) : E_NOMEM;

	if (registrar)
		registrar->rate = entry->rate;
	if (err == E_OK && (registrar->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) < 0)
		err = E_IO;
	if (err == E_OK)
		err = open_instance(registrar, config, entry, report);
	if (err < 0)
		registrar_free(registrar);
	else
		*ret_registrar = registrar;
	return err;
}

struct registrar *registrar_free(struct registrar *registrar)
{
	if (!registrar)
		return NULL;
	if (registrar->base.plugin.methods)
		instance_close(&registrar->base, NULL);
	if (registrar->stop_fd > 0)
		close(registrar->stop_fd);
	for (size_t i = 0; i < registrar->app_count; i++)
		free(registrar->apps[i]);
	free(registrar->apps);
	free(registrar);
	return NULL;
}
