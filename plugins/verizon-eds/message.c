// Requests to Verizon's 5G Edge Discovery Service, and its replies; see eds.h.
#include "eds.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

enum { LIST_MAX = 100 }; // entries of a reply

// ---- requests -------------------------------------------------------------------------------------------------------

// IPv6 is written out in full, as the service's documentation does.
static void write_address(const struct edgesteer_question *question, char buf[static INET6_ADDRSTRLEN])
{
	const uint8_t *a = question->address;

	if (question->family == 4) {
		inet_ntop(AF_INET, a, buf, INET6_ADDRSTRLEN);
		return;
	}
	for (size_t i = 0; i < 8; i++)
		snprintf(buf + i * 5, INET6_ADDRSTRLEN - i * 5, i < 7 ? "%02x%02x:" : "%02x%02x", a[2 * i], a[2 * i + 1]);
}

// Appends a parameter of the query.
static bool add(struct inquiry_letter *letter, const char *name, const char *value)
{
	size_t len = strlen(letter->url), room = sizeof(letter->url) - len;
	const char *divider = strchr(letter->url, '?') ? "&" : "?";

	return (size_t)snprintf(letter->url + len, room, "%s%s=", divider, name) < room &&
	       https_escape(letter->url, sizeof(letter->url), value);
}

bool eds_write(void *ctx, const struct edgesteer_question *question, struct inquiry_letter *ret_letter,
               struct verdict *ret_verdict)
{
	const struct eds *eds = ctx;
	const char *id = eds->platforms ? NULL : perapp_find(eds->endpoints_ids, question->app);
	char address[INET6_ADDRSTRLEN];

	if (!eds->platforms && !id) {
		verdict_set(ret_verdict, EDGESTEER_UNASKED, "`endpoints-id` has none for %.100s",
		            question->app ? question->app : "a client without an app");
		return false;
	}
	write_address(question, address);
	inquiry_add_header(ret_letter, "Accept: application/json");
	// Other combinations of parameters are refused with 400.
	if (inquiry_set_url(ret_letter, eds->base_url, eds->platforms ? "mecplatforms" : "serviceendpoints") &&
	    (!eds->region || add(ret_letter, "region", eds->region)) &&
	    (!id || add(ret_letter, "serviceEndpointsIds", id)) && add(ret_letter, "UEIdentityType", "IPAddress") &&
	    add(ret_letter, "UEIdentity", address))
		return true;
	verdict_set(ret_verdict, EDGESTEER_BROKEN, "the URL is too long");
	return false;
}

// ---- replies --------------------------------------------------------------------------------------------------------

// The site of an entry: what `sites` has for its `ern`, else the `ern`, which often is the name of the Wavelength Zone.
// False: the entry has none.
static bool take_entry(const struct eds *eds, const json_t *entry, struct verdict *verdict)
{
	const char *ern = json_string_value(json_object_get(entry, "ern"));
	const char *status = json_string_value(json_object_get(entry, "status"));
	const char *site = ern ? verdict_mapped(eds->host, ern) : NULL;

	if (!ern)
		return false;
	if ((!status || strcmp(status, "inactive") != 0) && verdict->site_count < eds->take)
		verdict_add_site(verdict, site ? site : ern);
	return true;
}

static void read_list(const struct eds *eds, const json_t *reply, struct verdict *verdict)
{
	const char *name = eds->platforms ? "MECPlatforms" : "serviceEndpoints";
	const json_t *list = json_object_get(reply, name);
	size_t count = json_array_size(list), named = 0;

	if (!json_is_array(list)) {
		verdict_set(verdict, EDGESTEER_BROKEN, "the reply has no list `%s`", name);
		return;
	}
	for (size_t i = 0; i < count && i < LIST_MAX; i++)
		named += take_entry(eds, json_array_get(list, i), verdict);
	if (count > 0 && named == 0)
		verdict_set(verdict, EDGESTEER_BROKEN, "no entry of `%s` has an `ern`", name);
	else
		verdict_conclude(verdict, "the list is empty");
}

// Error bodies have `message` or `error`, or are no JSON at all.
void eds_read(void *ctx, const struct https_result *result, struct verdict *ret_verdict)
{
	json_t *reply = json_loadb(result->body, result->body_len, 0, NULL);
	const char *message = json_string_value(json_object_get(reply, "message"));

	if (!message)
		message = json_string_value(json_object_get(reply, "error"));
	if (result->status == 200) {
		read_list(ctx, reply, ret_verdict);
	} else {
		verdict_of_reply(ret_verdict, result, message, "base-url");
		// Of a wrong `base-url` it would have another form.
		if (result->status == 404 && message)
			ret_verdict->outcome = EDGESTEER_NOT_FOUND;
	}
	json_decref(reply);
}
