// The schedule of look-ups, and what came of them, for resolve.c, which says which names there are.
#pragma once

#include <event2/event_struct.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "resolve/asker.h"
#include "resolve/received.h"
#include "resolve/resolve_log.h"
#include "resolve/resolve_name.h"

struct dict;
struct event;

enum { FAMILIES = 2 };

// Of one family in one look-up.
enum outcome { OUTCOME_WAITING, OUTCOME_ADDRESSES, OUTCOME_NOTHING, OUTCOME_FAILED };

struct scheduled {
	struct resolve *resolve;
	struct resolve_name shown;
	struct received last_good[FAMILIES]; // v4, v6
	enum outcome outcomes[FAMILIES];
	unsigned asking;        // replies that are still to come
	bool is_queued, is_gone;
	bool is_first;          // its first look-up is to be told, whatever it has found
	bool is_stopped;        // the look-up under way was ended, and is to be done again
	int64_t failing_ms;     // monotonic: since when look-ups fail; 0: they do not
	unsigned backoff;       // how often the pause has doubled
	int64_t saved_s;        // the good_s that was saved last
	struct event timer;     // the next look-up; while one is under way, the end of waiting for the second reply
	TAILQ_ENTRY(scheduled) queued;
	char why[RESOLVE_ERROR_LEN]; // what the look-up under way has met
	char name[];
};

struct resolve {
	struct event_base *base;
	struct resolve_ops ops;
	struct asker *asker;
	struct sockaddr_storage servers[RESOLVE_SERVERS_MAX];
	struct asker_config asker_config;
	struct received_zones zones;
	unsigned max_age_s;
	struct dict *index;     // name -> entry
	TAILQ_HEAD(schedule, scheduled) queue;  // that are due
	struct event *start;    // timer: starts some of the queue
	int64_t started_ms;     // monotonic: when it last did
	struct event *settle;   // timer: the end of waiting for unknown names; NULL: it has been told
	size_t unknown;         // names that are not known yet
	size_t under_way;       // entries with `asking`
	uint64_t lookups, failures, draws;
	struct resolve_log log;
};

// The addresses of both families, as they are told.
void schedule_merge(const struct scheduled *entry, struct resolve_addresses *merged);
// A look-up is due.
void schedule_queue_up(struct scheduled *entry);
// Frees an entry without a look-up under way that is_gone.
void schedule_drop(struct scheduled *entry);
void schedule_set_timer(struct event *event, int64_t wait_ms);
// The callbacks of an entry's timer and of `start`.
void schedule_on_timer(evutil_socket_t fd, short what, void *arg);
void schedule_on_start(evutil_socket_t fd, short what, void *arg);
