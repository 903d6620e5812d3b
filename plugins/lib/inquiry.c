// Questions asked over HTTPS; see inquiry.h.
#include "inquiry.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { TURN_MAX_MS = 1000 };

// A question that was taken and is not answered.
struct asked {
	struct run *run;
	uint64_t id;
	int64_t deadline_ms;
	struct https_request *request; // NULL: it waits for a token
	struct keyring_tokens tokens;  // that it was sent with
	bool again;                    // the first token was refused
	bool is_held_up;               // there was a token, and too much was sent
	struct inquiry_letter letter;
};

struct run {
	const struct inquiry *inquiry;
	struct https *https;
	struct keyring *keyring;
	struct asked *asked[INQUIRY_MAX];
	size_t count;
};

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

bool inquiry_set_url(struct inquiry_letter *letter, const char *base, const char *path)
{
	size_t len = strlen(base);
	const char *slash = len > 0 && base[len - 1] == '/' ? "" : "/";

	return (size_t)snprintf(letter->url, sizeof(letter->url), "%s%s%s", base, slash, path) < sizeof(letter->url);
}

void inquiry_add_header(struct inquiry_letter *letter, const char *fmt, ...)
{
	va_list ap;

	if (letter->header_count == INQUIRY_HEADERS_MAX)
		return;
	va_start(ap, fmt);
	vsnprintf(letter->headers[letter->header_count++], INQUIRY_HEADER_SIZE, fmt, ap);
	va_end(ap);
}

static void drop(struct asked *asked)
{
	struct run *run = asked->run;

	for (size_t i = 0; i < run->count; i++)
		if (run->asked[i] == asked) {
			run->asked[i] = run->asked[--run->count];
			break;
		}
	free(asked);
}

static void answer(struct asked *asked, const struct verdict *verdict)
{
	verdict_answer(verdict, asked->run->inquiry->host, asked->id);
	drop(asked);
}

static void on_done(void *ctx, const struct https_result *result)
{
	struct asked *asked = ctx;
	const struct inquiry *inquiry = asked->run->inquiry;
	struct verdict verdict = {.outcome = EDGESTEER_BROKEN};

	asked->request = NULL;
	if (result->status == 401 && !asked->again && keyring_refused(asked->run->keyring, &asked->tokens, now())) {
		asked->again = true;
		return;
	}
	inquiry->read(inquiry->ctx, result, &verdict);
	answer(asked, &verdict);
}

static void send_letter(struct asked *asked, const char *const tokens[static KEYRING_HEADERS], int64_t left_ms)
{
	const struct inquiry *inquiry = asked->run->inquiry;
	const struct inquiry_letter *letter = &asked->letter;
	const char *headers[INQUIRY_HEADERS_MAX + KEYRING_HEADERS + 1] = {NULL}, *why;
	const struct https_request_text text = {letter->url, NULL, *letter->body ? letter->body : NULL, headers, (long)left_ms};
	struct verdict verdict = {.outcome = EDGESTEER_BROKEN};
	size_t count = 0;
	char buf[128];

	for (size_t i = 0; i < KEYRING_HEADERS && tokens[i]; i++)
		headers[count++] = tokens[i];
	for (size_t i = 0; i < letter->header_count; i++)
		headers[count++] = letter->headers[i];
	if (https_ask(asked->run->https, &inquiry->peer, &text, on_done, asked, &asked->request, &why, buf) == 0)
		return;
	verdict_set(&verdict, EDGESTEER_BROKEN, "%s", why);
	answer(asked, &verdict);
}

// For how long the host gives no leave to send; 0: it does. Before ABI 1.5 it always does.
static int pace(const struct edgesteer_host *host)
{
	return host->size < offsetof(struct edgesteer_host, pace) + sizeof(host->pace) ? 0 : host->pace(host);
}

