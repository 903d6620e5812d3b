// A small world for tests of steering: two carriers, six sites, one app with a target at each, clients of all kinds.
#pragma once

#include <stdint.h>

#include "answer/locate.h"
#include "answer/pick.h"
#include "view/ground.h"
#include "view/learned.h"
#include "view/live.h"
#include "view/tables.h"
#include "view/view.h"

enum { BOS, NYC, BER, OUT, USE1, EUC1, WORLD_SITES };

struct world_site {
	const char *name;
	enum site_kind kind;
	const char *carrier; // NULL: public
	double latitude, longitude;
};

struct world_client {
	const char *prefix, *carrier, *class_, *hint; // NULL: unknown
	double latitude, longitude;
};

enum { WORLD_CLIENTS = 10 };
extern const struct world_client world_clients[WORLD_CLIENTS];
extern const struct world_site world_sites[WORLD_SITES];
extern const uint16_t world_every_site[WORLD_SITES];
extern const struct cost_model world_model;

struct world {
	struct view view;
	struct ground ground;   // with `tables`, only for what is learned
	struct tables tables;
	struct site sites[WORLD_SITES];
	uint16_t carriers[WORLD_SITES];
	struct target targets[WORLD_SITES];
	struct app app;
	struct target_states *states;
	struct live live;
};

// How many sets get a table of their own: tests run with 1 and with 0, when the only set shares a table.
extern uint32_t world_own_tables;
// The rule of the app's set for clients of unknown metro.
extern enum metro_rule world_metro;

// With all six sites, all up. `weights` NULL: none.
void world_begin(struct world *world, const uint32_t *weights, uint32_t tie_us);
void world_end(struct world *world);
// The app's set becomes `spec`, of the first sites.
void world_steer(struct world *world, const struct ranking_spec *spec);
// Numbers the sites' carriers in the view's places.
void world_number_carriers(struct world *world);
// Makes an overlay for the world, in place of the one that it has. None for no facts.
void world_learn(struct world *world, const struct learned_fact *facts, size_t count);
// Adds a prefix as text to the source being read.
void world_add_prefix(struct place_builder *builder, const char *text, const struct place_facts *facts);

// The decision for a client, and where it was located. `client` is a client subnet in a query from 192.0.2.1.
struct pick world_ask(const struct world *world, const char *client);
struct pick world_ask_by(const struct world *world, const struct query_ecs *ecs, const struct addr *source);
extern struct location world_where;
// The scope of the answer; the site chosen, or -1.
int world_scope(const struct world *world, const char *client);
int world_site(const struct world *world, const char *client);
