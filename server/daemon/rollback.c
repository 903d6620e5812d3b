// One load back; see rollback.h.
#include "daemon/rollback.h"

#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/publish.h"
#include "config/config.h"
#include "daemon/service.h"
#include "generation/generation.h"
#include "steer/place.h"
#include "view/ground.h"
#include "view/tables.h"
#include "view/view.h"

// Who went back, when and why; a zero time: nobody has.
struct asked {
	char *who, *by, *reason;
	int64_t at_s;
	uint64_t to; // the generation that it goes back to
};

struct rollback_load {
	struct config *config; // as it was read
	struct tables *tables;
	uint64_t generation;
};

struct rollback {
	struct rollback_load *kept; // NULL: nothing is
	struct asked asked, back;
};

struct rollback *rollback_new(void)
{
	return calloc(1, sizeof(struct rollback));
}

static void forget(struct asked *asked)
{
	free(asked->who);
	free(asked->by);
	free(asked->reason);
	*asked = (struct asked){0};
}

static void free_load(void *retired)
{
	struct rollback_load *load = retired;

	tables_free(load->tables);
	config_free(load->config);
	free(load);
	service_trim_memory();
}

struct rollback *rollback_free(struct rollback *rollback)
{
	if (!rollback)
		return NULL;
	if (rollback->kept)
		free_load(rollback->kept);
	forget(&rollback->asked);
	forget(&rollback->back);
	free(rollback);
	return NULL;
}

static struct config *read_of(struct config *config)
{
	return config->base ? config->base : config;
}

struct rollback_load *rollback_hold(struct config *config, const struct view *view)
{
	struct rollback_load *load = config->server.rollback ? malloc(sizeof(*load)) : NULL;

	if (load)
		*load = (struct rollback_load){config_hold(read_of(config)), tables_use(view->tables), view->generation};
	return load;
}

struct rollback_load *rollback_leave(struct rollback_load *load)
{
	publish_retire(load, free_load);
	return NULL;
}

// Whether two loads were read from the same files with the same in them.
static bool is_same(const struct config *one, const struct config *other)
{
	return strcmp(one->digest, other->digest) == 0 && one->feeds_digest[0] &&
	       strcmp(one->feeds_digest, other->feeds_digest) == 0;
}

void rollback_keep(struct rollback *rollback, struct rollback_load *load, const struct config *next)
{
	const struct config *read = next->base ? next->base : next;

	forget(&rollback->back);
	if (!read->server.rollback) {
		rollback_leave(load);
		rollback->kept = rollback_leave(rollback->kept);
	} else if (load && is_same(load->config, read)) {
		rollback_leave(load);
	} else {
		rollback_leave(rollback->kept);
		rollback->kept = load;
	}
}

void rollback_taken(struct rollback *rollback)
{
	forget(&rollback->back);
	rollback->back = rollback->asked;
	rollback->asked = (struct asked){0};
	rollback->kept = rollback_leave(rollback->kept);
}

bool rollback_is_there(const struct rollback *rollback)
{
	return rollback->kept != NULL;
}

bool rollback_is_back(const struct rollback *rollback)
{
	return rollback->back.at_s != 0;
}

// False: out of memory.
static bool copy(char **to, const char *text)
{
	*to = text ? strdup(text) : NULL;
	return *to || !text;
}

int rollback_ask(struct rollback *rollback, const char *who, const char *by, const char *reason)
{
	struct asked asked = {.at_s = clock_wall_s(), .to = rollback->kept->generation};

	if (!copy(&asked.who, who) || !copy(&asked.by, by) || !copy(&asked.reason, reason)) {
		forget(&asked);
		return E_NOMEM;
	}
	forget(&rollback->asked);
	rollback->asked = asked;
	return E_OK;
}

int rollback_build(const struct rollback *rollback, const struct generation_joiner *joiner, uint64_t number,
                   struct report *report, struct generation *ret_generation)
{
	return generation_join(rollback->kept->config, rollback->kept->tables, joiner, number, report, ret_generation);
}

static uint64_t bytes_of(const struct tables *tables)
{
	uint64_t bytes = lpm_pair_bytes(&tables->ground->places->edge);

	for (unsigned form = 0; form < STEER_FORMS; form++)
		bytes += tables->steering->form_bytes[form];
	return bytes;
}

static json_t *text_or_null(const char *text)
{
	return text ? json_string(text) : json_null();
}

void rollback_status(const struct rollback *rollback, json_t *status)
{
	const struct rollback_load *kept = rollback->kept;
	const struct asked *back = &rollback->back;

	if (status && kept)
		json_object_set_new(status, "rollback",
		                    json_pack("{s:I, s:I, s:I}", "generation", (json_int_t)kept->generation, "loaded",
		                              (json_int_t)kept->tables->ground->loaded_s, "bytes",
		                              (json_int_t)bytes_of(kept->tables)));
	if (status && rollback_is_back(rollback))
		json_object_set_new(status, "rolled_back",
		                    json_pack("{s:I, s:I, s:o, s:o, s:o}", "since", (json_int_t)back->at_s, "to",
		                              (json_int_t)back->to, "who", text_or_null(back->who), "by",
		                              text_or_null(back->by), "reason", text_or_null(back->reason)));
}
