// What the operator is told of objects that cannot be used; see remarks.h.
#include "remarks.h"

#include <search.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_MAX_LEN = 700, MINUTE_MS = 60000 };

struct remark {
	struct remark *next;
	uint64_t round; // the last one that said it
	char text[];
};

static int compare(const void *a, const void *b)
{
	return strcmp(((const struct remark *)a)->text, ((const struct remark *)b)->text);
}

void remarks_begin(struct remarks *remarks, const struct edgesteer_host *host)
{
	*remarks = (struct remarks){.host = host, .round = 1};
}

void remarks_begin_round(struct remarks *remarks, int64_t now_ms)
{
	remarks->round++;
	if (now_ms - remarks->minute_ms >= MINUTE_MS) {
		remarks->minute_ms = now_ms;
		remarks->told = 0;
	}
}

// What is over the limit is not remembered, so that a later round tells it when others have gone.
static void add(struct remarks *remarks, struct remark *added)
{
	const struct edgesteer_host *host = remarks->host;

	if (remarks->count == REMARKS_MAX || remarks->told == REMARKS_PER_MINUTE || !tsearch(added, &remarks->by_text, compare)) {
		free(added);
		return;
	}
	added->next = remarks->first;
	remarks->first = added;
	remarks->count++;
	host->report(host, EDGESTEER_WARNING, NULL, 0, "%s", added->text);
	if (++remarks->told == REMARKS_PER_MINUTE || remarks->count == REMARKS_MAX)
		host->report(host, EDGESTEER_WARNING, NULL, 0, "more objects cannot be used; for now no more of them are listed");
}

void remark(struct remarks *remarks, const char *fmt, ...)
{
	struct remark *said = malloc(sizeof(*said) + TEXT_MAX_LEN + 1), **known;
	va_list ap;

	if (!said)
		return;
	va_start(ap, fmt);
	vsnprintf(said->text, TEXT_MAX_LEN + 1, fmt, ap);
	va_end(ap);
	said->round = remarks->round;
	if ((known = tfind(said, &remarks->by_text, compare))) {
		(*known)->round = remarks->round;
		free(said);
	} else {
		add(remarks, said);
	}
}

static void keep_round(struct remarks *remarks, uint64_t round)
{
	for (struct remark **link = &remarks->first; *link;) {
		struct remark *old = *link;

		if (old->round == round) {
			link = &old->next;
			continue;
		}
		*link = old->next;
		tdelete(old, &remarks->by_text, compare);
		free(old);
		remarks->count--;
	}
}

void remarks_end_round(struct remarks *remarks)
{
	keep_round(remarks, remarks->round);
}

void remarks_free(struct remarks *remarks)
{
	keep_round(remarks, 0);
}
