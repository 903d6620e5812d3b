// What probes have found of a target, and the layers they can fail at.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { HEALTH_TEXT_LEN = 128 };

// Which layer the last probe failed at. HEALTH_LOCAL: this machine could not probe (no more files, ports, memory), which
// says nothing of the target.
enum health_layer { HEALTH_OK, HEALTH_CONNECT, HEALTH_TIMEOUT, HEALTH_TLS, HEALTH_HTTP, HEALTH_STATUS, HEALTH_BODY,
	            HEALTH_LOCAL, HEALTH_PENDING };

struct health_target {
	bool checked;             // has a check and something to probe; without it is up
	bool up;
	enum health_layer layer;  // of the last finished probe; HEALTH_PENDING before the first
	char text[HEALTH_TEXT_LEN]; // the last result for people, printable ASCII: "HTTP status 503, expected 200-299"
	int64_t since_s;          // wall clock of when `up` became what it is; 0: not since the start
	int64_t last_probe_s;     // wall clock; 0: none yet
	uint32_t took_us;         // the last probe's duration
	unsigned streak;          // results in a row that speak against `up`
};

// "ok", "connect", "timeout", "tls", "http", "status", "body", "local", "pending".
const char *health_layer_text(enum health_layer layer);
