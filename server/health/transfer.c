// Easy handles are kept for later probes, each with room for the state of its kind; see transfer.h.
#include "health/transfer.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/must.h"
#include "health/curl_code.h"
#include "http/ca_stores.h"
#include "http/curl_loop.h"
#include "http/sessions.h"

enum {
	READ_SIZE = 4096,
	IDLE_MAX = 256,        // transfers kept for later probes: making one costs as much as a probe
	CONNECT_SLACK_MS = 60000,
	HOST_MAX = 300,        // bytes: a name, or an address in brackets, and a port
};

struct engine {
	const struct transfer_kind *kind;
	struct ca_stores stores;
	struct sessions *sessions;
	struct transfer *idle;
	size_t idle_count;
};

struct transfer {
	struct transfer *next; // in engine->idle
	struct engine *engine;
	struct ca_store *store;
	struct ca_use use;
	struct session *session; // NULL: none is resumed
	struct probe *probe;
	CURL *easy;
	struct curl_slist *headers, *connect_to;
	size_t header_len, body_len;
	int fd;                // closed by libcurl; -1: none yet
	int socket_error;      // errno of a failed socket()
	bool decided;          // the verdict is final although the transfer has not finished
	bool again;            // another request is made instead
	struct verdict verdict;
	char error[CURL_ERROR_SIZE];
	_Alignas(max_align_t) char state[];
};

// ---- what the kinds ask and say

void *transfer_state(struct transfer *transfer)
{
	return transfer->state;
}

const struct check *transfer_check(const struct transfer *transfer)
{
	return transfer->probe->check;
}

CURL *transfer_easy(const struct transfer *transfer)
{
	return transfer->easy;
}

long transfer_status(const struct transfer *transfer)
{
	long status = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
	return status;
}

// As written in the check (NAME or [V6], with or without :PORT), else the app's name. The config requires one in the check
// of a wildcard app, whose name is no host name.
const char *transfer_host(const struct transfer *transfer)
{
	const char *host = transfer->probe->check->conf.host;

	return host ? host : transfer->probe->app;
}

static bool is_tls(const struct transfer *transfer)
{
	return transfer->engine->kind->is_tls(&transfer->probe->check->conf);
}

void transfer_decide(struct transfer *transfer, enum health_layer layer, const char *fmt, ...)
{
	char text[HEALTH_TEXT_LEN];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	probe_verdict(&transfer->verdict, layer, "%s", text);
	transfer->decided = true;
}

void transfer_again(struct transfer *transfer)
{
	transfer->again = transfer->decided = true;
}

const char *transfer_header_value(const char *line, size_t len, const char *name, size_t *ret_len)
{
	size_t name_len = strlen(name);

	if (len < name_len || strncasecmp(line, name, name_len) != 0)
		return NULL;
	line += name_len;
	len -= name_len;
	while (len > 0 && (*line == ' ' || *line == '\t'))
		line++, len--;
	while (len > 0 && strchr(" \t\r\n", line[len - 1]))
		len--;
	*ret_len = len;
	return line;
}

static int add(struct curl_slist **list, const char *line)
{
	struct curl_slist *longer = curl_slist_append(*list, line);

	if (!longer)
		return E_NOMEM;
	*list = longer;
	return E_OK;
}

int transfer_add_header(struct transfer *transfer, const char *line)
{
	return add(&transfer->headers, line);
}

int transfer_add_configured(struct transfer *transfer)
{
	const struct config_check *check = &transfer->probe->check->conf;
	int err = E_OK;

	for (size_t i = 0; i < check->header_count && err == E_OK; i++) {
		char *line;

		if (asprintf(&line, "%s: %s", check->headers[i].name, check->headers[i].value) < 0)
			return E_NOMEM;
		err = add(&transfer->headers, line);
		free(line);
	}
	return err;
}

// The name that is sent as SNI and verified in the certificate; an address in brackets where it is an IPv6 one.
static const char *name_of(const struct transfer *transfer, size_t *ret_len)
{
	const char *sni = transfer->probe->check->conf.sni, *name = sni ? sni : transfer_host(transfer);

	*ret_len = name[0] == '[' ? strcspn(name, "]") + 1 : strcspn(name, ":");
	return name;
}

// The URL has the name; the address to connect to is set separately.
int transfer_set_path(struct transfer *transfer, const char *path)
{
	size_t len;
	const char *name = name_of(transfer, &len);
	char *url;

	if (asprintf(&url, "%s://%.*s:%u%s", is_tls(transfer) ? "https" : "http", (int)len, name,
	             transfer->probe->check->conf.port, path) < 0)
		return E_NOMEM;

	CURLcode code = curl_easy_setopt(transfer->easy, CURLOPT_URL, url);

	free(url);
	return code == CURLE_OK ? E_OK : E_NOMEM;
}

