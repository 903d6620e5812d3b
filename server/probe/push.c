// Batches, one under way at a time, retries with pauses that grow, by chance; see push.h.
#include "probe/push.h"

#include <curl/curl.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/hash.h"
#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "http/curl_loop.h"

enum {
	BATCH_MAX = 500,             // the daemon takes 1000
	SOON_MS = 20,                // changes within this go together
	TIMEOUT_MS = 10000,
	PAUSE_FIRST_MS = 500, PAUSE_MAX_MS = 30000,
	TELLS = 3,                   // within a ttl
	REPLY_MAX = 4096,            // of which octets are kept, for the log
	SAY_EVERY_MS = 60000,
};

struct push {
	const struct push_config *config;
	const char *url;
	const struct push_target *targets;
	size_t count, next;          // of the targets; where the next batch begins
	bool *due;                   // by target: the daemon has not been told what it is
	size_t *sent, sent_count;    // of the batch under way
	bool *sent_up;
	struct curl_loop *loop;
	CURL *easy;
	struct curl_slist *heads;
	char *body, reply[REPLY_MAX + 1];
	size_t reply_len;
	bool under_way;
	unsigned failures;           // in a row
	int64_t said_ms;             // when it was last said that it fails; 0: it does not
	uint64_t chance;
	struct event send, again;
};

static void arm(struct event *event, int64_t ms)
{
	struct timeval wait = {ms / 1000, ms % 1000 * 1000};

	if (evtimer_add(event, &wait) < 0)
		event_active(event, EV_TIMEOUT, 0);
}

// Between half of it and all: daemons and agents that fell silent together do not come back together.
static int64_t jitter(struct push *push, int64_t ms)
{
	push->chance = hash_mix(push->chance + 1);
	return ms / 2 + (int64_t)(push->chance % (uint64_t)(ms / 2 + 1));
}

// ---- a batch --------------------------------------------------------------------------------------------------------

static json_t *collect(struct push *push)
{
	json_t *reports = json_array();

	push->sent_count = 0;
	for (size_t i = 0; i < push->count && push->sent_count < BATCH_MAX; i++) {
		size_t at = (push->next + i) % push->count;
		const struct push_target *target = &push->targets[at];

		if (!push->due[at] || !target->known)
			continue;
		json_array_append_new(reports, json_pack("{s:s, s:s, s:b}", "app", target->app, "site", target->site, "up", target->up));
		push->sent[push->sent_count] = at;
		push->sent_up[push->sent_count++] = target->up;
	}
	if (push->sent_count > 0)
		push->next = (push->sent[push->sent_count - 1] + 1) % push->count;
	if (json_array_size(reports) == push->sent_count)
		return reports;
	json_decref(reports); // out of memory
	return NULL;
}

static char *make_body(struct push *push)
{
	char ttl[32];
	json_t *reports = collect(push), *body;
	char *text;

	snprintf(ttl, sizeof(ttl), "%ums", push->config->ttl_ms);
	body = json_pack("{s:s, s:s, s:o}", "vantage", push->config->vantage, "ttl", ttl, "reports", reports);
	if (body && push->config->carrier)
		json_object_set_new(body, "carrier", json_string(push->config->carrier));
	text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	json_decref(body);
	return text;
}

static void say(struct push *push, const char *why)
{
	int64_t now_ms = clock_mono_ms();

	if (push->said_ms && now_ms - push->said_ms < SAY_EVERY_MS)
		return;
	push->said_ms = now_ms;
	log_warning("probe: %s is not told: %s; it is tried again and again", push->url, why);
}

static void fail(struct push *push, const char *why)
{
	int64_t pause_ms = PAUSE_FIRST_MS;

	for (unsigned i = 0; i < push->failures && pause_ms < PAUSE_MAX_MS; i++)
		pause_ms *= 2;
	push->failures++;
	say(push, why);
	arm(&push->send, jitter(push, pause_ms < PAUSE_MAX_MS ? pause_ms : PAUSE_MAX_MS));
}

// What has not changed meanwhile is told. A site that the daemon does not have is no fault: its config may come later.
static void succeed(struct push *push)
{
	json_t *reply = json_loadb(push->reply, push->reply_len, 0, NULL);
	json_int_t unknown = json_integer_value(json_object_get(reply, "unknown"));
	const char *first = json_string_value(json_array_get(json_object_get(reply, "unknown_first"), 0));

	if (unknown > 0 && (!push->said_ms || clock_mono_ms() - push->said_ms >= SAY_EVERY_MS)) {
		push->said_ms = clock_mono_ms();
		log_warning("probe: %s does not know %" JSON_INTEGER_FORMAT " of the targets, such as %s", push->url, unknown,
		            first ? first : "?");
	} else if (push->failures > 0) {
		log_notice("probe: %s is told again", push->url);
		push->said_ms = 0;
	}
	json_decref(reply);
	push->failures = 0;
	for (size_t i = 0; i < push->sent_count; i++)
		if (push->targets[push->sent[i]].up == push->sent_up[i])
			push->due[push->sent[i]] = false;
	for (size_t i = 0; i < push->count; i++)
		if (push->due[i] && push->targets[i].known) {
			arm(&push->send, 0);
			return;
		}
}

