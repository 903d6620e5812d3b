// Runs a provider against the fake host and prints what it does, a line for each call: "put<tab>KEY<tab>TARGET",
// "drop<tab>KEY", "begin", "commit", "source<tab>PART: STATE TEXT", "report<tab>LEVEL: TEXT". For scenarios of
// providers without a daemon.
//
//     provider NAME [OPTION=VALUE | MAP:KEY=VALUE]...      until standard input ends
#include "fakehost.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PAIRS_MAX = 64, MAPS_MAX = 8 };

extern const struct edgesteer_plugin edgesteer_plugin_kubernetes;

static const struct edgesteer_plugin *const plugins[] = {&edgesteer_plugin_kubernetes};

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

int main(int argc, char **argv)
{
	const struct edgesteer_plugin *plugin = NULL;
	struct fakehost host;
	char octet;

	for (size_t i = 0; i < sizeof(plugins) / sizeof(*plugins) && argc > 1; i++)
		if (strcmp(plugins[i]->name, argv[1]) == 0)
			plugin = plugins[i];
	if (!plugin) {
		fputs("provider: no such plugin\n", stderr);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN); // as the daemon does
	for (int i = 2; i < argc; i++)
		take(argv[i]);
	fakehost_begin(&host, options, NULL);
	host.maps = maps;
	host.trace = stdout;
	if (fakehost_provide(&host, plugin) < 0) {
		fflush(stdout);
		fakehost_end(&host);
		return 1;
	}
	fflush(stdout);
	while (read(STDIN_FILENO, &octet, 1) > 0)
		;

	int result = fakehost_stop(&host);

	printf("result\t%d\n", result);
	fakehost_end(&host);
	return 0;
}
