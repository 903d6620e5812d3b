// Takes the replies that a feed has asked for: pages of a list, events of a watch. For feed.c.
#pragma once

#include <stddef.h>

struct feed;

// Before each request.
void intake_begin(struct feed *feed);

// Takes the next octets of the reply, for https_handler.data: `ctx` is the feed. What they tell is in feed->objects,
// feed->version and feed->page; how the reply has ended, if its documents tell, in feed->outcome, and then the result
// is other than 0.
int intake_take(void *ctx, const char *bytes, size_t len);
