// A compiled view to query, and replies parsed by ldns, shared by the tests of answers. The view is built from the
// given texts as the daemon builds it.
#pragma once

#include <ldns/ldns.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/counters.h"
#include "wire/dns.h"
#include "wire/transport.h"

enum {
	DIG_IDLE_100MS = 100, // as the connections of dig_ask() have it
	DIG_QUERY_MAX = 1024,
};

struct dig {
	char folder[64];
	struct config *config;
	struct live *live;
	struct target_states *states; // its part
	struct view *view;
	struct handouts *handouts; // the view's
	struct counters counters;
};

extern struct dig dig;
extern const struct addr dig_source; // 198.51.100.7
extern uint8_t dig_reply[DNS_MESSAGE_MAX];
extern size_t dig_reply_len;

struct question {
	const char *name, *type;
	const char *ecs;   // "10.10.1.0/24"; NULL: none
	int edns_size;     // 0: no OPT
	enum transport transport;
	const uint8_t *options; // raw options instead of `ecs`
	size_t options_len;
};

// Answers that held the target of that number.
uint64_t dig_handouts(uint32_t target);

// Makes the view of a config whose domain's file is "zone" and whose source's is "clients", in a folder of its own.
void dig_begin(const char *config, const char *zone, const char *clients);
void dig_end(void);
// The same of a view with one app, "app.example" (192.0.2.1), which is published meanwhile: for the tests of net/.
void dig_begin_published(void);
void dig_end_published(void);

// Writes the query, ID 4711, into wire[DIG_QUERY_MAX]; returns its length.
size_t dig_query(const struct question *question, uint8_t *wire);
// Asks it from dig_source; the caller frees the reply. dig_wire() gives NULL for silence.
ldns_pkt *dig_ask(const struct question *question);
ldns_pkt *dig_wire(const uint8_t *query, size_t len, enum transport transport);

// "owner type rdata" of each record, joined by " | "; of the rdata the first field.
void dig_describe(const ldns_rr_list *list, char *text, size_t size);
// The scope of the reply's client subnet; -1: there is none.
int dig_scope(const ldns_pkt *pkt);
// The length of an EDNS option in the reply; -1: there is none.
int dig_option_len(const ldns_pkt *pkt, unsigned code);
