// OAuth2 client credentials; see oauth.h.
#include "oauth.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base64.h"
#include "jwt.h"
#include "secret.h"

#define BEARER "Authorization: Bearer "
#define BASIC "Authorization: Basic "
#define JWT_BEARER "urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"

enum {
	REQUEST_MS = 10000,
	LIFETIME_S = 300,            // of a token of which it is not said
	LIFETIME_MAX_S = 86400,
	EARLY_MIN_MS = 5000,         // between two tokens, however short they live
	AGAIN_FIRST_MS = 1000, AGAIN_MAX_MS = 16000, RETRY_MAX_S = 3600,
	REFUSED_MS = 10000,          // a second token that is refused within this time is not replaced
	LOOK_MS = 1000,              // between two looks at the files
	ASSERTION_S = 180,           // at most 300
	HEADER_SIZE = SECRET_MAX_LEN + 64,
	BODY_SIZE = 8192,
};

// What is secret, in memory of its own.
struct vault {
	char header[HEADER_SIZE];        // of the token; "": there is none
	char next[HEADER_SIZE];          // what is being made of the credentials
	char id[SECRET_MAX_LEN + 1], secret[SECRET_MAX_LEN + 1];
	char body[BODY_SIZE];
};

struct oauth {
	struct https *https;
	const struct oauth_client *client;
	struct oauth *access;            // of a session; NULL: this is the access token
	unsigned access_number;          // that the session was asked for with
	struct vault *vault;
	unsigned number;                 // of the token
	int64_t early_ms, end_ms;        // when another is asked for; when it is not used any more
	int64_t refused_ms;              // when one was refused last; 0: never
	struct https_request *request;   // NULL: none is asked for
	int64_t again_ms, pause_ms;      // after a failure: not before this; how long it is
	int64_t look_ms;
	uint64_t stamp;                  // of the files
	struct verdict failure;
};

static int64_t now(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (int64_t)time.tv_sec * 1000 + time.tv_nsec / 1000000;
}

struct oauth *oauth_new(struct https *https, const struct oauth_client *client)
{
	struct oauth *oauth = calloc(1, sizeof(*oauth));

	if (oauth && !(oauth->vault = secret_room_new(sizeof(*oauth->vault)))) {
		free(oauth);
		return NULL;
	}
	if (oauth) {
		oauth->https = https;
		oauth->client = client;
	}
	return oauth;
}

struct oauth *oauth_new_session(struct https *https, const struct oauth_client *client, struct oauth *access)
{
	struct oauth *session = oauth_new(https, client);

	if (session)
		session->access = access;
	return session;
}

void oauth_free(struct oauth *oauth)
{
	if (!oauth)
		return;
	https_cancel(oauth->request);
	secret_room_free(oauth->vault, sizeof(*oauth->vault));
	free(oauth);
}

// ---- the reply ------------------------------------------------------------------------------------------------------

static void fail(struct oauth *oauth, int64_t now_ms)
{
	int64_t pause_ms = oauth->pause_ms * 2;

	oauth->pause_ms = pause_ms < AGAIN_FIRST_MS ? AGAIN_FIRST_MS : pause_ms > AGAIN_MAX_MS ? AGAIN_MAX_MS : pause_ms;
	if (oauth->failure.retry_s > RETRY_MAX_S)
		oauth->failure.retry_s = RETRY_MAX_S;
	pause_ms = oauth->failure.retry_s ? (int64_t)oauth->failure.retry_s * 1000 : oauth->pause_ms;
	oauth->again_ms = now_ms + pause_ms;
}

static const char *token_in(const struct oauth *oauth, const json_t *reply)
{
	return json_string_value(json_object_get(reply, oauth->access ? "sessionToken" : "access_token"));
}

// What it is, for messages.
static const char *what(const struct oauth *oauth)
{
	return oauth->access ? "session" : "token";
}

