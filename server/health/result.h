// The result of probing a target, and the layers at which a probe can fail.
#pragma once

#include <stdbool.h>
#include <stdint.h>

enum { HEALTH_TEXT_LEN = 128 };

// The layer at which the last probe failed. HEALTH_LOCAL: this machine could not probe (out of files, ports or memory),
// which says nothing about the target.
enum health_layer { HEALTH_OK, HEALTH_CONNECT, HEALTH_TIMEOUT, HEALTH_TLS, HEALTH_HTTP, HEALTH_STATUS, HEALTH_BODY,
	            HEALTH_LOCAL, HEALTH_PENDING };

// Of an address that is probed, or of a target.
struct health_target {
	bool checked;             // has a check; a target without is always up
	bool up;
	enum health_layer layer;  // of the last finished probe; HEALTH_PENDING before the first
	char text[HEALTH_TEXT_LEN]; // the last result in words, printable ASCII: "HTTP status 503, expected 200-299"
	int64_t since_s;          // wall clock of the last change of `up`, which may have been before a restart; 0: not known
	int64_t last_probe_s;     // wall clock; 0: none yet
	uint32_t took_us;         // the last probe's duration
	unsigned streak;          // consecutive results that contradict `up`; before anything has decided it, failures
	uint32_t probes, failures; // finished probes, and those that the target failed, since it is probed; modulo 2^32
};

// ROW(milliseconds, seconds as text): how long probes may have taken, to be counted.
#define HEALTH_SPANS(ROW) \
	ROW(1, "0.001") ROW(5, "0.005") ROW(10, "0.01") ROW(25, "0.025") ROW(50, "0.05") ROW(100, "0.1") ROW(250, "0.25") \
	ROW(500, "0.5") ROW(1000, "1.0") ROW(2500, "2.5") ROW(5000, "5.0") ROW(10000, "10.0")
#define HEALTH_SPAN_FIELD(ms, text) uint64_t within_##ms##_ms;

struct health_stats {
	uint64_t probes, failures; // totals since the start
	uint64_t at[HEALTH_PENDING]; // of the probes, by the layer at which they failed; HEALTH_OK: they have not
	HEALTH_SPANS(HEALTH_SPAN_FIELD) // of the probes, those that took no longer
	uint64_t took_us;          // all probes together
	uint64_t addresses, down;  // now: that are probed, and those of them that are not up
	uint64_t failing;          // now: addresses whose last check failed, without being down for it yet
	uint64_t late;             // total of probes started an interval or more after they were due; never a first one
	uint64_t under_way, waiting; // now
};

// "ok", "connect", "timeout", "tls", "http", "status", "body", "local", "pending".
const char *health_layer_text(enum health_layer layer);
