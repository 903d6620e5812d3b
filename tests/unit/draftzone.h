// What the zones' tests share: zones built from rows, names found by their text, reports compared.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/report.h"
#include "wire/dns.h"
#include "zone/builder.h"
#include "zone/zone.h"

enum { TTL = 300, REPORT_TEXT_MAX = 16384 };

// One record, its data in a simple form. A, AAAA: an address; NS, CNAME, PTR: a name; MX, SRV: numbers and a name; SOA:
// MINIMUM alone; others: the octets as they are.
struct row {
	const char *owner; // NULL: no row
	uint16_t type;
	uint32_t ttl_s;
	const char *data;
};

struct app_row {
	const char *owner; // NULL: no row
	int32_t number;
	bool is_alias;
};

// SOA and NS of the zone "example".
extern const struct row draftzone_basics[2];

size_t draftzone_wire(const char *text, uint8_t *wire);
void draftzone_open(struct zone_builder *builder, const char *apex);
// As of the file "zone".
int draftzone_add(struct zone_builder *builder, struct report *report, const struct row *row, size_t line);
void draftzone_add_basics(struct zone_builder *builder, struct report *report);

// Builds "example" from the basics and rows, whose lines count from 1; apps are of the file "conf", column 7. NULL when
// it was refused.
struct zonedb *draftzone_build(const struct row *rows, size_t count, const struct app_row *apps, size_t app_count,
                             struct report *report);

// In any case; NULL when it is not there.
const struct node *draftzone_find(const struct zonedb *db, const char *text);
// Fails the test when it is not there.
const struct node *draftzone_find_there(const struct zonedb *db, const char *text);

// The report as text in buf[REPORT_TEXT_MAX], which it returns: one line each, "E zone:3: ...". `prefix`, when lines
// begin with it, is left out; NULL: none.
const char *draftzone_text(const struct report *report, const char *prefix, char *buf);
// Fails the test, at the first line that differs.
void draftzone_expect(const struct report *report, const char *prefix, const char *expected);
