// A scripted server for the health tests, in the test's own event loop: it waits for a request, then sends the given
// reply at the given pace, and counts.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct event_base;
struct evconnlistener;

enum { RESPONDER_TIMES = 512 };

struct responder {
	// The script; may be changed at any time.
	const char *reply;       // NULL: never a word
	size_t piece;            // bytes written at a time; 0: all at once
	unsigned delay_ms;       // before the first piece and between two
	bool keep;               // the connection stays open after the reply
	bool endless;            // the reply again and again
	bool at_once;            // speaks before it has a request
	// What it saw.
	unsigned accepted, requests, open, most_open;
	char request[4096];      // the last one
	int64_t times_ns[RESPONDER_TIMES]; // of requests, monotonic
	// Its own.
	struct event_base *base;
	struct evconnlistener *listener;
	struct conn *conns;
	uint16_t port;
};

// Listens on `address` ("127.0.0.1"); port 0: any.
void responder_open(struct responder *responder, struct event_base *base, const char *address, uint16_t port);
// Stops listening and drops every connection: new ones are refused.
void responder_close(struct responder *responder);

// A listener on 127.0.0.1 whose queue is full: it drops every SYN, as a firewall does. Returns its port.
struct blackhole {
	int fds[9];
};
uint16_t blackhole_open(struct blackhole *hole);
void blackhole_close(struct blackhole *hole);

// Runs the loop until done(ctx) is true or `limit_ms` have passed; returns how long it took, or -1. Time in which this
// process was not let run, by a busy machine, does not count.
int64_t responder_run(struct event_base *base, bool (*done)(void *ctx), void *ctx, unsigned limit_ms);
// How much of that there was since the program began. Lower bounds of time are for the clock, not for these: timers run on.
int64_t responder_stalled_ms(void);
// The longest one in one turn of the loop since this was asked last.
int64_t responder_longest_stall_ms(void);