// ---- what libcurl says

static size_t on_header(char *bytes, size_t size, size_t len, void *ctx)
{
	struct transfer *transfer = ctx;

	len *= size;
	transfer->header_len += len;
	if (transfer->header_len > TRANSFER_HEADER_MAX)
		transfer_decide(transfer, HEALTH_HTTP, "HTTP header of more than %d KiB", TRANSFER_HEADER_MAX >> 10);
	else
		transfer->engine->kind->header(transfer, bytes, len);
	return transfer->decided ? 0 : len;
}

// Reads on while the rest of the body can still change the verdict; otherwise aborts the transfer.
static size_t on_body(char *bytes, size_t size, size_t len, void *ctx)
{
	struct transfer *transfer = ctx;
	size_t room = TRANSFER_BODY_MAX - transfer->body_len, taken;

	must(transfer->body_len <= TRANSFER_BODY_MAX);
	len *= size;
	taken = len < room ? len : room;
	transfer->body_len += taken;
	transfer->engine->kind->body(transfer, bytes, taken, transfer->body_len == TRANSFER_BODY_MAX);
	must(transfer->decided || transfer->body_len < TRANSFER_BODY_MAX);
	return transfer->decided ? 0 : len;
}

// libcurl's own sockets lack SOCK_CLOEXEC: programs started by plugins would inherit them.
static curl_socket_t on_socket(void *ctx, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct transfer *transfer = ctx;
	int fd = socket(address->family, address->socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->protocol);

	(void)purpose;
	if (fd < 0)
		transfer->socket_error = errno;
	transfer->fd = fd;
	return fd < 0 ? CURL_SOCKET_BAD : fd;
}

// The first octet of a response has been read, even if it is not a line yet.
static bool has_received(const struct transfer *transfer)
{
	curl_off_t answered_us = 0;

	curl_easy_getinfo(transfer->easy, CURLINFO_STARTTRANSFER_TIME_T, &answered_us);
	return answered_us > 0 || transfer->header_len > 0;
}

static void verdict_failure(struct transfer *transfer, CURLcode code)
{
	const char *text = transfer->error[0] ? transfer->error : curl_easy_strerror(code);
	bool received = has_received(transfer);
	long error = transfer->socket_error;

	if (!error)
		curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &error);

	enum health_layer layer = curl_code_layer(code, received, (int)error);

	if (transfer->header_len == 0 && transfer->use.alert && code != CURLE_SSL_CONNECT_ERROR) {
		probe_verdict(&transfer->verdict, HEALTH_TLS, "TLS: the target has sent the alert %s", transfer->use.alert);
	} else if (code == CURLE_COULDNT_CONNECT) {
		probe_verdict_connect(&transfer->verdict, transfer->probe, (int)error);
	} else if (layer == HEALTH_TLS) {
		text += strncmp(text, "SSL", 3) ? 0 : 3;
		text += strspn(text, ": ");
		probe_verdict(&transfer->verdict, layer, "TLS: %s", text);
	} else if (code == CURLE_OUT_OF_MEMORY && received) {
		probe_verdict(&transfer->verdict, layer, "HTTP header with a line of more than 100 KB, or out of memory reading it");
	} else {
		probe_verdict(&transfer->verdict, layer, layer == HEALTH_HTTP ? "HTTP: %s" : "%s", text);
	}
}

// ---- handles

static struct transfer *transfer_free(struct transfer *transfer)
{
	if (transfer->easy)
		curl_easy_cleanup(transfer->easy);
	free(transfer);
	return NULL;
}

