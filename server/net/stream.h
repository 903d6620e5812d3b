// The octets of one connection, whatever carries them: TCP itself here, TLS later. tcp.c reads, writes and closes through
// this and knows nothing of what is below; framing, pipelining and deadlines are tcp.c's.
//
// Nothing here blocks, allocates for a message, or copies more than the caller's octets. A call that cannot go on says
// which way the socket must become ready before the SAME call is worth another try, and that need not be the way of the
// call: TLS may have to write before it can read, and the other way round.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "wire/transport.h"

struct stream;

// What a read or a write returns instead of a number of octets.
enum {
	STREAM_WANT_READ = -1,  // again when the socket is readable
	STREAM_WANT_WRITE = -2, // again when it is writable
	STREAM_FAILED = -3,     // the connection is of no more use; close it
};

// One row per way to carry octets, constant. Each function is called on the connection's own thread. A connection begins
// with open(); one that failed needs no close(). A handshake is part of the first read.
struct stream_type {
	enum transport transport; // how its queries are counted and answered
	// stream->fd and ->type are set. `ctx` is the listener's, see tcp_add(). Sets stream->session where it wants one:
	// E_OK, E_NOMEM. The descriptor stays the caller's when it fails. NULL: nothing to do.
	int (*open)(struct stream *stream, void *ctx);
	// Takes up to `size` octets, size > 0. How many; 0 at the end of what the peer sends; or one of the above.
	ssize_t (*read)(struct stream *stream, uint8_t *buffer, size_t size);
	// Sends up to `len` octets, len > 0. How many; or one of the above. After a "want" the next call is the same one.
	ssize_t (*write)(struct stream *stream, const uint8_t *octets, size_t len);
	// Octets were taken from the socket that no read has returned yet: the socket will not become readable for them. NULL:
	// never.
	bool (*pending)(const struct stream *stream);
	// Ends the session, telling the peer as far as that takes no waiting, and closes the descriptor.
	void (*close)(struct stream *stream);
};

struct stream {
	const struct stream_type *type;
	int fd;        // non-blocking; owned
	void *session; // the type's own
};

// TCP and nothing on it.
extern const struct stream_type stream_plain;

// Makes a connection that was accepted a stream, which owns `fd` from then on. E_NOMEM; `fd` is then still the caller's.
int stream_open(struct stream *stream, const struct stream_type *type, int fd, void *ctx) MUST_USE;

static inline ssize_t stream_read(struct stream *stream, uint8_t *buffer, size_t size)
{
	return stream->type->read(stream, buffer, size);
}

static inline ssize_t stream_write(struct stream *stream, const uint8_t *octets, size_t len)
{
	return stream->type->write(stream, octets, len);
}

static inline bool stream_pending(const struct stream *stream)
{
	return stream->type->pending && stream->type->pending(stream);
}

static inline void stream_close(struct stream *stream)
{
	stream->type->close(stream);
}
