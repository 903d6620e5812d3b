// Copies of checks, and how two of them compare; see checks.h.
#include "health/checks.h"

#include <stddef.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/must.h"
#include "base/pattern.h"

enum { CHECK_BYTES_MAX = (1 << 20) + 3 * CONFIG_CA_BYTES_MAX };

// The texts of a check, which are part of the question; but `name`, which is not.
static const size_t texts[] = {
	offsetof(struct config_check, path),
	offsetof(struct config_check, host),
	offsetof(struct config_check, sni),
	offsetof(struct config_check, ca_pem),
	offsetof(struct config_check, client_cert_pem),
	offsetof(struct config_check, client_key_pem),
	offsetof(struct config_check, expect_body),
	offsetof(struct config_check, body),
	offsetof(struct config_check, service),
	offsetof(struct config_check, query_name),
	offsetof(struct config_check, expect),
};

static const char **text_at(const struct config_check *conf, size_t i)
{
	return (const char **)((char *)conf + texts[i]);
}

static int copy_texts(struct check *check)
{
	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		const char *text = *text_at(&check->conf, i);

		*text_at(&check->conf, i) = arena_strdup(check->arena, text);
		if (text && !*text_at(&check->conf, i))
			return E_NOMEM;
	}
	return E_OK;
}

static int copy_headers(const struct config_check *from, struct check *check)
{
	struct headers_header *headers = arena_take_array(check->arena, from->header_count, sizeof(*headers));

	if (!headers)
		return E_NOMEM;
	for (size_t i = 0; i < from->header_count; i++) {
		headers[i].name = arena_strdup(check->arena, from->headers[i].name);
		headers[i].value = arena_strdup(check->arena, from->headers[i].value);
		if (!headers[i].name || !headers[i].value)
			return E_NOMEM;
	}
	check->conf.headers = headers;
	return E_OK;
}

static int copy_command(const struct config_check *from, struct check *check)
{
	const char **command = arena_take_array(check->arena, from->command_count, sizeof(*command));

	if (!command)
		return E_NOMEM;
	for (size_t i = 0; i < from->command_count; i++)
		if (!(command[i] = arena_strdup(check->arena, from->command[i])))
			return E_NOMEM;
	check->conf.command = command;
	return E_OK;
}

static uint64_t hash_pem(const struct config_check *conf)
{
	const char *const pem[] = {conf->ca_pem, conf->client_cert_pem, conf->client_key_pem};
	uint64_t hash = 0;

	for (size_t i = 0; i < ARRAY_LEN(pem); i++)
		if (pem[i])
			hash = hash_bytes(hash + i, pem[i], strlen(pem[i]));
	return hash;
}

static int copy(const struct config_check *from, struct check *check)
{
	size_t status_len = from->expect_status_count * 2 * sizeof(*from->expect_status);
	char why[PATTERN_WHY_LEN];
	int err;

	check->conf = *from;
	check->conf.name = check->conf.ca_file = check->conf.client_cert = check->conf.client_key = NULL;
	check->tls_hash = hash_pem(from);
	check->conf.expect_status = arena_copy(check->arena, from->expect_status, status_len);
	if (!check->conf.expect_status || copy_texts(check) < 0 || copy_headers(from, check) < 0 ||
	    copy_command(from, check) < 0)
		return E_NOMEM;
	err = needle_make(check->arena, from->expect_body, &check->body);
	if (err == E_OK && from->body)
		err = pattern_new(from->body, &check->pattern, why);
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
	if (check) {
		pattern_free(check->pattern);
		arena_free(check->arena); // contains the check itself
	}
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

static bool same_headers(const struct config_check *a, const struct config_check *b)
{
	if (a->header_count != b->header_count)
		return false;
	for (size_t i = 0; i < a->header_count; i++)
		if (strcmp(a->headers[i].name, b->headers[i].name) != 0 || strcmp(a->headers[i].value, b->headers[i].value) != 0)
			return false;
	return true;
}

static bool same_command(const struct config_check *a, const struct config_check *b)
{
	if (a->command_count != b->command_count)
		return false;
	for (size_t i = 0; i < a->command_count; i++)
		if (strcmp(a->command[i], b->command[i]) != 0)
			return false;
	return true;
}

bool checks_same_question(const struct check *one, const struct check *other)
{
	const struct config_check *a = &one->conf, *b = &other->conf;

	for (size_t i = 0; i < ARRAY_LEN(texts); i++)
		if (!same_text(*text_at(a, i), *text_at(b, i)))
			return false;
	return a->type == b->type && a->port == b->port && a->verify == b->verify && a->resume == b->resume && a->tls == b->tls &&
	       a->method == b->method && a->http2 == b->http2 && a->redirects == b->redirects && a->query_type == b->query_type &&
	       a->expect_rcode == b->expect_rcode && same_headers(a, b) && same_command(a, b) &&
	       a->expect_status_count == b->expect_status_count &&
	       memcmp(a->expect_status, b->expect_status, a->expect_status_count * 2 * sizeof(*a->expect_status)) == 0;
}

bool checks_same(const struct check *one, const struct check *other)
{
	const struct config_check *a = &one->conf, *b = &other->conf;

	return checks_same_question(one, other) && a->interval_ms == b->interval_ms && a->timeout_ms == b->timeout_ms &&
	       a->rise == b->rise && a->fall == b->fall;
}
