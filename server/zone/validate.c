// Validates a draft of the zones: what RFC 1034, 2181 and 4592 require, and what an app's name may own. Called by
// zone_builder_finish(); owns nothing.
#include "zone/validate.h"

#include <string.h>

#include "base/err.h"
#include "base/must.h"
#include "base/report.h"
#include "zone/draft.h"

static const char *text_of(const struct draft_name *name, char *buf)
{
	return name_to_text(name->name, name->name_len, buf);
}

static bool has_address(const struct draft_name *name)
{
	return zone_builder_set(name, DNS_A) || zone_builder_set(name, DNS_AAAA);
}

static bool is_wildcard(const struct draft_name *name)
{
	return name->name[0] == 1 && name->name[1] == '*';
}

static void link_names(struct zone_builder *builder)
{
	for (struct draft_name *name = builder->first; name; name = name->next) {
		if (name->parent && is_wildcard(name))
			name->parent->wildcard = name;
		for (struct draft_name *above = name; above->parent; above = above->parent)
			if (zone_builder_set(above, DNS_NS))
				name->cut = above;
	}
}

// ---- apex ----

static void check_apex(struct zone_builder *builder, struct report *report, const struct draft_zone *zone)
{
	const struct draft_set *soa = zone_builder_set(zone->apex, DNS_SOA);
	const struct zone_origin origin = {.file = zone->first.file};
	char text[NAME_TEXT_MAX];

	if (soa && soa->count > 1)
		zone_refuse(builder, report, soa->first->next->origin, "zone %s: has more than one SOA record",
		            text_of(zone->apex, text));
	if (zone->incomplete)
		return;
	if (!soa)
		zone_refuse(builder, report, origin, "zone %s: has no SOA record", text_of(zone->apex, text));
	if (!zone_builder_set(zone->apex, DNS_NS))
		zone_refuse(builder, report, origin, "zone %s: has no NS record", text_of(zone->apex, text));
}

// ---- delegations ----

struct draft_name *zone_validate_glue(const struct zone_builder *builder, const struct draft_name *cut,
                                   const struct draft_record *ns)
{
	struct name target;

	zone_rdata_name(DNS_NS, ns, &target);

	struct draft_name *found = zone_builder_find(builder, target.wire, target.len);

	return found && found->zone == cut->zone && has_address(found) ? found : NULL;
}

// The length in octets of a name's addresses as glue, uncompressed.
static size_t glue_len(const struct draft_name *name)
{
	static const uint16_t types[] = {DNS_A, DNS_AAAA};
	size_t len = 0;

	for (size_t i = 0; i < ARRAY_LEN(types); i++) {
		const struct draft_set *set = zone_builder_set(name, types[i]);

		if (set) // with the owner's full name instead of a two-octet pointer
			len += set->wire_len + set->count * (size_t)(name->name_len - 2);
	}
	return len;
}

static void check_delegation(struct zone_builder *builder, struct report *report, const struct draft_name *cut)
{
	const struct draft_set *set = zone_builder_set(cut, DNS_NS);
	char text[NAME_TEXT_MAX], target_text[NAME_TEXT_MAX];
	size_t len = 0;

	must(set && set->first); // link_names() made it a cut for its NS
	if (is_wildcard(cut))
		zone_refuse(builder, report, set->first->origin,
		            "%s NS: a wildcard cannot be delegated (RFC 4592 section 4.2)", text_of(cut, text));
	for (const struct draft_record *ns = set->first; ns; ns = ns->next) {
		struct draft_name *glue = zone_validate_glue(builder, cut, ns);
		struct name target;

		if (glue) {
			glue->is_glue = true;
			len += glue_len(glue);
			continue;
		}
		zone_rdata_name(DNS_NS, ns, &target);
		if (!cut->zone->incomplete && name_ends_with(target.wire, target.len, cut->name, cut->name_len))
			draft_warn(report, ns->origin, "%s NS: %s has no address in the zone, so no resolver can reach it",
			           text_of(cut, text), name_to_text(target.wire, target.len, target_text));
	}
	if (len > ZONE_RRSET_WIRE_MAX)
		zone_refuse(builder, report, set->first->origin, "%s NS: more than %d octets of glue",
		            text_of(cut, text), ZONE_RRSET_WIRE_MAX);
}

