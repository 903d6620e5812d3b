// Reading selectors and matching sites; see selector.h.
#include "state/selector.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/wildcard.h"

static const char region_key[] = "region:", carrier_key[] = "carrier:";

// The parts of a text, which are not NUL-terminated; NULL: not given.
struct parts {
	const char *name, *region, *carrier;
	size_t name_len, region_len, carrier_len;
};

static bool begins(const char *text, const char *key)
{
	return strncmp(text, key, strlen(key)) == 0;
}

// False: it is not as selector_make() writes it.
static bool split(const char *text, struct parts *parts)
{
	*parts = (struct parts){0};
	for (const char *at = text;; at++) {
		size_t len = strcspn(at, ",");

		if (begins(at, carrier_key) && !parts->carrier) {
			parts->carrier = at + strlen(carrier_key);
			parts->carrier_len = len - strlen(carrier_key);
		} else if (begins(at, region_key) && !parts->region && !parts->carrier) {
			parts->region = at + strlen(region_key);
			parts->region_len = len - strlen(region_key);
		} else if (at == text && !begins(at, carrier_key) && !begins(at, region_key)) {
			parts->name = at;
			parts->name_len = len;
		} else {
			return false;
		}
		at += len;
		if (!*at)
			break;
	}
	return (!parts->name || parts->name_len > 0) && (!parts->region || parts->region_len > 0) &&
	       (!parts->carrier || parts->carrier_len > 0);
}

bool selector_is(const char *text)
{
	return text[strcspn(text, "*?")] || begins(text, region_key) || begins(text, carrier_key) ||
	       strstr(text, ",region:") || strstr(text, ",carrier:");
}

bool selector_is_sound(const char *text)
{
	struct parts parts;

	return !selector_is(text) || split(text, &parts);
}

static bool is_part(const char *text)
{
	return !text || (text[0] && !strchr(text, ',') && strlen(text) <= SELECTOR_PART_MAX);
}

int selector_make(const char *sites, const char *region, const char *carrier, char *buf, size_t size)
{
	struct parts parts = {0};

	if (!is_part(region) || !is_part(carrier) || (!sites && !region && !carrier))
		return E_INVAL;
	if (sites && (!sites[0] || (selector_is(sites) && !split(sites, &parts))))
		return E_INVAL;
	if ((parts.region && region) || (parts.carrier && (carrier || region)))
		return E_INVAL;

	const char *const begin = sites ? sites : "", *const comma = sites ? "," : "";
	int len = snprintf(buf, size, "%s%s%s%s%s%s%s", begin, region ? comma : "", region ? region_key : "",
	                   region ? region : "", carrier ? (sites || region ? "," : "") : "", carrier ? carrier_key : "",
	                   carrier ? carrier : "");

	return len > 0 && (size_t)len < size ? E_OK : E_LIMIT;
}

static bool equal(const char *part, size_t len, const char *text)
{
	return strlen(text) == len && memcmp(part, text, len) == 0;
}

bool selector_matches(const char *text, const struct selector_site *site)
{
	char carrier[SELECTOR_PART_MAX + 1];
	struct parts parts;

	if (!selector_is(text))
		return strcmp(text, site->name) == 0;
	if (!split(text, &parts) || parts.carrier_len > SELECTOR_PART_MAX)
		return false;
	if (parts.name && !wildcard_match(parts.name, parts.name_len, site->name))
		return false;
	if (parts.region && !equal(parts.region, parts.region_len, site->region) &&
	    !equal(parts.region, parts.region_len, site->name))
		return false;
	if (!parts.carrier)
		return true;
	memcpy(carrier, parts.carrier, parts.carrier_len);
	carrier[parts.carrier_len] = '\0';
	return site->is_reached(site->ctx, carrier);
}
