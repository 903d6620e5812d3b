// The HTTP and HTTPS probe: one GET over a new connection, as a new client would make it. Headers and body are read up
// to a limit and not kept; redirects are not followed. See probe.h.
#include "health/probe.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/must.h"
#include "health/curl_code.h"
#include "http/ca_stores.h"
#include "http/curl_loop.h"

enum {
	HEADER_MAX = 64 << 10, // bytes, like the next two
	BODY_MAX = 64 << 10,
	READ_SIZE = 4096,
	IDLE_MAX = 256,        // runs kept for later probes: making one costs as much as a probe
	CONNECT_SLACK_MS = 60000,
	HOST_MAX = 300,        // bytes: a name, or an address in brackets, and a port
};

struct engine {
	struct ca_stores stores;
	struct run *idle;
	size_t idle_count;
};

struct run {
	struct run *next;      // in engine->idle
	struct engine *engine;
	struct ca_store *store;
	struct probe *probe;
	CURL *easy;
	struct curl_slist *headers, *connect_to;
	size_t header_len, body_len, matched;
	int fd;                // closed by libcurl; -1: none yet
	int socket_error;      // errno of a failed socket()
	bool decided;          // the verdict is final although the transfer has not finished
	struct verdict verdict;
	char error[CURL_ERROR_SIZE];
};

static bool status_expected(const struct config_check *check, long status)
{
	for (size_t i = 0; i < check->expect_status_count; i++)
		if (status >= check->expect_status[2 * i] && status <= check->expect_status[2 * i + 1])
			return true;
	return false;
}

static long status_of(const struct run *run)
{
	long status = 0;

	curl_easy_getinfo(run->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

static void verdict_status(struct run *run)
{
	const struct config_check *check = &run->probe->check->conf;
	char ranges[HEALTH_TEXT_LEN] = "";
	size_t at = 0;

	for (size_t i = 0; i < check->expect_status_count && at < sizeof(ranges); i++) {
		unsigned low = check->expect_status[2 * i], high = check->expect_status[2 * i + 1];
		const char *comma = i ? "," : "";

		if (low == high)
			at += (size_t)snprintf(ranges + at, sizeof(ranges) - at, "%s%u", comma, low);
		else
			at += (size_t)snprintf(ranges + at, sizeof(ranges) - at, "%s%u-%u", comma, low, high);
	}
	probe_verdict(&run->verdict, HEALTH_STATUS, "HTTP status %ld, expected %s", status_of(run), ranges);
}

// The verdict on a response, complete or read up to BODY_MAX.
static void verdict_response(struct run *run)
{
	const struct check *check = run->probe->check;
	const char *read = run->body_len >= BODY_MAX ? "in the body's first 64 KiB" : "in the body";

	if (!status_expected(&check->conf, status_of(run)))
		verdict_status(run);
	else if (run->matched < check->body.len)
		probe_verdict(&run->verdict, HEALTH_BODY, "\"%.64s\" is not %s", check->body.text, read);
	else
		probe_verdict(&run->verdict, HEALTH_OK, "HTTP status %ld", status_of(run));
}

// RFC 9112 section 4. libcurl accepts "HTTP/nonsense" as status 200.
static bool is_status_line(const char *line, size_t len)
{
	return len >= 12 && memcmp(line, "HTTP/1.", 7) == 0 && isdigit((unsigned char)line[7]) && line[8] == ' ' &&
	       isdigit((unsigned char)line[9]) && isdigit((unsigned char)line[10]) && isdigit((unsigned char)line[11]);
}

static size_t on_header(char *bytes, size_t size, size_t len, void *ctx)
{
	struct run *run = ctx;

	len *= size;
	run->header_len += len;
	if (len >= 5 && memcmp(bytes, "HTTP/", 5) == 0 && !is_status_line(bytes, len))
		probe_verdict(&run->verdict, HEALTH_HTTP, "HTTP: malformed status line");
	else if (run->header_len > HEADER_MAX)
		probe_verdict(&run->verdict, HEALTH_HTTP, "HTTP header of more than %d KiB", HEADER_MAX >> 10);
	else
		return len;
	run->decided = true;
	return 0;
}

// Reads on while the rest of the body can still change the verdict; otherwise aborts the transfer.
static size_t on_body(char *bytes, size_t size, size_t len, void *ctx)
{
	struct run *run = ctx;
	const struct check *check = run->probe->check;
	size_t room = BODY_MAX - run->body_len;

	must(run->body_len <= BODY_MAX);
	len *= size;
	run->body_len += len < room ? len : room;
	run->decided = (check->body.len && needle_feed(&check->body, &run->matched, bytes, len < room ? len : room)) ||
	               run->body_len == BODY_MAX || !status_expected(&check->conf, status_of(run));
	if (!run->decided)
		return len;
	verdict_response(run);
	return 0;
}

// libcurl's own sockets lack SOCK_CLOEXEC: programs started by plugins would inherit them.
static curl_socket_t on_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct run *run = ctx;
	int fd = socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->protocol);

	(void)purpose;
	if (fd < 0)
		run->socket_error = errno;
	run->fd = fd;
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

// The first octet of a response has been read, even if it is not a line yet.
static bool has_received(const struct run *run)
{
	curl_off_t answered_us = 0;

	curl_easy_getinfo(run->easy, CURLINFO_STARTTRANSFER_TIME_T, &answered_us);
	return answered_us > 0 || run->header_len > 0;
}

static void verdict_failure(struct run *run, CURLcode code)
{
	const char *text = run->error[0] ? run->error : curl_easy_strerror(code);
	bool received = has_received(run);
	long error = run->socket_error;

	if (!error)
		curl_easy_getinfo(run->easy, CURLINFO_OS_ERRNO, &error);

	enum health_layer layer = curl_code_layer(code, received, (int)error);

	if (code == CURLE_COULDNT_CONNECT) {
		probe_verdict_connect(&run->verdict, run->probe, (int)error);
	} else if (layer == HEALTH_TLS) {
		text += strncmp(text, "SSL", 3) ? 0 : 3;
		text += strspn(text, ": ");
		probe_verdict(&run->verdict, layer, "TLS: %s", text);
	} else if (code == CURLE_OUT_OF_MEMORY && received) {
		probe_verdict(&run->verdict, layer, "HTTP header with a line of more than 100 KB, or out of memory reading it");
	} else {
		probe_verdict(&run->verdict, layer, layer == HEALTH_HTTP ? "HTTP: %s" : "%s", text);
	}
}

static struct run *run_free(struct run *run)
{
	if (run->easy)
		curl_easy_cleanup(run->easy);
	free(run);
	return NULL;
}

// Options that are the same for every probe. Connections, resolved names and TLS sessions are never reused: a probe
// must see what a new client sees.
static void set_common(struct run *run)
{
	CURL *easy = run->easy;

	curl_easy_setopt(easy, CURLOPT_PRIVATE, run);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, run->error);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, run);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, run);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, run);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "edgesteer/" PACKAGE_VERSION);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)READ_SIZE);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL); // with one, libcurl would parse the CA certificates for every probe
}

