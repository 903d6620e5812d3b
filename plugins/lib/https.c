// HTTPS requests; see https.h.
#include "https.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "secret.h"

enum { CONNECT_MS = 10000, HEAD_MAX_LEN = 64 << 10 };

// A peer that is gone without a word is noticed after KEEP_IDLE_S + KEEP_COUNT * KEEP_INTERVAL_S.
enum { KEEP_IDLE_S = 15, KEEP_INTERVAL_S = 5, KEEP_COUNT = 4, UNACKNOWLEDGED_MS = 30000 };

struct https {
	CURLM *multi;
};

struct https_request {
	struct https *https;
	CURL *easy;
	struct curl_slist *headers;
	struct https_handler handler; // `data` NULL: the whole reply is wanted
	void *ctx;
	bool begun, ended_by_handler, too_long;
	size_t head_len;
	char *sent;                   // the body
	char *body;                   // NULL: nothing yet
	size_t body_len, body_cap, body_max;
	char error[CURL_ERROR_SIZE];
};

struct https *https_new(void)
{
	struct https *https;

	secret_shade_thread();
	https = calloc(1, sizeof(*https));

	if (https && curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(https);
		return NULL;
	}
	if (https && !(https->multi = curl_multi_init())) {
		curl_global_cleanup();
		free(https);
		return NULL;
	}
	return https;
}

void https_free(struct https *https)
{
	if (!https)
		return;
	curl_multi_cleanup(https->multi);
	curl_global_cleanup();
	free(https);
}

bool https_has_begun(const struct https_request *request)
{
	return request->begun;
}

// libcurl has no option for the number of probes before version 8.9.
static int keep_alive(void *ctx, curl_socket_t fd, curlsocktype purpose)
{
	static const struct {
		int level, name, value;
	} options[] = {
		{SOL_SOCKET, SO_KEEPALIVE, 1},
		{IPPROTO_TCP, TCP_KEEPIDLE, KEEP_IDLE_S},
		{IPPROTO_TCP, TCP_KEEPINTVL, KEEP_INTERVAL_S},
		{IPPROTO_TCP, TCP_KEEPCNT, KEEP_COUNT},
		{IPPROTO_TCP, TCP_USER_TIMEOUT, UNACKNOWLEDGED_MS},
	};

	(void)ctx, (void)purpose;
	for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++)
		if (setsockopt(fd, options[i].level, options[i].name, &options[i].value, sizeof(options[i].value)) < 0)
			return CURL_SOCKOPT_ERROR;
	return CURL_SOCKOPT_OK;
}

// Keeps what there is room for; false: not all of it, or out of memory.
static bool keep(struct https_request *request, const char *bytes, size_t len)
{
	size_t room = request->body_max - request->body_len, kept = len < room ? len : room;

	if (request->body_len + kept >= request->body_cap) {
		size_t cap = request->body_cap ? request->body_cap * 2 : 1024;

		while (cap <= request->body_len + kept)
			cap *= 2;

		char *grown = realloc(request->body, cap);

		if (!grown)
			return false;
		request->body = grown;
		request->body_cap = cap;
	}
	memcpy(request->body + request->body_len, bytes, kept);
	request->body_len += kept;
	request->body[request->body_len] = '\0';
	request->too_long = kept < len;
	return kept == len;
}

static size_t on_data(char *bytes, size_t one, size_t len, void *ctx)
{
	struct https_request *request = ctx;
	long status = 0;

	(void)one;
	curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status == 200 && request->handler.data) {
		request->ended_by_handler = request->handler.data(request->ctx, bytes, len) != 0;
		return request->ended_by_handler ? 0 : len;
	}
	return keep(request, bytes, len) ? len : 0;
}

static size_t on_header(char *bytes, size_t one, size_t len, void *ctx)
{
	struct https_request *request = ctx;
	long status = 0;

	(void)one;
	if (len <= 2 && (bytes[0] == '\r' || bytes[0] == '\n')) {
		curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
		request->begun = status == 200;
	}
	request->head_len += len; // interim replies count too
	request->too_long |= request->head_len > HEAD_MAX_LEN;
	return request->too_long ? 0 : len;
}

// Headers and bodies have secrets in them.
static void wipe(struct https_request *request)
{
	for (struct curl_slist *header = request->headers; header; header = header->next)
		explicit_bzero(header->data, strlen(header->data));
	if (request->sent)
		explicit_bzero(request->sent, strlen(request->sent));
	if (request->body)
		explicit_bzero(request->body, request->body_cap);
}

