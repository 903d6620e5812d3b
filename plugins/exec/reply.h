// A line of a program that looks clients up, as JSON:
//
//   {"id": 7, "sites": ["SITE", ...]}   best first; one may be written without brackets; none: it does not know the client
//             and, if it knows them, "carrier", "class" and "lifetime", in seconds
//   {"id": 7, "outcome": "not-found"}   or "busy" (then "retry" may say for how many seconds), "denied", "timeout", "broken"
//             and "text", which says why
#pragma once

#include <jansson.h>

#include "lib/verdict.h"

enum { REPLY_WHY_SIZE = 160 };

// 0; or -1: `json` is none of these, and why[REPLY_WHY_SIZE] has what is wrong with it.
int reply_read(const json_t *json, json_int_t *ret_id, struct verdict *ret_verdict, char *why);
