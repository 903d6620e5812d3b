// Asking again until it is so; see wait.h.
#include "client/wait.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "client/exchange.h"
#include "client/fault.h"
#include "client/json.h"
#include "client/outcome.h"
#include "client/print.h"

enum { ASK_MS = 5000, SHORT_MS = 1000, REPLY_TIMEOUT_S = 30 };
enum { LEFT_NO_DRAIN = -1, LEFT_UNKNOWN = -2, LEFT_NEVER = -3 };

static void sleep_ms(int64_t ms)
{
	const struct timespec span = {ms / 1000, ms % 1000 * 1000000};

	nanosleep(&span, NULL);
}

static void show_progress(int64_t left_s)
{
	char text[CTL_TIME_LEN];

	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\rcaches may hold it for %s more \033[K", client_span(left_s, text));
}

static void end_progress(void)
{
	if (isatty(STDERR_FILENO))
		fputs("\r\033[K", stderr);
}

// "east: shop.example.com at us-east-1: WHY", for one of several daemons.
static int fail(const char *member, const json_t *of, const char *why)
{
	const char *app = client_text(of, "app");

	end_progress();
	client_print(stderr, "edgesteerctl: %s%s%s%s%s: %s\n", member ? member : "", member ? ": " : "", app, app[0] ? " at " : "",
	             client_text(of, "site"), why);
	return CLIENT_UNSETTLED;
}

// The drain of the same words in the daemon's list; NULL: it has none. `reply` is borrowed.
static const json_t *find(const json_t *reply, const json_t *drain)
{
	const json_t *list = json_object_get(reply, "drains");

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *other = json_array_get(list, i);

		if (strcmp(client_text(other, "site"), client_text(drain, "site")) == 0 &&
		    strcmp(client_text(other, "app"), client_text(drain, "app")) == 0)
			return other;
	}
	return NULL;
}

// Whether it ends before it is safe. While it moves clients or has not begun, the time when it is safe may still be another one.
static bool ends_before(const json_t *now)
{
	return strcmp(client_text(now, "phase"), "drained") == 0 && client_int(now, "until") &&
	       client_int(now, "until") < client_int(now, "safe_after");
}

// In how many seconds it is safe, by the daemon. LEFT_NO_DRAIN: there is no such drain any more, or it gives clients back.
// LEFT_UNKNOWN: the daemon does not say. LEFT_NEVER: it ends before that.
static int64_t ask_left_s(const struct client_member *to, const json_t *drain)
{
	json_t *request = json_pack("{s:s, s:O, s:O}", "verb", "drains", "site", json_object_get(drain, "site"), "app",
	                            json_object_get(drain, "app"));
	const struct client_exchange how = {.timeout_s = REPLY_TIMEOUT_S};
	struct client_fault fault;
	int64_t left_s = LEFT_UNKNOWN;

	if (json_is_null(json_object_get(drain, "app")))
		json_object_del(request, "app");

	json_t *reply = client_exchange(to, request, &how, &fault);
	const json_t *now = find(reply, drain);

	if (json_is_true(json_object_get(reply, "ok")))
		left_s = !json_is_integer(json_object_get(now, "safe_left_s")) ? LEFT_NO_DRAIN
		         : ends_before(now)                                    ? LEFT_NEVER
		                                                               : client_int(now, "safe_left_s");
	json_decref(reply);
	json_decref(request);
	return left_s;
}

static int wait_for_drain(const struct client_member *to, const char *member, const json_t *drain, int64_t end_ms)
{
	for (;;) {
		int64_t left_s = ask_left_s(to, drain), now_ms = clock_mono_ms(), wait_ms = left_s * 1000;

		if (left_s == 0) {
			end_progress();
			return 0;
		}
		if (left_s == LEFT_NO_DRAIN)
			return fail(member, drain, "the drain does not hold any more, or is being taken back");
		if (left_s == LEFT_NEVER)
			return fail(member, drain, "not waited: the drain holds, and ends before all caches have dropped it");
		if (end_ms && now_ms >= end_ms)
			return fail(member, drain, left_s < 0 ? "the daemon cannot be reached any more; the drain may hold"
			                                      : "the time is over: the drain holds, and caches may still hand it out");
		if (left_s > 0)
			show_progress(left_s);
		if (left_s < 0 || wait_ms > ASK_MS)
			wait_ms = left_s < 0 ? SHORT_MS : ASK_MS;
		if (end_ms && wait_ms > end_ms - now_ms)
			wait_ms = end_ms - now_ms;
		sleep_ms(wait_ms);
	}
}

// Caches forget what they were answered while the drain held, whatever the daemon does by then.
static int wait_for_undrain(const char *member, const json_t *reply, int64_t done_ms, int64_t end_ms)
{
	int64_t until_ms = done_ms + client_int(reply, "settled_left_s") * 1000, now_ms;

	while ((now_ms = clock_mono_ms()) < until_ms) {
		if (end_ms && now_ms >= end_ms)
			return fail(member, reply, "the time is over: it is undrained, and caches may still have what took its place");
		show_progress((until_ms - now_ms + 999) / 1000);
		sleep_ms(until_ms - now_ms < SHORT_MS ? until_ms - now_ms : SHORT_MS);
	}
	end_progress();
	return 0;
}

int client_wait(const struct client_member *to, const char *member, const json_t *reply, int64_t done_ms, unsigned timeout_s)
{
	int64_t end_ms = timeout_s ? done_ms + (int64_t)timeout_s * 1000 : 0;

	fflush(stdout);
	return json_is_integer(json_object_get(reply, "settled_left_s")) ? wait_for_undrain(member, reply, done_ms, end_ms)
	                                                                 : wait_for_drain(to, member, reply, end_ms);
}
