// Zones built from rows, for tests; see draftzone.h.
#include "draftzone.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/addr.h"
#include "base/attr.h"
#include "base/err.h"

enum { RDATA_MAX = 1024 };

size_t draftzone_wire(const char *text, uint8_t *wire)
{
	size_t len;

	assert_int_equal(name_from_text(text, wire, &len), 0);
	return len;
}

static size_t numbers_of(const char **text, size_t octets, size_t count, uint8_t *wire)
{
	size_t at = 0;

	for (size_t i = 0; i < count; i++) {
		unsigned long number = strtoul(*text, (char **)text, 10);

		*text += **text == ' ';
		for (size_t shift = octets; shift-- > 0;)
			wire[at++] = (uint8_t)(number >> (8 * shift));
	}
	return at;
}

static size_t rdata_of(uint16_t type, const char *data, uint8_t *wire)
{
	struct addr addr;
	size_t at = 0;

	switch (type) {
	case DNS_A:
	case DNS_AAAA:
		assert_int_equal(addr_parse(data, &addr), 0);
		memcpy(wire, addr.bytes, sizeof(addr.bytes));
		return type == DNS_A ? 4 : 16;
	case DNS_MX:
	case DNS_SRV:
		at = numbers_of(&data, 2, type == DNS_MX ? 1 : 3, wire);
		// fall through
	case DNS_NS:
	case DNS_CNAME:
	case DNS_PTR: return at + draftzone_wire(data, wire + at);
	case DNS_SOA:
		at = draftzone_wire("ns.example", wire);
		at += draftzone_wire("host.example", wire + at);
		memset(wire + at, 0, 16);
		at += 16;
		return at + numbers_of(&data, 4, 1, wire + at);
	default: memcpy(wire, data, strlen(data)); return strlen(data);
	}
}

void draftzone_open(struct zone_builder *builder, const char *apex)
{
	uint8_t wire[NAME_WIRE_MAX];

	assert_int_equal(zone_builder_zone(builder, wire, draftzone_wire(apex, wire)), 0);
}

int draftzone_add(struct zone_builder *builder, struct report *report, const struct row *row, size_t line)
{
	uint8_t owner[NAME_WIRE_MAX], rdata[RDATA_MAX];
	size_t owner_len = draftzone_wire(row->owner, owner), len = rdata_of(row->type, row->data, rdata);

	return zone_builder_record(builder, report, (struct zone_origin){"zone", line, 0}, owner, owner_len, row->type,
	                           row->ttl_s, rdata, len);
}

static int add_app(struct zone_builder *builder, struct report *report, const struct app_row *row, size_t line)
{
	const struct zone_origin origin = {"conf", line, 7};
	uint8_t owner[NAME_WIRE_MAX];

	return zone_builder_app(builder, report, origin, owner, draftzone_wire(row->owner, owner), row->number,
	                        row->is_alias);
}

const struct row draftzone_basics[2] = {
	{"example", DNS_SOA, 3600, "600"},
	{"example", DNS_NS, TTL, "ns.elsewhere"},
};

void draftzone_add_basics(struct zone_builder *builder, struct report *report)
{
	for (size_t i = 0; i < ARRAY_LEN(draftzone_basics); i++)
		assert_int_equal(draftzone_add(builder, report, &draftzone_basics[i], 100 + i), 0);
}

struct zonedb *draftzone_build(const struct row *rows, size_t count, const struct app_row *apps, size_t app_count,
                            struct report *report)
{
	struct zone_builder *builder = zone_builder_new();
	struct zonedb *db = NULL;

	assert_non_null(builder);
	draftzone_open(builder, "example");
	draftzone_add_basics(builder, report);
	for (size_t i = 0; i < count; i++)
		if (rows[i].owner)
			(void)!draftzone_add(builder, report, &rows[i], i + 1);
	for (size_t i = 0; i < app_count; i++)
		if (apps[i].owner)
			(void)!add_app(builder, report, &apps[i], i + 1);

	int err = zone_builder_finish(builder, report, &db);

	assert_int_equal(err, report_ok(report) ? E_OK : E_INVAL);
	assert_true((err == E_OK) == (db != NULL));
	zone_builder_free(builder);
	return db;
}

const struct node *draftzone_find(const struct zonedb *db, const char *text)
{
	uint8_t wire[NAME_WIRE_MAX];
	size_t len = draftzone_wire(text, wire);

	name_fold(wire, len);
	return zonedb_find(db, wire, len, name_hash(wire, len));
}

const struct node *draftzone_find_there(const struct zonedb *db, const char *text)
{
	const struct node *node = draftzone_find(db, text);

	if (!node)
		fail_msg("%s is not there", text);
	return node;
}

// ---- reports ----

struct text {
	char *buf;
	size_t len;
	const char *prefix;
};

static void keep_line(void *ctx, enum report_level level, const char *line)
{
	struct text *text = ctx;
	size_t skip = text->prefix && strncmp(line, text->prefix, strlen(text->prefix)) == 0 ? strlen(text->prefix) : 0;

	text->len += (size_t)snprintf(text->buf + text->len, REPORT_TEXT_MAX - text->len, "%c %s\n", "EWN"[level],
	                              line + skip);
	assert_true(text->len < REPORT_TEXT_MAX);
}

const char *draftzone_text(const struct report *report, const char *prefix, char *buf)
{
	struct text text = {.buf = buf, .prefix = prefix};

	*buf = '\0';
	report_each(report, keep_line, &text);
	return buf;
}

void draftzone_expect(const struct report *report, const char *prefix, const char *expected)
{
	char buf[REPORT_TEXT_MAX];
	const char *have = draftzone_text(report, prefix, buf);

	while (*have) {
		size_t len = strcspn(have, "\n") + 1;

		if (strncmp(have, expected, len) != 0)
			break;
		have += len;
		expected += len;
	}
	if (*have || *expected)
		fail_msg("%.*s\n--- expected\n%.*s", (int)strcspn(have, "\n"), have, (int)strcspn(expected, "\n"),
		         expected);
}
