// Which part of its clients a target takes: the hash of clients that all shares and weights go by. A client is its address
// cut to the app's hash prefix, or to its block where that is longer.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/attr.h"

struct app;
struct live;
struct location;

// The client's part of a rendezvous hash.
uint64_t share_key(const struct app *app, const struct location *where) PURE;
// The client's number below SHARE_ALL; the same for all sites and targets.
uint32_t share_of_client(const struct app *app, const struct location *where) PURE;
// Whether the target takes the client with this number, by those of TARGET_PARTS that are in `bars` and that it has.
bool share_takes(const struct live *live, uint32_t client, uint32_t target, uint8_t bars);