static void release(struct https_request *request)
{
	curl_multi_remove_handle(request->https->multi, request->easy);
	curl_easy_cleanup(request->easy);
	wipe(request);
	curl_slist_free_all(request->headers);
	free(request->sent);
	free(request->body);
	free(request);
}

void https_cancel(struct https_request *request)
{
	if (request)
		release(request);
}

static const char *add_header(struct https_request *request, const char *header)
{
	struct curl_slist *list = curl_slist_append(request->headers, header);

	if (!list)
		return "out of memory";
	request->headers = list;
	return NULL;
}

static const char *add_token(struct https_request *request, const struct https_peer *peer, char buf[static 128])
{
	char header[SECRET_MAX_LEN + 64];
	int len = snprintf(header, 64, "%s", peer->token_header ? peer->token_header : "Authorization: Bearer ");
	const char *why = secret_read_token(peer->token_file, peer->token_shared, header + len, buf);

	if (!why)
		why = add_header(request, header);
	explicit_bzero(header, sizeof(header));
	return why;
}

static const char *set_credentials(struct https_request *request, const struct https_peer *peer, char buf[static 128])
{
	CURL *easy = request->easy;
	const char *why = NULL;

	if (peer->ca_file) {
		curl_easy_setopt(easy, CURLOPT_CAINFO, peer->ca_file);
		curl_easy_setopt(easy, CURLOPT_CAPATH, NULL); // a folder with the system's, which would be trusted too
	}
#if LIBCURL_VERSION_NUM >= 0x075700
	curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L); // the file may be a new one
#endif
	if (peer->cert_file) {
		why = secret_fault(peer->key_file, buf);
		curl_easy_setopt(easy, CURLOPT_SSLCERT, peer->cert_file);
		curl_easy_setopt(easy, CURLOPT_SSLKEY, peer->key_file);
	}
	if (!why && peer->token_file)
		why = add_token(request, peer, buf);
	return why;
}

static void set_up(struct https_request *request, const char *url, long whole_ms)
{
	CURL *easy = request->easy;

	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1); // a connection each: none holds up another
	curl_easy_setopt(easy, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
#if LIBCURL_VERSION_NUM >= 0x075700
	curl_easy_setopt(easy, CURLOPT_QUICK_EXIT, 1L); // a resolver that hangs holds up neither others nor the end
#endif
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "edgesteer");
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_MS);
	curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS, whole_ms);
	curl_easy_setopt(easy, CURLOPT_SOCKOPTFUNCTION, keep_alive);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_data);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, request);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, request);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, request->error);
	curl_easy_setopt(easy, CURLOPT_PRIVATE, request);
}

// Makes a request that is not yet begun; NULL when out of memory.
static struct https_request *make(struct https *https, const char *url, long whole_ms,
                                  const struct https_handler *handler, void *ctx, size_t body_max)
{
	struct https_request *request = calloc(1, sizeof(*request));

	if (!request)
		return NULL;
	*request = (struct https_request){.https = https, .handler = *handler, .ctx = ctx, .body_max = body_max};
	if (!(request->easy = curl_easy_init())) {
		free(request);
		return NULL;
	}
	set_up(request, url, whole_ms);
	return request;
}

// Begins it, unless something has gone wrong so far.
static int begin(struct https_request *request, const char *why, struct https_request **ret_request,
                 const char **ret_why)
{
	if (!why && request->headers &&
	    curl_easy_setopt(request->easy, CURLOPT_HTTPHEADER, request->headers) != CURLE_OK)
		why = "out of memory";
	if (!why && curl_multi_add_handle(request->https->multi, request->easy) != CURLM_OK)
		why = "out of memory";
	*ret_why = why;
	if (why) {
		release(request);
		return -1;
	}
	*ret_request = request;
	return 0;
}

int https_start(struct https *https, const struct https_peer *peer, const char *url, long whole_ms,
                const struct https_handler *handler, void *ctx, struct https_request **ret_request,
                const char **ret_why, char buf[static 128])
{
	struct https_request *request = make(https, url, whole_ms, handler, ctx, HTTPS_BODY_MAX_LEN);

	*ret_why = "out of memory";
	return request ? begin(request, set_credentials(request, peer, buf), ret_request, ret_why) : -1;
}

