// A plugin host for tests of plugins: lends fixed options, keeps what is reported and handed over as text lines. No
// checks: what a plugin hands over is what the test sees. Runs provide() or look_up() on a
// thread. For fuzz targets one that checks everything and keeps nothing.
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include "edgesteer-plugin.h"

struct fakehost_pair {
	const char *key, *value; // key NULL: the end
};

// The pairs of one of several options of type EDGESTEER_MAP.
struct fakehost_map {
	const char *name; // NULL: the end
	const struct fakehost_pair *pairs;
};

struct fakehost_added {
	struct edgesteer_prefix prefix;
	double latitude, longitude, accuracy_km;
	char carrier[128], class_[128], site[4 * 64], country[128]; // "": NULL; site: all of them, best first
};

struct fakehost {
	struct edgesteer_host lent; // first
	const struct fakehost_pair *options, *map;
	size_t refuse_after;        // add() number this + 1 fails; 0: never
	char *reports;              // "error 3: text\n" each; line 0 is left out: "error: text\n"
	size_t reports_len, errors;
	struct fakehost_added *added;
	size_t added_count;
	size_t adds;                // calls of add(), the refused ones too
	void (*on_add)(const struct edgesteer_prefix *prefix, const struct edgesteer_place *place); // called by every add();
	                                                                                            // NULL
	bool is_fuzzing;            // by fakehost_fuzz()
	char read[128];             // what the last call of reads() said

	// provide(), which is on a thread of its own; the lock is for all of what it writes.
	const struct fakehost_map *maps; // instead of `map`; NULL: every option has that one
	bool (*refuses)(const struct edgesteer_target *target); // NULL: none is refused
	FILE *trace;                     // gets a line for each call, at once; NULL
	pthread_mutex_t lock;
	pthread_t thread;
	const struct edgesteer_plugin *plugin;
	void *instance;
	int stop_fd, result;
	struct fakehost_op *ops;         // since the last commit
	size_t op_count, commits, wholes;
	bool whole;                      // begin() was called since
	void *targets;                   // what was committed, a tree
	char *sources;                   // "prod: current\n", "prod: away 401 Unauthorized\n", in their order
	size_t sources_len;

	// look_up(), as provide().
	int question_fd;
	struct fakehost_question *questions; // not taken yet, oldest first
	struct fakehost_question *taken;     // last
	char *answers;                       // fakehost_answers()
	size_t answers_len, answer_count;
};

// Options and map are borrowed; `map` may be NULL.
void fakehost_begin(struct fakehost *host, const struct fakehost_pair *options, const struct fakehost_pair *map);
// Opens, enumerates and closes an instance. 0 only when all went well.
int fakehost_run(struct fakehost *host, const struct edgesteer_plugin *plugin);
void fakehost_end(struct fakehost *host);

// Opens an instance and runs its provide() on a thread. Negative: open() failed.
int fakehost_provide(struct fakehost *host, const struct edgesteer_plugin *plugin);
// The same with look_up().
int fakehost_look_up(struct fakehost *host, const struct edgesteer_plugin *plugin);
// Has provide() or look_up() return, closes the instance, and returns what it did.
int fakehost_stop(struct fakehost *host);
// What was committed, by key: "KEY: APP SITE BALANCER CREATED HEALTH\n" each. For free().
char *fakehost_targets(struct fakehost *host);
// Gives look_up() a question, which is copied. Any number of them, at any rate.
void fakehost_ask(struct fakehost *host, const struct edgesteer_question *question);
// All answers so far, in their order: "ID found SITE,SITE carrier=C class=C lifetime=S: TEXT\n", "ID busy retry=S: TEXT\n",
// without what is not said. For free().
char *fakehost_answers(struct fakehost *host);
// How many there are so far, while the plugin runs.
size_t fakehost_answer_count(struct fakehost *host);
// Runs a plugin on a file of `len` octets, whose path is the value of each option whose value here is FAKEHOST_FILE.
// Aborts unless it keeps to the plugin interface in what it adds, `on_add` (NULL: none) agrees, its reports name no other
// file, and it fails exactly when it has reported an error.
#define FAKEHOST_FILE "FILE"
void fakehost_fuzz(const struct edgesteer_plugin *plugin, const struct fakehost_pair *options,
                   const struct fakehost_pair *map,
                   void (*on_add)(const struct edgesteer_prefix *prefix, const struct edgesteer_place *place),
                   const void *data, size_t len);

// One thing that was handed over: "10.0.0.0/8 carrier 52.5,13.25 ~10 km class @site in US", without what is unknown.
const char *fakehost_format(const struct fakehost_added *added, char buf[static 512]);
