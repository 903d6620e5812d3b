// A scripted resolver for tests, in the test's own event loop, over UDP and TCP on 127.0.0.1: each name has a row that says
// what is answered, or how it goes wrong.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bufferevent;
struct event;
struct event_base;
struct evconnlistener;

enum nameserver_mode {
	NAMESERVER_ANSWER,    // what the row has; NODATA where it has nothing of the type
	NAMESERVER_NXDOMAIN,
	NAMESERVER_SERVFAIL,
	NAMESERVER_SILENT,
	NAMESERVER_GARBAGE,   // octets that are no message
	NAMESERVER_CUT,       // a reply whose last octets are missing
	NAMESERVER_WRONG_ID,  // a forged reply, with another id, before the right one
	NAMESERVER_TRUNCATED, // the answer over TCP only
};

struct nameserver_row {
	const char *name;
	enum nameserver_mode mode;
	const char *cname;       // NULL: none
	const char *a, *aaaa;    // addresses with a blank between each; NULL: none
	bool is_aaaa_silent;     // a query for AAAA is not answered
	bool is_cname_last;      // the CNAME is behind the addresses
	unsigned many;           // so many addresses 10.0.x.y more
	uint32_t ttl_s;
	unsigned asked;          // counts queries for A
};

struct nameserver {
	struct nameserver_row *rows; // the test's; may be changed at any time
	size_t row_count;
	unsigned udp, tcp;           // counts queries
	uint16_t port;
	struct event_base *base;
	struct event *event;
	struct evconnlistener *listener;
	int fd;
	struct bufferevent *open[8]; // over TCP
};

void nameserver_open(struct nameserver *server, struct event_base *base);
void nameserver_close(struct nameserver *server);
