// A short list, searched from its head: configs have one file of authorities or two. See trust.h.
#include "http/ca_stores.h"

#include <stdlib.h>
#include <string.h>

#include "http/curl_loop.h"

static struct trust *trust_free(struct trust *trust)
{
	curlloop_free(trust->loop);
	free(trust->ca_file);
	free(trust);
	return NULL;
}

static struct trust *trust_new(struct trusts *trusts, const char *ca_file)
{
	struct trust *trust = calloc(1, sizeof(*trust));

	if (!trust)
		return NULL;
	trust->ca_file = strdup(ca_file);
	trust->loop = curlloop_new(trusts->base, trusts->done);
	if (!trust->ca_file || !trust->loop)
		return trust_free(trust);
	trust->next = trusts->first;
	trusts->first = trust;
	return trust;
}

static void reap(struct trusts *trusts)
{
	for (struct trust **at = &trusts->first, *trust; (trust = *at);) {
		if (!trust->stale || trust->running) {
			at = &trust->next;
			continue;
		}
		*at = trust->next;
		trust_free(trust);
	}
}

struct trust *trust_hold(struct trusts *trusts, const char *ca_file)
{
	struct trust *trust = trusts->first;

	while (trust && (trust->stale || strcmp(trust->ca_file, ca_file) != 0))
		trust = trust->next;
	if (!trust)
		trust = trust_new(trusts, ca_file);
	if (trust)
		trust->running++;
	return trust;
}

void trust_release(struct trusts *trusts, struct trust *trust)
{
	if (--trust->running == 0 && trust->stale)
		reap(trusts);
}

void trust_refresh(struct trusts *trusts)
{
	for (struct trust *trust = trusts->first; trust; trust = trust->next)
		trust->stale = true;
	reap(trusts);
}
