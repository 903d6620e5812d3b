// The zones and their serials; see show.h.
#include <string.h>
#include <strings.h>

#include "base/dict.h"
#include "base/err.h"
#include "base/must.h"
#include "config/config.h"
#include "control/call.h"
#include "control/find.h"
#include "control/reply_json.h"
#include "control/show.h"
#include "view/live.h"
#include "view/view.h"
#include "wire/name.h"

enum { SOA_NUMBERS = 20 }; // octets: the serial and four more numbers end it (RFC 1035 section 3.3.13)

static uint32_t serial_of(const struct zone *zone)
{
	const uint8_t *at = zone->soa->wire + zone->soa->wire_len - SOA_NUMBERS;

	must(zone->soa->wire_len > SOA_NUMBERS);
	return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static bool is_named(const char *name, const char *wanted)
{
	size_t len = strlen(wanted);

	if (len > 1 && wanted[len - 1] == '.')
		len--;
	return strlen(name) == len && strncasecmp(name, wanted, len) == 0;
}

// The zones that have their serials from the time of each load: neither from a file nor from the config. NULL: out of memory.
static struct dict *find_automatic(const struct config *config)
{
	struct dict *names = dict_new();

	for (size_t i = 0; config && names && i < config->domain_count; i++)
		if (!config->domains[i].file && !config->domains[i].serial &&
		    dict_add(names, config->domains[i].name, i) == E_NOMEM)
			names = dict_free(names);
	return names;
}

static json_t *zone_json(const char *name, const struct zone *zone, const struct dict *automatic)
{
	return json_pack("{s:s, s:I, s:b}", "name", name, "serial", (json_int_t)serial_of(zone), "automatic",
	                 dict_find(automatic, name) != NULL);
}

json_t *show_zones(const struct call *call)
{
	json_t *refusal = NULL, *list, *reply;
	const struct live *live = find_live(&refusal);
	const char *wanted = call_text(call, "zone");
	json_int_t from = call_number(call, "from");
	struct dict *automatic;
	char name[NAME_TEXT_MAX];
	size_t count, i;

	if (!live)
		return refusal;
	automatic = find_automatic(call->ops.config(call->ops.ctx));
	if (!automatic)
		return NULL;
	list = json_array();
	count = zonedb_zone_count(live->view->zones);
	for (i = from > (json_int_t)count ? count : (size_t)from; i < count && json_array_size(list) < SHOW_ZONES_MAX;
	     i++) {
		const struct zone *zone = zonedb_zone(live->view->zones, i);

		name_to_text(zone->apex->name, zone->apex->name_len, name);
		if (!wanted || is_named(name, wanted))
			list = reply_append(list, zone_json(name, zone, automatic));
	}
	dict_free(automatic);
	if (wanted && json_array_size(list) == 0) {
		json_decref(list);
		return reply_error(REPLY_REFUSED, "no zone '%.255s'", wanted);
	}
	reply = reply_set(reply_ok(), "generation", json_integer((json_int_t)live->view->generation));
	reply = reply_set(reply, "zones", list);
	return i < count ? reply_set(reply, "next", json_integer((json_int_t)i)) : reply;
}
