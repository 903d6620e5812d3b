// A reason behind a lock; see trouble.h.
#include "state/trouble.h"

#include <stdio.h>

#include "base/clock.h"
#include "base/must.h"

void trouble_init(struct trouble *trouble)
{
	*trouble = (struct trouble){0};
	must(pthread_mutex_init(&trouble->mutex, NULL) == 0);
}

void trouble_done(struct trouble *trouble)
{
	must(pthread_mutex_destroy(&trouble->mutex) == 0);
}

void trouble_set(struct trouble *trouble, const char *why)
{
	must(pthread_mutex_lock(&trouble->mutex) == 0);
	if (!trouble->since_s)
		trouble->since_s = clock_wall_s();
	snprintf(trouble->why, sizeof(trouble->why), "%s", why);
	must(pthread_mutex_unlock(&trouble->mutex) == 0);
}

void trouble_clear(struct trouble *trouble)
{
	must(pthread_mutex_lock(&trouble->mutex) == 0);
	trouble->since_s = 0;
	must(pthread_mutex_unlock(&trouble->mutex) == 0);
}

bool trouble_get(struct trouble *trouble, int64_t *ret_since_s, char *why)
{
	must(pthread_mutex_lock(&trouble->mutex) == 0);

	int64_t since_s = trouble->since_s;

	if (since_s) {
		*ret_since_s = since_s;
		snprintf(why, STATE_WHY_LEN, "%s", trouble->why);
	}
	must(pthread_mutex_unlock(&trouble->mutex) == 0);
	return since_s != 0;
}