static struct run *run_new(struct engine *engine)
{
	struct run *run = calloc(1, sizeof(*run));

	if (!run)
		return NULL;
	run->engine = engine;
	run->easy = curl_easy_init();
	if (!run->easy)
		return run_free(run);
	set_common(run);
	return run;
}

static struct run *run_take(struct engine *engine)
{
	struct run *run = engine->idle;

	if (!run)
		return run_new(engine);
	must(engine->idle_count > 0);
	engine->idle = run->next;
	engine->idle_count--;
	return run;
}

// Frees what belonged to the finished probe, and keeps the handle for another one.
static void run_release(struct run *run)
{
	struct engine *engine = run->engine;

	curl_slist_free_all(run->headers);
	curl_slist_free_all(run->connect_to);
	if (run->store)
		ca_stores_release(&engine->stores, run->store);
	if (engine->idle_count >= IDLE_MAX) {
		run_free(run);
		return;
	}
	run->next = engine->idle;
	engine->idle = run;
	engine->idle_count++;
}

static void on_done(CURL *easy, CURLcode code)
{
	struct run *run;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&run);

	struct probe *probe = run->probe;

	must(probe && probe->run == run);
	if (!run->decided && code == CURLE_OK)
		verdict_response(run);
	else if (!run->decided)
		verdict_failure(run, code);

	struct verdict verdict = run->verdict;

	probe->run = NULL;
	run_release(run);
	probe->done(probe, &verdict);
}

// The authorities that the probe trusts: those of its check, those of the system, or all when nothing is verified.
static struct ca_source ca_source_of(const struct run *run)
{
	const struct check *check = run->probe->check;
	const char *file = NULL;

	if (check->conf.type != CHECK_HTTPS || !check->conf.verify)
		return (struct ca_source){"", NULL, 0};
	if (check->conf.ca_pem)
		return (struct ca_source){"", check->conf.ca_pem, check->ca_hash};
	curl_easy_getinfo(run->easy, CURLINFO_CAINFO, &file); // the system's
	return (struct ca_source){file ? file : "", NULL, 0};
}

static int add(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (!longer)
		return E_NOMEM;
	*list = longer;
	return E_OK;
}

