// Requests over HTTP; see https.h.
#include "client/https.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bearer.h"
#include "base/err.h"
#include "base/infile.h"
#include "client/fault.h"
#include "client/json.h"
#include "client/link.h"
#include "client/member.h"
#include "client/outcome.h"

#define VERBS_FOLDER "/v1/"

// One transfer.
struct transfer {
	const struct client_member *to;
	CURL *easy;
	struct curl_slist *heads;
	char *url, *body;
	char *octets; // of the reply
	size_t len;
	bool is_too_large;
	char error[CURL_ERROR_SIZE];
};

bool client_https_begin(void)
{
	return curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
}

// ---- files ----------------------------------------------------------------------------------------------------------

static bool add_head(struct transfer *transfer, const char *head)
{
	struct curl_slist *more = curl_slist_append(transfer->heads, head);

	if (more)
		transfer->heads = more;
	return more != NULL;
}

// 0, or -1 with the fault.
static int add_token(struct transfer *transfer, struct client_fault *fault)
{
	const char *path = transfer->to->token_file;
	char token[BEARER_MAX + 1], head[BEARER_MAX + 32], why[INFILE_WHY_LEN];
	int err;

	if (!path)
		return 0;
	err = bearer_read(path, token, why);
	if (err < 0)
		return client_fault(fault, true, "the token-file %s %s", path, err == E_NOMEM ? "is too large for memory" : why);
	snprintf(head, sizeof(head), "Authorization: Bearer %s", token);
	return add_head(transfer, head) ? 0 : client_fault(fault, true, "out of memory");
}

// 0, or -1 with the fault: it is there, and nobody else may read it.
static int check_key(const struct client_member *to, struct client_fault *fault)
{
	char why[INFILE_WHY_LEN];
	int fd = -1;

	if (!to->key)
		return 0;
	if (infile_open_secret(to->key, &fd, why) < 0)
		return client_fault(fault, true, "the key %s %s", to->key, why);
	close(fd);
	return 0;
}

// ---- the request ----------------------------------------------------------------------------------------------------

// "NAME=VALUE" of one field, owned by the caller; NULL: out of memory, or of a type that no query has.
static char *pair_of(CURL *easy, const char *name, const json_t *value)
{
	char number[CTL_INT_LEN];
	const char *text = json_string_value(value);
	char *escaped, *pair = NULL;

	if (json_is_integer(value))
		snprintf(number, sizeof(number), "%lld", (long long)json_integer_value(value));
	text = json_is_integer(value) ? number : json_is_true(value) ? "true" : text;
	escaped = text ? curl_easy_escape(easy, text, (int)strlen(text)) : NULL;
	if (escaped && asprintf(&pair, "%s=%s", name, escaped) < 0)
		pair = NULL;
	curl_free(escaped);
	return pair;
}

// Appends to a text that is owned by the caller, and is freed when there is no memory.
static char *append(char *text, const char *between, const char *more)
{
	char *longer = NULL;

	if (text && more && asprintf(&longer, "%s%s%s", text, between, more) < 0)
		longer = NULL;
	free(text);
	return longer;
}

static char *url_of(const struct transfer *transfer, const json_t *request, bool changes)
{
	char *path = strdup(client_text(request, "verb")), *url;
	const char *key, *between = "?";
	json_t *value;

	for (char *blank; path && (blank = strchr(path, ' '));)
		*blank = '/'; // a verb of two words has a path of two parts
	url = append(strdup(transfer->to->url), VERBS_FOLDER, path);
	free(path);
	json_object_foreach((json_t *)request, key, value)
	{
		char *pair;

		if (changes || strcmp(key, "verb") == 0)
			continue;
		pair = pair_of(transfer->easy, key, value);
		url = append(url, between, pair);
		between = "&";
		free(pair);
	}
	return url;
}

static char *body_of(const json_t *request)
{
	json_t *fields = json_copy((json_t *)request); // only the first level is changed
	char *body;

	json_object_del(fields, "verb");
	body = fields ? json_dumps(fields, JSON_COMPACT) : NULL;
	json_decref(fields);
	return body;
}

static size_t keep(char *octets, size_t size, size_t count, void *ctx)
{
	struct transfer *transfer = ctx;
	size_t len = size * count;
	char *more;

	transfer->is_too_large = transfer->is_too_large || len > CLIENT_REPLY_MAX - transfer->len;
	more = transfer->is_too_large ? NULL : realloc(transfer->octets, transfer->len + len + 1);
	if (!more)
		return 0; // which ends the transfer
	memcpy(more + transfer->len, octets, len);
	transfer->octets = more;
	transfer->len += len;
	more[transfer->len] = '\0';
	return len;
}

