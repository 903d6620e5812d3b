// Compares settings as texts, which is also how they are told; see restart.h.
#include "daemon/restart.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/report.h"
#include "config/config.h"
#include "schema/units.h"

static void print_listen(const struct config_server *server, FILE *out)
{
	for (size_t i = 0; i < server->listen_count; i++)
		fprintf(out, "%s%s", i ? ", " : "", server->listen[i]);
}

static void print_workers(const struct config_server *server, FILE *out)
{
	fprintf(out, "%u", server->workers);
}

static void print_control(const struct config_server *server, FILE *out)
{
	fputs(server->control, out);
}

static void print_state_dir(const struct config_server *server, FILE *out)
{
	fputs(server->state_dir, out);
}

static void print_user(const struct config_server *server, FILE *out)
{
	fputs(server->user ? server->user : "not given", out); // no user's name has a blank in it
}

static void print_tcp_clients(const struct config_server *server, FILE *out)
{
	fprintf(out, "%u", server->tcp_clients);
}

static void print_tcp_idle(const struct config_server *server, FILE *out)
{
	char text[UNITS_TEXT_LEN];

	fputs(units_format_duration_ms(server->tcp_idle_ms, text), out);
}

static const struct {
	const char *key;
	void (*print)(const struct config_server *server, FILE *out);
} settings[] = {
	{"listen", print_listen},           {"workers", print_workers}, {"control", print_control},
	{"state-dir", print_state_dir},     {"user", print_user},       {"tcp-clients", print_tcp_clients},
	{"tcp-idle", print_tcp_idle},
};

enum { SETTINGS = ARRAY_LEN(settings) };

struct restart {
	char *values[SETTINGS];
};

// The caller frees it. NULL without memory.
static char *value_of(size_t setting, const struct config *config)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	if (!out)
		return NULL;
	settings[setting].print(&config->server, out);
	if (fclose(out) == 0)
		return text;
	free(text);
	return NULL;
}

struct restart *restart_new(const struct config *config)
{
	struct restart *restart = calloc(1, sizeof(*restart));

	if (!restart)
		return NULL;
	for (size_t i = 0; i < SETTINGS; i++) {
		restart->values[i] = value_of(i, config);
		if (!restart->values[i])
			return restart_free(restart);
	}
	return restart;
}

struct restart *restart_free(struct restart *restart)
{
	if (!restart)
		return NULL;
	for (size_t i = 0; i < SETTINGS; i++)
		free(restart->values[i]);
	free(restart);
	return NULL;
}

void restart_warn(const struct restart *restart, const struct config *config, struct report *report)
{
	for (size_t i = 0; i < SETTINGS; i++) {
		char *value = value_of(i, config);

		if (value && strcmp(value, restart->values[i]) != 0)
			report_warning(report, config->file, 0, 0,
			               "server.%s: takes hold when the daemon is restarted; until then it is %s", settings[i].key,
			               restart->values[i]);
		free(value);
	}
}