// The URL has the name that is sent as SNI and verified in the certificate; the address to connect to is set
// separately. The Host header never gets the probed port: it must be what clients send, and they use another port.
static int set_names(struct run *run)
{
	const struct config_check *check = &run->probe->check->conf;
	const struct addr *addr = &run->probe->addr;
	const char *scheme = check->type == CHECK_HTTPS ? "https" : "http";
	// The Host header: as written in the check (NAME or [V6], with or without :PORT), else the app's name. The config
	// requires one in the check of a wildcard app, whose name is no host name.
	const char *host = check->host ? check->host : run->probe->app;
	char header[HOST_MAX + 8], literal[ADDR_TEXT_LEN], where[ADDR_TEXT_LEN + 16], *url;

	snprintf(header, sizeof(header), "Host: %s", host);
	addr_format(addr, literal);
	snprintf(where, sizeof(where), addr->family == ADDR_V6 ? "::[%s]:%u" : "::%s:%u", literal, check->port);

	const char *name = check->sni ? check->sni : host;
	size_t name_len = name[0] == '[' ? strcspn(name, "]") + 1 : strcspn(name, ":");

	if (asprintf(&url, "%s://%.*s:%u%s", scheme, (int)name_len, name, check->port, check->path) < 0)
		return E_NOMEM;

	CURLcode code = curl_easy_setopt(run->easy, CURLOPT_URL, url);

	free(url);
	if (code != CURLE_OK || add(&run->connect_to, where) < 0 || add(&run->headers, "Connection: close") < 0 ||
	    add(&run->headers, header) < 0)
		return E_NOMEM;
	return E_OK;
}

static int start_transfer(struct run *run)
{
	const struct config_check *check = &run->probe->check->conf;
	const struct ca_source source = ca_source_of(run);
	CURL *easy = run->easy;

	run->store = ca_stores_hold(&run->engine->stores, &source);
	if (!run->store || set_names(run) < 0)
		return E_NOMEM;
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, run->headers);
	curl_easy_setopt(easy, CURLOPT_CONNECT_TO, run->connect_to);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, check->verify ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, check->verify ? 2L : 0L);
	// The scheduler enforces the deadline; libcurl's must only never fire before it.
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)check->timeout_ms + CONNECT_SLACK_MS);
	if (ca_store_use(run->store, easy) < 0)
		return E_NOMEM;
	return curl_loop_add(run->store->loop, easy);
}

static int http_start(void *engine, struct probe *probe)
{
	struct run *run = run_take(engine);

	if (!run)
		return E_NOMEM;
	run->probe = probe;
	run->store = NULL;
	run->headers = run->connect_to = NULL;
	run->header_len = run->body_len = run->matched = 0;
	run->fd = -1;
	run->socket_error = 0;
	run->decided = false;
	run->error[0] = '\0';
	if (start_transfer(run) < 0) {
		run_release(run);
		return E_NOMEM;
	}
	probe->run = run;
	return E_OK;
}

static void http_cancel(struct probe *probe)
{
	struct run *run = probe->run;

	must(run && run->probe == probe);
	curl_loop_remove(run->store->loop, run->easy);
	run_release(run);
	probe->run = NULL;
}

static const char *http_stage(const struct probe *probe)
{
	const struct run *run = probe->run;
	curl_off_t secured_us = 0, answered_us = 0;
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);

	// CURLINFO_CONNECT_TIME_T is set only after the TLS handshake.
	if (getpeername(run->fd, (struct sockaddr *)&peer, &len) < 0)
		return "connecting";
	curl_easy_getinfo(run->easy, CURLINFO_APPCONNECT_TIME_T, &secured_us);
	curl_easy_getinfo(run->easy, CURLINFO_STARTTRANSFER_TIME_T, &answered_us);
	if (probe->check->conf.type == CHECK_HTTPS && !secured_us)
		return "in the TLS handshake";
	return answered_us ? "reading the response" : "waiting for the response";
}

static void http_refresh(void *ctx)
{
	struct engine *engine = ctx;

	ca_stores_refresh(&engine->stores);
}

static void http_close(void *ctx)
{
	struct engine *engine = ctx;

	for (struct run *run = engine->idle, *next; run; run = next) {
		next = run->next;
		run_free(run);
	}
	ca_stores_refresh(&engine->stores);
	free(engine);
	curl_global_cleanup();
}

static void *http_open(struct event_base *base)
{
	struct engine *engine = calloc(1, sizeof(*engine));

	if (!engine || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		free(engine);
		return NULL;
	}
	engine->stores = (struct ca_stores){
		.base = base, .priority = event_base_get_npriorities(base) - 1, .done = on_done};
	return engine;
}

// The two types differ only in the URL's scheme, which depends on the check.
#define HTTP_PROBE \
	{ \
		.open = http_open, .close = http_close, .refresh = http_refresh, .start = http_start, .cancel = http_cancel, \
		.stage = http_stage, \
	}

const struct probe_type http_probe = HTTP_PROBE, https_probe = HTTP_PROBE;
