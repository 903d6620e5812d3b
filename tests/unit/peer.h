// A client of a fake daemon's control socket, in the same process: a function that waits for something lets the
// daemon's loop turn. For cmocka tests: what is not as it must be fails the test that runs.
#pragma once

#include <jansson.h>
#include <stddef.h>
#include <stdint.h>

#include "fake_daemon.h"

struct control;

enum { PEER_WAIT_MS = 5000 };
// What a drain that leaves clients with nothing takes before it waits for the disk: for its words, for what it would do, and
// again with samples, for its words again.
enum { PEER_DRAIN_LOOKS = 4 };

#define PEER_VERSION "{\"verb\": \"version\"}\n"

extern struct fake_daemon peer_fake;
extern struct control *peer_control;
extern char peer_path[100];
extern unsigned peer_looks; // at what is served

void peer_set_up(unsigned idle_ms);
// For cmocka; a minute before an idle connection is closed.
int peer_set_up_patiently(void **unused);
int peer_tear_down(void **unused);

// Lets the daemon's side do what it can.
void peer_turn(void);
void peer_turn_for(int64_t ms);
// Until so many have been counted, and not one more.
void peer_turn_until(const unsigned *count, unsigned least);

int peer_dial(void);
void peer_say(int fd, const char *text, size_t len);
void peer_say_text(int fd, const char *text);
// Without a turn of the daemon's side.
void peer_say_quietly(int fd, const char *text);

// The next line, parsed; the caller's. NULL: the connection was closed without one.
json_t *peer_hear(int fd);
void peer_hear_ok(int fd);
// An error that holds `text`.
void peer_hear_error(int fd, const char *text);
// Expects the end of the connection, and closes it.
void peer_hear_end(int fd);
