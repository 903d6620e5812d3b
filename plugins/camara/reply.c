// Replies of CAMARA's edge discovery APIs; see camara.h.
#include "camara.h"

#include <stdio.h>
#include <string.h>

enum { LIST_MAX = 20, KEY_SIZE = 256 }; // no API gives more

// ---- zones ----------------------------------------------------------------------------------------------------------

static const char *text_of(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name));
}

static const char *mapped_zone(const struct camara *camara, const char *provider, const char *zone)
{
	char key[KEY_SIZE];

	if (!zone || (size_t)snprintf(key, sizeof(key), "%s/%s", provider, zone) >= sizeof(key))
		return NULL;
	return verdict_mapped(camara->host, key);
}

// The site of a zone: what `sites` has for it by its name, or its ID; else its name, which may be that of AWS. False: it
// has none.
static bool take_zone(const struct camara *camara, const json_t *zone, struct verdict *verdict)
{
	const char *name = text_of(zone, "edgeCloudZoneName"), *id = text_of(zone, "edgeCloudZoneId");
	const char *provider = text_of(zone, "edgeCloudProvider"), *status = text_of(zone, "edgeCloudZoneStatus");
	const char *site;

	if (!name || !provider)
		return false;
	if (!status) // optimal-edge-discovery has it by this name
		status = text_of(zone, "status");
	site = mapped_zone(camara, provider, name);
	if (!site)
		site = mapped_zone(camara, provider, id);
	if (!status || strcmp(status, "inactive") != 0)
		verdict_add_site(verdict, site ? site : name);
	return true;
}

// An endpoint of which the zone is not told is known by its name, or one of its addresses, if `sites` has that.
static bool take_endpoint(const struct camara *camara, const json_t *endpoint, struct verdict *verdict)
{
	const char *fqdn = text_of(endpoint, "fqdn"), *site = fqdn ? verdict_mapped(camara->host, fqdn) : NULL;

	if (json_is_object(json_object_get(endpoint, "edgeCloudZone")))
		return take_zone(camara, json_object_get(endpoint, "edgeCloudZone"), verdict);
	for (int family = 0; family < 2 && !site; family++) {
		const json_t *list = json_object_get(endpoint, family == 0 ? "ipv4Addresses" : "ipv6Addresses");

		for (size_t i = 0; i < json_array_size(list) && i < LIST_MAX && !site; i++) {
			const char *address = json_string_value(json_array_get(list, i));

			site = address ? verdict_mapped(camara->host, address) : NULL;
		}
	}
	if (site)
		verdict_add_site(verdict, site);
	return site != NULL;
}

// A reply is a list for the one, an object for the other: the schema of simple-edge-discovery v2 says object, its prose
// list, and v1 is a list.
static void read_zones(const struct camara *camara, const json_t *reply, struct verdict *verdict)
{
	static const char *const members[CAMARA_APIS] = {
		[CAMARA_OPTIMAL] = "edgeCloudZones", [CAMARA_ENDPOINTS] = "applicationEndpoints",
	};
	const char *member = members[camara->api];
	const json_t *list = member ? json_object_get(reply, member) : reply;
	size_t count = json_is_array(list) ? json_array_size(list) : 1, named = 0;

	if (member ? !json_is_array(list) : !json_is_array(list) && !json_is_object(list)) {
		verdict_set(verdict, EDGESTEER_BROKEN, "the reply has no %s", member ? member : "zone");
		return;
	}
	for (size_t i = 0; i < count && i < LIST_MAX; i++) {
		const json_t *entry = json_is_array(list) ? json_array_get(list, i) : list;

		named += camara->api == CAMARA_ENDPOINTS ? take_endpoint(camara, entry, verdict)
		                                         : take_zone(camara, entry, verdict);
	}
	if (count > 0 && named == 0)
		verdict_set(verdict, EDGESTEER_BROKEN, "the reply names no zone%s",
		            camara->api == CAMARA_ENDPOINTS ? ", and no endpoint that `sites` has" : "");
	else
		verdict_conclude(verdict, "no zone, or none that is active");
}

// ---- errors ---------------------------------------------------------------------------------------------------------

// Codes that say more than their status, of v2 and v1.
static const struct {
	int status;
	const char *code;
	enum edgesteer_outcome outcome;
} codes[] = {
	{404, "NOT_FOUND", EDGESTEER_NOT_FOUND},
	{404, "IDENTIFIER_NOT_FOUND", EDGESTEER_NOT_FOUND},
	{404, "DEVICE_NOT_FOUND", EDGESTEER_NOT_FOUND},
	{422, "SERVICE_NOT_APPLICABLE", EDGESTEER_NOT_FOUND},
	{422, "UNSUPPORTED_IDENTIFIER", EDGESTEER_NOT_FOUND},
	{422, "DEVICE_NOT_APPLICABLE", EDGESTEER_NOT_FOUND},
	{422, "UNIDENTIFIABLE_DEVICE", EDGESTEER_NOT_FOUND},
	{422, "UNNECESSARY_IDENTIFIER", EDGESTEER_DENIED}, // the token is one for a single device (three-legged)
};

void camara_read(void *ctx, const struct https_result *result, struct verdict *ret_verdict)
{
	json_t *reply = json_loadb(result->body, result->body_len, 0, NULL);
	const char *code = text_of(reply, "code");

	if (result->status == 200) {
		read_zones(ctx, reply, ret_verdict);
	} else {
		verdict_of_reply(ret_verdict, result, code, "base-url");
		for (size_t i = 0; i < sizeof(codes) / sizeof(*codes) && code; i++)
			if (codes[i].status == result->status && strcmp(codes[i].code, code) == 0)
				ret_verdict->outcome = codes[i].outcome;
	}
	json_decref(reply);
}
