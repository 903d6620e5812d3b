// The inside of the HTTP door: door.c has the sockets and the limits, session.c one connection, respond.c what is replied.
#pragma once

#include <event2/event.h>
#include <jansson.h>
#include <openssl/types.h>
#include <stdint.h>

#include "base/addr.h"
#include "door/keys.h"
#include "door/limits.h"
#include "door/request.h"
#include "door/status.h"
#include "door/tls.h"

struct bufferevent;
struct evconnlistener;

enum { SESSION_WHO_LEN = 256 };

// Where a connection is. All but WAITING have a deadline.
enum session_phase {
	SESSION_SHAKES, // the TLS handshake
	SESSION_READS,  // a request
	SESSION_WAITS,  // for what it is replied
	SESSION_WRITES,
	SESSION_LEAVES, // the last reply has been sent
};

// An address of the door.
struct entry {
	struct door *door;
	char *listen;
	struct key key; // what opens it
	int fd;         // before door_serve()
	struct evconnlistener *listener;
	struct event *resume; // accepting again after a pause
};

// A reply that is not ready yet. Owned by whoever makes it: it may outlive the connection.
struct session_wait {
	struct session *session; // NULL: closed in the meantime
	struct door *door;
};

struct session {
	struct door *door;
	struct session *next, *prev;
	const struct entry *entry;
	struct bufferevent *stream;
	SSL *tls; // the stream's; NULL: without
	struct event *deadline;
	struct addr peer; // IPv6: its /64
	enum session_phase phase;
	struct session_wait *wait;
	size_t head_len, body_len; // of the request that is being read; 0: the head has not come
	size_t thrown;             // octets that came after the last reply
	bool keeps;                // another request may follow this one
	bool headless;             // the reply to it has no body
	bool scrapes;              // it is counted in door->scrapes
	char address[ADDR_TEXT_LEN];
};

struct door {
	struct event_base *base;
	struct door_ops ops;
	struct entry *entries;
	size_t entry_count;
	struct session *first;
	unsigned count, scrapes;
	struct door_stats stats;
};

// ---- session.c

// Owns `fd` in every case; it is closed when there is no memory.
void session_open(const struct entry *entry, int fd, const struct addr *peer, const char *address);
void session_free(struct session *session);
// Sends a reply with a body, which is owned (NULL: an empty one), of that type; `more` are further lines of the head, each
// with its CRLF.
void session_reply(struct session *session, int status, const char *type, const char *more, char *body, size_t len);
// The same with a reply as JSON, which is owned; NULL: out of memory, and the status is 500.
void session_reply_json(struct session *session, int status, const char *more, json_t *reply);
// The same for what was wrong with the request.
void session_refuse(struct session *session, int status, const char *why);

// ---- respond.c

// The connection's request is complete: the head and the body, contiguous. It is replied to, at once or later.
void respond_request(struct session *session, const struct request *request, const char *body);
