// The latest samples, oldest first in a ring; see samples.h.
#include "traffic/samples.h"

#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "view/index.h"
#include "view/notes.h"
#include "view/view.h"

enum { UNKNOWN = -2 };

struct kept {
	struct sample sample;
	int64_t at_ms;
};

struct samples {
	struct notes *notes;
	struct notes_pace pace;
	int64_t began_ms; // the first call of samples_read(); 0: none yet
	size_t first, count;
	struct kept ring[SAMPLES_MAX];
};

struct samples *samples_new(unsigned workers)
{
	struct samples *samples = calloc(1, sizeof(*samples)); // pages are taken as they are filled

	if (!samples)
		return NULL;
	samples->notes = notes_new(workers);
	return samples->notes ? samples : samples_free(samples);
}

struct samples *samples_free(struct samples *samples)
{
	if (samples)
		notes_free(samples->notes);
	free(samples);
	return NULL;
}

struct notes *samples_notes(const struct samples *samples)
{
	return samples->notes;
}

static struct kept *kept_at(struct samples *samples, size_t i)
{
	return &samples->ring[(samples->first + i) % SAMPLES_MAX];
}

static void keep(struct samples *samples, const struct note *note, int64_t now_ms)
{
	if (samples->count == SAMPLES_MAX)
		samples->first = (samples->first + 1) % SAMPLES_MAX;
	else
		samples->count++;
	*kept_at(samples, samples->count - 1) = (struct kept){
		{note->client, note->sender, note->by_ecs, note->app, notes_every(&samples->pace)}, now_ms};
}

static void drop_old(struct samples *samples, int64_t now_ms)
{
	while (samples->count > 0 && kept_at(samples, 0)->at_ms < now_ms - SAMPLES_WINDOW_S * 1000) {
		samples->first = (samples->first + 1) % SAMPLES_MAX;
		samples->count--;
	}
}

void samples_read(struct samples *samples, const struct view *view, int64_t now_ms)
{
	struct note note;

	if (!samples->began_ms)
		samples->began_ms = now_ms;
	drop_old(samples, now_ms);
	for (unsigned i = 0; i < NOTES_RING && notes_take(samples->notes, &note); i++)
		if (note.generation == (uint32_t)view->generation && note.app < view->app_count)
			keep(samples, &note, now_ms);
	notes_keep_pace(samples->notes, &samples->pace, SAMPLES_A_SECOND, now_ms);
}

void samples_follow(struct samples *samples, const struct view *view, const struct view *next)
{
	int *next_of = malloc(((size_t)view->app_count + 1) * sizeof(*next_of)); // each app is looked up once
	size_t kept = 0;

	for (uint32_t i = 0; next_of && i < view->app_count; i++)
		next_of[i] = UNKNOWN;
	for (size_t i = 0; next_of && i < samples->count; i++) {
		struct kept *from = kept_at(samples, i);
		int *app = &next_of[from->sample.app];

		if (*app == UNKNOWN)
			*app = index_find_app(next, view->apps[from->sample.app].name);
		if (*app < 0)
			continue;
		*kept_at(samples, kept) = *from;
		kept_at(samples, kept++)->sample.app = (uint32_t)*app;
	}
	samples->count = kept;
	free(next_of);
}

// What the samples say of a time that is hardly longer than a look at them is too coarse.
static void set_rate(struct sample_set *set, uint64_t recent)
{
	double seconds = set->seconds > 1 ? set->seconds : 1;
	double now = (double)recent / (seconds < SAMPLES_RATE_S ? seconds : SAMPLES_RATE_S), mean = (double)set->weight / seconds;

	set->rate = now > mean ? now : mean;
}

struct sample_set *samples_copy(const struct samples *samples, const struct view *view, int64_t now_ms)
{
	const struct kept *kept;
	struct sample_set *set = malloc(sizeof(*set) + samples->count * sizeof(*set->list));
	uint64_t recent = 0;

	if (!set)
		return NULL;
	*set = (struct sample_set){.generation = view->generation};
	for (size_t i = 0; i < samples->count; i++) {
		kept = &samples->ring[(samples->first + i) % SAMPLES_MAX];
		if (kept->at_ms < now_ms - SAMPLES_WINDOW_S * 1000)
			continue;
		if (set->count == 0)
			set->seconds = (double)(now_ms - (samples->count == SAMPLES_MAX ? kept->at_ms : samples->began_ms)) / 1000;
		set->list[set->count++] = kept->sample;
		set->weight += kept->sample.weight;
		recent += kept->at_ms > now_ms - SAMPLES_RATE_S * 1000 ? kept->sample.weight : 0;
	}
	if (set->seconds > SAMPLES_WINDOW_S)
		set->seconds = SAMPLES_WINDOW_S;
	set_rate(set, recent);
	return set;
}

void samples_of_app(struct sample_set *set, uint32_t app)
{
	size_t kept = 0;

	set->weight = 0;
	for (size_t i = 0; i < set->count; i++) {
		if (set->list[i].app != app)
			continue;
		set->list[kept++] = set->list[i];
		set->weight += set->list[i].weight;
	}
	set->count = kept;
}

void samples_shorten(struct sample_set *set, size_t most)
{
	size_t gone = set->count > most ? set->count - most : 0;

	memmove(set->list, set->list + gone, (set->count - gone) * sizeof(*set->list));
	set->count -= gone;
	set->weight = 0;
	for (size_t i = 0; i < set->count; i++)
		set->weight += set->list[i].weight;
}
