// The findings about one domain; see findings.h.
#include "online/findings.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "online/paste.h"

enum { TEXT_LEN = 3 * NAME_TEXT_MAX + 256 };

static const char error_level[] = "error", warning_level[] = "warning", note_level[] = "note";

struct findings {
	json_t *list;
	size_t differences, complaints; // of the parent's records; of name servers
	bool breaks;
	int failed;                     // not 0: out of memory
};

static const char *text_of(const struct wire_name *name, char *buf)
{
	return name_to_text(name->wire, name->len, buf);
}

// `server` and `address` may be NULL.
PRINTF(6, 7) static void add(struct findings *findings, const char *level, const char *kind,
                             const struct wire_name *server, const struct addr *address, const char *fmt, ...)
{
	char text[TEXT_LEN], name[NAME_TEXT_MAX], where[ADDR_TEXT_LEN];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	findings->breaks |= level == error_level;
	findings->failed |= json_array_append_new(
		findings->list, json_pack("{s:s, s:s, s:s*, s:s*, s:s}", "level", level, "kind", kind, "server",
	                              server ? text_of(server, name) : NULL, "address",
	                              address && address->family != ADDR_NONE ? addr_format(address, where) : NULL, "text",
	                              text));
}

// ---- The parent ----

static void add_difference(void *ctx, const struct difference *difference)
{
	struct findings *findings = ctx;
	const struct wire_name *server = &difference->server->name;
	const struct addr *address = &difference->address;
	char name[NAME_TEXT_MAX], where[ADDR_TEXT_LEN];

	text_of(server, name);
	findings->differences++;
	if (address->family != ADDR_NONE)
		addr_format(address, where);
	switch (difference->kind) {
	case DIFFERENCE_LACKS_NS:
		add(findings, warning_level, "parent-lacks", server, NULL, "the parent lacks the name server %s", name);
		break;
	case DIFFERENCE_EXTRA_NS:
		add(findings, warning_level, "parent-extra", server, NULL,
		    "the parent has the name server %s, which the zone does not have", name);
		break;
	case DIFFERENCE_LACKS_GLUE:
		add(findings, warning_level, "glue-lacks", server, address, "the parent lacks glue of %s: %s", name,
		    address->family != ADDR_NONE ? where : "any of its addresses");
		break;
	case DIFFERENCE_EXTRA_GLUE:
		add(findings, warning_level, "glue-extra", server, address,
		    "the parent has glue of %s that the zone does not have: %s", name, where);
		break;
	}
}

static void add_delegation(const struct checked *checked, const char *zone, struct findings *findings)
{
	const struct parent *parent = &checked->parent;

	delegation_compare(&checked->ours.delegation, &parent->delegation, add_difference, findings);
	if (parent->delegation.is_cut || checked->ours.delegation.is_cut)
		add(findings, warning_level, "cut", NULL, NULL,
		    "more than %d name servers, or more than %d addresses of one: the others are not compared",
		    DELEGATION_SERVERS_MAX, DELEGATION_ADDRESSES_MAX);
	if (parent->has_ds && !checked->ours.is_signed)
		add(findings, error_level, "ds", NULL, NULL,
		    "%s has DS records of it, but the zone is not signed: resolvers that validate refuse every answer. Remove them",
		    zone);
}

static void add_parent(const struct checked *checked, struct findings *findings)
{
	const struct parent *parent = &checked->parent;
	char zone[NAME_TEXT_MAX] = "", server[NAME_TEXT_MAX] = "", where[ADDR_TEXT_LEN] = "";

	if (parent->zone.len > 0)
		text_of(&parent->zone, zone);
	if (parent->server.len > 0) {
		text_of(&parent->server, server);
		addr_format(&parent->address, where);
	}
	switch (parent->outcome) {
	case PARENT_UNASKED:
		add(findings, error_level, "unasked", NULL, NULL, "the parent%s%s cannot be asked: %s", *zone ? " " : "", zone,
		    parent->why);
		break;
	case PARENT_HAS_NOTHING:
		add(findings, error_level, "not-delegated", &parent->server, &parent->address,
		    "not delegated: %s has no NS records of it, says %s (%s)", zone, server, where);
		break;
	case PARENT_SERVES_IT:
		add(findings, warning_level, "hidden", &parent->server, &parent->address,
		    "%s (%s) serves %s and this domain as well: what the parent has cannot be seen", server, where, zone);
		break;
	case PARENT_DELEGATES: add_delegation(checked, zone, findings); break;
	}
}

// ---- The name servers ----

static void add_probe(const struct lame_server *server, const struct lame_probe *probe, struct findings *findings)
{
	char name[NAME_TEXT_MAX], where[ADDR_TEXT_LEN];

	text_of(&server->name, name);
	addr_format(&probe->address, where);
	if (!probe->was_asked)
		add(findings, note_level, "not-asked", &server->name, &probe->address, "%s (%s) was not asked: %s", name, where,
		    probe->why);
	else if (!probe->answers)
		add(findings, warning_level, "lame", &server->name, &probe->address, "%s (%s) is lame: %s", name, where, probe->why);
	else if (!probe->has_same_ns)
		add(findings, warning_level, "other-ns", &server->name, &probe->address,
		    "%s (%s) has other NS records than the zone here", name, where);
	findings->complaints += probe->was_asked && (!probe->answers || !probe->has_same_ns);
}

