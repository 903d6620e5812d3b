// What a change would mean for the recent traffic; see show.h.
#include <stdio.h>
#include <stdlib.h>

#include "client/json.h"
#include "client/print.h"
#include "client/show.h"

enum { CELL_LEN = 64, MOVES_SHOWN = 20 };

static const char *share_text(json_int_t part, json_int_t all, char buf[CELL_LEN])
{
	snprintf(buf, CELL_LEN, "%.1f %%", all ? 100.0 * (double)part / (double)all : 0);
	return buf;
}

static const char *number_text(const json_t *object, const char *key, char buf[CELL_LEN])
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_number(value))
		return "?";
	snprintf(buf, CELL_LEN, "%.1f", json_number_value(value));
	return buf;
}

static void add_move(struct client_table *table, const json_t *move, json_int_t all)
{
	char share[CELL_LEN], clients[CTL_INT_LEN], before[CELL_LEN], after[CELL_LEN];
	const json_t *from = json_object_get(move, "from"), *to = json_object_get(move, "to");
	const char *example = json_string_value(json_array_get(json_object_get(move, "examples"), 0));
	const char *const cells[] = {
		json_is_string(from) ? json_string_value(from) : "no target", json_is_string(to) ? json_string_value(to) : "no target",
		share_text(client_int(move, "queries"), all, share), client_int_text(move, "clients", clients),
		number_text(move, "ms_before", before), number_text(move, "ms_after", after), example,
	};

	client_table_add(table, cells);
}

static void show_moves(const json_t *effect)
{
	static const char *const titles[] = {"FROM", "TO", ">QUERIES", ">CLIENTS", ">MS NOW", ">MS THEN", "FOR INSTANCE", NULL};
	const json_t *moves = json_object_get(effect, "moves");
	size_t count = json_array_size(moves), shown = count < MOVES_SHOWN ? count : MOVES_SHOWN;
	struct client_table *table = client_table_new(titles);

	for (size_t i = 0; i < shown; i++)
		add_move(table, json_array_get(moves, i), client_int(effect, "queries"));
	client_table_print(table);
	if (count > shown || client_int(effect, "moves_left_out"))
		client_print(stdout, "and %lld more: --json has up to 100\n",
		             (json_int_t)(count - shown) + client_int(effect, "moves_left_out"));
}

static void show_sites(const json_t *effect)
{
	static const char *const titles[] = {"SITE", ">NOW/S", ">THEN/S", NULL};
	const json_t *sites = json_object_get(effect, "sites");
	struct client_table *table = client_table_new(titles);
	char now[CELL_LEN], then[CELL_LEN];

	for (size_t i = 0; i < json_array_size(sites); i++) {
		const json_t *site = json_array_get(sites, i);
		const char *const cells[] = {client_text(site, "site"), number_text(site, "before", now),
		                             number_text(site, "after", then)};

		if (json_number_value(json_object_get(site, "before")) != json_number_value(json_object_get(site, "after")))
			client_table_add(table, cells);
	}
	client_table_print(table);
}

// Over all queries for whose client and target there is an estimate.
static void show_means(const json_t *effect)
{
	char before[CELL_LEN], after[CELL_LEN];

	if (json_is_number(json_object_get(effect, "ms_before")) && json_is_number(json_object_get(effect, "ms_after")))
		client_print(stdout, "Mean estimated round trip: %s ms now, %s ms then.\n", number_text(effect, "ms_before", before),
		             number_text(effect, "ms_after", after));
}

void client_show_effect(const json_t *effect)
{
	json_int_t all = client_int(effect, "queries"), moved = client_int(effect, "moved"), lost = client_int(effect, "lost");
	json_int_t clients = client_int(effect, "clients"), lost_clients = client_int(effect, "lost_clients");
	char share[CELL_LEN], lost_share[CELL_LEN], client_share[CELL_LEN], seconds[CELL_LEN];
	char *apps = client_join(json_object_get(effect, "lost_apps"));

	if (!json_is_object(effect) || all == 0) {
		client_print(stdout, "There was no traffic in the last minutes to compare with.\n");
		free(apps);
		return;
	}
	client_print(stdout, "Of the queries of the last %s s (%lld in a sample of %lld), %s would be answered with another site.\n",
	             number_text(effect, "seconds", seconds), all, client_int(effect, "samples"),
	             share_text(moved - lost, all, share)); // "moved" has those who get none too
	if (json_is_true(json_object_get(effect, "few")))
		client_print(stdout, "That is TOO FEW to rest on: shares may be off by several points.\n");
	show_means(effect);
	if (client_int(effect, "beyond"))
		client_print(stdout, "%s, of %lld clients, would get a target OUT OF THEIR REACH.\n",
		             share_text(client_int(effect, "beyond"), all, lost_share), client_int(effect, "beyond_clients"));
	if (lost)
		client_print(stdout, "%s of the queries, of %s of the clients, would get NO TARGET: %s\n",
		             share_text(lost, all, lost_share), share_text(lost_clients, clients, client_share), apps);
	free(apps);
	show_moves(effect);
	if (moved)
		show_sites(effect);
}

// ---- compare and rollback --------------------------------------------------------------------------------------------

void client_show_compare(const json_t *reply)
{
	client_show_effect(json_object_get(reply, "effect"));
}

void client_show_rollback(const json_t *reply)
{
	client_print(stdout, json_is_false(json_object_get(reply, "serving"))
	                         ? "rolled back: generation %lld waits for the first round of health checks\n"
	                         : "rolled back: generation %lld is served\n", client_int(reply, "generation"));
	client_print(stdout, "Files that change are not followed until `edgesteerctl reload`; a restart reads them.\n");
}

void client_show_rolled_back(const json_t *reply)
{
	const json_t *back = json_object_get(reply, "rolled_back"), *kept = json_object_get(reply, "rollback");
	const char *reason = client_text(back, "reason"), *by = client_text(back, "by");
	char since[CTL_TIME_LEN];

	if (json_is_object(back)) {
		client_print(stdout, "ROLLED BACK  since %s, to what was generation %lld, by %s%s%s%s%s\n",
		             client_time(client_int(back, "since"), since), client_int(back, "to"), client_text(back, "who"),
		             by[0] ? " for " : "", by, reason[0] ? ": " : "", reason);
		client_print(stdout, "             files are NOT FOLLOWED until `edgesteerctl reload`; a restart reads them\n");
	} else if (json_is_object(kept)) {
		client_print(stdout, "rollback     to generation %lld, loaded %s; its tables take %.1f MiB\n",
		             client_int(kept, "generation"), client_time(client_int(kept, "loaded"), since),
		             (double)client_int(kept, "bytes") / (1 << 20));
	}
}
