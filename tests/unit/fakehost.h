// A plugin host for tests of plugins: lends fixed options, keeps what is reported and handed over as text lines. No
// checks: what a plugin hands over is what the test sees.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "edgesteer-plugin.h"

struct fakehost_pair {
	const char *key, *value; // key NULL: the end
};

struct fakehost_added {
	struct edgesteer_prefix prefix;
	double latitude, longitude, accuracy_km;
	char carrier[128], class_[128], site[128], country[128]; // "": NULL
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
	void (*on_add)(void);       // called by every add(); NULL
	char read[128];             // what the last call of reads() said
};

// Options and map are borrowed; `map` may be NULL.
void fakehost_begin(struct fakehost *host, const struct fakehost_pair *options, const struct fakehost_pair *map);
// Opens, enumerates and closes an instance. 0 only when all went well.
int fakehost_run(struct fakehost *host, const struct edgesteer_plugin *plugin);
void fakehost_end(struct fakehost *host);

// One thing that was handed over: "10.0.0.0/8 carrier 52.5,13.25 ~10 km class @site in US", without what is unknown.
const char *fakehost_format(const struct fakehost_added *added, char buf[static 512]);
