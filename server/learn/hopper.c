// Lines in, observations out; see hopper.h.
#include "learn/hopper.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/must.h"
#include "base/users.h"

enum { TELL_PAUSE_S = 60 }; // between two warnings of bad lines

struct hopper {
	struct users users;
	pthread_mutex_t mutex; // over all that follows
	struct hopper_counts counts;
	int64_t told_s;
	uint64_t told_bad;
	size_t first, count;
	struct observation queue[HOPPER_MAX];
};

struct hopper *hopper_new(void)
{
	struct hopper *hopper = calloc(1, sizeof(*hopper));

	if (!hopper)
		return NULL;
	users_start(&hopper->users);
	must(pthread_mutex_init(&hopper->mutex, NULL) == 0);
	return hopper;
}

struct hopper *hopper_use(struct hopper *hopper)
{
	users_add(&hopper->users);
	return hopper;
}

struct hopper *hopper_free(struct hopper *hopper)
{
	if (!hopper || !users_leave(&hopper->users))
		return NULL;
	pthread_mutex_destroy(&hopper->mutex);
	free(hopper);
	return NULL;
}

bool hopper_is_alone(const struct hopper *hopper)
{
	return atomic_load(&hopper->users.count) == 1;
}

static void note_bad(struct hopper *hopper, const char *from, const char *why, const struct hopper_result *result)
{
	hopper->counts.bad++;
	hopper->counts.error_s = clock_wall_s();
	snprintf(hopper->counts.error, sizeof(hopper->counts.error), "%s, line %u: %s", from, result->lines + result->bad, why);
}

// At most once a minute, the last one for all.
static void tell_bad(struct hopper *hopper)
{
	uint64_t bad = hopper->counts.bad - hopper->told_bad;
	int64_t now_s = clock_wall_s();

	if (bad == 0 || (hopper->told_bad > 0 && now_s - hopper->told_s < TELL_PAUSE_S && now_s >= hopper->told_s))
		return;
	log_warning("observe: %llu %s not taken; the last one: %s", (unsigned long long)bad,
	            bad == 1 ? "line is" : "lines are", hopper->counts.error);
	hopper->told_bad = hopper->counts.bad;
	hopper->told_s = now_s;
}

void hopper_read(struct hopper *hopper, const char *from, const char *text, size_t len, struct hopper_result *ret_result)
{
	*ret_result = (struct hopper_result){0};
	pthread_mutex_lock(&hopper->mutex);
	for (size_t at = 0; at < len && hopper->count < HOPPER_MAX;) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t line_len = end ? (size_t)(end - text) - at : len - at;
		char why[OBSERVATION_WHY_LEN];
		int read = observation_parse(text + at, line_len, &hopper->queue[(hopper->first + hopper->count) % HOPPER_MAX], why);

		at += line_len + (end != NULL);
		ret_result->used = at;
		ret_result->lines += read >= 0;
		ret_result->bad += read < 0;
		hopper->counts.lines += read > 0;
		hopper->count += read > 0;
		if (read < 0)
			note_bad(hopper, from, why, ret_result);
	}
	tell_bad(hopper);
	pthread_mutex_unlock(&hopper->mutex);
}

void hopper_drop(struct hopper *hopper, size_t octets)
{
	pthread_mutex_lock(&hopper->mutex);
	hopper->counts.dropped += octets;
	pthread_mutex_unlock(&hopper->mutex);
}

bool hopper_take(struct hopper *hopper, struct observation *ret_observation)
{
	bool is_any;

	pthread_mutex_lock(&hopper->mutex);
	is_any = hopper->count > 0;
	if (is_any) {
		*ret_observation = hopper->queue[hopper->first];
		hopper->first = (hopper->first + 1) % HOPPER_MAX;
		hopper->count--;
	}
	pthread_mutex_unlock(&hopper->mutex);
	return is_any;
}

void hopper_count(struct hopper *hopper, struct hopper_counts *ret_counts)
{
	pthread_mutex_lock(&hopper->mutex);
	*ret_counts = hopper->counts;
	pthread_mutex_unlock(&hopper->mutex);
}
