// HTTPS requests whose replies are taken as they come; see https.h.
#include "https.h"

#include <curl/curl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "secret.h"

enum { CONNECT_MS = 10000 };

// A peer that is gone without a word is noticed after KEEP_IDLE_S + KEEP_COUNT * KEEP_INTERVAL_S.
enum { KEEP_IDLE_S = 15, KEEP_INTERVAL_S = 5, KEEP_COUNT = 4, UNACKNOWLEDGED_MS = 30000 };

struct https {
	CURLM *multi;
};

struct https_request {
	struct https *https;
	CURL *easy;
	struct curl_slist *headers;
	const struct https_handler *handler;
	void *ctx;
	bool begun, ended_by_handler;
	size_t body_len;
	char body[HTTPS_BODY_MAX_LEN + 1];
	char error[CURL_ERROR_SIZE];
};

struct https *https_new(void)
{
	struct https *https = calloc(1, sizeof(*https));

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

static size_t on_data(char *bytes, size_t one, size_t len, void *ctx)
{
	struct https_request *request = ctx;
	long status = 0;

	(void)one;
	curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
	if (status == 200) {
		request->ended_by_handler = request->handler->data(request->ctx, bytes, len) != 0;
		return request->ended_by_handler ? 0 : len;
	}

	size_t room = HTTPS_BODY_MAX_LEN - request->body_len;

	memcpy(request->body + request->body_len, bytes, len < room ? len : room);
	request->body_len += len < room ? len : room;
	return len <= room ? len : 0; // what an error has to say is short
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
	return len;
}

static void release(struct https_request *request)
{
	curl_multi_remove_handle(request->https->multi, request->easy);
	curl_easy_cleanup(request->easy);
	curl_slist_free_all(request->headers);
	free(request);
}

void https_cancel(struct https_request *request)
{
	if (request)
		release(request);
}

static const char *set_token(struct https_request *request, const struct https_peer *peer, char buf[static 128])
{
	char header[SECRET_MAX_LEN + 64] = "Authorization: Bearer ";
	char *token = header + strlen(header);
	const char *why = secret_read_token(peer->token_file, peer->token_shared, token, buf);

	if (!why && !(request->headers = curl_slist_append(NULL, header)))
		why = "out of memory";
	explicit_bzero(header, sizeof(header));
	if (!why && curl_easy_setopt(request->easy, CURLOPT_HTTPHEADER, request->headers) != CURLE_OK)
		why = "out of memory";
	return why;
}

static const char *set_credentials(struct https_request *request, const struct https_peer *peer, char buf[static 128])
{
	CURL *easy = request->easy;
	const char *why = NULL;

	if (peer->ca_file)
		curl_easy_setopt(easy, CURLOPT_CAINFO, peer->ca_file);
#if LIBCURL_VERSION_NUM >= 0x075700
	curl_easy_setopt(easy, CURLOPT_CA_CACHE_TIMEOUT, 0L); // the file may be a new one
#endif
	if (peer->cert_file) {
		why = secret_fault(peer->key_file, buf);
		curl_easy_setopt(easy, CURLOPT_SSLCERT, peer->cert_file);
		curl_easy_setopt(easy, CURLOPT_SSLKEY, peer->key_file);
	}
	if (!why && peer->token_file)
		why = set_token(request, peer, buf);
	return why;
}

static void set_up(struct https_request *request, const char *url, long whole_ms)
{
	CURL *easy = request->easy;

	curl_easy_setopt(easy, CURLOPT_URL, url);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1); // a connection each: none holds up another
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
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

int https_start(struct https *https, const struct https_peer *peer, const char *url, long whole_ms,
                const struct https_handler *handler, void *ctx, struct https_request **ret_request,
                const char **ret_why, char buf[static 128])
{
	struct https_request *request = calloc(1, sizeof(*request));

	*ret_why = "out of memory";
	if (!request)
		return -1;
	request->https = https;
	request->handler = handler;
	request->ctx = ctx;
	if (!(request->easy = curl_easy_init())) {
		free(request);
		return -1;
	}
	set_up(request, url, whole_ms);
	*ret_why = set_credentials(request, peer, buf);
	if (!*ret_why && curl_multi_add_handle(https->multi, request->easy) != CURLM_OK)
		*ret_why = "out of memory";
	if (*ret_why) {
		release(request);
		return -1;
	}
	*ret_request = request;
	return 0;
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

static void finish(struct https_request *request, CURLcode code)
{
	struct https_result result = {.body = request->body};
	long status = 0;
	curl_off_t wait_s = 0;

	curl_easy_getinfo(request->easy, CURLINFO_RESPONSE_CODE, &status);
	curl_easy_getinfo(request->easy, CURLINFO_RETRY_AFTER, &wait_s);
	if (status != 200 || code == CURLE_OK)
		result.status = (int)status;
	if (wait_s > 0)
		result.retry_after_s = wait_s < 3600 ? (unsigned)wait_s : 3600;
	if (code != CURLE_OK && result.status == 0 && !request->ended_by_handler)
		result.why = explain(request, code);
	request->handler->done(request->ctx, &result);
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

int https_turn(struct https *https, int fd, int timeout_ms)
{
	struct curl_waitfd extra = {.fd = fd, .events = CURL_WAIT_POLLIN};
	struct pollfd stop = {.fd = fd, .events = POLLIN};
	int running;

	// A request that was just begun does not wait here: its timer is due.
	if (curl_multi_poll(https->multi, &extra, 1, timeout_ms, NULL) != CURLM_OK)
		return -1;
	if (curl_multi_perform(https->multi, &running) != CURLM_OK)
		return -1;
	finish_all(https);
	return poll(&stop, 1, 0) > 0;
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
