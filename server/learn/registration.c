// A run of `discovery register`; see registration.h.
#include "learn/registration.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/clean.h"
#include "base/err.h"
#include "base/log.h"
#include "base/must.h"

enum { ARENA_BYTES_MAX = 32 << 20, FIRST_CAP = 16 };

// The size of the struct in ABI 1.4, the first that has it.
enum { STEP_SIZE_MIN = offsetof(struct edgesteer_step, text) + sizeof(const char *) };

struct registration *registration_new(bool is_applied, const char *who)
{
	struct registration *registration = calloc(1, sizeof(*registration));

	if (!registration)
		return NULL;
	registration->is_applied = is_applied;
	registration->arena = arena_new(ARENA_BYTES_MAX);
	registration->who = registration->arena ? arena_strdup(registration->arena, who) : NULL;
	return registration->who ? registration : registration_free(registration);
}

struct registration *registration_free(struct registration *registration)
{
	if (!registration)
		return NULL;
	must(!registration->is_started);
	for (size_t i = 0; i < registration->part_count; i++) {
		free(registration->parts[i].endpoints);
		free(registration->parts[i].steps);
	}
	arena_free(registration->arena);
	free(registration);
	return NULL;
}

// Room for one more of what a list has `count` of.
static int make_room(void **list, size_t size, size_t count, size_t *cap)
{
	size_t wanted = *cap ? *cap * 2 : FIRST_CAP;
	void *grown;

	if (count < *cap)
		return E_OK;
	grown = reallocarray(*list, wanted, size);
	if (!grown)
		return E_NOMEM;
	*list = grown;
	*cap = wanted;
	return E_OK;
}

// ---- what is to be done ---------------------------------------------------------------------------------------------

struct registration_part *registration_add_part(struct registration *registration, struct registrar *registrar,
                                                const char *label, size_t app_max)
{
	struct registration_part *part = &registration->parts[registration->part_count];
	struct arena *arena = registration->arena;

	must(registration->part_count < ARRAY_LEN(registration->parts));
	*part = (struct registration_part){.registration = registration, .registrar = registrar, .app_max = app_max};
	part->label = arena_strdup(arena, label);
	part->apps = arena_take_array(arena, app_max, sizeof(*part->apps));
	if (!part->label || !part->apps)
		return NULL;
	registration->part_count++;
	return part;
}

int registration_add_app(struct registration_part *part, const char *app)
{
	must(part->app_count < part->app_max);
	part->apps[part->app_count] = arena_strdup(part->registration->arena, app);
	return part->apps[part->app_count++] ? E_OK : E_NOMEM;
}

int registration_add(struct registration_part *part, const char *app, const char *site, const struct addr *addresses,
                     size_t address_count)
{
	struct arena *arena = part->registration->arena;
	const char **texts = arena_take_array(arena, address_count + 1, sizeof(*texts));
	char text[ADDR_TEXT_LEN];

	if (part->endpoint_count == REGISTRATION_ENDPOINTS_MAX)
		return E_LIMIT;
	if (!texts || make_room((void **)&part->endpoints, sizeof(*part->endpoints), part->endpoint_count,
	                        &part->endpoint_cap) < 0)
		return E_NOMEM;
	for (size_t i = 0; i < address_count; i++)
		if (!(texts[i] = arena_strdup(arena, addr_format(&addresses[i], text))))
			return E_NOMEM;

	struct edgesteer_endpoint *endpoint = &part->endpoints[part->endpoint_count];

	*endpoint = (struct edgesteer_endpoint){
		.size = sizeof(*endpoint), .app = arena_strdup(arena, app), .site = arena_strdup(arena, site),
		.addresses = texts, .address_count = address_count,
	};
	if (!endpoint->app || !endpoint->site)
		return E_NOMEM;
	part->endpoint_count++;
	return E_OK;
}

// ---- what was done --------------------------------------------------------------------------------------------------

static const char *keep(struct registration_part *part, const char *text)
{
	char buf[REGISTRATION_TEXT_LEN];

	if (!text)
		return NULL;
	clean_copy(buf, sizeof(buf), text);
	return arena_strdup(part->registration->arena, buf);
}

// What has been changed at the service is told in the log, whoever reads the reply.
static void log_step(const struct registration_part *part, const struct registration_step *step)
{
	static const char *const words[EDGESTEER_LEAVE + 1] = {[EDGESTEER_ADD] = "added", [EDGESTEER_CHANGE] = "changed",
	                                                       [EDGESTEER_REMOVE] = "removed"};
	const char *word = words[step->action], *app = step->app ? step->app : "an app that is not known";

	if (step->progress == EDGESTEER_DONE)
		log_notice("discovery: %s: register: %s at %s is %s%s%s (%s)", part->label, app, step->site ? step->site : "?", word,
		           step->text ? ": " : "", step->text ? step->text : "", part->registration->who);
	else if (step->progress == EDGESTEER_FAILED)
		log_error("discovery: %s: register: %s at %s is not %s: %s (%s)", part->label, app, step->site ? step->site : "?",
		          word, step->text ? step->text : "the plugin does not say why", part->registration->who);
}

static bool is_good(const struct edgesteer_step *step)
{
	bool is_change = step->action == EDGESTEER_ADD || step->action == EDGESTEER_CHANGE || step->action == EDGESTEER_REMOVE;

	return (unsigned)step->action <= EDGESTEER_LEAVE && (unsigned)step->progress <= EDGESTEER_FAILED &&
	       (is_change || step->progress == EDGESTEER_PLANNED);
}

void registration_take_step(struct registration_part *part, const struct edgesteer_step *step)
{
	struct registration_step kept;

	if (!step || step->size < STEP_SIZE_MIN || !is_good(step)) {
		registration_take_error(part, "breaks the plugin contract: step() without a complete step");
		return;
	}
	kept = (struct registration_step){step->action, step->progress, keep(part, step->app), keep(part, step->site),
	                                  keep(part, step->endpoint), keep(part, step->text)};
	log_step(part, &kept);
	if (part->step_count == REGISTRATION_STEPS_MAX ||
	    make_room((void **)&part->steps, sizeof(*part->steps), part->step_count, &part->step_cap) < 0)
		part->steps_lost++;
	else
		part->steps[part->step_count++] = kept;
}

void registration_take_error(struct registration_part *part, const char *text)
{
	clean_copy(part->error, sizeof(part->error), text);
}
