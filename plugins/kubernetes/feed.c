// One resource of a cluster followed; see feed.h.
//
// states     PAGE   LAST   ENDED  GONE   LARGE    ABSENT   FAILED    STRAY   DUE
// list       LIST+  WATCH  -      LIST   LIST+    absent   wait+     wait    -
// watch      -      -      WATCH  LIST   wait     wait     wait+     wait    wait+, when no reply has begun
// wait       -      -      -      -      -        -        -         -       what it waits for
// absent     -      -      -      -      -        -        -         -       LIST
//
// In capitals: at once. LIST: from the start; LIST+: goes on with the page. wait: then from the start of the list;
// wait+: then with the page, or from where the watch was. PAGE: a page, and more follow; LAST: the last one. ENDED: the
// server has ended the watch in order. GONE: the version or the page is too old (410). LARGE: the page is too long, the
// next try asks for a shorter one. ABSENT: 404 or 403, where the API may lack the resource and no object of it is
// known. FAILED: anything else that goes wrong, also ABSENT elsewhere. STRAY: the reply is not what it must be, so
// nobody knows what was missed. Each time in a row makes the wait longer; GONE waits too when it comes again and again,
// as does a watch that ends at once. A wait ends early when the credentials change, or another feed reaches the server.
// Three failed watches in a row are followed by a list: the version may be unknown to a server restored from a backup.
// Versions are only compared by the server.
#include "feed.h"

#include <jansson.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "intake.h"
#include "lib/secret.h"
#include "lib/shown.h"

enum {
	LIMIT_MAX = 500,          // objects a page
	LIMIT_MIN = 8,            // as many as fit into a page however large they are
	LIST_MS = 60000,          // for a page
	WATCH_MIN_S = 240,        // how long the server is asked to keep a watch
	WATCH_SPREAD_S = 50,
	WATCH_LATE_S = 30,        // after that it has forgotten to end it
	BEGIN_MS = 30000,         // for the beginning of a watch's reply
	GOOD_MS = 1000,           // a watch that has lasted so long is a good one
	WAIT_MIN_MS = 200,
	WAIT_MAX_MS = 30000,
	RETRY_AFTER_MAX_S = 60,
	CREDENTIALS_MS = 250,     // how often a feed that waits looks whether its token has changed
	ABSENT_MS = 60000,
	WATCHES_FAILED_MAX = 3,
	URL_MAX_LEN = 24 << 10,
};

static const struct resource {
	const char *name, *path, *list_kind;
	bool optional; // an API server may lack it
	bool labelled; // `label-selector` is for these
} resources[KOBJECT_KINDS] = {
	[KOBJECT_INGRESS] = {"ingresses", "/apis/networking.k8s.io/v1/ingresses", "IngressList", false, true},
	[KOBJECT_SERVICE] = {"services", "/api/v1/services", "ServiceList", false, true},
	[KOBJECT_SLICE] = {"endpointslices", "/apis/discovery.k8s.io/v1/endpointslices", "EndpointSliceList", false, false},
	[KOBJECT_GATEWAY] = {"gateways", "/apis/gateway.networking.k8s.io/v1/gateways", "GatewayList", true, true},
	[KOBJECT_ROUTE] = {"httproutes", "/apis/gateway.networking.k8s.io/v1/httproutes", "HTTPRouteList", true, false},
};

static void happen(struct feed *feed, enum feed_event event, int64_t now_ms, unsigned retry_after_s);

const char *feed_name(const struct feed *feed)
{
	return resources[feed->kind].name;
}

void feed_begin(struct feed *feed, struct feed_common *common, enum kobject_kind kind)
{
	*feed = (struct feed){
		.common = common,
		.kind = kind,
		.state = FEED_WAIT,
		.then = FEED_LIST,
		.limit = LIMIT_MAX,
	};
	kobjects_begin(&feed->objects);
}

