// Watches, and what a new one takes over from the one that it replaces; see watch.h.
#include "health/watch.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/must.h"
#include "health/score.h"

static const struct health_target pending = {.checked = true, .layer = HEALTH_PENDING, .text = "not probed yet"};

static void use(const struct check *check)
{
	if (check)
		((struct check *)check)->users++;
}

struct watch *watch_new(const char *app, const char *site, const struct check *check, uint32_t slot)
{
	size_t app_len = strlen(app) + 1, site_len = strlen(site) + 1;
	struct watch *watch = calloc(1, sizeof(*watch) + app_len + site_len);

	if (!watch)
		return NULL;
	memcpy(watch->names, app, app_len);
	memcpy(watch->names + app_len, site, site_len);
	watch->site = watch->names + app_len;
	watch->slot = slot;
	watch->check = check;
	use(check);
	return watch;
}

struct watch *watch_discard(struct watch *watch)
{
	struct endpoint *next;

	for (struct endpoint *endpoint = watch ? watch->endpoints : NULL; endpoint; endpoint = next) {
		next = endpoint->next;
		must(!endpoint->probe.run && !endpoint->due);
		free(endpoint);
	}
	free(watch);
	return NULL;
}

struct watch *watch_free(struct watch *watch)
{
	if (!watch)
		return NULL;
	for (const struct endpoint *endpoint = watch->endpoints; endpoint; endpoint = endpoint->next)
		checks_release(endpoint->probe.check);
	checks_release(watch->check);
	return watch_discard(watch);
}

struct endpoint *watch_endpoint_new(struct watch *watch, const struct addr *addr)
{
	struct endpoint *endpoint = calloc(1, sizeof(*endpoint));

	must(watch->check);
	if (!endpoint)
		return NULL;
	endpoint->probe.check = watch->check;
	endpoint->probe.app = watch->names;
	endpoint->probe.site = watch->site;
	endpoint->probe.addr = *addr;
	endpoint->watch = watch;
	endpoint->shown = pending;
	use(watch->check);
	return endpoint;
}

void watch_endpoint_free(struct endpoint *endpoint)
{
	must(!endpoint->probe.run && !endpoint->due);
	checks_release(endpoint->probe.check);
	free(endpoint);
}

struct endpoint **watch_find(struct watch *watch, const struct addr *addr)
{
	for (struct endpoint **at = &watch->endpoints; *at; at = &(*at)->next)
		if (addr_equal(&(*at)->probe.addr, addr))
			return at;
	return NULL;
}

// ---- questions ------------------------------------------------------------------------------------------------------

size_t watch_count(const struct watch *watch)
{
	size_t count = 0;

	for (const struct endpoint *endpoint = watch->endpoints; endpoint; endpoint = endpoint->next)
		count++;
	return count;
}

size_t watch_up_count(const struct watch *watch)
{
	size_t count = 0;

	for (const struct endpoint *endpoint = watch->endpoints; endpoint; endpoint = endpoint->next)
		count += endpoint->shown.up;
	return count;
}

size_t watch_unsettled(const struct watch *watch)
{
	size_t count = 0;

	for (const struct endpoint *endpoint = watch->endpoints; endpoint; endpoint = endpoint->next)
		count += !endpoint->settled;
	return count;
}

uint8_t watch_marks(const struct watch *watch)
{
	size_t count = watch_count(watch), up = watch_up_count(watch);
	bool is_partial = !watch->is_whole && up > 0 && up < count;

	return (uint8_t)((!watch->check || up > 0 ? WATCH_UP : 0) | (is_partial ? WATCH_PARTIAL : 0) |
	                 (watch->is_dynamic ? WATCH_DYNAMIC : 0) | (watch->check ? WATCH_CHECKED : 0));
}

// Whether the target's state is told by the first rather than by the second.
static bool speaks_before(const struct health_target *one, const struct health_target *other)
{
	if (one->up != other->up)
		return one->up;
	return one->up ? one->since_s < other->since_s : one->since_s > other->since_s;
}