// Sends a letter if there is a token, and leave, which there is none for another *wait_ms unless that is 0. It may be
// answered then, and gone. Returns when to try again at the latest.
static int64_t try_to_send(struct asked *asked, int64_t now_ms, int *wait_ms)
{
	struct verdict verdict = {.outcome = EDGESTEER_BROKEN};
	const char *tokens[KEYRING_HEADERS];
	int64_t deadline_ms = asked->deadline_ms;

	if (deadline_ms <= now_ms) {
		verdict_set(&verdict, EDGESTEER_TIMEOUT, asked->is_held_up ? "no leave to send in time" : "no token in time");
		answer(asked, &verdict);
		return INT64_MAX;
	}
	switch (keyring_get(asked->run->keyring, now_ms, tokens, &asked->tokens, &verdict)) {
	case OAUTH_READY: break;
	case OAUTH_FAILED: answer(asked, &verdict); return INT64_MAX;
	case OAUTH_WAITING: return deadline_ms;
	}
	if (*wait_ms == 0)
		*wait_ms = pace(asked->run->inquiry->host);
	asked->is_held_up = *wait_ms > 0;
	if (asked->is_held_up)
		return now_ms + *wait_ms < deadline_ms ? now_ms + *wait_ms : deadline_ms;
	send_letter(asked, tokens, deadline_ms - now_ms);
	return INT64_MAX;
}

// Sends what waits, about in the order in which it was taken. Returns when it wants to be called again at the latest.
static int64_t send_all(struct run *run)
{
	int64_t now_ms = now(), due_ms = now_ms + TURN_MAX_MS;
	int wait_ms = 0;

	for (size_t i = 0; i < run->count;) {
		struct asked *asked = run->asked[i];
		int64_t again_ms = asked->request ? INT64_MAX : try_to_send(asked, now_ms, &wait_ms);

		due_ms = again_ms < due_ms ? again_ms : due_ms;
		i += i < run->count && run->asked[i] == asked; // else the last one has taken the place of one that is gone
	}
	return due_ms;
}

// Negative: out of memory.
static int take_all(struct run *run)
{
	const struct inquiry *inquiry = run->inquiry;
	struct edgesteer_question question;

	while (run->count < INQUIRY_MAX && inquiry->host->take(inquiry->host, &question) == 1) {
		struct asked *asked = calloc(1, sizeof(*asked));
		struct verdict verdict = {.outcome = EDGESTEER_BROKEN};

		if (!asked)
			return -1;
		asked->run = run;
		asked->id = question.id;
		asked->deadline_ms = question.deadline_ms;
		run->asked[run->count++] = asked;
		if (!inquiry->write(inquiry->ctx, &question, &asked->letter, &verdict))
			answer(asked, &verdict);
	}
	return 0;
}

static int follow(struct run *run)
{
	const struct edgesteer_host *host = run->inquiry->host;
	struct pollfd fds[] = {{host->stop_fd(host), POLLIN, 0}, {-1, POLLIN, 0}};

	while (!fds[0].revents) {
		if (take_all(run) < 0)
			return -1;

		int64_t due_ms = send_all(run), now_ms = now();

		fds[1].fd = run->count < INQUIRY_MAX ? host->question_fd(host) : -1;
		if (https_turn(run->https, fds, 2, due_ms > now_ms ? (int)(due_ms - now_ms) : 0) < 0)
			return -1;
	}
	return 0;
}

int inquiry_run(const struct inquiry *inquiry)
{
	struct run *run = calloc(1, sizeof(*run));
	int err = -1;

	if (run) {
		run->inquiry = inquiry;
		run->https = https_new();
		run->keyring = run->https ? keyring_new(run->https, &inquiry->clients) : NULL;
		err = run->keyring ? follow(run) : -1;
		for (size_t i = 0; i < run->count; i++) {
			https_cancel(run->asked[i]->request);
			free(run->asked[i]);
		}
		keyring_free(run->keyring);
		https_free(run->https);
		free(run);
	}
	if (err < 0)
		inquiry->host->report(inquiry->host, EDGESTEER_ERROR, NULL, 0, "out of memory");
	return err;
}
