// The octets of one connection, independent of what carries them: plain TCP here, TLS later. tcp.c, which handles
// framing, pipelining and deadlines, reads, writes and closes only through this.
//
// Nothing here blocks, allocates for a message, or copies more than the caller's octets. A call that would block
// returns the readiness of the socket to wait for before making the SAME call again. That need not match the call: TLS
// may have to write before it can read, and vice versa.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/attr.h"
#include "base/must.h"
#include "wire/transport.h"

struct stream;

// Returned by a read or a write instead of a number of octets.
enum {
	STREAM_WANT_READ = -1,  // try again when the socket is readable
	STREAM_WANT_WRITE = -2, // try again when it is writable
	STREAM_FAILED = -3,     // the connection is unusable: close it
};

// One constant row per type of stream. All functions are called on the connection's own thread. A connection starts
// with open(); when that fails, it needs no close(). A handshake is part of the first read.
struct stream_type {
	enum transport transport; // how its queries are counted and answered
	// Sets stream->session if the type has sessions; ->fd and ->type are set. `ctx` is the listener's, see tcp_add().
	// E_NOMEM: the descriptor stays the caller's. NULL: nothing to do.
	int (*open)(struct stream *stream, void *ctx);
	// Reads up to `size` octets, size > 0. Returns how many, 0 at the end of the peer's data, or one of the above.
	ssize_t (*read)(struct stream *stream, uint8_t *buffer, size_t size);
	// Writes up to `len` octets, len > 0. Returns how many, or one of the above. After a "want" the call must be
	// repeated with the same octets.
	ssize_t (*write)(struct stream *stream, const uint8_t *octets, size_t len);
	// Whether octets have been taken from the socket that no read has returned: the socket does not become readable for
	// them. NULL: never.
	bool (*pending)(const struct stream *stream);
	// Ends the session, notifying the peer if that does not block, and closes the descriptor.
	void (*close)(struct stream *stream);
};

struct stream {
	const struct stream_type *type;
	int fd;        // non-blocking; owned
	void *session; // private to the type
};

// Plain TCP.
extern const struct stream_type stream_plain;

// Makes a stream of an accepted connection, and takes ownership of `fd`. E_NOMEM: `fd` is still the caller's.
int stream_open(struct stream *stream, const struct stream_type *type, int fd, void *ctx) MUST_USE;

static inline ssize_t stream_read(struct stream *stream, uint8_t *buffer, size_t size)
{
	dev_must(size > 0);
	return stream->type->read(stream, buffer, size);
}

static inline ssize_t stream_write(struct stream *stream, const uint8_t *octets, size_t len)
{
	dev_must(len > 0);
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