const struct health_target *watch_shown(const struct watch *watch)
{
	static const struct health_target unchecked = {.up = true, .layer = HEALTH_PENDING, .text = "no check"};
	static const struct health_target empty = {.checked = true, .layer = HEALTH_PENDING, .text = "no address yet"};
	const struct health_target *shown = watch->endpoints ? &watch->endpoints->shown : watch->check ? &empty : &unchecked;

	for (const struct endpoint *endpoint = watch->endpoints; endpoint; endpoint = endpoint->next)
		if (speaks_before(&endpoint->shown, shown))
			shown = &endpoint->shown;
	return shown;
}

const char *watch_name(const struct endpoint *endpoint, char *buf)
{
	const struct watch *watch = endpoint->watch;
	char text[ADDR_TEXT_LEN];

	if (watch->endpoints && watch->endpoints->next)
		snprintf(buf, WATCH_NAME_LEN, "%s at %s (%s)", watch->names, watch->site,
		         addr_format(&endpoint->probe.addr, text));
	else
		snprintf(buf, WATCH_NAME_LEN, "%s at %s", watch->names, watch->site);
	return buf;
}

uint32_t watch_endpoint_hash(const struct endpoint *endpoint)
{
	uint64_t port = endpoint->probe.check->conf.port;

	return (uint32_t)(hash_mix(hash_bytes(port, &endpoint->probe.addr, sizeof(endpoint->probe.addr))) >> 33);
}

// ---- what is taken over ---------------------------------------------------------------------------------------------

// What a new endpoint takes over from an old one at the same address. First row that applies:
//
//   old endpoint                      result
//   none                              the target's state until the first result
//   same request and same pace        the old one goes on
//   same request, has a result        the old state as if just confirmed
//   other request, or no result       the old state until the first result
//
// A target that had no check counts as up: so it has been answered so far.
void watch_endpoint_inherit(struct endpoint *endpoint, const struct endpoint *old, const struct health_target *target)
{
	const struct check *check = endpoint->probe.check;
	const struct health_target *state = old ? &old->shown : target;

	endpoint->shown.up = state->up;
	endpoint->shown.since_s = state->since_s;
	if (!old)
		return;
	if (checks_same_question(old->probe.check, check) && old->decided) {
		endpoint->score = score_sure(old->shown.up, check->conf.rise, check->conf.fall);
		endpoint->decided = endpoint->settled = true;
	}
	endpoint->shown.probes = old->shown.probes;
	endpoint->shown.failures = old->shown.failures;
}

static void belong(struct endpoint *endpoint, struct watch *watch)
{
	endpoint->watch = watch;
	endpoint->probe.app = watch->names; // the same names
	endpoint->probe.site = watch->site;
}

// Each takes the other's place in the lists of two watches.
static void exchange(struct endpoint **here, struct endpoint **there)
{
	struct endpoint *one = *here, *other = *there, *next = one->next;
	struct watch *watch = one->watch;

	belong(one, other->watch);
	belong(other, watch);
	one->next = other->next;
	other->next = next;
	*here = other;
	*there = one;
}

void watch_inherit(struct watch *watch, struct watch *before)
{
	const struct health_target target = *watch_shown(before);

	for (struct endpoint **at = &watch->endpoints; *at; at = &(*at)->next) {
		struct endpoint **old = watch_find(before, &(*at)->probe.addr);

		if (old && checks_same((*old)->probe.check, (*at)->probe.check))
			exchange(at, old);
		else
			watch_endpoint_inherit(*at, old ? *old : NULL, &target);
	}
}

// Asked otherwise from now on. What the old check said stands until the new one has spoken.
static void recheck(struct endpoint *endpoint, const struct check *check)
{
	const struct endpoint old = *endpoint;

	if (checks_same(old.probe.check, check))
		return;
	must(!endpoint->probing);
	endpoint->decided = endpoint->settled = false;
	endpoint->shown = pending;
	endpoint->probe.check = check;
	watch_endpoint_inherit(endpoint, &old, &old.shown);
	use(check);
	checks_release(old.probe.check);
}

void watch_take(struct watch *watch, struct watch *before)
{
	must(!watch->endpoints && watch->check);
	watch->endpoints = before->endpoints;
	before->endpoints = NULL;
	for (struct endpoint *endpoint = watch->endpoints; endpoint; endpoint = endpoint->next) {
		belong(endpoint, watch);
		recheck(endpoint, watch->check);
	}
}
