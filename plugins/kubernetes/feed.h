// One resource of a cluster followed: listed page by page, then watched, again and again. The table of its states is in
// feed.c.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "kobjects.h"
#include "remarks.h"
#include "settings.h"
#include "lib/https.h"
#include "lib/skim.h"

enum feed_state {
	FEED_LIST,   // a page of the list is asked for
	FEED_WATCH,  // changes come, or are asked for
	FEED_WAIT,   // something failed; goes on with `then`
	FEED_ABSENT, // the API does not have the resource; asks again now and then
	FEED_STATES
};

// What becomes of a request; feed.c has what follows from it.
enum feed_event {
	FEED_NONE,
	FEED_PAGE,
	FEED_LAST,
	FEED_ENDED,
	FEED_GONE,
	FEED_LARGE,
	FEED_MISSING,
	FEED_FAILED,
	FEED_STRAY,
};

// What the feeds of a cluster have in common.
struct feed_common {
	struct https *https;
	const struct settings *settings;
	const struct settings_cluster *cluster;
	struct remarks *remarks;
	bool changed;         // objects did since this was last set to false
	int64_t reached_ms;   // when the last request began that the server has answered
};

enum { FEED_WHY_SIZE = 320 };

struct feed {
	struct feed_common *common;
	enum kobject_kind kind;
	struct kobjects objects;
	enum feed_state state, then;
	bool known;              // listed once at least, or absent
	bool unreachable;        // the last request had no answer
	bool gone;               // being listed again for a version that was too old is no absence
	bool progress;           // the watch has brought something
	bool list_damaged;       // the list had an object that could not be told
	char *version;           // where the watch goes on; opaque
	char *page;              // where the list goes on; NULL: at its start
	unsigned limit;          // objects a page
	uint64_t list_number;
	unsigned failures;       // since the last good watch
	int64_t began_ms, due_ms;
	uint64_t credentials;    // the files of the last attempt
	struct https_request *request;
	struct skim skim;
	enum feed_event outcome; // what the documents of the reply tell of its end
	char why[FEED_WHY_SIZE]; // of the last failure
};

void feed_begin(struct feed *feed, struct feed_common *common, enum kobject_kind kind);
void feed_end(struct feed *feed);

// Does what is due. Returns the time when it wants to be called again at the latest, in ms of CLOCK_MONOTONIC.
int64_t feed_turn(struct feed *feed, int64_t now_ms);

// Whether it fails, and not for the first time; feed->why says how.
bool feed_is_away(const struct feed *feed);

// The resource's name in the API, e.g. "ingresses".
const char *feed_name(const struct feed *feed);
// The kind of its lists, e.g. "IngressList".
const char *feed_list_kind(const struct feed *feed);

// Sets feed->why.
void feed_say_why(struct feed *feed, const char *fmt, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 2, 3)))
#endif
    ;
