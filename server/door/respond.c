// What the HTTP door replies: who may do it, then what it says. The order of the refusals tells nothing to those who have no
// token: for them there are only the three plain paths.
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/must.h"
#include "control/call.h"
#include "control/reply_json.h"
#include "control/verbs.h"
#include "door/inner.h"
#include "door/route.h"
#include "door/tokens.h"
#include "view/live.h"

#define TEXT_TYPE "text/plain; charset=utf-8"
#define METRICS_TYPE "text/plain; version=0.0.4; charset=utf-8"
#define OPENMETRICS_TYPE "application/openmetrics-text; version=1.0.0; charset=utf-8"

static void reply_plain(struct session *session, int status, const char *text)
{
	char *copy = strdup(text);

	session_reply(session, status, TEXT_TYPE, "", copy, copy ? strlen(copy) : 0);
}

static void refuse_method(struct session *session, const char *allowed)
{
	char more[64];

	snprintf(more, sizeof(more), "Allow: %s\r\n", allowed);
	session_reply_json(session, 405, more, reply_error(REPLY_USAGE, "the method must be %s", allowed));
}

// ---- replies that come later ----------------------------------------------------------------------------------------

static struct session_wait *wait_for(struct session *session)
{
	struct session_wait *wait = malloc(sizeof(*wait));

	if (!wait) {
		session_refuse(session, 500, "out of memory");
		return NULL;
	}
	*wait = (struct session_wait){session, session->door};
	session->wait = wait;
	return wait;
}

// The connection, NULL: it was closed.
static struct session *end_wait(struct session_wait *wait)
{
	struct session *session = wait->session;

	free(wait);
	must(!session || session->wait == wait);
	if (session)
		session->wait = NULL;
	return session;
}

// As the exit code of edgesteerctl: nothing to do is no fault, it is as it was wanted.
static int status_of(const json_t *reply)
{
	json_int_t code = json_integer_value(json_object_get(reply, "code"));

	return !reply                               ? 500
	       : json_is_true(json_object_get(reply, "ok")) ? 200
	       : code == REPLY_NOTHING                      ? 200
	       : code == REPLY_USAGE                        ? 400
	                                                    : 409;
}

static void on_reply(void *ctx, json_t *reply)
{
	struct session *session = end_wait(ctx);

	if (session)
		session_reply_json(session, status_of(reply), "", reply);
	else
		json_decref(reply);
}

static void on_metrics(struct session_wait *wait, char *text, size_t len, const char *type)
{
	struct door *door = wait->door;
	struct session *session = end_wait(wait);

	if (!session) {
		door->scrapes--;
		free(text);
	} else if (!text) {
		session_refuse(session, 500, "out of memory");
	} else {
		session_reply(session, 200, type, "", text, len);
	}
}

static void on_text(void *ctx, char *text, size_t len)
{
	on_metrics(ctx, text, len, METRICS_TYPE);
}

static void on_openmetrics(void *ctx, char *text, size_t len)
{
	on_metrics(ctx, text, len, OPENMETRICS_TYPE);
}

// ---- the plain paths ------------------------------------------------------------------------------------------------

// Whether there is room for one more scrape: a reply has tens of millions of octets where there are very many targets, and a
// peer that does not read keeps it in memory. One that has been reading for the longest makes room.
static bool make_room(const struct session *session)
{
	struct door *door = session->door;
	struct session *slowest = NULL;
	struct timeval earliest, due;
	unsigned of_peer = 0;

	for (struct session *at = door->first; at; at = at->next) {
		of_peer += at->scrapes && addr_equal(&at->peer, &session->peer);
		if (at->scrapes && at->phase == SESSION_WRITES && event_pending(at->deadline, EV_TIMEOUT, &due) &&
		    (!slowest || evutil_timercmp(&due, &earliest, <))) {
			slowest = at;
			earliest = due;
		}
	}
	if (of_peer >= DOOR_SCRAPES_PER_ADDRESS_MAX)
		return false;
	if (door->scrapes < DOOR_SCRAPES_MAX)
		return true;
	if (!slowest)
		return false;
	door->stats.dropped_room++;
	session_free(slowest);
	return true;
}

static void reply_metrics(struct session *session, bool openmetrics)
{
	struct door *door = session->door;
	struct session_wait *wait;

	if (!make_room(session)) {
		session_refuse(session, 503, "too many others are being sent the metrics");
		return;
	}
	wait = wait_for(session);
	if (!wait)
		return;
	session->scrapes = true;
	door->scrapes++;
	door->ops.metrics(door->ops.ctx, openmetrics, openmetrics ? on_openmetrics : on_text, wait);
}

static void respond_plain(struct session *session, enum route_kind kind, const struct request *request)
{
	if (request->method != REQUEST_GET && request->method != REQUEST_HEAD)
		refuse_method(session, "GET, HEAD");
	else if (kind == ROUTE_METRICS)
		reply_metrics(session, request_wants_openmetrics(request));
	else if (kind == ROUTE_LIVE || live_current())
		reply_plain(session, 200, "ok\n");
	else
		reply_plain(session, 503, "not ready: the first round of health checks has not finished\n");
}

