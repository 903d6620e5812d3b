// A question and its reply, over UDP and TCP; see ask.h.
#include "online/ask.h"

#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "wire/dns.h"
#include "wire/put.h"

enum { RESEND_MS = 1500, TCP_LEN_LEN = 2 };

struct asked {
	const struct sockaddr_storage *server;
	const struct question *question;
	int64_t begun_ms, deadline_ms;
	uint16_t id;
	size_t query_len;
	uint8_t query[MESSAGE_QUERY_MAX];
	uint8_t reply[DNS_MESSAGE_MAX];
	size_t reply_len;
	char *why;
};

static int failed(struct asked *asked, const char *what)
{
	snprintf(asked->why, ASK_WHY_LEN, "%s", what);
	return E_IO;
}

static int silent(struct asked *asked)
{
	snprintf(asked->why, ASK_WHY_LEN, "no answer within %lld ms", (long long)(clock_mono_ms() - asked->begun_ms));
	return E_IO;
}

static int failed_by_system(struct asked *asked, int error)
{
	char text[ASK_WHY_LEN];

	return failed(asked, error == ECONNREFUSED ? "nothing listens there" : strerror_r(error, text, sizeof(text)));
}

// Whether it is this host that has no way there: none to the Internet over IPv6, mostly.
static bool is_ours(int error)
{
	return error == ENETUNREACH || error == EADDRNOTAVAIL || error == EAFNOSUPPORT;
}

