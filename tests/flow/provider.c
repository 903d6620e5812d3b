// Runs a plugin's provide() or look_up() against the fake host and prints what it does, a line for each call:
// "put<tab>KEY<tab>TARGET", "drop<tab>KEY", "begin", "commit", "source<tab>PART: STATE TEXT", "report<tab>LEVEL: TEXT",
// "answer<tab>ID OUTCOME SITES...". For scenarios of plugins without a daemon.
//
//     provider [--look-up] NAME [OPTION=VALUE | MAP:KEY=VALUE]...      until standard input ends
//
// With --look-up, lines of standard input are questions: ID ADDRESS PREFIX-LENGTH PORT-IF-DIRECT APP-OR-- MILLISECONDS
#include "fakehost.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { PAIRS_MAX = 64, MAPS_MAX = 8 };

extern const struct edgesteer_plugin edgesteer_plugin_camara, edgesteer_plugin_exec, edgesteer_plugin_kubernetes,
	edgesteer_plugin_verizon_eds;

static const struct edgesteer_plugin *const plugins[] = {
	&edgesteer_plugin_camara, &edgesteer_plugin_exec, &edgesteer_plugin_kubernetes, &edgesteer_plugin_verizon_eds,
};

static struct fakehost_pair options[PAIRS_MAX + 1], rows[MAPS_MAX][PAIRS_MAX + 1];
static struct fakehost_map maps[MAPS_MAX + 1];

static struct fakehost_pair *end_of(struct fakehost_pair *pairs)
{
	for (size_t i = 0; i < PAIRS_MAX; i++)
		if (!pairs[i].key)
			return &pairs[i];
	fputs("provider: too many pairs\n", stderr);
	exit(2);
}

static struct fakehost_pair *find_rows(const char *name)
{
	for (size_t i = 0; i < MAPS_MAX; i++) {
		if (!maps[i].name)
			maps[i] = (struct fakehost_map){name, rows[i]};
		if (strcmp(maps[i].name, name) == 0)
			return rows[i];
	}
	fputs("provider: too many mappings\n", stderr);
	exit(2);
}

// Divides the argument, which stays.
static void take(char *argument)
{
	char *value = strchr(argument, '='), *key = strchr(argument, ':');

	if (!value) {
		fprintf(stderr, "provider: expected OPTION=VALUE or MAP:KEY=VALUE: %s\n", argument);
		exit(2);
	}
	*value++ = '\0';
	if (key && key < value)
		*key++ = '\0';
	else
		key = NULL;
	*end_of(key ? find_rows(argument) : options) = (struct fakehost_pair){key ? key : argument, value};
}

static void ask(struct fakehost *host, const char *line)
{
	struct edgesteer_question question = {.size = sizeof(question)};
	unsigned long long id;
	unsigned length, port, within_ms;
	char address[64], app[256];
	struct timespec now;

	if (sscanf(line, "%llu %63s %u %u %255s %u", &id, address, &length, &port, app, &within_ms) != 6) {
		fprintf(stderr, "provider: not a question: %s", line);
		exit(2);
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	question.id = id;
	question.family = strchr(address, ':') ? 6 : 4;
	inet_pton(question.family == 6 ? AF_INET6 : AF_INET, address, question.address);
	question.prefix_length = (uint8_t)length;
	question.is_direct = port != 0;
	question.port = (uint16_t)port;
	question.app = strcmp(app, "-") == 0 ? NULL : app;
	question.deadline_ms = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 + within_ms;
	fakehost_ask(host, &question);
}

static const struct edgesteer_plugin *find(const char *name)
{
	for (size_t i = 0; i < sizeof(plugins) / sizeof(*plugins); i++)
		if (strcmp(plugins[i]->name, name) == 0)
			return plugins[i];
	fputs("provider: no such plugin\n", stderr);
	exit(2);
}

int main(int argc, char **argv)
{
	bool looks_up = argc > 1 && strcmp(argv[1], "--look-up") == 0;
	const struct edgesteer_plugin *plugin = find(argc > 1 + looks_up ? argv[1 + looks_up] : "");
	struct fakehost host;
	char line[1024];
	int err;

	signal(SIGPIPE, SIG_IGN); // as the daemon does
	for (int i = 2 + looks_up; i < argc; i++)
		take(argv[i]);
	fakehost_begin(&host, options, NULL);
	host.maps = maps;
	host.trace = stdout;
	err = looks_up ? fakehost_look_up(&host, plugin) : fakehost_provide(&host, plugin);
	fflush(stdout);
	if (err < 0) {
		fakehost_end(&host);
		return 1;
	}
	while (fgets(line, sizeof(line), stdin))
		if (looks_up)
			ask(&host, line);

	int result = fakehost_stop(&host);

	printf("result\t%d\n", result);
	fakehost_end(&host);
	return 0;
}
