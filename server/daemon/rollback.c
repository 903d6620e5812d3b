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

// Who went back, when and why.
struct rollback_asked {
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
	struct rollback_asked *asked; // for the one under way
	struct rollback_asked *back;  // NULL: the daemon is not rolled back
};

struct rollback *rollback_new(void)
{
	return calloc(1, sizeof(struct rollback));
}

static struct rollback_asked *forget(struct rollback_asked *asked)
{
	if (!asked)
		return NULL;
	free(asked->who);
	free(asked->by);
	free(asked->reason);
	free(asked);
	return NULL;
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
	forget(rollback->asked);
	forget(rollback->back);
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

	rollback->back = forget(rollback->back);
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
	forget(rollback->back);
	rollback->back = rollback->asked;
	rollback->asked = NULL;
	rollback->kept = rollback_leave(rollback->kept);
}

bool rollback_is_there(const struct rollback *rollback)
{
	return rollback->kept != NULL;
}

bool rollback_is_back(const struct rollback *rollback)
{
	return rollback->back != NULL;
}

// False: out of memory.
static bool copy(char **to, const char *text)
{
	*to = text ? strdup(text) : NULL;
	return *to || !text;
}

struct rollback_asked *rollback_ask(const char *who, const char *by, const char *reason)
{
	struct rollback_asked *asked = calloc(1, sizeof(*asked));

	if (asked && copy(&asked->who, who) && copy(&asked->by, by) && copy(&asked->reason, reason))
		return asked;
	return forget(asked);
}

void rollback_asked(struct rollback *rollback, struct rollback_asked *asked, bool begun)
{
	if (!begun) {
		forget(asked);
		return;
	}
	asked->at_s = clock_wall_s();
	asked->to = rollback->kept->generation;
	forget(rollback->asked); // for one that failed
	rollback->asked = asked;
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
	const struct rollback_asked *back = rollback->back;

	if (status && kept)
		json_object_set_new(status, "rollback",
		                    json_pack("{s:I, s:I, s:I}", "generation", (json_int_t)kept->generation, "loaded",
		                              (json_int_t)kept->tables->ground->loaded_s, "bytes",
		                              (json_int_t)bytes_of(kept->tables)));
	if (status && back)
		json_object_set_new(status, "rolled_back",
		                    json_pack("{s:I, s:I, s:o, s:o, s:o}", "since", (json_int_t)back->at_s, "to",
		                              (json_int_t)back->to, "who", text_or_null(back->who), "by",
		                              text_or_null(back->by), "reason", text_or_null(back->reason)));
}