// Why this is no token that can be used; NULL: it can.
static const char *fault_of(const struct oauth *oauth, const json_t *reply)
{
	const char *token = token_in(oauth, reply), *c = token;
	const json_t *type = oauth->access ? NULL : json_object_get(reply, "token_type");

	if (!json_is_object(reply))
		return "the token's reply is not a JSON object";
	while (c && *c > ' ' && *c <= '~')
		c++;
	if (!token || c == token || *c || strlen(token) > SECRET_MAX_LEN)
		return oauth->access ? "the token's reply has no `sessionToken` that can be used"
		                     : "the token's reply has no `access_token` that can be used";
	if (type && (!json_is_string(type) || strcasecmp(json_string_value(type), "bearer") != 0))
		return "the token's `token_type` is not Bearer";
	return NULL;
}

static int64_t lifetime_ms_of(const struct oauth *oauth, const json_t *reply)
{
	const json_t *seconds = json_object_get(reply, "expires_in"), *until = json_object_get(reply, "expiry");
	double lifetime_s = LIFETIME_S;

	if (oauth->access)
		lifetime_s = LIFETIME_MAX_S;
	else if (json_is_number(seconds))
		lifetime_s = json_number_value(seconds);
	else if (json_is_number(until)) // Verizon's, as Unix time
		lifetime_s = json_number_value(until) - (double)(now(CLOCK_REALTIME) / 1000);
	lifetime_s = lifetime_s > 1 ? lifetime_s : 1;
	return (int64_t)((lifetime_s < LIFETIME_MAX_S ? lifetime_s : LIFETIME_MAX_S) * 1000);
}

// Some services give the same token until it has ended; its end does not move then.
static void keep_token(struct oauth *oauth, const json_t *reply, int64_t now_ms)
{
	struct vault *vault = oauth->vault;
	char *token = (char *)token_in(oauth, reply);
	int64_t end_ms = now_ms + lifetime_ms_of(oauth, reply), early_ms;

	snprintf(vault->next, sizeof(vault->next), "%s%s", oauth->access ? oauth->client->session_header : BEARER, token);
	explicit_bzero(token, strlen(token));
	if (strcmp(vault->next, vault->header) == 0 && oauth->end_ms > now_ms && oauth->end_ms < end_ms)
		end_ms = oauth->end_ms;
	memcpy(vault->header, vault->next, sizeof(vault->header));
	early_ms = (end_ms - now_ms) / 5 * 4;
	oauth->early_ms = now_ms + (early_ms > EARLY_MIN_MS ? early_ms : EARLY_MIN_MS);
	oauth->end_ms = end_ms;
	oauth->number++;
	oauth->pause_ms = oauth->again_ms = 0;
}

// The error of RFC 6749 section 5.2 alone: a description may repeat what was sent.
static void read_failure(struct oauth *oauth, const struct https_result *result, const json_t *reply)
{
	const char *error = json_string_value(json_object_get(reply, oauth->access ? "errorCode" : "error"));
	char text[VERDICT_TEXT_SIZE];

	verdict_of_reply(&oauth->failure, result, error, oauth->access ? "m2m-url" : "token-url");
	if (result->status == 400)
		oauth->failure.outcome = EDGESTEER_DENIED;
	memcpy(text, oauth->failure.text, sizeof(text));
	verdict_set(&oauth->failure, oauth->failure.outcome, "no %s: %.140s", what(oauth), text);
}

void oauth_take(struct oauth *oauth, const struct https_result *result, int64_t now_ms)
{
	json_t *reply = json_loadb(result->body, result->body_len, 0, NULL);
	const char *why = NULL;

	oauth->failure = (struct verdict){.outcome = EDGESTEER_BROKEN};
	if (result->status != 200) {
		read_failure(oauth, result, reply);
		fail(oauth, now_ms);
		if (oauth->access && result->status == 401 && oauth_refused(oauth->access, oauth->access_number, now_ms))
			oauth->again_ms = oauth->pause_ms = 0; // with another token it is tried at once
	} else if ((why = fault_of(oauth, reply))) {
		verdict_set(&oauth->failure, EDGESTEER_BROKEN, "%s", why);
		fail(oauth, now_ms);
	} else {
		keep_token(oauth, reply, now_ms);
	}
	json_decref(reply);
}

bool oauth_is_asking(const struct oauth *oauth)
{
	return oauth->request != NULL;
}