// Options that are the same for every probe. Connections and resolved names are never reused, and TLS sessions only where
// the check says so: a probe must see what a new client sees.
static void set_common(struct transfer *transfer)
{
	CURL *easy = transfer->easy;

	curl_easy_setopt(easy, CURLOPT_PRIVATE, transfer);
	curl_easy_setopt(easy, CURLOPT_ERRORBUFFER, transfer->error);
	curl_easy_setopt(easy, CURLOPT_HEADERFUNCTION, on_header);
	curl_easy_setopt(easy, CURLOPT_HEADERDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(easy, CURLOPT_WRITEDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, on_socket);
	curl_easy_setopt(easy, CURLOPT_OPENSOCKETDATA, transfer);
	curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(easy, CURLOPT_PROXY, "");
	curl_easy_setopt(easy, CURLOPT_PATH_AS_IS, 1L);
	curl_easy_setopt(easy, CURLOPT_USERAGENT, "edgesteer/" PACKAGE_VERSION);
	curl_easy_setopt(easy, CURLOPT_BUFFERSIZE, (long)READ_SIZE);
	curl_easy_setopt(easy, CURLOPT_FRESH_CONNECT, 1L);
	curl_easy_setopt(easy, CURLOPT_FORBID_REUSE, 1L);
	curl_easy_setopt(easy, CURLOPT_DNS_CACHE_TIMEOUT, 0L);
	curl_easy_setopt(easy, CURLOPT_CAPATH, NULL); // with one, libcurl would parse the CA certificates for every probe
}

static struct transfer *transfer_new(struct engine *engine)
{
	struct transfer *transfer = calloc(1, sizeof(*transfer) + engine->kind->state_size);

	if (!transfer)
		return NULL;
	transfer->engine = engine;
	transfer->easy = curl_easy_init();
	if (!transfer->easy || sessions_attach(engine->sessions, transfer->easy) < 0)
		return transfer_free(transfer);
	set_common(transfer);
	return transfer;
}

static struct transfer *transfer_take(struct engine *engine)
{
	struct transfer *transfer = engine->idle;

	if (!transfer)
		return transfer_new(engine);
	must(engine->idle_count > 0);
	engine->idle = transfer->next;
	engine->idle_count--;
	return transfer;
}

// Frees what belonged to the finished probe, and keeps the handle for another one.
static void transfer_release(struct transfer *transfer)
{
	struct engine *engine = transfer->engine;

	if (engine->kind->end)
		engine->kind->end(transfer);
	curl_slist_free_all(transfer->headers);
	curl_slist_free_all(transfer->connect_to);
	if (transfer->session)
		sessions_release(engine->sessions, transfer->session, transfer->easy);
	if (transfer->store)
		ca_stores_release(&engine->stores, transfer->store);
	if (engine->idle_count >= IDLE_MAX) {
		transfer_free(transfer);
		return;
	}
	transfer->next = engine->idle;
	engine->idle = transfer;
	engine->idle_count++;
}

// ---- requests

// The authorities that the probe trusts: those of its check, those of the system, or all when nothing is verified.
static struct ca_source ca_source_of(const struct transfer *transfer)
{
	const struct check *check = transfer->probe->check;
	struct ca_source source = {.file = ""};
	const char *file = NULL;

	if (!is_tls(transfer))
		return source;
	source.client_cert = check->conf.client_cert_pem;
	source.client_key = check->conf.client_key_pem;
	source.hash = check->tls_hash;
	if (!check->conf.verify)
		return source;
	source.pem = check->conf.ca_pem;
	if (!source.pem)
		curl_easy_getinfo(transfer->easy, CURLINFO_CAINFO, &file); // the system's
	source.file = file ? file : "";
	return source;
}

static int use_session(struct transfer *transfer)
{
	const struct config_check *check = &transfer->probe->check->conf;
	char name[HOST_MAX];
	size_t len;
	const char *from = name_of(transfer, &len);

	snprintf(name, sizeof(name), "%.*s", (int)len, from);

	const struct session_peer peer = {&transfer->probe->addr, check->port, name,
	                                  hash_mix(transfer->probe->check->tls_hash ^ check->verify)};

	transfer->session = sessions_hold(transfer->engine->sessions, &peer, clock_mono_ms() / 1000);
	return transfer->session ? sessions_use(transfer->session, transfer->easy) : E_OK;
}

// The Host header never gets the probed port: it must be what clients send, and they use another port.
static int set_names(struct transfer *transfer)
{
	const struct addr *addr = &transfer->probe->addr;
	char header[HOST_MAX + 8], literal[ADDR_TEXT_LEN], where[ADDR_TEXT_LEN + 16];

	snprintf(header, sizeof(header), "Host: %s", transfer_host(transfer));
	addr_format(addr, literal);
	snprintf(where, sizeof(where), addr->family == ADDR_V6 ? "::[%s]:%u" : "::%s:%u", literal,
	         transfer->probe->check->conf.port);
	return add(&transfer->connect_to, where) < 0 || add(&transfer->headers, header) < 0 ? E_NOMEM : E_OK;
}

// What belongs to one request of a probe, of which there may be several.
static int send_request(struct transfer *transfer)
{
	CURL *easy = transfer->easy;

	curl_slist_free_all(transfer->headers);
	curl_slist_free_all(transfer->connect_to);
	transfer->headers = transfer->connect_to = NULL;
	transfer->header_len = transfer->body_len = 0;
	transfer->fd = -1;
	transfer->socket_error = 0;
	transfer->decided = transfer->again = false;
	transfer->error[0] = '\0';

	int err = set_names(transfer);

	if (err == E_OK)
		err = transfer->engine->kind->begin(transfer);
	if (err < 0)
		return err;
	curl_easy_setopt(easy, CURLOPT_HTTPHEADER, transfer->headers);
	curl_easy_setopt(easy, CURLOPT_CONNECT_TO, transfer->connect_to);
	return curl_loop_add(transfer->store->loop, easy);
}

static int start_first(struct transfer *transfer)
{
	const struct config_check *check = &transfer->probe->check->conf;
	const struct ca_source source = ca_source_of(transfer);
	CURL *easy = transfer->easy;

	transfer->store = ca_stores_hold(&transfer->engine->stores, &source);
	if (!transfer->store)
		return E_NOMEM;
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYPEER, check->verify ? 1L : 0L);
	curl_easy_setopt(easy, CURLOPT_SSL_VERIFYHOST, check->verify ? 2L : 0L);
	// The scheduler enforces the deadline; libcurl's must only never fire before it.
	curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)check->timeout_ms + CONNECT_SLACK_MS);
	if (ca_store_use(transfer->store, easy, &transfer->use) < 0 || (check->resume && is_tls(transfer) && use_session(transfer) < 0))
		return E_NOMEM;
	return send_request(transfer);
}

