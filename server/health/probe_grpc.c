// The gRPC probe: grpc.health.v1.Health/Check over HTTP/2, by prior knowledge or over TLS. What comes is judged by this table;
// the first row that applies:
//
//   the content is not gRPC's            http status 200: HTTP, else STATUS     a proxy, or no gRPC server
//   no grpc-status, or no number         HTTP                                   neither in the trailer nor in the header
//   grpc-status is not 0                 STATUS                                 UNIMPLEMENTED: there is no such service
//   not one message of protobuf          BODY
//   it is SERVING                        OK
//   else                                 STATUS                                 NOT_SERVING, UNKNOWN, ...
//
// See probe.h.
#include "health/probe.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "base/must.h"
#include "health/grpc_reply.h"
#include "health/transfer.h"

struct grpc {
	uint8_t question[GRPC_REQUEST_MAX];
	uint8_t reply[GRPC_REPLY_MAX];
	size_t len;
	bool is_grpc;          // by its Content-Type
	bool has_code, bad_code;
	unsigned code;
	char message[GRPC_TEXT_LEN];
};

static bool grpc_is_tls(const struct config_check *check)
{
	return check->tls;
}

static int add_headers(struct transfer *transfer)
{
	const struct config_check *check = &transfer_check(transfer)->conf;
	char timeout[32];
	int err = transfer_add_header(transfer, "Content-Type: application/grpc");

	snprintf(timeout, sizeof(timeout), "grpc-timeout: %um", check->timeout_ms);
	if (err == E_OK)
		err = transfer_add_header(transfer, timeout);
	if (err == E_OK)
		err = transfer_add_header(transfer, "TE: trailers");
	if (err == E_OK)
		err = transfer_add_header(transfer, "Accept:");
	return err == E_OK ? transfer_add_configured(transfer) : err;
}

static int grpc_begin(struct transfer *transfer)
{
	const struct config_check *check = &transfer_check(transfer)->conf;
	struct grpc *grpc = transfer_state(transfer);
	CURL *easy = transfer_easy(transfer);
	size_t len = grpc_reply_question(check->service ? check->service : "", grpc->question);
	long version = grpc_is_tls(check) ? CURL_HTTP_VERSION_2TLS : CURL_HTTP_VERSION_2_PRIOR_KNOWLEDGE;

	if (curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, version) != CURLE_OK) {
		errno = EPROTONOSUPPORT; // a libcurl without HTTP/2
		return E_IO;
	}
	curl_easy_setopt(easy, CURLOPT_POST, 1L);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE, (long)len);
	curl_easy_setopt(easy, CURLOPT_POSTFIELDS, grpc->question);
	return transfer_set_path(transfer, "/grpc.health.v1.Health/Check") < 0 ? E_NOMEM : add_headers(transfer);
}

// ---- the response

// "application/grpc", and what may follow: "+proto", or parameters.
static bool is_content_type(const char *value, size_t len)
{
	static const char type[] = "application/grpc";
	size_t type_len = sizeof(type) - 1;

	return len >= type_len && strncasecmp(value, type, type_len) == 0 && (len == type_len || strchr("+; ", value[type_len]));
}

static void grpc_header(struct transfer *transfer, const char *line, size_t len)
{
	struct grpc *grpc = transfer_state(transfer);
	const char *value;
	size_t value_len;

	if (len >= 5 && memcmp(line, "HTTP/", 5) == 0 && line[5] != '2')
		transfer_decide(transfer, HEALTH_HTTP, "HTTP: the target speaks HTTP/1, and gRPC needs HTTP/2");
	else if ((value = transfer_header_value(line, len, "content-type:", &value_len)))
		grpc->is_grpc = is_content_type(value, value_len);
	else if ((value = transfer_header_value(line, len, "grpc-message:", &value_len)))
		grpc_reply_message(value, value_len, grpc->message, sizeof(grpc->message));
	else if ((value = transfer_header_value(line, len, "grpc-status:", &value_len))) {
		grpc->has_code = true;
		grpc->bad_code = grpc_reply_code(value, value_len, &grpc->code) < 0;
	}
}

