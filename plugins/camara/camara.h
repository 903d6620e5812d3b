// What the parts of the `camara` plugin share: its options as read, and how a question becomes a request and a reply a
// verdict.
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "edgesteer-plugin.h"
#include "lib/inquiry.h"
#include "lib/perapp.h"

enum camara_api {
	CAMARA_SIMPLE,    // simple-edge-discovery v2
	CAMARA_SIMPLE_V1, // of v1: a GET with the device in headers
	CAMARA_OPTIMAL,   // optimal-edge-discovery
	CAMARA_ENDPOINTS, // application-endpoint-discovery
	CAMARA_APIS
};

struct camara {
	const struct edgesteer_host *host;
	const char *base_url;        // as `servers` of the OpenAPI file has it, e.g. https://HOST/simple-edge-discovery/v2
	enum camara_api api;
	const char *profile_id;      // of CAMARA_OPTIMAL
	const char *region;          // of CAMARA_OPTIMAL; NULL: none is sent
	json_t *endpoints_ids;       // of CAMARA_ENDPOINTS; this, or
	json_t *app_ids;             // this
	bool direct;                 // a query's source port is that of the device
	bool no_nat;                 // a device's own IPv4 address is its public one
};

// For struct inquiry; `ctx` is the struct camara.
bool camara_write(void *ctx, const struct edgesteer_question *question, struct inquiry_letter *ret_letter,
                  struct verdict *ret_verdict);
void camara_read(void *ctx, const struct https_result *result, struct verdict *ret_verdict);
