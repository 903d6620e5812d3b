// Plain TCP as a stream: each call is one system call. See stream.h.
#include "net/stream.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"

static ssize_t plain_read(struct stream *stream, uint8_t *buffer, size_t size)
{
	ssize_t got = recv(stream->fd, buffer, size, 0);

	if (got >= 0)
		return got;
	return errno == EAGAIN || errno == EINTR ? STREAM_WANT_READ : STREAM_FAILED;
}

static ssize_t plain_write(struct stream *stream, const uint8_t *octets, size_t len)
{
	ssize_t sent;

	do
		sent = send(stream->fd, octets, len, MSG_NOSIGNAL);
	while (sent < 0 && errno == EINTR);
	if (sent >= 0)
		return sent;
	return errno == EAGAIN ? STREAM_WANT_WRITE : STREAM_FAILED;
}

static void plain_close(struct stream *stream)
{
	close(stream->fd);
}

const struct stream_type stream_plain = {
	.transport = TRANSPORT_TCP,
	.read = plain_read,
	.write = plain_write,
	.close = plain_close,
};

int stream_open(struct stream *stream, const struct stream_type *type, int fd, void *ctx)
{
	*stream = (struct stream){type, fd, NULL};
	return type->open ? type->open(stream, ctx) : E_OK;
}