static void on_done(CURL *easy, CURLcode code)
{
	struct push *push = NULL;
	char why[REPLY_MAX + 64];
	long status = 0;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&push);
	curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
	push->under_way = false;
	free(push->body);
	push->body = NULL;
	push->reply[push->reply_len] = '\0';
	if (code == CURLE_OK && status == 200) {
		succeed(push);
		return;
	}
	if (code != CURLE_OK)
		snprintf(why, sizeof(why), "%s", curl_easy_strerror(code));
	else
		snprintf(why, sizeof(why), "HTTP status %ld: %.200s", status, push->reply);
	fail(push, why);
}

static size_t keep_reply(char *octets, size_t size, size_t count, void *ctx)
{
	struct push *push = ctx;
	size_t len = size * count, room = REPLY_MAX - push->reply_len;

	memcpy(push->reply + push->reply_len, octets, len < room ? len : room);
	push->reply_len += len < room ? len : room;
	return len;
}

static void on_send(evutil_socket_t fd, short what, void *ctx)
{
	struct push *push = ctx;

	(void)fd;
	(void)what;
	if (push->under_way)
		return;
	push->body = make_body(push);
	if (push->sent_count == 0) {
		free(push->body);
		push->body = NULL;
		return;
	}
	push->reply_len = 0;
	if (!push->body || curl_easy_setopt(push->easy, CURLOPT_POSTFIELDS, push->body) != CURLE_OK ||
	    curl_loop_add(push->loop, push->easy) < 0) {
		free(push->body);
		push->body = NULL;
		fail(push, "out of memory");
		return;
	}
	push->under_way = true;
}

void push_changed(struct push *push, size_t target)
{
	must(target < push->count);
	push->due[target] = true;
	if (push->failures == 0 && !event_pending(&push->send, EV_TIMEOUT, NULL))
		arm(&push->send, SOON_MS);
}

// Everything is told again before it ages out.
static void on_again(evutil_socket_t fd, short what, void *ctx)
{
	struct push *push = ctx;

	(void)fd;
	(void)what;
	for (size_t i = 0; i < push->count; i++)
		if (push->targets[i].known)
			push_changed(push, i);
	arm(&push->again, jitter(push, push->config->ttl_ms / TELLS));
}

// ---- made and freed -------------------------------------------------------------------------------------------------

static bool set_up(struct push *push)
{
	const struct push_config *config = push->config;
	char url[1024], head[512];

	snprintf(url, sizeof(url), "%s/v1/health", push->url);
	push->heads = curl_slist_append(NULL, "Content-Type: application/json");
	if (config->token && push->heads) {
		struct curl_slist *more;

		snprintf(head, sizeof(head), "Authorization: Bearer %s", config->token);
		more = curl_slist_append(push->heads, head);
		if (!more)
			return false;
		push->heads = more;
	}
	return push->heads && curl_easy_setopt(push->easy, CURLOPT_URL, url) == CURLE_OK &&
	       curl_easy_setopt(push->easy, CURLOPT_PROTOCOLS_STR, "http,https") == CURLE_OK &&
	       curl_easy_setopt(push->easy, CURLOPT_HTTPHEADER, push->heads) == CURLE_OK &&
	       curl_easy_setopt(push->easy, CURLOPT_TIMEOUT_MS, (long)TIMEOUT_MS) == CURLE_OK &&
	       curl_easy_setopt(push->easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(push->easy, CURLOPT_PROXY, "") == CURLE_OK &&
	       curl_easy_setopt(push->easy, CURLOPT_WRITEFUNCTION, keep_reply) == CURLE_OK &&
	       curl_easy_setopt(push->easy, CURLOPT_WRITEDATA, push) == CURLE_OK &&
	       curl_easy_setopt(push->easy, CURLOPT_PRIVATE, push) == CURLE_OK &&
	       (!config->ca || curl_easy_setopt(push->easy, CURLOPT_CAINFO, config->ca) == CURLE_OK) &&
	       (!config->cert || curl_easy_setopt(push->easy, CURLOPT_SSLCERT, config->cert) == CURLE_OK) &&
	       (!config->key || curl_easy_setopt(push->easy, CURLOPT_SSLKEY, config->key) == CURLE_OK);
}

struct push *push_new(struct event_base *base, const struct push_config *config, const char *url,
                      const struct push_target *targets, size_t count)
{
	struct push *push = calloc(1, sizeof(*push));

	if (!push)
		return NULL;
	push->config = config;
	push->url = url;
	push->targets = targets;
	push->count = count;
	push->chance = hash_mix((uint64_t)clock_mono_ns());
	evtimer_assign(&push->send, base, on_send, push);
	evtimer_assign(&push->again, base, on_again, push);
	push->due = calloc(count + 1, sizeof(*push->due));
	push->sent = calloc(BATCH_MAX, sizeof(*push->sent));
	push->sent_up = calloc(BATCH_MAX, sizeof(*push->sent_up));
	push->loop = curl_loop_new(base, 1, on_done);
	push->easy = curl_easy_init();
	if (!push->due || !push->sent || !push->sent_up || !push->loop || !push->easy || !set_up(push))
		return push_free(push);
	arm(&push->again, jitter(push, config->ttl_ms / TELLS));
	return push;
}

struct push *push_free(struct push *push)
{
	if (!push)
		return NULL;
	event_del(&push->send);
	event_del(&push->again);
	if (push->under_way)
		curl_loop_remove(push->loop, push->easy);
	curl_loop_free(push->loop);
	curl_easy_cleanup(push->easy);
	curl_slist_free_all(push->heads);
	free(push->body);
	free(push->due);
	free(push->sent);
	free(push->sent_up);
	free(push);
	return NULL;
}