static socklen_t address_len(const struct sockaddr_storage *server)
{
	return server->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

// Waits for an event until the time given. Returns whether it has come.
static bool wait_for(int fd, short events, int64_t until_ms)
{
	struct pollfd polled = {.fd = fd, .events = events};
	int64_t left_ms;

	while ((left_ms = until_ms - clock_mono_ms()) > 0) {
		int ready = poll(&polled, 1, (int)(left_ms < ASK_MS ? left_ms : ASK_MS));

		if (ready > 0)
			return true;
		if (ready < 0 && errno != EINTR)
			return false;
	}
	return false;
}

// A socket that takes packets from this server alone. Negative: there is none; errno says why.
static int connected(const struct asked *asked, int type)
{
	int fd = socket(asked->server->ss_family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd >= 0 && connect(fd, (const struct sockaddr *)asked->server, address_len(asked->server)) < 0 &&
	    errno != EINPROGRESS) {
		int error = errno;

		close(fd);
		errno = error;
		return -1;
	}
	return fd;
}

// ---- UDP ----

// E_OK; E_NOTFOUND: not yet; E_IO.
static int receive(struct asked *asked, int fd)
{
	ssize_t len = recv(fd, asked->reply, sizeof(asked->reply), 0);

	if (len < 0)
		return errno == EAGAIN || errno == EINTR ? E_NOTFOUND : failed_by_system(asked, errno);
	if (!message_is_reply(asked->reply, (size_t)len, asked->question, asked->id))
		return E_NOTFOUND; // somebody else's, or late
	asked->reply_len = (size_t)len;
	return E_OK;
}

static int exchange_udp(struct asked *asked, int fd)
{
	while (clock_mono_ms() < asked->deadline_ms) {
		const int64_t resend_ms = clock_mono_ms() + RESEND_MS;
		const int64_t until_ms = resend_ms < asked->deadline_ms ? resend_ms : asked->deadline_ms;

		if (send(fd, asked->query, asked->query_len, MSG_NOSIGNAL) < 0)
			return failed_by_system(asked, errno);
		while (wait_for(fd, POLLIN, until_ms)) {
			int err = receive(asked, fd);

			if (err != E_NOTFOUND)
				return err;
		}
	}
	return silent(asked);
}

// ---- TCP ----

static int send_all(struct asked *asked, int fd)
{
	uint8_t framed[TCP_LEN_LEN + MESSAGE_QUERY_MAX];
	const size_t len = TCP_LEN_LEN + asked->query_len;

	put16(framed, (unsigned)asked->query_len);
	memcpy(framed + TCP_LEN_LEN, asked->query, asked->query_len);
	if (!wait_for(fd, POLLOUT, asked->deadline_ms))
		return silent(asked);

	ssize_t sent = send(fd, framed, len, MSG_NOSIGNAL);

	// A few hundred octets fit into the buffer of any new connection.
	if (sent != (ssize_t)len)
		return sent < 0 ? failed_by_system(asked, errno) : failed(asked, "takes no query over TCP");
	return E_OK;
}

// Exactly `len` octets.
static int receive_all(struct asked *asked, int fd, uint8_t *into, size_t len)
{
	size_t have = 0;

	while (have < len) {
		if (!wait_for(fd, POLLIN, asked->deadline_ms))
			return silent(asked);

		ssize_t got = recv(fd, into + have, len - have, 0);

		if (got == 0)
			return failed(asked, "ends the connection without an answer over TCP");
		if (got < 0 && errno != EAGAIN && errno != EINTR)
			return failed_by_system(asked, errno);
		have += got > 0 ? (size_t)got : 0;
	}
	return E_OK;
}

static int exchange_tcp(struct asked *asked, int fd)
{
	uint8_t framing[TCP_LEN_LEN];
	int err = send_all(asked, fd);

	if (err == E_OK)
		err = receive_all(asked, fd, framing, sizeof(framing));
	if (err < 0)
		return err;
	asked->reply_len = (size_t)framing[0] << 8 | framing[1];
	err = receive_all(asked, fd, asked->reply, asked->reply_len);
	if (err == E_OK && !message_is_reply(asked->reply, asked->reply_len, asked->question, asked->id))
		return failed(asked, "answers something else over TCP");
	return err;
}

// ---- Both ----

static int over(struct asked *asked, int type, struct message *ret_message)
{
	int fd = connected(asked, type);

	if (fd < 0) {
		const int error = errno;

		failed_by_system(asked, error);
		return is_ours(error) ? E_NOTFOUND : E_IO;
	}

	int err = type == SOCK_DGRAM ? exchange_udp(asked, fd) : exchange_tcp(asked, fd);

	close(fd);
	if (err < 0)
		return err;
	err = message_read(asked->reply, asked->reply_len, ret_message);
	if (err == E_INVAL)
		return failed(asked, "answers with a malformed message");
	if (err < 0)
		failed(asked, err_text(err));
	return err;
}

int ask(const struct sockaddr_storage *server, const struct question *question, int64_t deadline_ms,
        struct message *ret_message, char why[static ASK_WHY_LEN])
{
	const int64_t now_ms = clock_mono_ms();
	struct asked *asked = calloc(1, sizeof(*asked));
	struct message message;

	if (!asked) {
		snprintf(why, ASK_WHY_LEN, "%s", err_text(E_NOMEM));
		return E_NOMEM;
	}
	asked->server = server;
	asked->question = question;
	asked->begun_ms = now_ms;
	asked->deadline_ms = deadline_ms < now_ms + ASK_MS ? deadline_ms : now_ms + ASK_MS;
	asked->why = why;

	int err = getrandom(&asked->id, sizeof(asked->id), 0) == sizeof(asked->id) ? E_OK : failed_by_system(asked, errno);

	asked->query_len = message_query(question, asked->id, asked->query);
	if (err == E_OK && asked->deadline_ms <= now_ms) {
		failed(asked, "the time for this domain is up");
		err = E_NOTFOUND;
	}
	if (err == E_OK)
		err = over(asked, SOCK_DGRAM, &message);
	if (err == E_OK && message.truncated) {
		message_done(&message);
		err = over(asked, SOCK_STREAM, &message);
	}
	free(asked);
	if (err == E_OK)
		*ret_message = message;
	return err;
}

const char *ask_rcode(unsigned rcode, char *buf)
{
	static const char *const names[] = {"NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED",
	                                    "YXDOMAIN", "YXRRSET", "NXRRSET", "NOTAUTH", "NOTZONE"};

	if (rcode < sizeof(names) / sizeof(*names))
		return names[rcode];
	snprintf(buf, ASK_WHY_LEN, "rcode %u", rcode);
	return buf;
}
