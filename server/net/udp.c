// UDP: receive a batch, answer it, send it. No allocation, lock, log or clock; the two system calls are the only ones.
#include "net/udp.h"

#include <event2/event.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "answer/answer.h"
#include "base/addr.h"
#include "base/counters.h"
#include "base/err.h"
#include "base/publish.h"
#include "view/live.h"

enum {
	BATCH = 64,          // messages per system call
	BATCHES_PER_TURN = 32, // then the loop looks at the other sockets
	QUERY_MAX = 4096,    // longer UDP queries are cut, so malformed
	REPLY_MAX = 4096,    // the most `udp-size` may say
	CONTROL_MAX = CMSG_SPACE(sizeof(struct in6_pktinfo)),
	SOCKETS_MAX = 512,
};

struct udp_socket {
	struct udp *udp;
	struct event *event;
	int fd;
	bool wildcard;
};

struct udp {
	uint16_t worker;
	struct counters *counters;
	unsigned socket_count;
	struct udp_socket sockets[SOCKETS_MAX];
	struct mmsghdr in[BATCH], out[BATCH];
	struct iovec in_vec[BATCH], out_vec[BATCH];
	struct sockaddr_storage names[BATCH];
	_Alignas(struct cmsghdr) uint8_t control[BATCH][CONTROL_MAX];
	uint8_t queries[BATCH][QUERY_MAX];
	uint8_t replies[BATCH][REPLY_MAX];
};

// The address that was asked, made into the address to reply from: the kernel's answer is changed in place.
static void reply_from_asked(struct msghdr *header)
{
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(header); cmsg; cmsg = CMSG_NXTHDR(header, cmsg)) {
		if (cmsg->cmsg_level == IPPROTO_IP && cmsg->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(cmsg), sizeof(info));
			info.ipi_spec_dst = info.ipi_addr;
			info.ipi_ifindex = 0; // routing may differ from the way in
			memcpy(CMSG_DATA(cmsg), &info, sizeof(info));
		} else if (cmsg->cmsg_level == IPPROTO_IPV6 && cmsg->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(cmsg), sizeof(info));
			if (!IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
				info.ipi6_ifindex = 0;
			memcpy(CMSG_DATA(cmsg), &info, sizeof(info));
		}
	}
}

static void send_batch(struct udp *udp, int fd, unsigned count)
{
	unsigned sent = 0;

	while (sent < count) {
		int took = sendmmsg(fd, udp->out + sent, count - sent, 0);

		if (took > 0) {
			sent += (unsigned)took;
			continue;
		}
		// The first one cannot be sent (no route, say); the others must not suffer.
		counter_add(&udp->counters->udp_send_failed, 1);
		sent++;
	}
}

static int serve_batch(struct udp_socket *socket)
{
	struct udp *udp = socket->udp;
	unsigned replies = 0;

	for (unsigned i = 0; i < BATCH; i++) { // what the last batch overwrote
		udp->in[i].msg_hdr.msg_namelen = sizeof(udp->names[i]);
		udp->in[i].msg_hdr.msg_controllen = socket->wildcard ? CONTROL_MAX : 0;
	}

	int count = recvmmsg(socket->fd, udp->in, BATCH, MSG_DONTWAIT, NULL);
	const struct live *live = live_read();

	for (int i = 0; i < count; i++) {
		struct answer_client client = {addr_of_sockaddr(&udp->names[i]), false, udp->worker, udp->counters};
		size_t len = answer_query(live, &client, udp->queries[i], udp->in[i].msg_len, udp->replies[replies]);

		if (len == 0)
			continue;

		struct msghdr *in = &udp->in[i].msg_hdr, *out = &udp->out[replies].msg_hdr;

		if (socket->wildcard)
			reply_from_asked(in);
		out->msg_name = in->msg_name;
		out->msg_namelen = in->msg_namelen;
		out->msg_control = in->msg_controllen ? in->msg_control : NULL;
		out->msg_controllen = in->msg_controllen;
		udp->out_vec[replies++].iov_len = len;
	}
	send_batch(udp, socket->fd, replies);
	return count;
}

// A socket that is polled has its poller woken for every reply the network has taken, a good part of what a busy server
// costs. So while batches come in full, the socket is out of the poll set.
static void readable(evutil_socket_t fd, short what, void *arg)
{
	struct udp_socket *socket = arg;
	int batches = 0;

	(void)fd;
	(void)what;
	publish_online();
	while (serve_batch(socket) == BATCH && ++batches < BATCHES_PER_TURN) {
		if (batches == 1)
			event_del(socket->event);
		publish_quiescent();
	}
	publish_offline();
	if (batches)
		event_add(socket->event, NULL);
}

struct udp *udp_new(uint16_t worker, struct counters *counters)
{
	struct udp *udp = calloc(1, sizeof(*udp));

	if (!udp)
		return NULL;
	udp->worker = worker;
	udp->counters = counters;
	for (unsigned i = 0; i < BATCH; i++) {
		udp->in_vec[i] = (struct iovec){udp->queries[i], QUERY_MAX};
		udp->out_vec[i] = (struct iovec){udp->replies[i], 0};
		udp->in[i].msg_hdr = (struct msghdr){.msg_name = &udp->names[i], .msg_iov = &udp->in_vec[i],
		                                     .msg_iovlen = 1, .msg_control = udp->control[i]};
		udp->out[i].msg_hdr = (struct msghdr){.msg_iov = &udp->out_vec[i], .msg_iovlen = 1};
	}
	return udp;
}

struct udp *udp_free(struct udp *udp)
{
	if (!udp)
		return NULL;
	for (unsigned i = 0; i < udp->socket_count; i++)
		event_free(udp->sockets[i].event);
	free(udp);
	return NULL;
}

int udp_add(struct udp *udp, struct event_base *base, int fd, bool wildcard)
{
	if (udp->socket_count == SOCKETS_MAX)
		return E_LIMIT;

	struct udp_socket *socket = &udp->sockets[udp->socket_count];

	*socket = (struct udp_socket){udp, NULL, fd, wildcard};
	socket->event = event_new(base, fd, EV_READ | EV_PERSIST, readable, socket);
	if (!socket->event)
		return E_NOMEM;
	udp->socket_count++;
	return event_add(socket->event, NULL) < 0 ? E_NOMEM : E_OK;
}
