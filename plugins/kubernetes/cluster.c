// One cluster; see cluster.h.
#include "cluster.h"

#include <stdio.h>
#include <string.h>

void cluster_begin(struct cluster *cluster, const struct edgesteer_host *host, struct https *https,
                   const struct settings *settings, const struct settings_cluster *what, struct remarks *remarks)
{
	*cluster = (struct cluster){
		.host = host,
		.common = {.https = https, .settings = settings, .cluster = what, .remarks = remarks},
		.told = -1,
	};
	for (int kind = 0; kind < KOBJECT_KINDS; kind++)
		feed_begin(&cluster->feeds[kind], &cluster->common, (enum kobject_kind)kind);
}

void cluster_end(struct cluster *cluster)
{
	for (int kind = 0; kind < KOBJECT_KINDS; kind++)
		feed_end(&cluster->feeds[kind]);
}

int64_t cluster_turn(struct cluster *cluster, int64_t now_ms)
{
	int64_t due_ms = INT64_MAX;

	for (int kind = 0; kind < KOBJECT_KINDS; kind++) {
		int64_t next_ms = feed_turn(&cluster->feeds[kind], now_ms);

		due_ms = next_ms < due_ms ? next_ms : due_ms;
	}
	return due_ms;
}

bool cluster_is_known(const struct cluster *cluster)
{
	bool known = true;

	for (int kind = 0; kind < KOBJECT_KINDS; kind++)
		known &= cluster->feeds[kind].known;
	return known;
}

void cluster_claim(const struct cluster *cluster, struct claims *claims)
{
	const struct kobjects *objects[KOBJECT_KINDS];

	for (int kind = 0; kind < KOBJECT_KINDS; kind++)
		objects[kind] = &cluster->feeds[kind].objects;
	claims_add(claims, cluster->common.settings, cluster->common.cluster->name, objects, cluster->common.remarks);
}

// The feed whose trouble is told: the one that was told last for as long as it has any, so that feeds which fail by
// turns do not make a line each. NULL: none has.
static const struct feed *find_away(struct cluster *cluster)
{
	for (int i = 0; i < KOBJECT_KINDS; i++) {
		int kind = (cluster->told_kind + i) % KOBJECT_KINDS;

		if (feed_is_away(&cluster->feeds[kind])) {
			cluster->told_kind = kind;
			return &cluster->feeds[kind];
		}
	}
	return NULL;
}

void cluster_tell(struct cluster *cluster, bool committed)
{
	const struct feed *away = find_away(cluster);
	enum edgesteer_source state = away ? EDGESTEER_SOURCE_AWAY
	                              : cluster_is_known(cluster) ? EDGESTEER_SOURCE_CURRENT : EDGESTEER_SOURCE_CONNECTING;
	char text[sizeof(cluster->text)] = "";

	if (away)
		snprintf(text, sizeof(text), "%s: %s", feed_name(away), away->why);
	if (state == EDGESTEER_SOURCE_CURRENT && !committed)
		return;
	if ((int)state == cluster->told && strcmp(text, cluster->text) == 0)
		return;
	cluster->told = (int)state;
	memcpy(cluster->text, text, sizeof(text));
	cluster->host->source(cluster->host, cluster->common.cluster->name, state, away ? text : NULL);
}
