// What the probes that libcurl makes have in common: a request over a new connection to the probed address, as a new client
// would make it, in the event loop. The HTTP and gRPC probes say what is asked and judge what comes. Main thread.
#pragma once

#include <curl/curl.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "health/probe.h"

struct event_base;
struct transfer;

enum {
	TRANSFER_BODY_MAX = 64 << 10,   // octets of a body that are read
	TRANSFER_HEADER_MAX = 64 << 10, // of a response's header and trailer
	TRANSFER_PATH_MAX = 2048,
};

// What a type of probe adds. `state`, of transfer_state(), holds zeros when begin() is called.
struct transfer_kind {
	size_t state_size;
	bool (*is_tls)(const struct config_check *check);
	// Sets path, method, headers and content of the request. E_NOMEM, E_IO (with errno).
	int (*begin)(struct transfer *transfer);
	// One line of a header or trailer with its end; may decide.
	void (*header)(struct transfer *transfer, const char *line, size_t len);
	// Octets of the body, of which no more than TRANSFER_BODY_MAX are given; may decide. `is_last`: no more will be given.
	void (*body)(struct transfer *transfer, const char *octets, size_t len, bool is_last);
	// The response is complete and nothing was decided: decides, or transfer_again().
	void (*complete)(struct transfer *transfer);
	// Frees what the state holds. NULL: nothing.
	void (*end)(struct transfer *transfer);
};

// See struct probe_type, whose functions these are, but for `kind`, which outlives the engine.
void *transfer_open(struct event_base *base, const struct transfer_kind *kind);
void transfer_close(void *engine);
void transfer_refresh(void *engine);
int transfer_start(void *engine, struct probe *probe);
void transfer_cancel(struct probe *probe);
const char *transfer_stage(const struct probe *probe);

void *transfer_state(struct transfer *transfer);
const struct check *transfer_check(const struct transfer *transfer) PURE;
CURL *transfer_easy(const struct transfer *transfer) PURE;
// The status of the response, 0 before its first line.
long transfer_status(const struct transfer *transfer);
// The Host header.
const char *transfer_host(const struct transfer *transfer) PURE;

// For begin(): one more line of the request's header; those of the config; the path of the URL. E_NOMEM.
int transfer_add_header(struct transfer *transfer, const char *line) MUST_USE;
int transfer_add_configured(struct transfer *transfer) MUST_USE;
int transfer_set_path(struct transfer *transfer, const char *path) MUST_USE;
// For header(): the value of the header `name` ("Location:", in any case), without the blanks around it, and its length. NULL: the
// line is another one.
const char *transfer_header_value(const char *line, size_t len, const char *name, size_t *ret_len);
// The verdict is final: the rest of the response is not read.
void transfer_decide(struct transfer *transfer, enum health_layer layer, const char *fmt, ...) PRINTF(3, 4);
// Instead of a verdict: this response is not read on, and begin() is called for another request, with the state as it is.
void transfer_again(struct transfer *transfer);
