// The zones as a table; see show.h.
#include "client/json.h"
#include "client/print.h"
#include "client/show.h"

void client_show_zones(const json_t *reply)
{
	static const char *const titles[] = {"ZONE", ">SERIAL", NULL};
	const json_t *zones = json_object_get(reply, "zones");
	struct client_table *table = client_table_new(titles);
	char serial[CTL_INT_LEN];

	for (size_t i = 0; i < json_array_size(zones); i++) {
		const json_t *zone = json_array_get(zones, i);
		const char *const cells[] = {client_text(zone, "name"), client_int_text(zone, "serial", serial)};

		client_table_add(table, cells);
	}
	client_table_print(table);
}
