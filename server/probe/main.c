// edgesteer-probe, the agent: its command line. The only file of the program that ends it.
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bearer.h"
#include "base/err.h"
#include "base/infile.h"
#include "base/log.h"
#include "base/report.h"
#include "config/config.h"
#include "config/load.h"
#include "generation/check_files.h"
#include "health/judge.h"
#include "probe/agent.h"
#include "schema/units.h"

enum { EXIT_RUNTIME = 1, EXIT_CONFIG = 2 };

static const char usage[] =
	"usage: edgesteer-probe [-c FILE] --vantage NAME --daemon URL... [OPTIONS]\n"
	"\n"
	"Probes targets as edgesteerd does, from where it runs, and tells one or more daemons what it sees.\n"
	"Stays in the foreground and logs to standard error.\n"
	"\n"
	"  -c, --config FILE    the daemon's configuration, or one with the same apps, sites and checks\n"
	"                       (default " SYSCONFDIR "/edgesteer/edgesteer.yaml)\n"
	"      --vantage NAME   who it is\n"
	"      --daemon URL     whom it tells: https://HOST:PORT, up to 16; http:// only to this machine\n"
	"      --carrier NAME   for whose clients it speaks; without it, for everybody\n"
	"      --site NAME      probe only targets at this site; up to 64\n"
	"      --ttl TIME       how long what it says counts, 1s to 1h (default 30s); it says it again three times within it\n"
	"      --token FILE     a file with the token, of the scope `report`\n"
	"      --ca FILE        CA certificates to trust, in PEM (default: the system's)\n"
	"      --cert FILE      its own certificate, in PEM\n"
	"      --key FILE       that certificate's key\n"
	"  -t, --test           check the configuration and the arguments, and exit with 0 or 2\n"
	"  -V, --version\n"
	"  -h, --help\n"
	"\n"
	"SIGTERM stops it. See edgesteer-probe(8).\n";

enum option_value { OPTION_VANTAGE = 256, OPTION_DAEMON, OPTION_CARRIER, OPTION_SITE, OPTION_TTL, OPTION_TOKEN, OPTION_CA,
	            OPTION_CERT, OPTION_KEY };