static void on_done(void *ctx, const struct https_result *result)
{
	struct oauth *oauth = ctx;

	oauth->request = NULL;
	oauth_take(oauth, result, now(CLOCK_MONOTONIC));
}

// ---- the request ----------------------------------------------------------------------------------------------------

static const char *read_id(struct oauth *oauth, char buf[static 128])
{
	const struct oauth_client *client = oauth->client;
	struct vault *vault = oauth->vault;

	if (client->id_file)
		return secret_read_token(client->id_file, false, vault->id, buf);
	snprintf(vault->id, sizeof(vault->id), "%s", client->id);
	return NULL;
}

// Appends ID or secret to the pair that client_secret_basic sends.
static bool append(char *pair, size_t size, const char *text, bool escaped)
{
	size_t len = strlen(pair);

	if (escaped)
		return https_escape(pair, size, text);
	return (size_t)snprintf(pair + len, size - len, "%s", text) < size - len;
}

// The header of client_secret_basic.
static const char *write_basic(struct oauth *oauth, char buf[static 128])
{
	const struct oauth_client *client = oauth->client;
	struct vault *vault = oauth->vault;
	const char *why = secret_read_token(client->secret_file, false, vault->secret, buf);
	char pair[4096] = "";
	size_t len = strlen(BASIC);

	if (why)
		return why;
	memcpy(vault->next, BASIC, len + 1);
	if (!append(pair, sizeof(pair), vault->id, client->escapes) || !append(pair, sizeof(pair), ":", false) ||
	    !append(pair, sizeof(pair), vault->secret, client->escapes) ||
	    !base64_write(vault->next + len, sizeof(vault->next) - len, pair, strlen(pair), BASE64_PLAIN))
		why = "too long";
	explicit_bzero(pair, sizeof(pair));
	explicit_bzero(vault->secret, sizeof(vault->secret));
	return why;
}

// The members of private_key_jwt, appended to the body.
static const char *append_assertion(struct oauth *oauth, char buf[static 128])
{
	const struct oauth_client *client = oauth->client;
	struct vault *vault = oauth->vault;
	const struct jwt_claims claims = {
		.client_id = vault->id,
		.audience = client->audience ? client->audience : client->token_url,
		.key_id = client->key_id,
		.now_s = now(CLOCK_REALTIME) / 1000,
		.lifetime_s = ASSERTION_S,
	};
	size_t len = 0, at = strlen(vault->body);
	const char *why = secret_read(client->key_file, false, vault->secret, JWT_KEY_MAX_LEN, &len, buf);

	if (!why)
		why = jwt_sign(vault->secret, len, &claims, vault->next);
	explicit_bzero(vault->secret, sizeof(vault->secret));
	if (why)
		return why;
	if ((size_t)snprintf(vault->body + at, sizeof(vault->body) - at, "&client_assertion_type=%s&client_assertion=%s",
	                     JWT_BEARER, vault->next) >= sizeof(vault->body) - at)
		return "too long";
	*vault->next = '\0';
	return NULL;
}

// The form of client credentials, but for a secret that goes into a header.
static const char *write_form(struct oauth *oauth, char buf[static 128])
{
	const struct oauth_client *client = oauth->client;
	struct vault *vault = oauth->vault;

	snprintf(vault->body, sizeof(vault->body), "grant_type=client_credentials%s", client->scope ? "&scope=" : "");
	if (client->scope && !https_escape(vault->body, sizeof(vault->body), client->scope))
		return "too long";
	return client->key_file ? append_assertion(oauth, buf) : write_basic(oauth, buf);
}

// What begins a session.
static const char *write_login(struct oauth *oauth, char buf[static 128])
{
	struct vault *vault = oauth->vault;
	const char *why = secret_read_token(oauth->client->secret_file, false, vault->secret, buf);
	json_t *login = why ? NULL : json_pack("{s:s, s:s}", "username", vault->id, "password", vault->secret);
	size_t len = login ? json_dumpb(login, vault->body, sizeof(vault->body) - 1, JSON_COMPACT) : 0;
	char *kept = (char *)json_string_value(json_object_get(login, "password"));

	if (kept)
		explicit_bzero(kept, strlen(kept));
	json_decref(login);
	explicit_bzero(vault->secret, sizeof(vault->secret));
	if (!why && (len == 0 || len >= sizeof(vault->body)))
		why = "too long, or not UTF-8";
	vault->body[why ? 0 : len] = '\0';
	return why;
}

