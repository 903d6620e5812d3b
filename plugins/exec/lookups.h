// Questions to a program and its replies, lines of JSON both ways, many under way. A question:
//
//   {"id": 7, "address": "198.51.100.7", "prefix-length": 24, "timeout": 1.95}
//
// `id` is a number of its own, for the reply (see reply.h). "app" is a name that is asked for from there; "port" and
// "direct": true are there where the query came from that very address. Replies come in any order; those to questions whose
// time is over, or that were never asked, are passed over.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "edgesteer-plugin.h"
#include "lib/lines.h"

enum { LOOKUPS_MAX = 1024, LOOKUPS_UNSENT_SIZE = 64 << 10 };

struct lookups {
	const struct edgesteer_host *host;
	int in;                   // the program's standard input, written to without waiting
	struct lines lines;       // its output
	int64_t last_id;
	int64_t quiet_ms;         // since when there are questions, and no line comes; 0: that is not so
	size_t count;
	struct lookups_asked {
		int64_t id;           // as the program knows it
		uint64_t host_id;
		int64_t deadline_ms;
	} asked[LOOKUPS_MAX];
	size_t unsent_len;
	char unsent[LOOKUPS_UNSENT_SIZE];
};

void lookups_begin(struct lookups *lookups, const struct edgesteer_host *host, int in, int out);
// Answers what is under way, as nobody will.
void lookups_done(struct lookups *lookups);
// Whether another question can be taken.
bool lookups_has_room(const struct lookups *lookups);
// Takes the host's questions and sends them, as far as there is room. False: the program takes no more.
bool lookups_ask(struct lookups *lookups);
// Takes what there is of replies, up to a bound. 0: later more; 1: its output has ended; negative: it is to be ended
// (reported).
int lookups_take(struct lookups *lookups);
// Forgets the questions whose time is over.
void lookups_expire(struct lookups *lookups);
// Answers the host's questions while there is no program.
void lookups_refuse(const struct edgesteer_host *host);