void feed_end(struct feed *feed)
{
	https_cancel(feed->request);
	skim_end(&feed->skim);
	kobjects_free(&feed->objects);
	free(feed->version);
	free(feed->page);
}

bool feed_is_away(const struct feed *feed)
{
	return feed->failures > 1 && !feed->gone && !(feed->state == FEED_WATCH && https_has_begun(feed->request));
}

const char *feed_list_kind(const struct feed *feed)
{
	return resources[feed->kind].list_kind;
}

void feed_say_why(struct feed *feed, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(feed->why, sizeof(feed->why), fmt, ap);
	va_end(ap);
}

// ---- requests -------------------------------------------------------------------------------------------------------

// "403 Forbidden" as Kubernetes explains it, or as the status alone.
static void say_status(struct feed *feed, const struct https_result *result)
{
	json_t *status = json_loads(result->body, JSON_ALLOW_NUL, NULL);
	const char *message = json_string_value(json_object_get(status, "message"));
	char buf[SHOWN_SIZE];

	if (result->status == 0)
		feed_say_why(feed, "%s", shown(buf, result->why ? result->why : "no reply"));
	else
		feed_say_why(feed, "%d%s%s", result->status, message ? " " : "", message ? shown(buf, message) : "");
	json_decref(status);
}

static enum feed_event judge(struct feed *feed, const struct https_result *result)
{
	const struct resource *resource = &resources[feed->kind];

	if (feed->outcome != FEED_NONE && (result->status == 200 || feed->outcome > FEED_LAST))
		return feed->outcome;
	if (result->status == 200 && skim_amid(&feed->skim)) {
		feed_say_why(feed, "the server has ended its reply in the middle of an object");
		return FEED_FAILED;
	}
	if (result->status == 200 && feed->state == FEED_LIST) {
		feed_say_why(feed, "the server has sent an empty reply");
		return FEED_FAILED;
	}
	if (result->status == 200) {
		feed_say_why(feed, "the server ends the watch as soon as it has begun");
		return FEED_ENDED;
	}
	say_status(feed, result);
	if (result->status == 410)
		return FEED_GONE;
	if (result->status == 403 && resource->optional && !feed->known)
		remark(feed->common->remarks, "cluster %s: %s: not looked at: %s", feed->common->cluster->name, resource->name,
		       feed->why);
	return (result->status == 404 || result->status == 403) && resource->optional && !feed->objects.count ? FEED_MISSING
	                                                                                                       : FEED_FAILED;
}

static void note_reached(struct feed *feed)
{
	if (feed->common->reached_ms < feed->began_ms)
		feed->common->reached_ms = feed->began_ms;
}

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

static void on_done(void *ctx, const struct https_result *result)
{
	struct feed *feed = ctx;
	enum feed_event event = judge(feed, result);

	feed->request = NULL;
	feed->unreachable = result->status == 0 && feed->outcome == FEED_NONE;
	if (!feed->unreachable)
		note_reached(feed);
	skim_end(&feed->skim);
	happen(feed, event, now(), result->retry_after_s);
}

static uint64_t credentials(const struct feed *feed)
{
	const struct https_peer *peer = &feed->common->cluster->peer;

	return secret_stamp(peer->token_file) ^ secret_stamp(peer->ca_file) * 3 ^ secret_stamp(peer->cert_file) * 5 ^
	       secret_stamp(peer->key_file) * 7;
}

static bool add_parameter(char *url, const char *name, const char *value)
{
	size_t len = strlen(url);

	return (size_t)snprintf(url + len, URL_MAX_LEN - len, "%s", name) < URL_MAX_LEN - len &&
	       https_escape(url, URL_MAX_LEN, value);
}