static bool set_options(struct transfer *transfer, bool changes, unsigned timeout_s)
{
	const struct client_member *to = transfer->to;
	CURL *easy = transfer->easy;
	bool good = add_head(transfer, "Accept: application/json") && add_head(transfer, "Expect:");

	if (changes)
		good = good && add_head(transfer, "Content-Type: application/json");
	good = good && curl_easy_setopt(easy, CURLOPT_URL, transfer->url) == CURLE_OK;
	good = good && curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->heads) == CURLE_OK;
	good = good && curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L) == CURLE_OK;
	good = good && curl_easy_setopt(easy, CURLOPT_PROXY, "") == CURLE_OK; // the token is for nobody else
	good = good && curl_easy_setopt(easy, CURLOPT_TIMEOUT, (long)timeout_s) == CURLE_OK;
	good = good && curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error) == CURLE_OK;
	good = good && curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, keep) == CURLE_OK;
	good = good && curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer) == CURLE_OK;
#if LIBCURL_VERSION_NUM >= 0x075700
	// A resolver that does not answer holds nobody up longer than the timeout.
	good = good && curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK;
#endif
	if (changes)
		good = good && curl_easy_setopt(easy, CURLOPT_POSTFIELDS, transfer->body) == CURLE_OK;
	if (to->ca_file)
		good = good && curl_easy_setopt(easy, CURLOPT_CAINFO, to->ca_file) == CURLE_OK &&
		       curl_easy_setopt(easy, CURLOPT_CAPATH, NULL) == CURLE_OK; // these and no others
	if (to->cert)
		good = good && curl_easy_setopt(easy, CURLOPT_SSLCERT, to->cert) == CURLE_OK &&
		       curl_easy_setopt(easy, CURLOPT_SSLKEY, to->key) == CURLE_OK;
	return good;
}

// ---- the reply ------------------------------------------------------------------------------------------------------

static int not_asked(const struct transfer *transfer, CURLcode code, unsigned timeout_s, struct client_fault *fault)
{
	const char *url = transfer->to->url, *why = transfer->error[0] ? transfer->error : curl_easy_strerror(code);

	switch (code) {
	case CURLE_OPERATION_TIMEDOUT:
		return client_fault(fault, true,
		                    "no reply of %s within %u s: the daemon is busy or cannot be reached, and may still "
		                    "carry the request out",
		                    url, timeout_s);
	case CURLE_PEER_FAILED_VERIFICATION:
	case CURLE_SSL_ISSUER_ERROR:
		return client_fault(fault, true, "%s is not trusted, and was told nothing: %s", url, why);
	case CURLE_SSL_CACERT_BADFILE:
		return client_fault(fault, true, "the ca-file %s cannot be used: %s",
		                    transfer->to->ca_file ? transfer->to->ca_file : "of the system", why);
	case CURLE_WRITE_ERROR:
		return client_fault(fault, false, transfer->is_too_large ? "the daemon's reply is too large" : "out of memory");
	default:
		return client_fault(fault, true, "cannot reach the daemon at %s: %s", url, why);
	}
}

// Says clearly that it is the right that is missing.
static void explain_denial(json_t *reply, long status, const struct client_member *to)
{
	const char *what = to->token_file ? "the token" : to->cert ? "the certificate" : "no token";
	json_t *text = json_sprintf("HTTP status %ld, with %s%s%s: %s", status, what, to->token_file ? " of " : "",
	                            to->token_file ? to->token_file : "", client_text(reply, "error"));

	if (text)
		json_object_set_new(reply, "error", text);
	json_object_set_new(reply, "code", json_integer(CLIENT_REFUSED)); // the command is right
}

static json_t *read_reply(const struct transfer *transfer, struct client_fault *fault)
{
	json_error_t why;
	json_t *reply = transfer->octets ? json_loadb(transfer->octets, transfer->len, JSON_REJECT_DUPLICATES, &why) : NULL;
	long status = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	if (json_is_object(reply) && json_object_get(reply, "ok")) {
		if (status == 401 || status == 403)
			explain_denial(reply, status, transfer->to);
		return reply;
	}
	json_decref(reply);
	client_fault(fault, false, "%s is no door of edgesteerd: HTTP status %ld, and no reply in JSON", transfer->to->url,
	             status);
	return NULL;
}

static json_t *perform(struct transfer *transfer, unsigned timeout_s, struct client_fault *fault)
{
	CURLcode code = curl_easy_perform(transfer->easy);

	if (code == CURLE_OK)
		return read_reply(transfer, fault);
	not_asked(transfer, code, timeout_s, fault);
	return NULL;
}

json_t *client_https_ask(const struct client_member *to, const json_t *request, bool changes, unsigned timeout_s,
                         struct client_fault *fault)
{
	struct transfer transfer = {.to = to, .easy = curl_easy_init()};
	json_t *reply = NULL;

	if (transfer.easy && add_token(&transfer, fault) == 0 && check_key(to, fault) == 0) {
		transfer.url = url_of(&transfer, request, changes);
		transfer.body = changes ? body_of(request) : NULL;
		if (transfer.url && (transfer.body || !changes) && set_options(&transfer, changes, timeout_s))
			reply = perform(&transfer, timeout_s, fault);
		else
			client_fault(fault, false, "out of memory");
	} else if (!transfer.easy) {
		client_fault(fault, false, "out of memory");
	}
	curl_easy_cleanup(transfer.easy);
	curl_slist_free_all(transfer.heads);
	free(transfer.url);
	free(transfer.body);
	free(transfer.octets);
	return reply;
}
