// One cluster: its resources followed, its objects, and how it stands.
#pragma once

#include "claims.h"
#include "feed.h"

struct cluster {
	const struct edgesteer_host *host;
	struct feed_common common;
	struct feed feeds[KOBJECT_KINDS];
	int told;                // the state told last; -1: none
	int told_kind;           // which feed's trouble it was
	char text[FEED_WHY_SIZE + 32]; // and what was said of it
};

void cluster_begin(struct cluster *cluster, const struct edgesteer_host *host, struct https *https,
                   const struct settings *settings, const struct settings_cluster *what, struct remarks *remarks);
void cluster_end(struct cluster *cluster);

// Does what is due; returns when it wants to be called again at the latest (ms of CLOCK_MONOTONIC).
int64_t cluster_turn(struct cluster *cluster, int64_t now_ms);

// Whether everything was listed once.
bool cluster_is_known(const struct cluster *cluster);

// Adds what it claims; it is known.
void cluster_claim(const struct cluster *cluster, struct claims *claims);

// Tells the host how it stands, where that has changed. `committed`: the host has all that is known.
void cluster_tell(struct cluster *cluster, bool committed);