static bool write_url(const struct feed *feed, char *url, unsigned watch_s)
{
	const struct resource *resource = &resources[feed->kind];
	const char *selector = resource->labelled ? feed->common->settings->label_selector : NULL;
	const char *base = feed->common->cluster->url;
	bool fits;

	if (feed->state == FEED_LIST) {
		fits = snprintf(url, URL_MAX_LEN, "%s%s?limit=%u", base, resource->path, feed->limit) < URL_MAX_LEN &&
		       (!feed->page || add_parameter(url, "&continue=", feed->page));
	} else {
		fits = snprintf(url, URL_MAX_LEN, "%s%s?watch=1&allowWatchBookmarks=true&timeoutSeconds=%u", base, resource->path,
		                watch_s) < URL_MAX_LEN &&
		       add_parameter(url, "&resourceVersion=", feed->version);
	}
	return fits && (!selector || add_parameter(url, "&labelSelector=", selector));
}

// So that the feeds do not begin anew all at the same time.
static unsigned spread(const struct feed *feed, int64_t now_ms, unsigned range)
{
	uint64_t mixed = ((uint64_t)now_ms ^ (uint64_t)(uintptr_t)feed) * UINT64_C(0x9e3779b97f4a7c15);

	return (unsigned)((mixed >> 32) % range);
}

// Asks for what the state is about.
static void ask(struct feed *feed, int64_t now_ms)
{
	static const struct https_handler handler = {intake_take, on_done};
	struct feed_common *common = feed->common;
	unsigned watch_s = WATCH_MIN_S + spread(feed, now_ms, WATCH_SPREAD_S);
	long whole_ms = feed->state == FEED_LIST ? LIST_MS : (long)(watch_s + WATCH_LATE_S) * 1000;
	const char *why = NULL;
	char buf[128], *url = malloc(URL_MAX_LEN);

	intake_begin(feed);
	feed->unreachable = false;
	feed->began_ms = now_ms;
	feed->credentials = credentials(feed);
	if (!url || !write_url(feed, url, watch_s))
		why = "out of memory, or the server's tokens are too long";
	else
		https_start(common->https, &common->cluster->peer, url, whole_ms, &handler, feed, &feed->request, &why, buf);
	free(url);
	if (!why)
		return;
	feed_say_why(feed, "%s: %s", common->cluster->peer.token_file ? common->cluster->peer.token_file
	                                                         : common->cluster->peer.key_file, why);
	happen(feed, FEED_FAILED, now_ms, 0);
}

// ---- states ---------------------------------------------------------------------------------------------------------

static void from_start(struct feed *feed)
{
	free(feed->page);
	feed->page = NULL;
	feed->list_number++;
	feed->list_damaged = false;
}

static void wait_for(struct feed *feed, enum feed_state then, int64_t now_ms, unsigned retry_after_s)
{
	unsigned doublings = feed->failures < 8 ? feed->failures : 8;
	int64_t wait_ms = (int64_t)WAIT_MIN_MS << (doublings ? doublings - 1 : 0);

	if (wait_ms > WAIT_MAX_MS)
		wait_ms = WAIT_MAX_MS;
	wait_ms = wait_ms * (75 + spread(feed, now_ms, 50)) / 100;
	if (retry_after_s > RETRY_AFTER_MAX_S)
		retry_after_s = RETRY_AFTER_MAX_S;
	if (wait_ms < (int64_t)retry_after_s * 1000)
		wait_ms = (int64_t)retry_after_s * 1000;
	feed->state = FEED_WAIT;
	feed->then = then;
	feed->due_ms = now_ms + wait_ms;
}

// Goes to a state that asks.
static void go(struct feed *feed, enum feed_state state)
{
	feed->state = FEED_WAIT;
	feed->then = state;
	feed->due_ms = 0;
}

static void last_page(struct feed *feed)
{
	// Without knowing which one could not be told, none is taken for gone.
	if (!feed->list_damaged)
		feed->common->changed |= kobjects_sweep(&feed->objects, feed->list_number) == KOBJECTS_CHANGED;
	feed->common->changed |= !feed->known;
	feed->known = true;
	go(feed, FEED_WATCH);
}

