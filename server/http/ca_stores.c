// A linked list, searched linearly: configs have one or two CA files. See ca_stores.h.
#include "http/ca_stores.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "http/curl_loop.h"

static struct ca_store *ca_store_free(struct ca_store *store)
{
	must(store->running == 0);
	curl_loop_free(store->loop);
	free(store->ca_file);
	free(store);
	return NULL;
}

static struct ca_store *ca_store_new(struct ca_stores *stores, const char *ca_file)
{
	struct ca_store *store = calloc(1, sizeof(*store));

	if (!store)
		return NULL;
	store->ca_file = strdup(ca_file);
	store->loop = curl_loop_new(stores->base, stores->priority, stores->done);
	if (!store->ca_file || !store->loop)
		return ca_store_free(store);
	store->next = stores->first;
	stores->first = store;
	return store;
}

static void reap(struct ca_stores *stores)
{
	for (struct ca_store **at = &stores->first, *store; (store = *at);) {
		if (!store->stale || store->running) {
			at = &store->next;
			continue;
		}
		*at = store->next;
		ca_store_free(store);
	}
}

struct ca_store *ca_stores_hold(struct ca_stores *stores, const char *ca_file)
{
	struct ca_store *store = stores->first;

	while (store && (store->stale || strcmp(store->ca_file, ca_file) != 0))
		store = store->next;
	if (!store)
		store = ca_store_new(stores, ca_file);
	if (store)
		store->running++;
	return store;
}

void ca_stores_release(struct ca_stores *stores, struct ca_store *store)
{
	must(store->running > 0);
	if (--store->running == 0 && store->stale)
		reap(stores);
}

void ca_stores_refresh(struct ca_stores *stores)
{
	for (struct ca_store *store = stores->first; store; store = store->next)
		store->stale = true;
	reap(stores);
}
