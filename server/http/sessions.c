// A hash table of peers; see sessions.h. One that has grown old is made anew rather than emptied, as libcurl cannot empty a
// share: in TLS 1.3 each resumed handshake brings a new session, so that by themselves they would never end.
#include "http/sessions.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/must.h"

enum { BUCKETS = 4096 };

struct session {
	struct session *next;  // in its bucket
	CURLSH *share;
	int64_t born_s;
	size_t users;
	bool stale;            // in no bucket; freed when it is released
	struct addr addr;
	uint16_t port;
	uint64_t trust;
	char name[];
};

struct sessions {
<<<<<<< HEAD
	CURLSH *none;          // of transfers that resume nothing; see sessions_attach()
=======
>>>>>>> cc131b7 (health: method, headers, body, redirects, HTTP/2 and client certificates for HTTP checks)
	struct session *buckets[BUCKETS];
	size_t count;          // in the buckets
};

static void session_free(struct session *session)
{
	must(session->users == 0);
	curl_share_cleanup(session->share);
	free(session);
}

<<<<<<< HEAD
static CURLSH *share_new(void)
{
	CURLSH *share = curl_share_init();

	if (share && curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) == CURLSHE_OK)
		return share;
	curl_share_cleanup(share);
	return NULL;
}

=======
>>>>>>> cc131b7 (health: method, headers, body, redirects, HTTP/2 and client certificates for HTTP checks)
static struct session *session_new(const struct session_peer *peer, int64_t now_s)
{
	size_t len = strlen(peer->name) + 1;
	struct session *session = calloc(1, sizeof(*session) + len);

	if (!session)
		return NULL;
<<<<<<< HEAD
	session->share = share_new();
	if (!session->share) {
=======
	session->share = curl_share_init();
	if (!session->share || curl_share_setopt(session->share, CURLSHOPT_SHARE, CURL_LOCK_DATA_SSL_SESSION) != CURLSHE_OK) {
		curl_share_cleanup(session->share);
>>>>>>> cc131b7 (health: method, headers, body, redirects, HTTP/2 and client certificates for HTTP checks)
		free(session);
		return NULL;
	}
	session->born_s = now_s;
	session->addr = *peer->addr;
	session->port = peer->port;
	session->trust = peer->trust;
	memcpy(session->name, peer->name, len);
	return session;
}

struct sessions *sessions_new(void)
{
<<<<<<< HEAD
	struct sessions *sessions = calloc(1, sizeof(*sessions));

	if (sessions && !(sessions->none = share_new())) {
		free(sessions);
		return NULL;
	}
	return sessions;
}

int sessions_attach(const struct sessions *sessions, CURL *easy)
{
	if (curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L) != CURLE_OK ||
	    curl_easy_setopt(easy, CURLOPT_SHARE, sessions->none) != CURLE_OK)
		return E_NOMEM;
	return E_OK;
=======
	return calloc(1, sizeof(struct sessions));
>>>>>>> cc131b7 (health: method, headers, body, redirects, HTTP/2 and client certificates for HTTP checks)
}

static void leave(struct sessions *sessions, struct session **at)
{
	struct session *session = *at;

	must(sessions->count > 0);
	*at = session->next;
	sessions->count--;
	session->stale = true;
	if (session->users == 0)
		session_free(session);
}

void sessions_refresh(struct sessions *sessions)
{
	for (size_t i = 0; i < BUCKETS; i++)
		while (sessions->buckets[i])
			leave(sessions, &sessions->buckets[i]);
}

struct sessions *sessions_free(struct sessions *sessions)
{
<<<<<<< HEAD
	if (sessions) {
		sessions_refresh(sessions);
		curl_share_cleanup(sessions->none);
	}
=======
	if (sessions)
		sessions_refresh(sessions);
>>>>>>> cc131b7 (health: method, headers, body, redirects, HTTP/2 and client certificates for HTTP checks)
	free(sessions);
	return NULL;
}

static struct session **find(struct sessions *sessions, const struct session_peer *peer)
{
	uint64_t hash = hash_bytes(peer->trust ^ peer->port, peer->addr->bytes, sizeof(peer->addr->bytes));
	struct session **at = &sessions->buckets[hash_bytes(hash, peer->name, strlen(peer->name)) % BUCKETS];

	while (*at && ((*at)->port != peer->port || (*at)->trust != peer->trust || !addr_equal(&(*at)->addr, peer->addr) ||
	               strcmp((*at)->name, peer->name) != 0))
		at = &(*at)->next;
	return at;
}

struct session *sessions_hold(struct sessions *sessions, const struct session_peer *peer, int64_t now_s)
{
	struct session **at = find(sessions, peer);

	if (*at && now_s - (*at)->born_s >= SESSIONS_AGE_S) {
		leave(sessions, at);
		at = find(sessions, peer);
	}
	if (!*at && sessions->count < SESSIONS_MAX && (*at = session_new(peer, now_s)))
		sessions->count++;
	if (*at)
		(*at)->users++;
	return *at;
}

int sessions_use(struct session *session, CURL *easy)
{
	if (curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 1L) != CURLE_OK ||
	    curl_easy_setopt(easy, CURLOPT_SHARE, session->share) != CURLE_OK)
		return E_NOMEM;
	return E_OK;
}

<<<<<<< HEAD
void sessions_release(const struct sessions *sessions, struct session *session, CURL *easy)
{
	int err = sessions_attach(sessions, easy);

	must(err == E_OK && session->users > 0); // it was attached before
=======
void sessions_release(struct session *session, CURL *easy)
{
	must(session->users > 0);
	curl_easy_setopt(easy, CURLOPT_SHARE, NULL);
	curl_easy_setopt(easy, CURLOPT_SSL_SESSIONID_CACHE, 0L);
>>>>>>> cc131b7 (health: method, headers, body, redirects, HTTP/2 and client certificates for HTTP checks)
	if (--session->users == 0 && session->stale)
		session_free(session);
}

size_t sessions_count(const struct sessions *sessions)
{
	return sessions->count;
}