// Records at or below a delegation belong in the zone delegated to; only the name servers' addresses are used here.
static void check_occluded(struct report *report, const struct draft_name *name)
{
	char text[NAME_TEXT_MAX], cut_text[NAME_TEXT_MAX], type_text[16];

	for (const struct draft_set *set = name->sets; set; set = set->next) {
		if (name == name->cut && (set->type == DNS_NS || set->type == DNS_DS))
			continue;
		if (name->is_glue && (set->type == DNS_A || set->type == DNS_AAAA))
			continue;
		if (name == name->cut && set->type == DNS_CNAME) // check_cname() refuses it
			continue;
		draft_warn(report, set->first->origin, "%s %s: is never served, as %s is delegated", text_of(name, text),
		           zone_type_text(set->type, type_text), text_of(name->cut, cut_text));
	}
}

// ---- aliases ----

enum { ALIAS_LOOP_MAX = 8 }; // longer loops are not detected

// The deepest existing name at or above `name`; NULL: none.
static const struct draft_name *encloser(const struct zone_builder *builder, const struct name *name)
{
	const struct draft_name *found = NULL;

	for (unsigned i = 0; !found && i <= name->labels; i++)
		found = zone_builder_find(builder, name->wire + name->offset[i], (size_t)name->len - name->offset[i]);
	return found;
}

// The name whose records answer for an alias's target: the target itself or a wildcard. NULL: not an alias, or the
// target is not in these zones.
static const struct draft_name *alias_target(const struct zone_builder *builder, const struct draft_name *name)
{
	const struct draft_set *cname = zone_builder_set(name, DNS_CNAME);
	struct name target;

	if (!cname || name->cut)
		return NULL;
	zone_rdata_name(DNS_CNAME, cname->first, &target);

	const struct draft_name *found = encloser(builder, &target);

	return !found || found->name_len == target.len ? found : found->cut ? NULL : found->wildcard;
}

static bool is_loop(const struct zone_builder *builder, const struct draft_name *alias)
{
	const struct draft_name *at = alias_target(builder, alias);

	for (unsigned i = 1; at && at != alias && i < ALIAS_LOOP_MAX; i++)
		at = alias_target(builder, at);
	return at == alias;
}

// ---- names ----

static void check_cname(struct zone_builder *builder, struct report *report, const struct draft_name *name)
{
	const struct draft_set *cname = zone_builder_set(name, DNS_CNAME);
	char text[NAME_TEXT_MAX], type_text[16];

	if (!cname || (name->cut && name->cut != name))
		return;
	if (cname->count > 1)
		zone_refuse(builder, report, cname->first->next->origin, "%s CNAME: more than one CNAME record",
		            text_of(name, text));
	for (const struct draft_set *set = name->sets; set; set = set->next)
		if (set != cname)
			zone_refuse(builder, report, set->first->origin,
			            "%s %s: not allowed beside the name's CNAME (RFC 2181 section 10.1)",
			            text_of(name, text), zone_type_text(set->type, type_text));
	if (is_loop(builder, name))
		draft_warn(report, cname->first->origin, "%s CNAME: leads back to itself", text_of(name, text));
}

// All records that lead a client to an address follow from one decision. SVCB and HTTPS are among them, by their hints
// or their target (RFC 9460 sections 2.4 and 7.3): those in a file would send clients to sites that they cannot reach.
const char *zone_validate_beside_app(uint16_t type, bool app_is_alias)
{
	switch (type) {
	case DNS_A:
	case DNS_AAAA:
	case DNS_CNAME: return "whose addresses come from the config";
	case DNS_SVCB:
	case DNS_HTTPS: return "and this record would bypass steering";
	default: return app_is_alias ? "and nothing is allowed beside its CNAME (RFC 2181 section 10.1)" : NULL;
	}
}

