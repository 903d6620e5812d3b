// Expected costs; see prior.h.
#include "steer/prior.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

#include "base/country.h"
#include "base/err.h"
#include "base/must.h"
#include "steer/cost.h"

// The metros of a carrier in one country, or with COUNTRY_UNKNOWN in all of them.
struct group {
	uint16_t carrier, country;
	size_t first, end; // of the sorted metros
};

struct prior {
	struct group *groups; // sorted by carrier, country
	size_t group_count, site_count;
	int64_t *us;          // by group, then site
};

static int compare_metros(const void *a, const void *b)
{
	const struct prior_metro *x = a, *y = b;

	if (x->carrier != y->carrier)
		return x->carrier < y->carrier ? -1 : 1;
	return (int)x->country - (int)y->country;
}

// Metros without a country are in the group of all alone.
static void make_groups(struct prior *prior, const struct prior_metro *metros, size_t count)
{
	for (size_t i = 0; i < count;) {
		size_t all = prior->group_count++, at = i;

		for (; at < count && metros[at].carrier == metros[i].carrier; at++) {
			struct group *last = &prior->groups[prior->group_count - 1];

			if (metros[at].country == COUNTRY_UNKNOWN)
				continue;
			if (prior->group_count - 1 == all || last->country != metros[at].country)
				prior->groups[prior->group_count++] =
					(struct group){metros[at].carrier, metros[at].country, at, at + 1};
			else
				last->end = at + 1;
		}
		prior->groups[all] = (struct group){metros[i].carrier, COUNTRY_UNKNOWN, i, at};
		i = at;
	}
}

static int64_t expected_us(const struct steer_input *in, const struct site *site, const struct prior_metro *metros,
                           const struct group *group)
{
	double sum = 0, shares = 0;

	if (isnan(site->latitude))
		return INT64_MAX;
	for (size_t i = group->first; i < group->end; i++) {
		const struct prior_metro *metro = &metros[i];
		double km = cost_distance_km(metro->latitude, metro->longitude, site->latitude, site->longitude);

		sum += metro->share * km;
		shares += metro->share;
	}
	must(shares > 0);
	return llround(in->model->access_us[site->kind] + sum / shares * in->model->us_per_km) + site->bias_us;
}

int prior_build(const struct steer_input *in, size_t site_count, struct prior_metro *metros, size_t count,
                struct prior **ret_prior)
{
	struct prior *prior = calloc(1, sizeof(*prior));

	must(count <= PRIOR_METROS_MAX);
	if (!prior)
		return E_NOMEM;
	if (count > 0)
		qsort(metros, count, sizeof(*metros), compare_metros);
	prior->site_count = site_count;
	prior->groups = calloc(2 * count + 1, sizeof(*prior->groups)); // at most one of its country, one of its carrier
	if (prior->groups)
		make_groups(prior, metros, count);
	prior->us = calloc(prior->group_count * site_count + 1, sizeof(*prior->us));
	if (!prior->groups || !prior->us) {
		prior_free(prior);
		return E_NOMEM;
	}
	for (size_t i = 0; i < prior->group_count; i++)
		for (size_t site = 0; site < site_count; site++)
			prior->us[i * site_count + site] = expected_us(in, &in->sites[site], metros, &prior->groups[i]);
	*ret_prior = prior;
	return E_OK;
}

struct prior *prior_free(struct prior *prior)
{
	if (!prior)
		return NULL;
	free(prior->groups);
	free(prior->us);
	free(prior);
	return NULL;
}

static const int64_t *find_exactly(const struct prior *prior, uint16_t carrier, uint16_t country)
{
	for (size_t low = 0, high = prior->group_count; low < high;) {
		size_t mid = low + (high - low) / 2;
		const struct group *group = &prior->groups[mid];

		if (group->carrier == carrier && group->country == country)
			return prior->us + mid * prior->site_count;
		if (group->carrier < carrier || (group->carrier == carrier && group->country < country))
			low = mid + 1;
		else
			high = mid;
	}
	return NULL;
}

const int64_t *prior_find(const struct prior *prior, uint16_t carrier, uint16_t country)
{
	const int64_t *us = prior ? find_exactly(prior, carrier, country) : NULL;

	return us || !prior ? us : find_exactly(prior, carrier, COUNTRY_UNKNOWN);
}
