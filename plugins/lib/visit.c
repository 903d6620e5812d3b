// Requests one after the other; see visit.h.
#include "visit.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { REQUEST_MS = 10000, TURN_MAX_MS = 200 };

struct visit {
	const struct edgesteer_host *host;
	const struct https_peer *peer;
	struct https *https;
	struct keyring *keyring;
	int64_t pause_ms, next_ms; // between two requests; not before this
	int64_t deadline_ms;
	bool has_stopped;
	struct verdict stopped;    // why
	struct visit_reply *reply; // of the request under way
	bool is_done;
};

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

struct visit *visit_new(const struct edgesteer_host *host, const struct keyring_clients *clients,
                        const struct https_peer *peer, unsigned rate, int64_t deadline_ms)
{
	struct visit *visit = calloc(1, sizeof(*visit));

	if (!visit)
		return NULL;
	visit->host = host;
	visit->peer = peer;
	visit->pause_ms = rate > 0 && rate < 1000 ? 1000 / rate + (1000 % rate > 0) : 1;
	visit->deadline_ms = deadline_ms;
	visit->https = https_new();
	visit->keyring = visit->https ? keyring_new(visit->https, clients) : NULL;
	if (visit->keyring)
		return visit;
	visit_free(visit);
	return NULL;
}

void visit_free(struct visit *visit)
{
	if (!visit)
		return;
	keyring_free(visit->keyring);
	https_free(visit->https);
	free(visit);
}

static bool is_good(const struct visit_reply *reply)
{
	return reply->status >= 200 && reply->status < 300;
}

static void on_done(void *ctx, const struct https_result *result)
{
	struct visit *visit = ctx;
	struct visit_reply *reply = visit->reply;

	visit->is_done = true;
	reply->status = result->status;
	reply->json = json_loadb(result->body, result->body_len, 0, NULL);
	reply->verdict.outcome = EDGESTEER_FOUND;
	if (!is_good(reply))
		verdict_of_reply(&reply->verdict, result, visit_said(reply, "message", "error"), "base-url");
}

// Waits until something happens, until `until_ms` at most. False: it is to stop, or there is no time left.
static bool turn(struct visit *visit, int64_t until_ms, struct verdict *ret_verdict)
{
	struct pollfd stop = {.fd = visit->host->stop_fd(visit->host), .events = POLLIN};
	int64_t now_ms = now(), left_ms = visit->deadline_ms - now_ms, wait_ms = left_ms;

	if (wait_ms > until_ms - now_ms)
		wait_ms = until_ms - now_ms;
	if (https_turn(visit->https, &stop, 1, wait_ms < 0 ? 0 : wait_ms < TURN_MAX_MS ? (int)wait_ms : TURN_MAX_MS) < 0)
		verdict_set(ret_verdict, EDGESTEER_BROKEN, "out of memory");
	else if (stop.revents)
		verdict_set(ret_verdict, EDGESTEER_BROKEN, "the daemon is stopping, or its config has changed");
	else if (left_ms <= 0)
		verdict_set(ret_verdict, EDGESTEER_TIMEOUT, "there is no time left for it");
	else
		return true;
	visit->has_stopped = true;
	visit->stopped = *ret_verdict;
	return false;
}

// The tokens, when they are there. False: there are none, and why.
static bool wait_for_tokens(struct visit *visit, const char *ret_headers[static KEYRING_HEADERS],
                            struct keyring_tokens *ret_tokens, struct verdict *ret_verdict)
{
	enum oauth_state state;

	while ((state = keyring_get(visit->keyring, now(), ret_headers, ret_tokens, ret_verdict)) == OAUTH_WAITING)
		if (!turn(visit, INT64_MAX, ret_verdict))
			return false;
	return state == OAUTH_READY;
}

static void ask_once(struct visit *visit, const char *method, const char *url, const char *body,
                     struct keyring_tokens *ret_tokens)
{
	const char *headers[KEYRING_HEADERS + 3] = {"Accept: application/json", "Content-Type: application/json"}, *why;
	const char **tokens = &headers[body ? 2 : 1];
	const struct https_request_text text = {url, method, body, headers, REQUEST_MS};
	struct verdict *verdict = &visit->reply->verdict;
	struct https_request *request;
	char buf[128];

	while (now() < visit->next_ms)
		if (!turn(visit, visit->next_ms, verdict))
			return;
	if (!wait_for_tokens(visit, tokens, ret_tokens, verdict))
		return;
	visit->next_ms = now() + visit->pause_ms;
	visit->is_done = false;
	if (https_ask(visit->https, visit->peer, &text, on_done, visit, &request, &why, buf) < 0) {
		verdict_set(verdict, EDGESTEER_BROKEN, "%s", why);
		return;
	}
	while (!visit->is_done && turn(visit, INT64_MAX, verdict))
		;
	if (!visit->is_done)
		https_cancel(request);
}

bool visit_ask(struct visit *visit, const char *method, const char *url, const json_t *body,
               struct visit_reply *ret_reply)
{
	char *text = body ? json_dumps(body, JSON_COMPACT) : NULL;
	struct keyring_tokens tokens;

	*ret_reply = (struct visit_reply){.verdict = visit->stopped};
	visit->reply = ret_reply;
	if (body && !text)
		verdict_set(&ret_reply->verdict, EDGESTEER_BROKEN, "out of memory");
	if (visit->has_stopped || (body && !text)) {
		free(text);
		return false;
	}
	ask_once(visit, method, url, text, &tokens);
	if (ret_reply->status == 401 && keyring_refused(visit->keyring, &tokens, now())) {
		json_decref(ret_reply->json);
		*ret_reply = (struct visit_reply){.verdict = {.outcome = EDGESTEER_BROKEN}};
		ask_once(visit, method, url, text, &tokens);
	}
	free(text);
	return is_good(ret_reply);
}

const char *visit_said(const struct visit_reply *reply, const char *one, const char *other)
{
	const char *said = json_string_value(json_object_get(reply->json, one));

	return said ? said : json_string_value(json_object_get(reply->json, other));
}
