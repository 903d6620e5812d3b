// The `kubernetes` plugin: targets from the Ingresses, Services and Gateways of clusters. One thread, provide()'s,
// follows all clusters: it waits for all connections at once, gathers what they tell for a moment, and then goes
// through all objects, which says more simply what the targets are than keeping track of who depends on whom. Going
// through them is rationed by what it costs.
//
//   settings   the options
//   cluster    one cluster; feed: one of its resources; intake: what is sent of it
//   kobject    what is kept of an object; kobjects: of all of a kind
//   claims     from objects to targets; remarks: what the operator is told of those that cannot be
//   emit       from targets to the host
#include "edgesteer-plugin.h"

#include <stdlib.h>
#include <time.h>

#include "cluster.h"
#include "emit.h"
#include "settings.h"

enum {
	GATHER_MS = 50,   // from the first change to the round
	REST = 10,        // after a round comes a rest of so many times its length
	REST_MAX_MS = 500,
	AGAIN_MS = 30000, // when what the host has refused is put again: its config may be another
	TURN_MAX_MS = 1000,
};

struct kubernetes {
	const struct edgesteer_host *host;
	struct settings settings;
};

// One call of provide().
struct run {
	const struct edgesteer_host *host;
	struct https *https;
	struct cluster *clusters;
	size_t cluster_count;
	struct remarks remarks;
	struct emit emit;
	int64_t round_ms; // when the next round is due; INT64_MAX: no change
	int64_t rest_ms;  // not before this
	int64_t again_ms;
};

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

// Tells the host what all clusters that are known have now.
static int go_round(struct run *run, bool again, int64_t now_ms)
{
	struct claims claims = {.list = NULL};
	bool whole = true, any = false;
	int err = 0;

	remarks_begin_round(&run->remarks, now_ms);
	for (size_t i = 0; i < run->cluster_count; i++) {
		bool known = cluster_is_known(&run->clusters[i]);

		any |= known;
		whole &= known;
		if (known)
			cluster_claim(&run->clusters[i], &claims);
	}
	claims_unite(&claims);
	if (claims.failed) {
		run->host->report(run->host, EDGESTEER_ERROR, NULL, 0, "out of memory");
		err = -1;
	} else if (any) {
		err = emit_claims(&run->emit, &claims, whole, again, &run->remarks);
	}
	remarks_end_round(&run->remarks);
	claims_free(&claims);
	return err;
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int round_if_due(struct run *run, int64_t now_ms)
{
	bool again = run->emit.refused && run->again_ms <= now_ms;

	for (size_t i = 0; i < run->cluster_count; i++) {
		if (run->clusters[i].common.changed && run->round_ms == INT64_MAX)
			run->round_ms = now_ms + GATHER_MS;
		run->clusters[i].common.changed = false;
	}
	if ((run->round_ms > now_ms && !again) || run->rest_ms > now_ms)
		return 0;

	int err = go_round(run, again, now_ms);
	int64_t end_ms = now();

	run->round_ms = INT64_MAX;
	run->rest_ms = end_ms + earlier((end_ms - now_ms) * REST, REST_MAX_MS);
	if (again || !run->emit.refused)
		run->again_ms = end_ms + AGAIN_MS;
	return err;
}

static int follow(struct run *run)
{
	struct pollfd stop = {.fd = run->host->stop_fd(run->host), .events = POLLIN};
	int err = 0;

	while (!stop.revents) {
		int64_t now_ms = now(), due_ms = now_ms + TURN_MAX_MS;

		for (size_t i = 0; i < run->cluster_count; i++)
			due_ms = earlier(due_ms, cluster_turn(&run->clusters[i], now_ms));
		if ((err = round_if_due(run, now_ms)) < 0)
			return err;
		for (size_t i = 0; i < run->cluster_count; i++)
			cluster_tell(&run->clusters[i], run->round_ms == INT64_MAX);
		if (run->round_ms != INT64_MAX)
			due_ms = earlier(due_ms, run->round_ms > run->rest_ms ? run->round_ms : run->rest_ms);
		now_ms = now();
		if ((err = https_turn(run->https, &stop, 1, due_ms > now_ms ? (int)(due_ms - now_ms) : 0)) < 0) {
			run->host->report(run->host, EDGESTEER_ERROR, NULL, 0, "out of memory");
			return err;
		}
	}
	return 0;
}

static int kubernetes_provide(void *instance)
{
	struct kubernetes *self = instance;
	const struct settings *settings = &self->settings;
	struct run run = {.host = self->host, .round_ms = INT64_MAX};
	int err = -1;

	remarks_begin(&run.remarks, self->host);
	emit_begin(&run.emit, self->host);
	run.https = https_new();
	run.clusters = calloc(settings->cluster_count, sizeof(*run.clusters));
	if (run.https && run.clusters) {
		for (; run.cluster_count < settings->cluster_count; run.cluster_count++)
			cluster_begin(&run.clusters[run.cluster_count], self->host, run.https, settings,
			              &settings->clusters[run.cluster_count], &run.remarks);
		err = follow(&run);
	} else {
		self->host->report(self->host, EDGESTEER_ERROR, NULL, 0, "out of memory");
	}
	for (size_t i = 0; i < run.cluster_count; i++)
		cluster_end(&run.clusters[i]);
	free(run.clusters);
	https_free(run.https);
	emit_free(&run.emit);
	remarks_free(&run.remarks);
	return err;
}

static void kubernetes_close(void *instance)
{
	struct kubernetes *self = instance;

	settings_free(&self->settings);
	free(self);
}

static int kubernetes_open(const struct edgesteer_host *host, void **ret_self)
{
	struct kubernetes *self = calloc(1, sizeof(*self));

	if (!self) {
		host->report(host, EDGESTEER_ERROR, NULL, 0, "out of memory");
		return -1;
	}
	self->host = host;
	if (settings_read(&self->settings, host) < 0) {
		kubernetes_close(self);
		return -1;
	}
	*ret_self = self;
	return 0;
}

EDGESTEER_PLUGIN(kubernetes) = {
	.abi_major = EDGESTEER_PLUGIN_ABI_MAJOR,
	.abi_minor = EDGESTEER_PLUGIN_ABI_MINOR,
	.size = sizeof(struct edgesteer_plugin),
	.name = "kubernetes",
	.summary = "targets from the Ingresses, load balancer Services and Gateways of clusters",
	.options = settings_options,
	.open = kubernetes_open,
	.close = kubernetes_close,
	.provide = kubernetes_provide,
};