// NULL, or why it cannot be asked for; *ret_file: which file is to blame.
static const char *ask(struct oauth *oauth, const char **ret_file, char buf[static 128])
{
	const struct oauth_client *client = oauth->client;
	const struct https_peer peer = {.ca_file = client->ca_file};
	struct vault *vault = oauth->vault;
	const char *headers[] = {"Accept: application/json", NULL, NULL, NULL}, *why = NULL;
	const struct https_request_text text = {client->token_url, NULL, vault->body, headers, REQUEST_MS};

	*vault->next = '\0';
	*ret_file = client->id_file;
	if ((why = read_id(oauth, buf)))
		return why;
	*ret_file = client->key_file ? client->key_file : client->secret_file;
	why = oauth->access ? write_login(oauth, buf) : write_form(oauth, buf);
	if (why)
		return why;
	*ret_file = NULL;
	if (oauth->access) {
		oauth->access_number = oauth->access->number;
		headers[1] = oauth->access->vault->header;
		headers[2] = "Content-Type: application/json";
	} else if (!client->key_file) {
		headers[1] = vault->next;
	}
	(void)https_ask(oauth->https, &peer, &text, on_done, oauth, &oauth->request, &why, buf);
	return why;
}

static void ask_if_possible(struct oauth *oauth, int64_t now_ms)
{
	char buf[128];
	const char *file, *why;

	if (oauth->request || oauth->again_ms > now_ms)
		return;
	why = ask(oauth, &file, buf);
	explicit_bzero(oauth->vault->body, sizeof(oauth->vault->body)); // https_ask() has copied them
	explicit_bzero(oauth->vault->next, sizeof(oauth->vault->next));
	if (!why)
		return;
	oauth->failure = (struct verdict){.outcome = EDGESTEER_BROKEN};
	verdict_set(&oauth->failure, EDGESTEER_BROKEN, "no %s: %.80s%s%.70s", what(oauth), file ? file : "", file ? ": " : "",
	            why);
	fail(oauth, now_ms);
}

// Whether the files have changed since the last look. New credentials are used at once, but a token that others have
// brought serves until there is one of theirs.
static void look_at_files(struct oauth *oauth, int64_t now_ms)
{
	const struct oauth_client *client = oauth->client;
	uint64_t stamp;

	if (oauth->look_ms > now_ms)
		return;
	oauth->look_ms = now_ms + LOOK_MS;
	stamp = secret_stamp(client->id_file) ^ secret_stamp(client->secret_file) * 3 ^ secret_stamp(client->key_file) * 5;
	if (oauth->stamp && stamp != oauth->stamp)
		oauth->again_ms = oauth->pause_ms = oauth->early_ms = oauth->refused_ms = 0;
	oauth->stamp = stamp;
}

enum oauth_state oauth_get(struct oauth *oauth, int64_t now_ms, const char **ret_header, unsigned *ret_number,
                           struct verdict *ret_verdict)
{
	bool good = *oauth->vault->header && now_ms < oauth->end_ms;

	look_at_files(oauth, now_ms);
	if (!good || now_ms >= oauth->early_ms)
		ask_if_possible(oauth, now_ms);
	if (good) {
		*ret_header = oauth->vault->header;
		*ret_number = oauth->number;
		return OAUTH_READY;
	}
	if (oauth->request)
		return OAUTH_WAITING;
	*ret_verdict = oauth->failure;
	return OAUTH_FAILED;
}

bool oauth_refused(struct oauth *oauth, unsigned number, int64_t now_ms)
{
	if (number != oauth->number || oauth->end_ms <= now_ms) // others have said so, or it was to end anyhow
		return true;
	if (oauth->refused_ms && now_ms - oauth->refused_ms < REFUSED_MS)
		return false;
	oauth->refused_ms = now_ms;
	oauth->end_ms = 0;
	return true;
}
