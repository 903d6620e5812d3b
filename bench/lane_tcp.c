// TCP lanes: one connection each, with pipelined queries (RFC 7766 section 6.2.1.1). A connection closed by the server
// is opened again; its outstanding queries are lost.
#include "load.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

enum { STREAM_OUT = 64 << 10, STREAM_IN = 128 << 10 };

struct stream {
	size_t out_at, out_len; // out[out_at..out_len) is still to be written
	size_t in_len;
	uint8_t out[STREAM_OUT];
	uint8_t in[STREAM_IN]; // room for more than one message
};

static void close_lane(struct lane *lane)
{
	if (lane->fd >= 0)
		close(lane->fd);
	lane->fd = -1;
	free(lane->stream);
	lane->stream = NULL;
}

static int open_lane(struct load *load, struct lane *lane)
{
	const struct options *options = &load->options;
	int on = 1;

	lane->stream = calloc(1, sizeof(*lane->stream));
	if (!lane->stream)
		return E_NOMEM;
	lane->fd = socket(options->server.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (lane->fd < 0)
		return E_IO;
	setsockopt(lane->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (connect(lane->fd, (const struct sockaddr *)&options->server, options->server_len) < 0 && errno != EINPROGRESS)
		return E_IO;
	return 0;
}

static void reopen(struct load *load, struct lane *lane)
{
	load->tally.errors++;
	load->tally.lost += flight_expire(&lane->flight, INT64_MAX);
	close_lane(lane);
	if (open_lane(load, lane) < 0)
		close_lane(lane);
}

static void flush(struct load *load, struct lane *lane)
{
	struct stream *stream = lane->stream;
	ssize_t sent = send(lane->fd, stream->out + stream->out_at, stream->out_len - stream->out_at, MSG_NOSIGNAL);

	if (sent < 0) {
		if (errno != EAGAIN && errno != EINTR && errno != ENOTCONN)
			reopen(load, lane);
		return;
	}
	stream->out_at += (size_t)sent;
	if (stream->out_at == stream->out_len)
		stream->out_at = stream->out_len = 0;
}

static unsigned send_lane(struct load *load, struct lane *lane, const struct batch *batch)
{
	if (!lane->stream)
		reopen(load, lane);

	struct stream *stream = lane->stream;
	unsigned sent = 0;

	for (; stream && sent < batch->count && flight_room(&lane->flight) > 0; sent++) {
		const struct client *who = &load->clients.list[load->turn.client];
		uint16_t len = (uint16_t)(load->ask.head_len + who->tail_len), id = flight_id(&lane->flight, 0);
		uint8_t *p = stream->out + stream->out_len;

		if (stream->out_len + 2 + ASK_MAX > STREAM_OUT)
			break;
		p[0] = (uint8_t)(len >> 8);
		p[1] = (uint8_t)len;
		memcpy(p + 2, load->ask.head, load->ask.head_len);
		p[2] = (uint8_t)(id >> 8);
		p[3] = (uint8_t)id;
		ask_number(&load->ask, load->turn.name, p + 2);
		memcpy(p + 2 + load->ask.head_len, who->tail, sizeof(who->tail));
		stream->out_len += 2u + len;
		load_sent(load, lane, batch, sent);
	}
	if (stream && stream->out_len > stream->out_at)
		flush(load, lane);
	return sent;
}

static void take_messages(struct load *load, struct lane *lane, int64_t now_ns)
{
	struct stream *stream = lane->stream;
	size_t at = 0;

	while (stream->in_len - at >= 2) {
		size_t len = (size_t)(stream->in[at] << 8 | stream->in[at + 1]);

		if (stream->in_len - at < 2 + len)
			break;
		load_reply(load, lane, stream->in + at + 2, len, now_ns);
		at += 2 + len;
	}
	stream->in_len -= at;
	memmove(stream->in, stream->in + at, stream->in_len);
}

static bool receive_lane(struct load *load, struct lane *lane, int64_t now_ns)
{
	struct stream *stream = lane->stream;

	if (!stream)
		return false;
	if (stream->out_len > stream->out_at)
		flush(load, lane);
	stream = lane->stream;
	if (!stream)
		return false;

	ssize_t got = recv(lane->fd, stream->in + stream->in_len, STREAM_IN - stream->in_len, 0);

	if (got < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOTCONN))
		return false;
	if (got <= 0) {
		reopen(load, lane);
		return false;
	}
	stream->in_len += (size_t)got;
	take_messages(load, lane, now_ns);
	return true;
}

const struct transport lane_tcp = {open_lane, send_lane, receive_lane, close_lane};
