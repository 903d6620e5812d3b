// What the HTTP door takes of its peers, and what it needs from the daemon. All of it is called on the main thread.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "control/ops.h"

enum {
	DOOR_CONNECTIONS_MAX = 64,
	DOOR_PER_ADDRESS_MAX = 16, // of them; IPv6: of one /64
	DOOR_SCRAPES_MAX = 4,      // metrics being rendered or sent
	DOOR_SCRAPES_PER_ADDRESS_MAX = 2, // of them, as above
	DOOR_READ_MS = 10000,      // from a connection's last reply, or its start, until the next request is complete
	DOOR_WRITE_MS = 30000,     // until a reply has been taken
	DOOR_LINGER_MS = 2000,     // for a peer to read the reply that is the last
};

struct door_ops {
	struct control_ops control; // for the verbs; its `background` is the door's
	// Renders the metrics; done() is called exactly once, later or at once, with a text that is then its own, NULL when out of
	// memory.
	void (*metrics)(void *ctx, bool openmetrics, void (*done)(void *done_ctx, char *text, size_t len), void *done_ctx);
	void *ctx;
	unsigned read_ms; // instead of DOOR_READ_MS; 0: that
};
