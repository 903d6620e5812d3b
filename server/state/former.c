// Sites by name, in order; see former.h.
#include "state/former.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

// Where the site is, or would be.
static size_t place_of(const struct former *former, const char *site, bool *ret_found)
{
	size_t low = 0, high = former->count;

	*ret_found = false;
	while (low < high && !*ret_found) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(former->sites[middle].site, site);

		if (order == 0) {
			*ret_found = true;
			low = middle;
		} else if (order < 0) {
			low = middle + 1;
		} else {
			high = middle;
		}
	}
	return low;
}

// The site's entry, added when it is new. NULL: out of memory, or there are too many.
static struct former_site *entry_of(struct former *former, const char *site)
{
	bool found;
	size_t at = place_of(former, site, &found), room = former->room ? former->room * 2 : 64;
	char *name;

	if (found)
		return &former->sites[at];
	if (former->count == FORMER_MAX)
		return NULL;
	if (former->count == former->room) {
		struct former_site *sites = reallocarray(former->sites, room, sizeof(*sites));

		if (!sites)
			return NULL;
		former->sites = sites;
		former->room = room;
	}
	if (!(name = strdup(site)))
		return NULL;
	memmove(former->sites + at + 1, former->sites + at, (former->count - at) * sizeof(*former->sites));
	former->sites[at] = (struct former_site){.site = name};
	former->count++;
	return &former->sites[at];
}

bool former_set(struct former *former, const char *site, uint32_t ttl_s, int64_t now_s, char text[FORMER_TEXT_LEN])
{
	struct former_site *entry = entry_of(former, site);

	if (!entry || entry->ttl_s == ttl_s)
		return false;
	if (entry->ttl_s > ttl_s && entry->until_s < now_s + entry->ttl_s)
		entry->until_s = now_s + entry->ttl_s;
	entry->ttl_s = ttl_s;
	snprintf(text, FORMER_TEXT_LEN, "%" PRIu32 " %" PRId64, ttl_s, entry->until_s);
	return true;
}

int former_load(struct former *former, const char *site, const char *text)
{
	struct former_site *entry;
	uint32_t ttl_s;
	int64_t until_s;
	int len = 0;

	if (sscanf(text, "%" SCNu32 " %" SCNd64 "%n", &ttl_s, &until_s, &len) != 2 || text[len] || ttl_s > FORMER_TTL_MAX ||
	    until_s < 0)
		return E_INVAL;
	if (former->count == FORMER_MAX)
		return E_LIMIT;
	entry = entry_of(former, site);
	if (!entry)
		return E_NOMEM;
	entry->ttl_s = ttl_s;
	entry->until_s = until_s;
	return E_OK;
}

int64_t former_until_s(const struct former_site *site, int64_t start_s)
{
	int64_t until_s = start_s + site->ttl_s, longest_s = start_s + FORMER_TTL_MAX;

	if (until_s < site->until_s) // no further than a TTL can be, if a clock was wrong
		until_s = site->until_s < longest_s ? site->until_s : longest_s;
	return until_s;
}

void former_done(struct former *former)
{
	for (size_t i = 0; i < former->count; i++)
		free(former->sites[i].site);
	free(former->sites);
	*former = (struct former){0};
}
