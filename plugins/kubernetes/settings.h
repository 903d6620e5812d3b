// The options of a `plugin: kubernetes` entry, checked.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "edgesteer-plugin.h"
#include "lib/https.h"
#include "lib/pool.h"

struct settings_cluster {
	const char *name;
	const char *url; // without a slash at the end
	struct https_peer peer;
};

// A row of a mapping, in the order of the config.
struct settings_row {
	const char *key, *value;
};

struct settings_rows {
	struct settings_row *rows;
	size_t count, cap;
};

struct settings {
	struct settings_cluster *clusters;
	size_t cluster_count;
	struct settings_rows namespaces; // from a pattern to a site
	struct settings_rows subnets;    // from a subnet's ID or name to a site
	struct settings_rows apps;       // from a pattern of namespaces to a pattern of apps; a row for each of these
	bool apps_given;                 // else every namespace in `namespaces` may have any name
	const char *ingress_class;       // NULL: all
	const char *label_selector;      // NULL: all
	bool annotations;                // whether edgesteer.io/site and edgesteer.io/app count
	struct pool pool;                // owns the rest
};

extern const struct edgesteer_option settings_options[];

// Reads and checks them. Returns 0, or negative (reported). settings_free() in either case.
int settings_read(struct settings *settings, const struct edgesteer_host *host);
void settings_free(struct settings *settings);
