// UDP: receives a batch, answers it, sends it. No allocation, lock, log or clock, and only two system calls. The thread
// sleeps in the first of them. An event loop would add a third, and the kernel would wake its poller for every reply
// that the network has taken.
#include "net/udp.h"

#include <netinet/in.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "answer/answer.h"
#include "base/addr.h"
#include "base/counters.h"
#include "base/must.h"
#include "base/publish.h"
#include "view/live.h"
#include "wire/transport.h"

enum {
	BATCH = 64,          // messages per system call
	MESSAGE_MAX = 4096,  // octets; the largest `udp-size`. Longer queries are cut, and so malformed
	BUFFER = 67 * 64,    // an odd number of cache lines, so that messages do not all start in the same cache set
	CONTROL_MAX = CMSG_SPACE(sizeof(struct in6_pktinfo)),
};

struct udp {
	int fd;
	bool wildcard;
	atomic_bool stopping;
	uint32_t worker;
	struct counters *counters;
	struct mmsghdr messages[BATCH]; // a reply overwrites its query
	struct iovec vecs[BATCH];
	struct sockaddr_storage peers[BATCH];
	_Alignas(struct cmsghdr) uint8_t control[BATCH][CONTROL_MAX];
	uint8_t buffers[BATCH][BUFFER];
};

_Static_assert(BUFFER >= MESSAGE_MAX, "a buffer holds any message");

// Makes the address that was queried the source of the reply, by changing the kernel's control message in place.
static void set_reply_source(struct msghdr *header)
{
	for (struct cmsghdr *cmsg = CMSG_FIRSTHDR(header); cmsg; cmsg = CMSG_NXTHDR(header, cmsg)) {
		if (cmsg->cmsg_level == IPPROTO_IP && cmsg->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(cmsg), sizeof(info));
			info.ipi_spec_dst = info.ipi_addr;
			info.ipi_ifindex = 0; // the reply may be routed through another interface
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

// Prepares a message for receiving: resets what the previous one changed.
static void reset(struct udp *udp, unsigned i)
{
	udp->vecs[i].iov_len = MESSAGE_MAX;
	udp->messages[i].msg_hdr.msg_namelen = sizeof(udp->peers[i]);
	udp->messages[i].msg_hdr.msg_controllen = udp->wildcard ? CONTROL_MAX : 0;
}

// Sends messages [first, end).
static void send_run(struct udp *udp, unsigned first, unsigned end)
{
	while (first < end) {
		int took = sendmmsg(udp->fd, udp->messages + first, end - first, MSG_DONTWAIT);

		if (took > 0) {
			first += (unsigned)took;
			continue;
		}
		// The first one cannot be sent: there is no route, say, or the buffer is full of replies to hosts that do not
		// answer ARP. It is dropped, so that the others are sent: an online reader must not block (base/publish.h).
		counter_add(&udp->counters->udp_send_failed, 1);
		first++;
	}
}

_Static_assert(offsetof(struct sockaddr_in, sin_port) == offsetof(struct sockaddr_in6, sin6_port),
               "a port is where it is, whatever the family");

static inline uint16_t port_be16(const struct sockaddr_storage *peer)
{
	return ((const struct sockaddr_in *)peer)->sin_port;
}

// Answers messages [first, end), at most ANSWER_BATCH. Their vectors then have the lengths of the replies.
static void answer_run(struct udp *udp, const struct live *live, unsigned first, unsigned end)
{
	struct answer_message messages[ANSWER_BATCH];

	dev_must(first < end && end - first <= ANSWER_BATCH);
	for (unsigned i = first; i < end; i++)
		messages[i - first] = (struct answer_message){
			.client = {.addr = addr_of_sockaddr(&udp->peers[i]), .transport = TRANSPORT_UDP,
			           .port_be16 = port_be16(&udp->peers[i]), .worker = udp->worker, .counters = udp->counters},
			.query = udp->buffers[i],
			.len = udp->messages[i].msg_len,
			.reply = udp->buffers[i],
		};
	answer_batch(live, messages, end - first);
	for (unsigned i = first; i < end; i++) {
		dev_must(messages[i - first].len <= MESSAGE_MAX);
		udp->vecs[i].iov_len = messages[i - first].len;
	}
}

static void serve_batch(struct udp *udp, unsigned count)
{
	const struct live *live = live_read();
	unsigned first = 0; // of the unsent replies

	dev_must(live && count <= BATCH);
	for (unsigned i = 0; i < count; i += ANSWER_BATCH)
		answer_run(udp, live, i, i + ANSWER_BATCH < count ? i + ANSWER_BATCH : count);
	for (unsigned i = 0; i < count; i++) {
		if (unlikely(udp->vecs[i].iov_len == 0)) { // no reply
			send_run(udp, first, i);
			first = i + 1;
		} else if (udp->wildcard) {
			set_reply_source(&udp->messages[i].msg_hdr);
		}
	}
	send_run(udp, first, count);
	for (unsigned i = 0; i < count; i++)
		reset(udp, i);
}

void udp_run(struct udp *udp)
{
	while (!atomic_load_explicit(&udp->stopping, memory_order_relaxed)) {
		int count = recvmmsg(udp->fd, udp->messages, BATCH, MSG_WAITFORONE, NULL);

		if (count <= 0)
			continue; // interrupted
		publish_online();
		serve_batch(udp, (unsigned)count);
		publish_offline();
	}
}

int udp_fd(const struct udp *udp)
{
	return udp->fd;
}

void udp_stop(struct udp *udp)
{
	atomic_store_explicit(&udp->stopping, true, memory_order_relaxed);
}

struct udp *udp_new(int fd, bool wildcard, uint32_t worker, struct counters *counters)
{
	struct udp *udp = calloc(1, sizeof(*udp));

	if (!udp)
		return NULL;
	udp->fd = fd;
	udp->wildcard = wildcard;
	udp->worker = worker;
	udp->counters = counters;
	for (unsigned i = 0; i < BATCH; i++) {
		udp->vecs[i].iov_base = udp->buffers[i];
		udp->messages[i].msg_hdr = (struct msghdr){.msg_name = &udp->peers[i], .msg_iov = &udp->vecs[i],
		                                           .msg_iovlen = 1, .msg_control = udp->control[i]};
		reset(udp, i);
	}
	return udp;
}

struct udp *udp_free(struct udp *udp)
{
	free(udp);
	return NULL;
}