static void shrink_page(struct feed *feed, int64_t now_ms)
{
	if (feed->limit > LIMIT_MIN) {
		feed->limit = feed->limit / 4 > LIMIT_MIN ? feed->limit / 4 : LIMIT_MIN;
		go(feed, FEED_LIST);
		return;
	}
	feed->failures++;
	wait_for(feed, FEED_LIST, now_ms, 0);
}

static void fail(struct feed *feed, bool go_on, int64_t now_ms, unsigned retry_after_s)
{
	bool watch = feed->state == FEED_WATCH && go_on && feed->failures < WATCHES_FAILED_MAX;

	feed->failures++;
	if (!watch && !(feed->state == FEED_LIST && go_on))
		from_start(feed);
	wait_for(feed, watch ? FEED_WATCH : FEED_LIST, now_ms, retry_after_s);
}

// The table at the top.
static void happen(struct feed *feed, enum feed_event event, int64_t now_ms, unsigned retry_after_s)
{
	bool good = feed->state == FEED_WATCH && (feed->progress || now_ms - feed->began_ms >= GOOD_MS);

	if (good)
		feed->failures = 0;
	feed->gone = event == FEED_GONE || (feed->gone && event <= FEED_LAST);
	switch (event) {
	case FEED_PAGE:
		go(feed, FEED_LIST);
		break;
	case FEED_LAST:
		last_page(feed);
		break;
	case FEED_ENDED:
		if (good)
			go(feed, FEED_WATCH);
		else
			fail(feed, true, now_ms, 0);
		break;
	case FEED_GONE:
		from_start(feed);
		if (feed->failures++ == 0)
			go(feed, FEED_LIST);
		else
			wait_for(feed, FEED_LIST, now_ms, retry_after_s);
		break;
	case FEED_LARGE:
		shrink_page(feed, now_ms);
		break;
	case FEED_MISSING:
		feed->common->changed |= !feed->known;
		feed->known = true;
		feed->failures = 0;
		feed->state = FEED_ABSENT;
		feed->due_ms = now_ms + ABSENT_MS;
		break;
	case FEED_STRAY:
		fail(feed, false, now_ms, retry_after_s);
		break;
	default:
		fail(feed, true, now_ms, retry_after_s);
	}
}

// A watch whose reply does not begin, though the connection is there.
static void turn_watch(struct feed *feed, int64_t now_ms)
{
	bool begun = https_has_begun(feed->request);

	if (begun)
		note_reached(feed);
	if (begun && (feed->progress || now_ms - feed->began_ms >= GOOD_MS))
		feed->failures = 0;
	if (begun || now_ms - feed->began_ms < BEGIN_MS)
		return;
	https_cancel(feed->request);
	feed->request = NULL;
	skim_end(&feed->skim);
	feed_say_why(feed, "no reply within %d s", BEGIN_MS / 1000);
	happen(feed, FEED_FAILED, now_ms, 0);
}

// Whether there is reason to try before its time: the credentials are others, or another feed has reached the server
// since this one could not.
static bool is_another_case(const struct feed *feed)
{
	return (feed->unreachable && feed->common->reached_ms > feed->began_ms) || credentials(feed) != feed->credentials;
}

int64_t feed_turn(struct feed *feed, int64_t now_ms)
{
	if (feed->state == FEED_WATCH)
		turn_watch(feed, now_ms);
	if (feed->state == FEED_WAIT && feed->failures && feed->due_ms > now_ms && is_another_case(feed))
		feed->due_ms = now_ms;
	if (feed->due_ms <= now_ms && (feed->state == FEED_WAIT || feed->state == FEED_ABSENT)) {
		if (feed->state == FEED_ABSENT)
			from_start(feed);
		feed->state = feed->state == FEED_WAIT ? feed->then : FEED_LIST;
		ask(feed, now_ms);
	}
	if (feed->state == FEED_WATCH || feed->state == FEED_LIST)
		return now_ms + 1000;
	return feed->failures && feed->due_ms > now_ms + CREDENTIALS_MS ? now_ms + CREDENTIALS_MS : feed->due_ms;
}