static const struct option options[] = {
	{"config", required_argument, NULL, 'c'},
	{"vantage", required_argument, NULL, OPTION_VANTAGE},
	{"daemon", required_argument, NULL, OPTION_DAEMON},
	{"carrier", required_argument, NULL, OPTION_CARRIER},
	{"site", required_argument, NULL, OPTION_SITE},
	{"ttl", required_argument, NULL, OPTION_TTL},
	{"token", required_argument, NULL, OPTION_TOKEN},
	{"ca", required_argument, NULL, OPTION_CA},
	{"cert", required_argument, NULL, OPTION_CERT},
	{"key", required_argument, NULL, OPTION_KEY},
	{"test", no_argument, NULL, 't'},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

struct arguments {
	const char *config, *token_file;
	struct agent_config agent;
	bool test;
};

// For an error on the command line.
PRINTF(1, 2) static void refuse(const char *fmt, ...)
{
	va_list ap;

	fputs("edgesteer-probe: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs(". See edgesteer-probe --help\n", stderr);
	exit(EXIT_CONFIG);
}

static void read_ttl(const char *text, struct arguments *arguments)
{
	uint64_t ms;

	if (units_parse_duration_ms(text, &ms) < 0 || ms < JUDGE_TTL_MIN_MS || ms > JUDGE_TTL_MAX_MS)
		refuse("--ttl '%s': expected a time from 1s to 1h", text);
	arguments->agent.push.ttl_ms = (unsigned)ms;
}

static bool is_loopback(const char *url)
{
	static const char *const hosts[] = {"127.", "localhost", "[::1]"};
	const char *host = url + strlen("http://");

	for (size_t i = 0; i < ARRAY_LEN(hosts); i++)
		if (strncmp(host, hosts[i], strlen(hosts[i])) == 0)
			return true;
	return false;
}

static void add_daemon(const char *url, struct agent_config *agent)
{
	bool plain = strncmp(url, "http://", strlen("http://")) == 0;
	size_t len = strlen(url);

	if (!plain && strncmp(url, "https://", strlen("https://")) != 0)
		refuse("--daemon '%s': expected https://HOST:PORT", url);
	if (plain && !is_loopback(url))
		refuse("--daemon '%s': expected https, as it is not on this machine", url);
	if (len > 900 || strchr(url + strlen("https://"), '/') || strpbrk(url, " ?#@"))
		refuse("--daemon '%.200s': expected https://HOST:PORT, with nothing after it", url);
	if (agent->url_count == AGENT_DAEMONS_MAX)
		refuse("more than %d daemons", AGENT_DAEMONS_MAX);
	agent->urls[agent->url_count++] = url;
}

static void read_option(int option, struct arguments *arguments)
{
	struct agent_config *agent = &arguments->agent;

	switch (option) {
	case 'c': arguments->config = optarg; return;
	case 't': arguments->test = true; return;
	case OPTION_VANTAGE: agent->push.vantage = optarg; return;
	case OPTION_CARRIER: agent->push.carrier = optarg; return;
	case OPTION_TTL: read_ttl(optarg, arguments); return;
	case OPTION_TOKEN: arguments->token_file = optarg; return;
	case OPTION_CA: agent->push.ca = optarg; return;
	case OPTION_CERT: agent->push.cert = optarg; return;
	case OPTION_KEY: agent->push.key = optarg; return;
	case OPTION_DAEMON: add_daemon(optarg, agent); return;
	case OPTION_SITE:
		if (agent->site_count == AGENT_SITES_MAX)
			refuse("more than %d sites", AGENT_SITES_MAX);
		agent->sites[agent->site_count++] = optarg;
		return;
	case 'V': puts("edgesteer-probe " PACKAGE_VERSION); exit(EXIT_SUCCESS);
	case 'h': fputs(usage, stdout); exit(EXIT_SUCCESS);
	default: exit(EXIT_CONFIG); // getopt has said why
	}
}

static void read_arguments(int argc, char **argv, struct arguments *arguments)
{
	const struct push_config *push = &arguments->agent.push;
	int option;

	while ((option = getopt_long(argc, argv, "c:tVh", options, NULL)) != -1)
		read_option(option, arguments);
	if (optind < argc)
		refuse("'%s' is one word too many", argv[optind]);
	if (!push->vantage || !judge_is_name(push->vantage))
		refuse("--vantage: expected a name of 1 to %d letters, digits, '.', '-', '_' and ':'", MATRIX_NAME_LEN - 1);
	if (push->carrier && !judge_is_name(push->carrier))
		refuse("--carrier: expected a name of 1 to %d letters, digits, '.', '-', '_' and ':'", MATRIX_NAME_LEN - 1);
	if (arguments->agent.url_count == 0)
		refuse("--daemon is needed");
	if (!push->cert != !push->key)
		refuse("--cert and --key go together");
}

static void print_line(void *ctx, enum report_level level, const char *text)
{
	static const char *const words[] = {[REPORT_ERROR] = "error", [REPORT_WARNING] = "warning", [REPORT_NOTE] = "note"};

	(void)ctx;
	fprintf(stderr, "%s: %s\n", words[level], text);
}

static struct config *load(const char *path)
{
	struct report *report = report_new();
	struct config *config = NULL;
	int err = report ? config_load(path, report, &config) : E_NOMEM;

	if (err == E_OK)
		err = check_files_read(config, report);
	if (err == E_OK && !report_ok(report))
		err = E_INVAL;
	if (report)
		report_each(report, print_line, NULL);
	report_free(report);
	if (err == E_NOMEM)
		fputs("edgesteer-probe: out of memory\n", stderr);
	if (err < 0)
		exit(err == E_NOMEM ? EXIT_RUNTIME : EXIT_CONFIG);
	return config;
}

static void check_sites(const struct config *config, const struct agent_config *agent)
{
	for (size_t i = 0; i < agent->site_count; i++) {
		size_t k = 0;

		while (k < config->site_count && strcmp(config->sites[k].name, agent->sites[i]) != 0)
			k++;
		if (k == config->site_count)
			refuse("--site '%s': the configuration has no such site", agent->sites[i]);
	}
}

int main(int argc, char **argv)
{
	struct arguments arguments = {.config = SYSCONFDIR "/edgesteer/edgesteer.yaml", .agent.push.ttl_ms = JUDGE_TTL_MS};
	struct config *config;
	char token[BEARER_MAX + 1], why[INFILE_WHY_LEN] = "cannot be read: out of memory";
	int err;

	read_arguments(argc, argv, &arguments);
	if (arguments.token_file) {
		if (bearer_read(arguments.token_file, token, why) < 0)
			refuse("%s %s", arguments.token_file, why);
		arguments.agent.push.token = token;
	}
	config = load(arguments.config);
	check_sites(config, &arguments.agent);
	log_set_level((enum log_level)config->server.log_level);
	err = arguments.test ? E_OK : agent_run(config, &arguments.agent);
	config_free(config);
	if (err == E_NOTFOUND)
		fputs("edgesteer-probe: no target has a check and an address to be probed\n", stderr);
	else if (err < 0)
		fprintf(stderr, "edgesteer-probe: %s\n", err_text(err));
	return err == E_OK ? EXIT_SUCCESS : err == E_NOTFOUND ? EXIT_CONFIG : EXIT_RUNTIME;
}