int transfer_start(void *engine, struct probe *probe)
{
	struct transfer *transfer = transfer_take(engine);

	if (!transfer)
		return E_NOMEM;
	transfer->probe = probe;
	transfer->store = NULL;
	transfer->session = NULL;
	transfer->headers = transfer->connect_to = NULL;
	memset(transfer->state, 0, transfer->engine->kind->state_size);

	int err = start_first(transfer), error = errno;

	if (err < 0) {
		transfer_release(transfer);
		errno = err == E_NOMEM ? ENOMEM : error;
		return err;
	}
	probe->run = transfer;
	return E_OK;
}

static void on_done(CURL *easy, CURLcode code)
{
	struct transfer *transfer;

	curl_easy_getinfo(easy, CURLINFO_PRIVATE, (char **)&transfer);

	struct probe *probe = transfer->probe;

	must(probe && probe->run == transfer);
	if (!transfer->decided && code == CURLE_OK)
		transfer->engine->kind->complete(transfer);
	else if (!transfer->decided)
		verdict_failure(transfer, code);
	if (transfer->again) {
		if (send_request(transfer) == E_OK)
			return;
		probe_verdict(&transfer->verdict, HEALTH_LOCAL, "out of memory");
	}

	struct verdict verdict = transfer->verdict;

	probe->run = NULL;
	transfer_release(transfer);
	probe->done(probe, &verdict);
}

void transfer_cancel(struct probe *probe)
{
	struct transfer *transfer = probe->run;

	must(transfer && transfer->probe == probe);
	curl_loop_remove(transfer->store->loop, transfer->easy);
	transfer_release(transfer);
	probe->run = NULL;
}

const char *transfer_stage(const struct probe *probe)
{
	const struct transfer *transfer = probe->run;
	curl_off_t secured_us = 0, answered_us = 0;
	struct sockaddr_storage peer;
	socklen_t len = sizeof(peer);

	// CURLINFO_CONNECT_TIME_T is set only after the TLS handshake.
	if (getpeername(transfer->fd, (struct sockaddr *)&peer, &len) < 0)
		return "connecting";
	curl_easy_getinfo(transfer->easy, CURLINFO_APPCONNECT_TIME_T, &secured_us);
	curl_easy_getinfo(transfer->easy, CURLINFO_STARTTRANSFER_TIME_T, &answered_us);
	if (is_tls(transfer) && !secured_us)
		return "in the TLS handshake";
	return answered_us ? "reading the response" : "waiting for the response";
}

// ---- engines

void transfer_refresh(void *ctx)
{
	struct engine *engine = ctx;

	ca_stores_refresh(&engine->stores);
	sessions_refresh(engine->sessions);
}

void transfer_close(void *ctx)
{
	struct engine *engine = ctx;

	for (struct transfer *transfer = engine->idle, *next; transfer; transfer = next) {
		next = transfer->next;
		transfer_free(transfer);
	}
	ca_stores_refresh(&engine->stores);
	sessions_free(engine->sessions);
	free(engine);
	curl_global_cleanup();
}

void *transfer_open(struct event_base *base, const struct transfer_kind *kind)
{
	struct engine *engine = calloc(1, sizeof(*engine));

	if (!engine || !(engine->sessions = sessions_new()) || curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
		if (engine)
			sessions_free(engine->sessions);
		free(engine);
		return NULL;
	}
	engine->kind = kind;
	engine->stores = (struct ca_stores){
		.base = base, .priority = event_base_get_npriorities(base) - 1, .done = on_done};
	return engine;
}
