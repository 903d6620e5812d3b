// What came of a question; see verdict.h.
#include "verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { WORD_MAX_LEN = 32 };

void verdict_set(struct verdict *verdict, enum edgesteer_outcome outcome, const char *fmt, ...)
{
	va_list ap;

	verdict->outcome = outcome;
	va_start(ap, fmt);
	vsnprintf(verdict->text, sizeof(verdict->text), fmt, ap);
	va_end(ap);
}

const char *verdict_quote(char buf[static VERDICT_QUOTE_SIZE], const char *text)
{
	size_t len = 0;

	while (*text && len < VERDICT_QUOTE_SIZE - 1) {
		size_t word = strcspn(text, " "), shown = word > WORD_MAX_LEN ? 1 : word;

		if (len + shown >= VERDICT_QUOTE_SIZE - 1)
			break;
		for (size_t i = 0; i < shown; i++)
			buf[len++] = word > WORD_MAX_LEN || text[i] < ' ' || text[i] > '~' ? '?' : text[i];
		text += word;
		if (*text == ' ')
			buf[len++] = *text++;
	}
	buf[len] = '\0';
	return buf;
}

static enum edgesteer_outcome outcome_of(const struct https_result *result)
{
	switch (result->status) {
	case 0:
		return result->fault == HTTPS_TIMEOUT     ? EDGESTEER_TIMEOUT
		       : result->fault == HTTPS_UNTRUSTED ? EDGESTEER_DENIED
		                                          : EDGESTEER_BROKEN;
	case 429: case 503: return EDGESTEER_BUSY;
	case 401: case 403: return EDGESTEER_DENIED;
	case 408: case 504: return EDGESTEER_TIMEOUT;
	default: return EDGESTEER_BROKEN;
	}
}

void verdict_of_reply(struct verdict *verdict, const struct https_result *result, const char *code, const char *url)
{
	enum edgesteer_outcome outcome = outcome_of(result);
	char quote[VERDICT_QUOTE_SIZE];

	if (result->status == 0)
		verdict_set(verdict, outcome, "%s", result->why ? result->why : "no reply");
	else if (result->status >= 300 && result->status < 400)
		verdict_set(verdict, outcome, "HTTP status %d: redirects are not followed", result->status);
	else if (result->status == 404 && !code)
		verdict_set(verdict, outcome, "HTTP status 404: is `%s` right?", url);
	else if (code)
		verdict_set(verdict, outcome, "HTTP status %d: %s", result->status, verdict_quote(quote, code));
	else
		verdict_set(verdict, outcome, "HTTP status %d", result->status);
	verdict->retry_s = outcome == EDGESTEER_BUSY ? result->retry_after_s : 0;
}

void verdict_add_site(struct verdict *verdict, const char *site)
{
	size_t len = strlen(site);

	if (len == 0 || len >= VERDICT_SITE_SIZE || verdict->site_count == VERDICT_SITES_MAX)
		return;
	for (const char *c = site; *c; c++)
		if (*c <= ' ' || *c > '~')
			return;
	for (size_t i = 0; i < verdict->site_count; i++)
		if (strcmp(verdict->sites[i], site) == 0)
			return;
	memcpy(verdict->sites[verdict->site_count++], site, len + 1);
}

struct search {
	const char *key, *found;
};

static int compare(void *ctx, const char *key, const char *value)
{
	struct search *search = ctx;

	if (strcmp(key, search->key) != 0)
		return 0;
	search->found = value;
	return 1;
}

const char *verdict_mapped(const struct edgesteer_host *host, const char *key)
{
	struct search search = {.key = key};

	host->option_map(host, "sites", compare, &search);
	return search.found;
}

void verdict_conclude(struct verdict *verdict, const char *text)
{
	if (verdict->site_count > 0)
		verdict->outcome = EDGESTEER_FOUND;
	else
		verdict_set(verdict, EDGESTEER_NOT_FOUND, "%s", text);
}

void verdict_answer(const struct verdict *verdict, const struct edgesteer_host *host, uint64_t id)
{
	const char *sites[VERDICT_SITES_MAX];
	bool found = verdict->outcome == EDGESTEER_FOUND;
	const struct edgesteer_finding finding = {
		.size = sizeof(finding),
		.outcome = verdict->outcome,
		.sites = found ? sites : NULL,
		.site_count = found ? verdict->site_count : 0,
		.carrier = found && *verdict->carrier ? verdict->carrier : NULL,
		.class_ = found && *verdict->class_ ? verdict->class_ : NULL,
		.lifetime_s = found ? verdict->lifetime_s : 0,
		.retry_s = verdict->outcome == EDGESTEER_BUSY ? verdict->retry_s : 0,
		.text = *verdict->text ? verdict->text : NULL,
	};

	for (size_t i = 0; i < verdict->site_count; i++)
		sites[i] = verdict->sites[i];
	host->answer(host, id, &finding);
}
