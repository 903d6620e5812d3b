// What is kept of an object of a cluster: the few fields that say where a load balancer is, whose, and how the servers
// behind it are. Everything else is dropped as soon as it was read.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "lib/pool.h"

enum kobject_kind { KOBJECT_INGRESS, KOBJECT_SERVICE, KOBJECT_SLICE, KOBJECT_GATEWAY, KOBJECT_ROUTE, KOBJECT_KINDS };

enum { KOBJECT_ADDRESSES_MAX = 32, KOBJECT_RULES_MAX = 1000, KOBJECT_BACKENDS_MAX = 100, KOBJECT_PARENTS_MAX = 32 };

// The Services that get what comes for a host.
struct kobject_rule {
	const char *host;            // NULL: any
	const char *const *services; // "namespace/name"
	size_t service_count;
	const char *listener;        // of a Gateway's listener: its name
};

// A Gateway that has accepted an HTTPRoute.
struct kobject_parent {
	const char *gateway;  // "namespace/name"
	const char *listener; // NULL: any of its
};

struct kobject {
	TAILQ_ENTRY(kobject) all; // of its kind
	LIST_ENTRY(kobject) with; // slices: of the same Service
	enum kobject_kind kind;
	const char *id;          // "namespace/name"
	const char *space;       // the namespace
	uint64_t seen;           // the number of the list that had it last
	int64_t created_s;       // Unix time; 0: not known

	// An Ingress, a Service or a Gateway. NULL: not said
	const char *site, *app, *subnets; // by annotations
	const char *alias;                // its load balancer's name
	const char *const *addresses;     // else its addresses
	size_t address_count;

	// Hosts of an Ingress, the Service itself, a Gateway's listeners, the hostnames of an HTTPRoute
	const struct kobject_rule *rules;
	size_t rule_count;

	// An HTTPRoute
	const struct kobject_parent *parents;
	size_t parent_count;

	// An EndpointSlice
	const char *service;   // "namespace/name"
	const char *zone;      // of its endpoints; NULL: none says
	bool zones_differ;
	bool ready;            // at least one endpoint is

	size_t cut;            // rules, addresses, ... beyond the limits above
	struct pool pool;
};

// Reads the JSON value of an object of this kind (a json_t). NULL: none that we look at, or out of memory (errno
// ENOMEM), or damaged: *ret_why is then the reason, else NULL. `ingress_class` may be NULL.
struct kobject *kobject_decode(enum kobject_kind kind, const void *json, const char *ingress_class, const char **ret_why);
void kobject_free(struct kobject *object);

// Whether two versions of an object say the same.
bool kobject_same(const struct kobject *a, const struct kobject *b);

// Reads "namespace/name" alone into `buf`. False: damaged.
bool kobject_read_id(const void *json, char *buf, size_t size);

// The name of a kind in messages and keys, e.g. "ingress".
const char *kobject_kind_name(enum kobject_kind kind);
