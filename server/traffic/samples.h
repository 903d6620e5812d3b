// The traffic of the last minutes, as a sample of its queries: who asked for which app. Workers leave notes of one query in
// so many (view/notes.h); here the latest are kept, across reloads. Main thread only, but for what workers are given.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"

struct notes;
struct samples;
struct view;

enum {
	SAMPLES_MAX = 1 << 16,
	SAMPLES_WINDOW_S = 300,
	SAMPLES_RATE_S = 10,    // over which what is asked now is measured
	SAMPLES_A_SECOND = 200, // about; each stands for more queries where more are asked
};

struct sample {
	struct addr client, sender; // `client` is the sender, or a client subnet's address
	bool by_ecs;
	uint32_t app;               // number in the view
	uint32_t weight;            // how many queries it stands for
};

// Samples that are read anywhere, while the view that they were taken for is in use or kept.
struct sample_set {
	uint64_t generation; // of that view
	double seconds;      // that they cover
	uint64_t weight;     // of all
	double rate;         // queries a second: over all of the time or its end, whichever is more
	size_t count;
	struct sample list[];
};

// For the notes of so many workers. NULL when out of memory.
struct samples *samples_new(unsigned workers) MUST_USE;
// No worker uses its notes any more. Takes NULL; returns NULL.
struct samples *samples_free(struct samples *samples);
// What workers leave notes in; owned by the samples.
struct notes *samples_notes(const struct samples *samples);

// Takes the notes left since the last call, of queries answered from `view`; to be called a few times a second.
void samples_read(struct samples *samples, const struct view *view, int64_t now_ms);
// `next` is about to take the place of `view`: samples of apps that it has too stay. Out of memory, all are given up.
void samples_follow(struct samples *samples, const struct view *view, const struct view *next);
// Leaves only those of one app.
void samples_of_app(struct sample_set *set, uint32_t app);
// Leaves the latest `most` of a copy.
void samples_shorten(struct sample_set *set, size_t most);
// A copy of those of the last minutes, the caller's to free(). NULL when out of memory.
struct sample_set *samples_copy(const struct samples *samples, const struct view *view, int64_t now_ms) MUST_USE;
