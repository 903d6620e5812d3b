// Copies of checks, and how two of them compare; see checks.h.
#include "health/checks.h"

#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/must.h"

enum { CHECK_BYTES_MAX = (1 << 20) + CONFIG_CA_BYTES_MAX };

static int copy(const struct config_check *from, struct check *check)
{
	struct arena *arena = check->arena;
	size_t pairs = from->expect_status_count;

	check->conf = *from;
	check->conf.path = arena_strdup(arena, from->path);
	check->conf.host = arena_strdup(arena, from->host);
	check->conf.sni = arena_strdup(arena, from->sni);
	check->conf.ca_file = arena_strdup(arena, from->ca_file);
	check->conf.ca_pem = arena_strdup(arena, from->ca_pem);
	check->ca_hash = from->ca_pem ? hash_bytes(0, from->ca_pem, strlen(from->ca_pem)) : 0;
	check->conf.expect_status = arena_copy(arena, from->expect_status, pairs * 2 * sizeof(*from->expect_status));
	if ((from->path && !check->conf.path) || (from->host && !check->conf.host) || (from->sni && !check->conf.sni) ||
	    (from->ca_file && !check->conf.ca_file) || (from->ca_pem && !check->conf.ca_pem) || !check->conf.expect_status)
		return E_NOMEM;

	int err = needle_make(arena, from->expect_body, &check->body);

	check->conf.expect_body = check->body.text;
	check->conf.name = NULL;
	return err;
}

int checks_new(const struct config_check *from, struct check **ret_check)
{
	struct arena *arena = arena_new(CHECK_BYTES_MAX);
	struct check *check = arena ? arena_take(arena, sizeof(*check)) : NULL;
	int err;

	if (!check) {
		arena_free(arena);
		return E_NOMEM;
	}
	check->arena = arena;
	err = copy(from, check);
	if (err == E_OK)
		*ret_check = check;
	else
		checks_free(check);
	return err;
}

struct check *checks_free(struct check *check)
{
	if (check)
		arena_free(check->arena); // contains the check itself
	return NULL;
}

void checks_release(const struct check *check)
{
	struct check *released = (struct check *)check;

	must(!released || released->users > 0);
	if (released && --released->users == 0)
		checks_free(released);
}

static bool same_text(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

bool checks_same_question(const struct check *one, const struct check *other)
{
	const struct config_check *a = &one->conf, *b = &other->conf;

	return a->type == b->type && a->port == b->port && same_text(a->path, b->path) && same_text(a->host, b->host) &&
	       same_text(a->sni, b->sni) && a->verify == b->verify && same_text(a->ca_pem, b->ca_pem) &&
	       a->expect_status_count == b->expect_status_count &&
	       memcmp(a->expect_status, b->expect_status, a->expect_status_count * 2 * sizeof(*a->expect_status)) == 0 &&
	       same_text(a->expect_body, b->expect_body);
}

bool checks_same(const struct check *one, const struct check *other)
{
	const struct config_check *a = &one->conf, *b = &other->conf;

	return checks_same_question(one, other) && a->interval_ms == b->interval_ms && a->timeout_ms == b->timeout_ms &&
	       a->rise == b->rise && a->fall == b->fall;
}
