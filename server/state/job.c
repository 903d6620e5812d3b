// Making and freeing jobs; see job.h.
#include "state/job.h"

#include <stdlib.h>

#include "base/err.h"
#include "base/must.h"

enum { SPARES = 64 };

int job_spares_fill(struct job_spares *spares)
{
	while (spares->count < SPARES) {
		struct job *spare = calloc(1, sizeof(*spare));

		if (!spare)
			return E_NOMEM;
		spare->next = spares->first;
		spares->first = spare;
		spares->count++;
	}
	return E_OK;
}

void job_spares_done(struct job_spares *spares)
{
	while (spares->first) {
		struct job *next = spares->first->next;

		free(spares->first);
		spares->first = next;
	}
	spares->count = 0;
}

struct job *job_new(struct job_spares *spares, void (*done)(void *ctx, const struct state_result *result), void *ctx)
{
	struct job *job = calloc(1, sizeof(*job));

	if (!job) {
		must(spares->first); // so many calls are about to get E_NOMEM, and the loop has not turned
		job = spares->first;
		spares->first = job->next;
		spares->count--;
		job->next = NULL;
		job->err = E_NOMEM;
	}
	job->done = done;
	job->done_ctx = ctx;
	return job;
}

void job_free(struct job *job)
{
	change_free(job->change);
	override_free(job->entry);
	override_match_done(&job->remove);
	for (size_t i = 0; i < job->before_count; i++)
		override_free(job->before[i]);
	free(job->before);
	free(job);
}
