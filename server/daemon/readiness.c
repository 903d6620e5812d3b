// Targets of which no server is ready; see readiness.h. Only those are kept: in a search tree by name, and those that are
// still waited for in a queue.
#include "daemon/readiness.h"

#include <event2/event.h>
#include <search.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>

#include "base/clock.h"
#include "base/log.h"

enum { LOOK_MS = 100 };

struct unready {
	const char *app, *site;     // behind the struct
	int64_t at_ms;              // monotonic: not ready from then on
	bool is_due;                // it has been said
	TAILQ_ENTRY(unready) next;  // of all
};

struct readiness {
	struct readiness_ops ops;
	struct event *look;         // timer: for those that are waited for
	void *tree;
	size_t waiting;
	TAILQ_HEAD(unready_list, unready) all;  // those waited for first
};

static int compare(const void *a, const void *b)
{
	const struct unready *x = a, *y = b;
	int order = strcmp(x->app, y->app);

	return order ? order : strcmp(x->site, y->site);
}

static void arm(struct readiness *readiness)
{
	static const struct timeval wait = {0, LOOK_MS * 1000};

	if (readiness->waiting > 0 && !event_pending(readiness->look, EV_TIMEOUT, NULL) &&
	    event_add(readiness->look, &wait) < 0)
		event_active(readiness->look, EV_TIMEOUT, 0);
}

static void on_look(evutil_socket_t fd, short what, void *arg)
{
	struct readiness *readiness = arg;
	int64_t now_ms = clock_mono_ms();
	struct unready *next;

	(void)fd;
	(void)what;
	for (struct unready *at = TAILQ_FIRST(&readiness->all); at && !at->is_due; at = next) {
		next = TAILQ_NEXT(at, next);
		if (at->at_ms > now_ms)
			continue;
		at->is_due = true;
		readiness->waiting--;
		TAILQ_REMOVE(&readiness->all, at, next);
		TAILQ_INSERT_TAIL(&readiness->all, at, next);
		log_notice("health: %s at %s is down: its provider says that no server behind it is ready", at->app, at->site);
		readiness->ops.changed(readiness->ops.ctx, at->app, at->site, false);
	}
	arm(readiness);
}

struct readiness *readiness_new(struct event_base *base, const struct readiness_ops *ops)
{
	struct readiness *readiness = calloc(1, sizeof(*readiness));

	if (!readiness)
		return NULL;
	readiness->ops = *ops;
	TAILQ_INIT(&readiness->all);
	readiness->look = evtimer_new(base, on_look, readiness);
	return readiness->look ? readiness : readiness_free(readiness);
}

static void drop(struct readiness *readiness, struct unready *unready)
{
	tdelete(unready, &readiness->tree, compare);
	TAILQ_REMOVE(&readiness->all, unready, next);
	readiness->waiting -= !unready->is_due;
	free(unready);
}

struct readiness *readiness_free(struct readiness *readiness)
{
	if (!readiness)
		return NULL;
	while (!TAILQ_EMPTY(&readiness->all))
		drop(readiness, TAILQ_FIRST(&readiness->all));
	if (readiness->look)
		event_free(readiness->look);
	free(readiness);
	return NULL;
}

static void add(struct readiness *readiness, const char *app, const char *site, int64_t patience_ms)
{
	size_t app_size = strlen(app) + 1, site_size = strlen(site) + 1;
	struct unready *unready = malloc(sizeof(*unready) + app_size + site_size);
	char *names = (char *)(unready + 1);

	if (unready) {
		*unready = (struct unready){memcpy(names, app, app_size), memcpy(names + app_size, site, site_size),
		                            clock_mono_ms() + patience_ms, false, {NULL, NULL}};
		if (!tsearch(unready, &readiness->tree, compare)) {
			free(unready);
			unready = NULL;
		}
	}
	if (!unready) {
		log_error("out of memory: that no server of %s at %s is ready is not taken into account", app, site);
		return;
	}
	TAILQ_INSERT_HEAD(&readiness->all, unready, next);
	readiness->waiting++;
	arm(readiness);
}

void readiness_told(struct readiness *readiness, const char *app, const char *site, enum edgesteer_health health,
                    int64_t patience_ms)
{
	const struct unready wanted = {.app = app, .site = site};
	void *const *found = tfind(&wanted, &readiness->tree, compare);
	bool was_due = found && ((const struct unready *)*found)->is_due;

	if (health == EDGESTEER_HEALTH_UNREADY) {
		if (!found)
			add(readiness, app, site, patience_ms);
		return;
	}
	if (found)
		drop(readiness, *found);
	if (!was_due)
		return;
	log_notice("health: %s at %s: its provider %s", app, site,
	           health == EDGESTEER_HEALTH_READY ? "says that a server behind it is ready" : "says nothing of its servers now");
	readiness->ops.changed(readiness->ops.ctx, app, site, true);
}

void readiness_each(const struct readiness *readiness, void (*each)(void *ctx, const char *app, const char *site), void *ctx)
{
	const struct unready *unready;

	TAILQ_FOREACH_REVERSE(unready, &readiness->all, unready_list, next) {
		if (!unready->is_due)
			return;
		each(ctx, unready->app, unready->site);
	}
}
