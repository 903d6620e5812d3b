// Where a transfer of the HTTP probe failed, by libcurl's result.
#pragma once

#include <curl/curl.h>
#include <stdbool.h>

#include "health/result.h"

// The layer of a transfer that ended with `code`, not CURLE_OK. `received`: the target has sent something of a
// response. HEALTH_LOCAL is returned only if it has not: what it sent can make libcurl fail in every way, out of memory
// included. `error` is the errno of the last system call that failed, 0 if none did.
enum health_layer curl_code_layer(CURLcode code, bool received, int error);
