// A short list, searched from its head: configs have one file of authorities or two. See ca_stores.h.
#include "http/ca_stores.h"

#include <stdlib.h>
#include <string.h>

#include "http/curl_loop.h"

static struct ca_store *ca_store_free(struct ca_store *trust)
{
	curl_loop_free(trust->loop);
	free(trust->ca_file);
	free(trust);
	return NULL;
}

static struct ca_store *ca_store_new(struct ca_stores *stores, const char *ca_file)
{
	struct ca_store *trust = calloc(1, sizeof(*trust));

	if (!trust)
		return NULL;
	trust->ca_file = strdup(ca_file);
	trust->loop = curl_loop_new(stores->base, stores->done);
	if (!trust->ca_file || !trust->loop)
		return ca_store_free(trust);
	trust->next = stores->first;
	stores->first = trust;
	return trust;
}

static void reap(struct ca_stores *stores)
{
	for (struct ca_store **at = &stores->first, *trust; (trust = *at);) {
		if (!trust->stale || trust->running) {
			at = &trust->next;
			continue;
		}
		*at = trust->next;
		ca_store_free(trust);
	}
}

struct ca_store *ca_stores_hold(struct ca_stores *stores, const char *ca_file)
{
	struct ca_store *trust = stores->first;

	while (trust && (trust->stale || strcmp(trust->ca_file, ca_file) != 0))
		trust = trust->next;
	if (!trust)
		trust = ca_store_new(stores, ca_file);
	if (trust)
		trust->running++;
	return trust;
}

void ca_stores_release(struct ca_stores *stores, struct ca_store *trust)
{
	if (--trust->running == 0 && trust->stale)
		reap(stores);
}

void ca_stores_refresh(struct ca_stores *stores)
{
	for (struct ca_store *trust = stores->first; trust; trust = trust->next)
		trust->stale = true;
	reap(stores);
}
