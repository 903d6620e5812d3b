// UDP lanes: a connected socket each, so that every lane has a source port of its own and the kernel needs no route
// lookups; batches by sendmmsg and recvmmsg. All lanes share one set of buffers.
#include "load.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

// An odd number of cache lines, so that messages do not all start in the same cache set.
enum { REPLY_STRIDE = 67 * 64, SOCKET_BUFFER = 4 << 20 };

static struct {
	bool ready;
	struct mmsghdr out[LOAD_BATCH_MAX], in[LOAD_BATCH_MAX];
	struct iovec out_vec[LOAD_BATCH_MAX], in_vec[LOAD_BATCH_MAX];
	uint8_t queries[LOAD_BATCH_MAX][(ASK_MAX + 63) / 64 * 64];
	uint8_t replies[LOAD_BATCH_MAX][REPLY_STRIDE];
} buffers;

static void prepare(const struct ask *ask)
{
	for (unsigned i = 0; i < LOAD_BATCH_MAX; i++) {
		memcpy(buffers.queries[i], ask->head, ask->head_len);
		buffers.out_vec[i].iov_base = buffers.queries[i];
		buffers.out[i].msg_hdr = (struct msghdr){.msg_iov = &buffers.out_vec[i], .msg_iovlen = 1};
		buffers.in_vec[i] = (struct iovec){buffers.replies[i], REPLY_STRIDE};
		buffers.in[i].msg_hdr = (struct msghdr){.msg_iov = &buffers.in_vec[i], .msg_iovlen = 1};
	}
	buffers.ready = true;
}

static int open_lane(struct load *load, struct lane *lane)
{
	const struct options *options = &load->options;
	int size = SOCKET_BUFFER;

	if (!buffers.ready)
		prepare(&load->ask);
	lane->fd = socket(options->server.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (lane->fd < 0)
		return E_IO;
	// Whatever the system allows is enough.
	setsockopt(lane->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(lane->fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return connect(lane->fd, (const struct sockaddr *)&options->server, options->server_len) < 0 ? E_IO : 0;
}

static unsigned send_lane(struct load *load, struct lane *lane, const struct batch *batch)
{
	const struct clients *clients = &load->clients;
	uint32_t room = flight_room(&lane->flight);
	struct turn turn = load->turn;
	unsigned count = batch->count < room ? batch->count : room;
	uint16_t head_len = load->ask.head_len;

	if (count == 0)
		return 0;
	for (unsigned i = 0; i < count; i++) {
		uint16_t id = flight_id(&lane->flight, i);
		const struct client *who = &clients->list[turn.client];

		buffers.queries[i][0] = (uint8_t)(id >> 8);
		buffers.queries[i][1] = (uint8_t)id;
		ask_number(&load->ask, turn.name, buffers.queries[i]);
		memcpy(buffers.queries[i] + head_len, who->tail, sizeof(who->tail));
		buffers.out_vec[i].iov_len = head_len + who->tail_len;
		turn = load_next(load, turn);
	}

	int sent = sendmmsg(lane->fd, buffers.out, count, MSG_DONTWAIT);

	if (sent < 0) {
		// A full buffer is not an error: the query is sent later. A refused port is reported by the next call.
		if (errno != EAGAIN && errno != EINTR)
			load->tally.errors++;
		return 0;
	}
	for (unsigned i = 0; i < (unsigned)sent; i++)
		load_sent(load, lane, batch, i);
	return (unsigned)sent;
}

static bool receive_lane(struct load *load, struct lane *lane, int64_t now_ns)
{
	int count = recvmmsg(lane->fd, buffers.in, LOAD_BATCH_MAX, MSG_DONTWAIT, NULL);

	if (count < 0) {
		if (errno != EAGAIN && errno != EINTR)
			load->tally.errors++;
		return false;
	}
	for (int i = 0; i < count; i++)
		load_reply(load, lane, buffers.replies[i], buffers.in[i].msg_len, now_ns);
	return count > 0;
}

static void close_lane(struct lane *lane)
{
	if (lane->fd >= 0)
		close(lane->fd);
	lane->fd = -1;
}

const struct transport lane_udp = {open_lane, send_lane, receive_lane, close_lane};
