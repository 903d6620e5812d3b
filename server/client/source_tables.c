// The tables of `sources`; see show.h.
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "client/json.h"
#include "client/print.h"
#include "client/show.h"

enum { CELL_LEN = 1024 };

// "3 vanished, 2 stale, 1 refused": what is not as it should be.
static const char *remarks_text(const json_t *source, char *buf)
{
	static const struct {
		const char *field, *what;
	} counts[] = {{"vanished", "vanished"}, {"stale", "stale"}, {"refused", "refused"}, {"unused", "not used"}};
	size_t at = 0;

	buf[0] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(counts); i++)
		if (client_int(source, counts[i].field) > 0)
			at += (size_t)snprintf(buf + at, CELL_LEN - at, "%s%lld %s", at ? ", " : "",
			                       (long long)client_int(source, counts[i].field), counts[i].what);
	return buf;
}

// What went wrong last: why a part of it is away, else its last error.
static const char *trouble_text(const json_t *source)
{
	const json_t *parts = json_object_get(source, "parts");

	for (size_t i = 0; i < json_array_size(parts); i++) {
		const json_t *part = json_array_get(parts, i);

		if (strcmp(client_text(part, "state"), "away") == 0 && client_text(part, "text")[0])
			return client_text(part, "text");
	}
	return client_text(source, "error");
}

static void add_parts(struct client_table *table, const json_t *source, int64_t now_s)
{
	const json_t *parts = json_object_get(source, "parts");

	for (size_t i = 0; i < json_array_size(parts); i++) {
		const json_t *part = json_array_get(parts, i);
		const char *name = client_text(part, "name");
		char cell[CELL_LEN], state[CELL_LEN], since[CTL_TIME_LEN];
		const char *const cells[] = {cell, state, "", "", "", client_text(part, "text")};

		snprintf(state, sizeof(state), "%.*s for %s", CELL_LEN / 2, client_text(part, "state"),
		         client_span(now_s - client_int(part, "since"), since));
		snprintf(cell, sizeof(cell), "  %.*s", CELL_LEN / 2, name);
		if (name[0])
			client_table_add(table, cells);
	}
}

void client_show_sources(const json_t *reply)
{
	static const char *const titles[] = {"SOURCE", "STATE", ">LAST GOOD", ">GIVES", "OF THEM", "TROUBLE", NULL};
	const json_t *sources = json_object_get(reply, "sources");
	struct client_table *table = client_table_new(titles);
	int64_t now_s = clock_wall_s();

	for (size_t i = 0; i < json_array_size(sources); i++) {
		const json_t *source = json_array_get(sources, i);
		bool is_locate = strcmp(client_text(source, "kind"), "locate") == 0;
		json_int_t good_s = client_int(source, "last_good");
		char gives[CELL_LEN], remarks[CELL_LEN], good[CTL_TIME_LEN];
		const char *const cells[] = {client_text(source, "name"), client_text(source, "state"),
		                             good_s ? client_span(now_s - good_s, good) : "never", gives,
		                             remarks_text(source, remarks), trouble_text(source)};

		if (strcmp(client_text(source, "kind"), "file") == 0)
			snprintf(gives, sizeof(gives), "%s", json_is_true(json_object_get(source, "watched")) ? "watched" : "");
		else
			snprintf(gives, sizeof(gives), "%lld %s", (long long)client_int(source, is_locate ? "prefixes" : "targets"),
			         is_locate ? "prefixes" : "targets");
		client_table_add(table, cells);
		add_parts(table, source, now_s);
	}
	client_table_print(table);
	if (client_int(reply, "more_files"))
		client_print(stdout, "and %lld more files\n", client_int(reply, "more_files"));
}
