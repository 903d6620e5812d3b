// What the parts of the `verizon-eds` plugin share: its options as read, and how a question becomes a request and a reply
// a verdict.
#pragma once

#include <jansson.h>
#include <stdbool.h>

#include "edgesteer-plugin.h"
#include "lib/inquiry.h"
#include "lib/perapp.h"

struct eds {
	const struct edgesteer_host *host;
	const char *base_url;
	bool platforms;           // mecplatforms is asked, else serviceendpoints
	json_t *endpoints_ids;    // of perapp.h; NULL in the mode platforms
	const char *region;       // NULL: none is sent
	size_t take;              // how many of the sites count
};

// For struct inquiry; `ctx` is the struct eds.
bool eds_write(void *ctx, const struct edgesteer_question *question, struct inquiry_letter *ret_letter,
               struct verdict *ret_verdict);
void eds_read(void *ctx, const struct https_result *result, struct verdict *ret_verdict);