int https_ask(struct https *https, const struct https_peer *peer, const struct https_request_text *text,
              void (*done)(void *ctx, const struct https_result *result), void *ctx, struct https_request **ret_request,
              const char **ret_why, char buf[static 128])
{
	const struct https_handler handler = {NULL, done};
	struct https_request *request = make(https, text->url, text->whole_ms, &handler, ctx, HTTPS_REPLY_MAX_LEN);
	const char *why;

	*ret_why = "out of memory";
	if (!request)
		return -1;
	why = set_credentials(request, peer, buf);
	for (const char *const *header = text->headers; header && *header && !why; header++)
		why = add_header(request, *header);
	if (!why && text->body) {
		request->sent = strdup(text->body);
		if (!request->sent || curl_easy_setopt(request->easy, CURLOPT_POSTFIELDS, request->sent) != CURLE_OK)
			why = "out of memory";
	}
	if (!why && text->method && curl_easy_setopt(request->easy, CURLOPT_CUSTOMREQUEST, text->method) != CURLE_OK)
		why = "out of memory";
	return begin(request, why, ret_request, ret_why);
}

// What libcurl says of its own accord is more exact than the text of its code; but it has the milliseconds of attempts
// that fail over and over, and these are to look the same.
static const char *explain(struct https_request *request, CURLcode code)
{
	long os_errno = 0;

	curl_easy_getinfo(request->easy, CURLINFO_OS_ERRNO, &os_errno);
	if (code == CURLE_COULDNT_CONNECT && os_errno)
		return strerror((int)os_errno);
	if (code == CURLE_COULDNT_CONNECT || code == CURLE_OPERATION_TIMEDOUT || !*request->error)
		return curl_easy_strerror(code);
	return request->error;
}

static enum https_fault fault_of(const struct https_request *request, CURLcode code)
{
	switch (code) {
	case CURLE_OK: return HTTPS_NONE;
	case CURLE_OPERATION_TIMEDOUT: return HTTPS_TIMEOUT;
	case CURLE_PEER_FAILED_VERIFICATION: return HTTPS_UNTRUSTED;
	default: return request->too_long ? HTTPS_TOO_LONG : HTTPS_BROKEN;
	}
}

static void finish(struct https_request *request, CURLcode code)
{
	struct https_result result = {
		.fault = fault_of(request, code), .body = request->body ? request->body : "", .body_len = request->body_len,
	};
	long status = 0;
	curl_off_t wait_s = 0;

	curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(request->easy, CURLINFO_RETRY_AFTER, &wait_s);
	if (code == CURLE_OK || (status != 200 && request->handler.data)) // then its beginning is enough
		result.status = (int)status;
	if (wait_s > 0)
		result.retry_after_s = wait_s < 3600 ? (unsigned)wait_s : 3600;
	if (result.status == 0 && !request->ended_by_handler)
		result.why = result.fault == HTTPS_TOO_LONG ? "the reply is too long" : explain(request, code);
	request->handler.done(request->ctx, &result);
	release(request);
}

static void finish_all(struct https *https)
{
	CURLMsg *msg;
	int left;

	while ((msg = curl_multi_info_read(https->multi, &left))) {
		CURLcode code = msg->data.result;
		struct https_request *request = NULL;

		if (msg->msg != CURLMSG_DONE)
			continue;
		curl_easy_getinfo(msg->easy_handle, CURLINFO_PRIVATE, (char **)&request);
		finish(request, code);
	}
}

int https_turn(struct https *https, struct pollfd *fds, size_t count, int timeout_ms)
{
	struct curl_waitfd extra[HTTPS_FDS_MAX];
	unsigned extra_count = 0;
	int running;

	for (size_t i = 0; i < count && i < HTTPS_FDS_MAX; i++)
		if (fds[i].fd >= 0)
			extra[extra_count++] = (struct curl_waitfd){.fd = fds[i].fd, .events = CURL_WAIT_POLLIN};
	secret_wipe_registers();
	// A request that was just begun does not wait here: its timer is due.
	if (curl_multi_poll(https->multi, extra, extra_count, timeout_ms, NULL) != CURLM_OK)
		return -1;
	if (curl_multi_perform(https->multi, &running) != CURLM_OK)
		return -1;
	finish_all(https);
	if (poll(fds, count, 0) <= 0)
		for (size_t i = 0; i < count; i++)
			fds[i].revents = 0;
	return 0;
}

bool https_url_is_good(const char *url)
{
	if (strncmp(url, "https://", 8) != 0 || !url[8] || strchr("/:", url[8]))
		return false;
	for (const char *c = url; *c; c++)
		if (*c <= ' ' || *c > '~' || strchr("?#@\"\\<>{}|^`", *c))
			return false;
	return true;
}

bool https_escape(char *buf, size_t size, const char *text)
{
	size_t len = strlen(buf);

	for (; *text; text++) {
		unsigned char c = (unsigned char)*text;
		bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr("-._~", c);

		if (len + 4 > size)
			return false;
		len += (size_t)snprintf(buf + len, size - len, plain ? "%c" : "%%%02X", c);
	}
	return true;
}