static void verdict_not_grpc(struct transfer *transfer)
{
	long status = transfer_status(transfer);

	if (status == 200)
		transfer_decide(transfer, HEALTH_HTTP, "HTTP: the content is not gRPC's");
	else
		transfer_decide(transfer, HEALTH_STATUS, "HTTP status %ld, expected 200 and gRPC", status);
}

static void verdict_code(struct transfer *transfer)
{
	const struct config_check *check = &transfer_check(transfer)->conf;
	const struct grpc *grpc = transfer_state(transfer);
	char buf[GRPC_TEXT_LEN];
	const char *name = grpc_reply_code_text(grpc->code, buf), *colon = grpc->message[0] ? ": " : "";

	if (grpc->code == GRPC_UNIMPLEMENTED)
		transfer_decide(transfer, HEALTH_STATUS, "grpc-status %u (%s), the target has no grpc.health.v1%s%s", grpc->code, name,
		                colon, grpc->message);
	else if (grpc->code == GRPC_NOT_FOUND)
		transfer_decide(transfer, HEALTH_STATUS, "grpc-status %u (%s), of the service \"%.32s\"%s%s", grpc->code, name,
		                check->service ? check->service : "", colon, grpc->message);
	else
		transfer_decide(transfer, HEALTH_STATUS, "grpc-status %u (%s)%s%s", grpc->code, name, colon, grpc->message);
}

static void verdict_reply(struct transfer *transfer)
{
	const struct grpc *grpc = transfer_state(transfer);
	char buf[GRPC_TEXT_LEN];
	const char *why;
	int32_t serving;

	if (grpc_reply_read(grpc->reply, grpc->len, &serving, &why) < 0)
		transfer_decide(transfer, HEALTH_BODY, "the gRPC reply %s", why);
	else if (serving == GRPC_SERVING)
		transfer_decide(transfer, HEALTH_OK, "SERVING");
	else
		transfer_decide(transfer, HEALTH_STATUS, "%s, expected SERVING", grpc_reply_serving_text(serving, buf));
}

static void grpc_complete(struct transfer *transfer)
{
	const struct grpc *grpc = transfer_state(transfer);

	if (!grpc->is_grpc)
		verdict_not_grpc(transfer);
	else if (!grpc->has_code || grpc->bad_code)
		transfer_decide(transfer, HEALTH_HTTP, "HTTP: a gRPC response %s", grpc->has_code ? "with a malformed grpc-status"
		                                                                                   : "without a grpc-status");
	else if (grpc->code != GRPC_OK)
		verdict_code(transfer);
	else
		verdict_reply(transfer);
}

static void grpc_body(struct transfer *transfer, const char *octets, size_t len, bool is_last)
{
	struct grpc *grpc = transfer_state(transfer);

	(void)is_last; // a reply is much shorter
	if (!grpc->is_grpc) {
		verdict_not_grpc(transfer);
	} else if (len > GRPC_REPLY_MAX - grpc->len) {
		transfer_decide(transfer, HEALTH_BODY, "the gRPC reply has more than %d octets", GRPC_REPLY_MAX);
	} else {
		memcpy(grpc->reply + grpc->len, octets, len);
		grpc->len += len;
	}
}

_Static_assert((int)GRPC_REPLY_MAX < (int)TRANSFER_BODY_MAX, "grpc_body() decides before the last octet that it is given");

static const struct transfer_kind grpc_kind = {
	.state_size = sizeof(struct grpc), .is_tls = grpc_is_tls, .begin = grpc_begin, .header = grpc_header, .body = grpc_body,
	.complete = grpc_complete,
};

static void *grpc_open(struct event_base *base)
{
	return transfer_open(base, &grpc_kind);
}

const struct probe_type grpc_probe = {
	.open = grpc_open, .close = transfer_close, .refresh = transfer_refresh, .start = transfer_start, .cancel = transfer_cancel,
	.stage = transfer_stage,
};
