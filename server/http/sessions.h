// TLS sessions for transfers that resume the last one to the same peer: one libcurl share for each peer, as a share has room for
// eight sessions, whoever they are of. Called by users of transfers. Main thread.
#pragma once

#include <curl/curl.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"

enum {
	SESSIONS_MAX = 16384,  // peers
	SESSIONS_AGE_S = 3600, // since a peer was first met: then a full handshake, which looks at the certificate again
};

struct session;
struct sessions;

// Who a session is with, and whom it was verified by.
struct session_peer {
	const struct addr *addr;
	uint16_t port;
	const char *name;  // that the certificate has
	uint64_t trust;    // a number for what was trusted and shown
};

// NULL when out of memory.
struct sessions *sessions_new(void) MUST_USE;
<<<<<<< HEAD
// None may be held, nothing be attached. Takes NULL; returns NULL.
struct sessions *sessions_free(struct sessions *sessions);

// For a new transfer: it resumes nothing and keeps nothing. Without, libcurl would give it room for sessions of its own at its first
// handshake, and lose that at sessions_use(). E_NOMEM.
int sessions_attach(const struct sessions *sessions, CURL *easy) MUST_USE;
// What is kept for a peer, made if it is new, and held until sessions_release(). `now_s` is monotonic. NULL: there is no room or
// no memory, so that the handshake will be a full one.
struct session *sessions_hold(struct sessions *sessions, const struct session_peer *peer, int64_t now_s) MUST_USE;
// Makes a transfer that was attached resume the peer's session, if there is one, and keep the new one. E_NOMEM.
int sessions_use(struct session *session, CURL *easy) MUST_USE;
// The transfer has ended, and is not to use it any more.
void sessions_release(const struct sessions *sessions, struct session *session, CURL *easy);
=======
// None may be held. Takes NULL; returns NULL.
struct sessions *sessions_free(struct sessions *sessions);

// What is kept for a peer, made if it is new, and held until sessions_release(). `now_s` is monotonic. NULL: there is no room or
// no memory, so that the handshake will be a full one.
struct session *sessions_hold(struct sessions *sessions, const struct session_peer *peer, int64_t now_s) MUST_USE;
// Makes a transfer resume the peer's session, if there is one, and keep the new one. E_NOMEM.
int sessions_use(struct session *session, CURL *easy) MUST_USE;
// The transfer has ended, and is not to use it any more.
void sessions_release(struct session *session, CURL *easy);
>>>>>>> cc131b7 (health: method, headers, body, redirects, HTTP/2 and client certificates for HTTP checks)
// Forgets all sessions; those that are held when they are released.
void sessions_refresh(struct sessions *sessions);
size_t sessions_count(const struct sessions *sessions) PURE;
