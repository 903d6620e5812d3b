// Records for the parent zone, as lines and as a change batch; see paste.h.
#include "online/paste.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "online/apex.h"
#include "online/parent.h"

enum { LINE_LEN = 2 * NAME_TEXT_MAX + 64, ROUTE53_NAME_LEN = 4 * NAME_WIRE_MAX + 1 };

static const struct family {
	enum addr_family family;
	const char *type;
} families[] = {{ADDR_V4, "A"}, {ADDR_V6, "AAAA"}};

enum { FAMILIES = sizeof(families) / sizeof(*families) };

// A server's addresses as they should be at the parent: ours; where those are not known here, those that it has.
static const struct delegation_server *wanted(const struct delegation_server *ours, const struct parent *parent)
{
	const struct delegation_server *parents = delegation_find(&parent->delegation, &ours->name);

	return ours->address_count == 0 && parents ? parents : ours;
}

static bool has_family(const struct delegation_server *server, enum addr_family family)
{
	for (size_t i = 0; i < server->address_count; i++)
		if (server->addresses[i].family == family)
			return true;
	return false;
}

// ---- Lines ----

static int add_line(json_t *lines, const struct wire_name *owner, uint32_t ttl_s, const char *type, const char *data)
{
	char line[LINE_LEN], text[NAME_TEXT_MAX];

	snprintf(line, sizeof(line), "%s. %u IN %s %s", name_to_text(owner->wire, owner->len, text), ttl_s, type, data);
	return json_array_append_new(lines, json_string(line));
}

static int add_ns_line(json_t *lines, const struct apex *ours, const struct wire_name *server)
{
	char text[NAME_TEXT_MAX], data[NAME_TEXT_MAX + 1];

	snprintf(data, sizeof(data), "%s.", name_to_text(server->wire, server->len, text));
	return add_line(lines, &ours->name, ours->delegation.ttl_s, "NS", data);
}

static int add_glue_lines(json_t *lines, const struct delegation_server *server)
{
	char data[ADDR_TEXT_LEN];
	int failed = 0;

	for (size_t i = 0; i < server->address_count; i++) {
		const struct addr *address = &server->addresses[i];
		const bool is_v6 = address->family == ADDR_V6;

		failed |= add_line(lines, &server->name, server->ttl_s[is_v6], families[is_v6].type, addr_format(address, data));
	}
	if (server->address_count == 0)
		failed |= json_array_append_new(lines, json_string("; and its address: it is not known here"));
	return failed;
}

json_t *paste_lines(const struct apex *ours, const struct parent *parent)
{
	json_t *lines = json_array();
	int failed = lines ? 0 : -1;

	for (size_t i = 0; i < ours->delegation.count; i++)
		failed |= add_ns_line(lines, ours, &ours->delegation.servers[i].name);
	for (size_t i = 0; i < ours->delegation.count; i++)
		if (ours->delegation.servers[i].is_inside)
			failed |= add_glue_lines(lines, wanted(&ours->delegation.servers[i], parent));
	if (failed)
		json_decref(lines);
	return failed ? NULL : lines;
}

// ---- Route 53 ----

// Escapes of three octal digits for all but letters, digits, hyphens and underscores. Returns buf[ROUTE53_NAME_LEN].
static const char *route53_name(const struct wire_name *name, char *buf)
{
	char *at = buf;

	for (const uint8_t *label = name->wire; *label; label += 1 + *label) {
		for (unsigned i = 1; i <= *label; i++) {
			const uint8_t c = label[i];
			const bool is_plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';

			at += snprintf(at, 5, is_plain ? "%c" : "\\%03o", c); // NOLINT: both take an int
		}
		*at++ = '.';
	}
	*at = '\0';
	return buf;
}

static int add_value(json_t *values, const char *value)
{
	return json_array_append_new(values, json_pack("{s:s}", "Value", value));
}

// Takes `values`.
static int add_change(json_t *changes, const char *action, const struct wire_name *owner, const char *type,
                      uint32_t ttl_s, json_t *values)
{
	char name[ROUTE53_NAME_LEN];

	return json_array_append_new(changes, json_pack("{s:s, s:{s:s, s:s, s:I, s:o}}", "Action", action,
	                                                "ResourceRecordSet", "Name", route53_name(owner, name), "Type", type,
	                                                "TTL", (json_int_t)ttl_s, "ResourceRecords", values));
}

static int add_ns_change(json_t *changes, const struct apex *ours)
{
	char name[ROUTE53_NAME_LEN];
	json_t *values = json_array();
	int failed = values ? 0 : -1;

	for (size_t i = 0; i < ours->delegation.count; i++)
		failed |= add_value(values, route53_name(&ours->delegation.servers[i].name, name));
	return failed | add_change(changes, "UPSERT", &ours->name, "NS", ours->delegation.ttl_s, values);
}

// The server's addresses of one family.
static int add_glue_change(json_t *changes, const char *action, const struct delegation_server *server,
                           const struct family *family)
{
	json_t *values = json_array();
	char text[ADDR_TEXT_LEN];
	int failed = values ? 0 : -1;

	for (size_t i = 0; i < server->address_count; i++)
		if (server->addresses[i].family == family->family)
			failed |= add_value(values, addr_format(&server->addresses[i], text));
	return failed | add_change(changes, action, &server->name, family->type, server->ttl_s[family->family == ADDR_V6],
	                           values);
}

// What the parent has, and the zone does not. Route 53 deletes what is told exactly, or nothing of the batch.
static int add_deletions(json_t *changes, const struct apex *ours, const struct parent *parent)
{
	int failed = 0;

	for (size_t i = 0; i < parent->delegation.count && !parent->delegation.is_cut; i++) {
		const struct delegation_server *server = &parent->delegation.servers[i];
		const struct delegation_server *own = delegation_find(&ours->delegation, &server->name);

		for (unsigned j = 0; j < FAMILIES && server->is_inside; j++)
			if (has_family(server, families[j].family) && !(own && has_family(wanted(own, parent), families[j].family)))
				failed |= add_glue_change(changes, "DELETE", server, &families[j]);
	}
	return failed;
}

json_t *paste_batch(const struct apex *ours, const struct parent *parent)
{
	json_t *changes = json_array();
	int failed = changes ? add_ns_change(changes, ours) : -1;

	for (size_t i = 0; i < ours->delegation.count; i++) {
		const struct delegation_server *server = wanted(&ours->delegation.servers[i], parent);

		for (unsigned j = 0; j < FAMILIES && server->is_inside; j++)
			if (has_family(server, families[j].family))
				failed |= add_glue_change(changes, "UPSERT", server, &families[j]);
	}
	failed |= add_deletions(changes, ours, parent);
	if (failed)
		json_decref(changes);
	return failed ? NULL : json_pack("{s:s, s:o}", "Comment", "delegation, as edgesteerd -t --online found it to be needed",
	                                 "Changes", changes);
}