static void check_app(struct zone_builder *builder, struct report *report, const struct draft_name *name)
{
	char text[NAME_TEXT_MAX], other_text[NAME_TEXT_MAX], type_text[16];

	if (name->app == ZONE_APP_NONE)
		return;
	if (name->cut) {
		zone_refuse(builder, report, name->app_origin, "%s: the app would never be answered, as %s is delegated",
		            text_of(name, text), text_of(name->cut, other_text));
		return;
	}
	for (const struct draft_set *set = name->sets; set; set = set->next) {
		// At the apex, which always has other records, the config is checked instead.
		const char *why = zone_validate_beside_app(set->type, name->app_is_alias && name->parent);

		if (why)
			zone_refuse(builder, report, set->first->origin, "%s %s: the name is an app's, %s", text_of(name, text),
			            zone_type_text(set->type, type_text), why);
	}
}

static void check_misplaced(struct zone_builder *builder, struct report *report, const struct draft_name *name)
{
	const struct draft_set *soa = zone_builder_set(name, DNS_SOA), *ds = zone_builder_set(name, DNS_DS);
	char text[NAME_TEXT_MAX];

	if (soa && name->parent)
		zone_refuse(builder, report, soa->first->origin, "%s SOA: is not at the zone's apex",
		            text_of(name, text));
	if (ds && !zone_builder_set(name, DNS_NS))
		draft_warn(report, ds->first->origin, "%s DS: belongs at a delegation, beside its NS", text_of(name, text));
}

// Whether a name that does not exist is answered all the same: a wildcard or a delegation covers it.
static bool is_covered(const struct zone_builder *builder, const struct name *name)
{
	const struct draft_name *above = encloser(builder, name);

	return above && (above->cut || above->wildcard);
}

// Names that records point to: never an alias (RFC 2181 section 10.3), and the apex's name servers inside the zone have
// addresses.
static void check_targets(struct report *report, const struct zone_builder *builder, const struct draft_name *name,
                          const struct draft_set *set)
{
	char text[NAME_TEXT_MAX], target_text[NAME_TEXT_MAX], type_text[16];

	for (const struct draft_record *record = set->first; record; record = record->next) {
		struct name target;

		zone_rdata_name(set->type, record, &target);

		const struct draft_name *found = zone_builder_find(builder, target.wire, target.len);

		if (found && !found->cut && zone_builder_set(found, DNS_CNAME))
			draft_warn(report, record->origin, "%s %s: %s is an alias (RFC 2181 section 10.3)", text_of(name, text),
			           zone_type_text(set->type, type_text), name_to_text(target.wire, target.len, target_text));
		else if (set->type != DNS_NS || name->parent || name->zone->incomplete ||
		         !name_ends_with(target.wire, target.len, name->name, name->name_len))
			continue;
		else if (found ? !found->cut && !has_address(found) && found->app == ZONE_APP_NONE
		               : !is_covered(builder, &target))
			draft_warn(report, record->origin, "%s NS: %s has no address", text_of(name, text),
			           name_to_text(target.wire, target.len, target_text));
	}
}

static void check_name(struct zone_builder *builder, struct report *report, const struct draft_name *name)
{
	static const uint16_t pointing[] = {DNS_NS, DNS_MX, DNS_SRV};

	check_app(builder, report, name);
	check_misplaced(builder, report, name);
	check_cname(builder, report, name);
	if (name->cut)
		check_occluded(report, name);
	for (size_t i = 0; i < ARRAY_LEN(pointing); i++) {
		const struct draft_set *set = zone_builder_set(name, pointing[i]);

		if (set && (!name->cut || (name == name->cut && set->type == DNS_NS)))
			check_targets(report, builder, name, set);
	}
}

int zone_validate(struct zone_builder *builder, struct report *report)
{
	link_names(builder);
	for (const struct draft_zone *zone = builder->zones; zone; zone = zone->next)
		check_apex(builder, report, zone);
	for (const struct draft_name *name = builder->first; name; name = name->next)
		if (name->cut == name)
			check_delegation(builder, report, name);
	for (const struct draft_name *name = builder->first; name; name = name->next)
		check_name(builder, report, name);
	return builder->failed ? E_INVAL : E_OK;
}
