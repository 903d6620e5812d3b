// Which targets the objects of a cluster stand for: the app and the site of each. Pure functions of the objects and the
// settings; what cannot be used is remarked on.
#pragma once

#include "kobjects.h"
#include "remarks.h"
#include "settings.h"

struct claim {
	const char *key;  // "prod/shop/ingress/web shop.example.com"
	const char *app;  // lower case, without a final dot
	const char *site;
	const char *balancer; // its alias, or all of its addresses
	const struct kobject *object;
	enum edgesteer_health health;
};

// A list of them that is made anew in every round.
struct claims {
	struct claim *list;
	size_t count, cap;
	struct pool pool; // of their texts
	bool failed;      // out of memory: the list is not whole
};

// Adds what the cluster's objects (by their kind) claim. The claims point into the objects.
void claims_add(struct claims *claims, const struct settings *settings, const char *cluster,
                const struct kobjects *const objects[KOBJECT_KINDS], struct remarks *remarks);

// Sorts them, and unites those of one app, site and load balancer under the oldest object.
void claims_unite(struct claims *claims);

void claims_free(struct claims *claims);
