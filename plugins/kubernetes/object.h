// What is kept of an object of a cluster: the few fields that say where a load balancer is, whose, and how the servers
// behind it are. Everything else is dropped as soon as it was read.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include "lib/pool.h"

enum object_kind { OBJECT_INGRESS, OBJECT_SERVICE, OBJECT_SLICE, OBJECT_GATEWAY, OBJECT_ROUTE, OBJECT_KINDS };

enum { OBJECT_ADDRESSES_MAX = 32, OBJECT_RULES_MAX = 1000, OBJECT_BACKENDS_MAX = 100, OBJECT_PARENTS_MAX = 32 };

// The Services that get what comes for a host.
struct object_rule {
	const char *host;            // NULL: any
	const char *const *services; // "namespace/name"
	size_t service_count;
	const char *listener;        // of a Gateway's listener: its name
};

// A Gateway that has accepted an HTTPRoute.
struct object_parent {
	const char *gateway;  // "namespace/name"
	const char *listener; // NULL: any of its
};

struct object {
	TAILQ_ENTRY(object) all; // of its kind
	LIST_ENTRY(object) with; // slices: of the same Service
	enum object_kind kind;
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
	const struct object_rule *rules;
	size_t rule_count;

	// An HTTPRoute
	const struct object_parent *parents;
	size_t parent_count;

	// An EndpointSlice
	const char *service;   // "namespace/name"
	const char *zone;      // of its endpoints; NULL: none says
	bool zones_differ;
	bool ready;            // at least one endpoint is

	size_t cut;            // rules, addresses, ... beyond the limits above
	struct pool pool;
};

// Reads the JSON value of an object of this kind (a json_t). NULL: none that we look at, or out of memory (errno ENOMEM),
// or damaged: *ret_why is then the reason, else NULL. `ingress_class` may be NULL.
struct object *object_decode(enum object_kind kind, const void *json, const char *ingress_class, const char **ret_why);
void object_free(struct object *object);

// Whether two versions of an object say the same.
bool object_same(const struct object *a, const struct object *b);

// Reads "namespace/name" alone into `buf`. False: damaged.
bool object_read_id(const void *json, char *buf, size_t size);

// The name of a kind in messages and keys, e.g. "ingress".
const char *object_kind_name(enum object_kind kind);