static void add_serial(const struct lame_server *server, const struct lame_probe *probe,
                       const struct lame_probe **first, struct findings *findings)
{
	char name[NAME_TEXT_MAX], where[ADDR_TEXT_LEN], one[ADDR_TEXT_LEN];

	if (!probe->answers)
		return;
	if (!*first)
		*first = probe;
	if (probe->serial == (*first)->serial)
		return;
	findings->complaints++;
	add(findings, warning_level, "serial", &server->name, &probe->address, "%s (%s) has serial %u, but %s has %u",
	    text_of(&server->name, name), addr_format(&probe->address, where), probe->serial,
	    addr_format(&(*first)->address, one), (*first)->serial);
}

static void add_servers(const struct checked *checked, struct findings *findings)
{
	const struct lame_probe *first = NULL;
	char name[NAME_TEXT_MAX];

	for (size_t i = 0; i < checked->lame.count; i++) {
		const struct lame_server *server = &checked->lame.servers[i];

		for (size_t j = 0; j < server->count; j++) {
			add_probe(server, &server->probes[j], findings);
			add_serial(server, &server->probes[j], &first, findings);
		}
		text_of(&server->name, name);
		findings->complaints += server->count == 0;
		if (server->count == 0)
			add(findings, warning_level, "lame", &server->name, NULL, "%s cannot be asked: %s", name, server->why);
		if (server->left_out > 0)
			add(findings, warning_level, "cut", &server->name, NULL, "%s has %zu more addresses that were not asked", name,
			    server->left_out);
	}
	if ((checked->parent.outcome == PARENT_DELEGATES || checked->parent.outcome == PARENT_SERVES_IT) &&
	    !lame_finds_answer(&checked->lame))
		add(findings, error_level, "unanswered", NULL, NULL,
		    "no name server that resolvers find by the delegation answers for it");
}

// ---- As JSON ----

static json_t *make_parent(const struct parent *parent)
{
	char zone[NAME_TEXT_MAX], server[NAME_TEXT_MAX], where[ADDR_TEXT_LEN];
	const bool has_zone = parent->zone.len > 0, has_server = parent->server.len > 0;

	return json_pack("{s:s*, s:s*, s:s*}", "zone", has_zone ? text_of(&parent->zone, zone) : NULL, "server",
	                 has_server ? text_of(&parent->server, server) : NULL, "address",
	                 has_server ? addr_format(&parent->address, where) : NULL);
}

static json_t *make_probe(const char *name, const struct lame_probe *probe)
{
	char where[ADDR_TEXT_LEN];

	return json_pack("{s:s, s:s, s:b, s:b, s:o*, s:s*}", "name", name, "address", addr_format(&probe->address, where),
	                 "found", probe->is_found, "answers", probe->answers, "serial",
	                 probe->answers ? json_integer(probe->serial) : NULL, "error", probe->answers ? NULL : probe->why);
}

static json_t *make_servers(const struct lame *lame)
{
	json_t *servers = json_array();
	char name[NAME_TEXT_MAX];
	int failed = servers ? 0 : -1;

	for (size_t i = 0; i < lame->count; i++) {
		const struct lame_server *server = &lame->servers[i];

		text_of(&server->name, name);
		for (size_t j = 0; j < server->count; j++)
			failed |= json_array_append_new(servers, make_probe(name, &server->probes[j]));
		if (server->count == 0)
			failed |= json_array_append_new(servers, json_pack("{s:s, s:b, s:b, s:s}", "name", name, "found", false,
			                                                   "answers", false, "error", server->why));
	}
	if (failed)
		json_decref(servers);
	return failed ? NULL : servers;
}

static const char *verdict_of(const struct checked *checked, const struct findings *findings)
{
	switch (checked->parent.outcome) {
	case PARENT_UNASKED: return "unasked";
	case PARENT_HAS_NOTHING: return "not-delegated";
	case PARENT_SERVES_IT: return "hidden";
	case PARENT_DELEGATES: break;
	}
	if (findings->differences > 0)
		return "differs";
	return findings->complaints > 0 ? "lame" : "agrees";
}

json_t *findings_make(const struct checked *checked)
{
	struct findings findings = {.list = json_array()};
	char domain[NAME_TEXT_MAX];
	json_t *paste = NULL;

	if (!findings.list)
		return NULL;
	add_parent(checked, &findings);
	add_servers(checked, &findings);

	const bool wants_paste = findings.differences > 0 || checked->parent.outcome == PARENT_HAS_NOTHING;

	if (wants_paste)
		paste = json_pack("{s:o, s:o}", "zone-file", paste_lines(&checked->ours, &checked->parent), "route53",
		                  paste_batch(&checked->ours, &checked->parent));
	if (findings.failed || (wants_paste && !paste)) {
		json_decref(findings.list);
		json_decref(paste);
		return NULL;
	}
	return json_pack("{s:s, s:s, s:b, s:I, s:o, s:o, s:o, s:o*}", "domain", text_of(&checked->ours.name, domain),
	                 "verdict", verdict_of(checked, &findings), "breaks", findings.breaks, "serial",
	                 (json_int_t)checked->ours.serial, "parent", make_parent(&checked->parent), "findings", findings.list,
	                 "servers", make_servers(&checked->lame), "paste", paste);
}
