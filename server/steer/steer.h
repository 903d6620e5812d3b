// Steering, the part that is paid before the query: for a set of sites in the order an app wrote them, the order of
// candidates of every place, and the table from address to that order. Apps with the same sites, weights and tie share
// one struct steer. DESIGN: reach is an invariant; an order holds only sites its clients can reach, so nothing later
// (health, drains, fail-open) can answer one they cannot.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "steer/lpm.h"
#include "steer/site.h"

struct place;
struct places;

// The figures the estimate is made of: modelling choices, every one settable. Microseconds.
struct cost_model {
	uint32_t access_us[SITE_KINDS];
	double us_per_km;
};

// Why a candidate has its cost; for explain.
enum cost_basis { COST_HINT, COST_MEASURED, COST_DISTANCE, COST_UNKNOWN };

// A row of the measured latency table: clients of a group (or of a carrier) to one site.
struct measured {
	uint32_t group;     // struct place's `measured`; 0: the row is for a carrier
	uint16_t carrier;   // for group 0
	uint16_t site;      // index in view->sites
	uint32_t us;
};

struct measured_table {
	const struct measured *rows; // sorted by group, carrier, site
	size_t count;
};

// One candidate as explain shows it and as orders are made from it.
struct candidate {
	uint16_t slot;
	bool reachable;
	enum cost_basis basis;
	double km;        // great circle; NaN where either end is unknown
	int64_t cost_us;  // with the bias; INT64_MAX: unknown
};

// What the order depends on besides the place. Two apps with equal ones share the steer.
struct steer_spec {
	const uint16_t *sites;     // per slot, in the order written
	const uint32_t *weights;   // per slot; NULL: the config gives no weights, so the best one takes all. 0: a standby,
	                           // behind all in reach that have a weight
	uint16_t count;
	uint32_t tie_us;           // candidates within this of the best share by weight; read only with weights
	uint8_t hash_v4, hash_v6;  // the hash's key: the client's prefix cut to this, or to the leaf where that is longer
};

// Candidates in order. With weights the order falls into groups: the best one and all within `tie` of it share, then the
// next best and all within `tie` of that one, and so on. The groups do not move with health, so that when a target
// leaves only its own clients move. Without weights each step is a group.
struct order_step {
	uint8_t slot;
	uint8_t group_end;         // index of the last step of this one's group
};

// The first steps lie beside the count, as they are what most queries read.
struct order {
	uint16_t count;            // 0: this client can reach nothing
	bool hashed;               // some group has more than one step, so in some state of health a hash decides
	bool ecs_ignored;          // an ECS address here is taken as the resolver's own; `steps` are for who asks from here
	struct order_step steps[];
};

enum { ORDER_UNIT = 16 };

struct steer {
	struct lpm v4, v6;         // address -> its order, in units of ORDER_UNIT octets into `orders`
	const uint8_t *orders;
	size_t orders_len;         // octets
	uint32_t order_count;
	struct steer_spec spec;
};

// What a view has when orders are made.
struct steer_input {
	const struct places *places;
	const struct site *sites;
	const struct cost_model *model;
	struct measured_table measured;
};

// Truth table of reach (DESIGN section 2.2); the test walks the same rows.
//
//   site's reach      client's carrier       class        reachable
//   public            any                    any          yes
//   carriers          one of them            edge/none    yes
//   carriers          one of them            other        no
//   carriers          another, or unknown    any          no
bool steer_can_reach(const struct places *places, const struct site *site, const struct place *place);

// All of the spec's slots for one place, in order: reachable ones first, by cost, unknown cost last (public before
// carrier sites), ties in the order written; standbys after those with a weight, likewise; unreachable ones last, in the
// order written. Writes spec->count candidates, returns how many are reachable.
unsigned steer_candidates(const struct steer_input *in, const struct steer_spec *spec, const struct place *place,
                          struct candidate *ret_candidates);

// Great-circle distance on a sphere of 6371.0088 km.
double steer_distance_km(double lat1, double lon1, double lat2, double lon2);

// Makes the orders and tables. E_NOMEM, E_LIMIT. `spec` is copied.
int steer_build(const struct steer_input *in, const struct steer_spec *spec, struct steer **ret_steer) MUST_USE;
struct steer *steer_free(struct steer *steer);
bool steer_spec_equal(const struct steer_spec *a, const struct steer_spec *b) PURE;
size_t steer_bytes(const struct steer *steer);

// What the query learns of its client: which order, and the length of the block that has it.
struct steer_hit {
	const struct order *order;
	uint8_t depth;
};

static inline const struct lpm *steer_table(const struct steer *steer, const struct addr *addr)
{
	return addr->family == ADDR_V4 ? &steer->v4 : &steer->v6;
}

static inline struct steer_hit steer_hit(const struct steer *steer, struct lpm_hit hit)
{
	return (struct steer_hit){(const void *)(steer->orders + (size_t)hit.value * ORDER_UNIT), hit.depth};
}

static inline struct steer_hit steer_lookup(const struct steer *steer, const struct addr *addr)
{
	return steer_hit(steer, lpm_lookup(steer_table(steer, addr), addr_key(addr)));
}
