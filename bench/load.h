// Shared by the parts of the load client: the run's options, its counters, and the lanes for its queries. One thread,
// one struct load, owned by load.c.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/types.h>

#include "ask.h"
#include "clients.h"
#include "flight.h"
#include "hist.h"

enum { LOAD_BATCH_MAX = 64, LOAD_LANES_MAX = 16384 };

struct options {
	struct sockaddr_storage server;
	socklen_t server_len;
	const char *server_text;
	const char *name, *type;
	uint32_t names;                // that #s in the name stand for; 0: the name is one, as it is
	const char *clients, *expect;  // paths; NULL: no ECS; not checked
	const char *thread;            // pattern; NULL: all of the server's threads
	const char *json;              // path; "-": standard output; NULL: print text
	pid_t pid;                     // 0: the server's CPU time is not read
	int64_t time_ns, warmup_ns, timeout_ns;
	uint64_t count;                // queries; 0: limited only by the time
	double rate;                   // queries a second; 0: closed loop
	unsigned window, batch, sockets;
	uint16_t udp_size;
	uint8_t v4_len, v6_len;
	int cpu;                       // -1: any
	bool tcp, sleep;
};

struct tally {
	uint64_t sent, answered, lost;
	uint64_t strays;     // replies to no outstanding query: late, duplicate, or not ours
	uint64_t truncated, empty, wrong;
	uint64_t rcodes[16];
	uint64_t errors;     // system calls that failed, connections the server closed
	uint64_t bytes;      // of replies
	struct hist latency; // ns
};

// One socket with its outstanding queries.
struct lane {
	int fd;
	struct flight flight;
	struct stream *stream; // TCP only
};

// Queries of one batch: number i is due at due_ns + i * step_ns.
struct batch {
	unsigned count;
	int64_t due_ns;
	double step_ns;
};

// Whose query is next, and for which name. A client's turn and a name's do not depend on each other.
struct turn {
	uint32_t client, name;
};

struct load {
	struct options options;
	struct ask ask;
	struct clients clients;
	struct tally tally;
	struct lane *lanes;
	struct turn turn;
};

// A transport: how a lane is opened, sends and receives. Functions never block.
struct transport {
	// E_IO, E_NOMEM; errno is set.
	int (*open)(struct load *load, struct lane *lane);
	// Sends up to batch->count queries from the turn on; returns how many.
	unsigned (*send)(struct load *load, struct lane *lane, const struct batch *batch);
	// Receives what is available; true when there was something.
	bool (*receive)(struct load *load, struct lane *lane, int64_t now_ns);
	void (*close)(struct lane *lane);
};

extern const struct transport lane_udp, lane_tcp;

static inline struct turn load_next(const struct load *load, struct turn turn)
{
	uint32_t client = turn.client + 1;

	return (struct turn){client == load->clients.count ? 0 : client, ask_next(&load->ask, turn.name)};
}

// Records the query of this turn as sent; the next one's turn comes.
static inline void load_sent(struct load *load, struct lane *lane, const struct batch *batch, unsigned index)
{
	flight_add(&lane->flight, batch->due_ns + (int64_t)(batch->step_ns * index), load->turn.client,
	           load->turn.name);
	load->turn = load_next(load, load->turn);
	load->tally.sent++;
}

// Processes a reply: finds its query, checks it, counts it.
void load_reply(struct load *load, struct lane *lane, const uint8_t *message, size_t len, int64_t now_ns);

// Reads the command line. 0: go on; otherwise the exit code + 1 (after --help: 1).
int options_read(struct options *options, int argc, char **argv) MUST_USE;