// ---- verbs ----------------------------------------------------------------------------------------------------------

// Whether the peer is somebody, and who, into who[SESSION_WHO_LEN]; else it has been refused. *ret_scopes is what it may.
static bool admit(struct session *session, const struct request *request, char *who, unsigned *ret_scopes)
{
	const struct key *key = &session->entry->key;
	struct door_stats *stats = &session->door->stats;
	struct request_text token = request_bearer(request);
	const char *name = NULL;
	char subject[TLS_NAME_LEN];

	if (!key->tokens && !key->has_client_ca) {
		stats->denied_closed++;
		session_refuse(session, 403, "only /livez, /readyz and /metrics: neither `tokens` nor `client-ca` is configured");
		return false;
	}
	// A token that is given has to be good, also beside a certificate.
	*ret_scopes = key->tokens && token.at ? tokens_scopes(key->tokens, token.at, token.len, &name) : 0;
	if (*ret_scopes) {
		snprintf(who, SESSION_WHO_LEN, "token %s, %s", name, session->address);
		return true;
	}
	if (!request->authorization.at && key->has_client_ca && session->tls)
		*ret_scopes = tls_scopes(session->tls, subject);
	if (*ret_scopes) {
		snprintf(who, SESSION_WHO_LEN, "certificate %s, %s", subject, session->address);
		return true;
	}
	if (request->authorization.at)
		stats->denied_wrong++;
	else
		stats->denied_missing++;

	session_reply_json(session, 401, "WWW-Authenticate: Bearer realm=\"edgesteer\"\r\n",
	                   reply_error(REPLY_REFUSED, request->authorization.at ? "this token is not known"
	                                                                        : "a token or a client's certificate is needed"));
	return false;
}

static void refuse_path(struct session *session, enum route_kind kind, const struct request *request)
{
	char name[64];

	snprintf(name, sizeof(name), "%.*s", (int)request->path.len, request->path.at);
	session_reply_json(session, 404, "",
	                   kind == ROUTE_VERB ? verbs_unknown(name + strlen("/v1/"))
	                                      : reply_error(REPLY_USAGE, "no such path: there are /livez, /readyz, /metrics and "
	                                                    "/v1/VERB"));
}

// The fields get their verb, for the log.
static void run_verb(struct session *session, const struct verbs_row *verb, json_t *fields, const char *who)
{
	struct session_wait *wait = wait_for(session);
	struct call call = {.ops = session->door->ops.control, .who = who, .is_remote = true, .reply = on_reply,
	                    .reply_ctx = wait};

	if (!wait)
		return;
	(void)json_object_set_new(fields, "verb", json_string(verb->name));
	verbs_call(&call, verb, fields);
}

// Whether who reports may speak for the vantage that the fields name. A token may be bound to some, so that one that was
// stolen cannot take targets down in the name of others.
static bool speaks_for(const struct session *session, const struct request *request, const json_t *fields)
{
	const struct key *key = &session->entry->key;
	struct request_text token = request_bearer(request);

	return !key->tokens || !token.at ||
	       tokens_speaks_for(key->tokens, token.at, token.len, json_string_value(json_object_get(fields, "vantage")));
}

static void respond_verb(struct session *session, const struct verbs_row *verb, const struct request *request,
                        const char *body, const char *who)
{
	json_t *refusal = NULL, *fields = NULL;

	if (request->method != (verb->scope == VERBS_READ ? REQUEST_GET : REQUEST_POST)) {
		refuse_method(session, route_method(verb));
	} else if (request->method == REQUEST_POST && !request_is_json(request)) {
		// Which also keeps a browser from doing it for another site's page: that cannot send this type without asking.
		session_refuse(session, 415, "a POST needs Content-Type: application/json");
	} else if (request->method == REQUEST_GET && request->body_len > 0) {
		session_refuse(session, 400, "a GET has no body: its fields are in the query");
	} else if (!(fields = route_fields(request, verb, body, request->body_len, &refusal))) {
		session_reply_json(session, status_of(refusal), "", refusal);
	} else if (verb->scope == VERBS_REPORT && !speaks_for(session, request, fields)) {
		session->door->stats.denied_vantage++;
		session_refuse(session, 403, "this token is bound to vantages, and may not speak for this one");
	} else {
		run_verb(session, verb, fields, who);
	}
	json_decref(fields);
}

void respond_request(struct session *session, const struct request *request, const char *body)
{
	const struct verbs_row *verb = NULL;
	enum route_kind kind = route_find(&request->path, &verb);
	char who[SESSION_WHO_LEN];
	unsigned scopes = 0;

	if (kind != ROUTE_VERB && kind != ROUTE_NONE) {
		respond_plain(session, kind, request);
		return;
	}
	if (!admit(session, request, who, &scopes))
		return;
	if (!verb) {
		refuse_path(session, kind, request);
	} else if (!(scopes & verb->scope)) {
		session->door->stats.denied_scope++;
		session_refuse(session, 403, "this needs another scope: `read` for what shows, `report` for reports, `operate` for "
		               "what changes something");
	} else {
		respond_verb(session, verb, request, body, who);
	}
}
