// edgesteerd: the command line, and the order in which things are started. The only file that calls exit().
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/report.h"
#include "config/config.h"
#include "config/load.h"
#include "daemon/building.h"
#include "daemon/daemon.h"
#include "daemon/service.h"
#include "discovery/carriers.h"
#include "discovery/discovery.h"
#include "online/online.h"
#include "online/parent.h"
#include "learn/learner.h"
#include "provide/provide.h"
#include "state/state.h"
#include "view/view.h"

enum { EXIT_RUNTIME = 1, EXIT_CONFIG = 2, DNS_PORT = 53, PORT_MAX = 65535 };

static const char usage[] =
	"usage: edgesteerd [-c FILE] [-t | --carriers | --export-state]\n"
	"       edgesteerd [-c FILE] -t --online [--json] [--resolver ADDRESS[@PORT]]... [--port PORT]\n"
	"       edgesteerd --plugins | --print-manual | --print-schema | --version | --help\n"
	"\n"
	"Answers an app's name with the nearest healthy site that the client can reach.\n"
	"Stays in the foreground and logs to standard error.\n"
	"\n"
	"  -c, --config FILE    the configuration (default " SYSCONFDIR "/edgesteer/edgesteer.yaml)\n"
	"  -t, --test           check it with its zones and sources, list every error, exit 0 or 2\n"
	"      --online         with -t: then ask providers and resolvers for targets, the parent zone of each domain for\n"
	"                       its NS and glue, and its name servers whether they answer; exit 1 if resolvers would get\n"
	"                       no answers\n"
	"      --json           with --online: one JSON object per provider, app or domain and line\n"
	"      --resolver ADDRESS[@PORT]\n"
	"                       with --online: the resolver to ask, up to 8 (default: the config's, or the system's)\n"
	"      --port PORT      with --online: where name servers are asked, for trials (default 53)\n"
	"      --carriers       check it likewise, and print the prefixes and addresses that its sources have of each carrier\n"
	"      --export-state   write drains, forces and health as files that older versions read, and exit; the daemon\n"
	"                       must not be running\n"
	"      --plugins        list the built-in plugins and their options\n"
	"      --print-manual   the manual page of the configuration, edgesteer.yaml(5)\n"
	"      --print-schema   the JSON schema of the configuration, for editors\n"
	"  -V, --version\n"
	"  -h, --help\n"
	"\n"
	"SIGHUP reloads, SIGTERM shuts down cleanly. See edgesteerd(8), edgesteerctl(1).\n";

enum option_value { OPTION_PLUGINS = 256, OPTION_MANUAL, OPTION_SCHEMA, OPTION_EXPORT, OPTION_CARRIERS, OPTION_ONLINE,
                    OPTION_JSON, OPTION_RESOLVER, OPTION_PORT };

static const struct option options[] = {
	{"config", required_argument, NULL, 'c'},
	{"test", no_argument, NULL, 't'},
	{"online", no_argument, NULL, OPTION_ONLINE},
	{"json", no_argument, NULL, OPTION_JSON},
	{"resolver", required_argument, NULL, OPTION_RESOLVER},
	{"port", required_argument, NULL, OPTION_PORT},
	{"carriers", no_argument, NULL, OPTION_CARRIERS},
	{"plugins", no_argument, NULL, OPTION_PLUGINS},
	{"print-manual", no_argument, NULL, OPTION_MANUAL},
	{"print-schema", no_argument, NULL, OPTION_SCHEMA},
	{"export-state", no_argument, NULL, OPTION_EXPORT},
	{"version", no_argument, NULL, 'V'},
	{"help", no_argument, NULL, 'h'},
	{NULL, 0, NULL, 0},
};

struct arguments {
	const char *config;
	bool test;
	bool carriers;
	bool export;
	bool online, json;
	struct asking asking;
};

// For an error on the command line.
PRINTF(1, 2) static void refuse(const char *fmt, ...)
{
	va_list ap;

	fputs("edgesteerd: ", stderr);
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fputs(". See edgesteerd --help\n", stderr);
	exit(EXIT_CONFIG);
}

static void read_resolver(const char *text, struct recursors *recursors)
{
	int err = recursors_add(recursors, text);

	if (err == E_LIMIT)
		refuse("--resolver %s: there are %d already", text, RECURSORS_MAX);
	if (err < 0)
		refuse("--resolver %s: not ADDRESS or ADDRESS@PORT", text);
}

static uint16_t read_port(const char *text)
{
	char *end;
	unsigned long port = strtoul(text, &end, 10);

	if (*text < '0' || *text > '9' || *end || port == 0 || port > PORT_MAX)
		refuse("--port %s: not a number from 1 to %d", text, PORT_MAX);
	return (uint16_t)port;
}

static void check_arguments(const struct arguments *arguments)
{
	const bool asks = arguments->json || arguments->asking.recursors.count > 0 || arguments->asking.port != DNS_PORT;

	if (arguments->test + arguments->carriers + arguments->export > 1)
		refuse("-t, --carriers and --export-state exclude each other");
	if (arguments->online && !arguments->test)
		refuse("--online is for -t");
	if (asks && !arguments->online)
		refuse("--json, --resolver and --port are for -t --online");
}

static void read_arguments(int argc, char **argv, struct arguments *arguments)
{
	int option;

	while ((option = getopt_long(argc, argv, "c:thV", options, NULL)) != -1)
		switch (option) {
		case 'c': arguments->config = optarg; break;
		case 't': arguments->test = true; break;
		case OPTION_ONLINE: arguments->online = true; break;
		case OPTION_JSON: arguments->json = true; break;
		case OPTION_RESOLVER: read_resolver(optarg, &arguments->asking.recursors); break;
		case OPTION_PORT: arguments->asking.port = read_port(optarg); break;
		case OPTION_CARRIERS: arguments->carriers = true; break;
		case OPTION_EXPORT: arguments->export = true; break;
		case OPTION_PLUGINS: discovery_print_plugins(); exit(EXIT_SUCCESS);
		case OPTION_MANUAL: config_print_manual(); exit(EXIT_SUCCESS);
		case OPTION_SCHEMA: config_print_schema(); exit(EXIT_SUCCESS);
		case 'V': puts("edgesteerd " PACKAGE_VERSION); exit(EXIT_SUCCESS);
		case 'h': fputs(usage, stdout); exit(EXIT_SUCCESS);
		default: fputs("edgesteerd: see edgesteerd --help\n", stderr); exit(EXIT_CONFIG);
		}
	check_arguments(arguments);
	if (optind < argc)
		refuse("unexpected argument \"%s\": a configuration is given as -c FILE", argv[optind]);
}

static void print_line(void *ctx, enum report_level level, const char *text)
{
	static const char *const words[] = {"error", "warning", "note"};

	(void)ctx;
	fprintf(stderr, "edgesteerd: %s: %s\n", words[level], text);
}

static struct report *report_new_or_exit(void)
{
	struct report *report = report_new();

	if (!report) {
		print_line(NULL, REPORT_ERROR, err_text(E_NOMEM));
		exit(EXIT_RUNTIME);
	}
	return report;
}

static struct report *print_and_empty(struct report *report)
{
	report_each(report, print_line, NULL);
	report_free(report);
	return report_new_or_exit();
}

// For an error that nobody has reported: mostly there was no memory for it.
static void print_unreported(int err, const struct report *report)
{
	if (err < 0 && report_ok(report))
		print_line(NULL, REPORT_ERROR, err_text(err));
}

static void print_summary(const struct generation *generation)
{
	const struct view *view = generation->view;
	size_t prefixes = 0;

	for (size_t i = 0; i < view->places->sources; i++)
		prefixes += view->places->source_prefixes[i];
	printf("%s: good: %zu zones, %u apps, %u sites, %u targets; %zu prefixes from %zu sources, %zu places; %lld ms\n",
	       generation->config->file, zonedb_zone_count(view->zones), view->app_count, view->site_count,
	       view->target_count, prefixes, view->places->sources, view->places->count - 1,
	       (long long)generation->took_ms);
}

// -t --online, of a good config. The exit code.
static int test_online(struct arguments *arguments, const struct generation *generation)
{
	struct report *report = report_new_or_exit();
	struct online_outcome outcome;

	log_set_level(LOG_LEVEL_WARNING);

	int err = online_check(generation->config, generation->view, &arguments->asking, arguments->json, stdout, report,
	                       &outcome);
	int code = err == E_OK && !outcome.breaks ? EXIT_SUCCESS : EXIT_RUNTIME;

	if (err == E_NOTFOUND)
		print_line(NULL, REPORT_ERROR, "no resolver in /etc/resolv.conf: give one in the config or as --resolver ADDRESS");
	else
		print_unreported(err, report);
	report_free(print_and_empty(report));
	if (outcome.is_stuck)
		_exit(code); // a provider's thread still uses what exit() would tear down
	return code;
}

struct lowering {
	struct report *report;
	const char *user;
};

static void lower_error(void *ctx, enum report_level level, const char *text)
{
	const struct lowering *lowering = ctx;

	if (level == REPORT_ERROR)
		report_warning(lowering->report, NULL, 0, 0, "as user \"%s\" no reload will succeed: %s", lowering->user, text);
}

// A start reads every file as root, a reload as the user that the process now is: warns of what only root can read.
static void test_reload(const char *path, const char *user, struct report *report)
{
	struct lowering lowering = {report, user};
	struct report *of_reload = report_new_or_exit();
	struct generation second;

	if (building_read(path, NULL, 2, of_reload, &second) == E_OK)
		building_discard(&second);
	report_each(of_reload, lower_error, &lowering);
	report_free(of_reload);
}

// Their plugins and options, without running them.
static void test_plugins(const struct config *config, struct report *report)
{
	struct learner_plan *services = NULL;
	struct provide_plan *plan = NULL;

	print_unreported(provide_prepare(NULL, config, report, &plan), report);
	provide_discard(plan);
	print_unreported(learner_prepare(NULL, config, report, &services), report);
	learner_discard(services);
}

// -t, of a generation that is good. The exit code.
static int test(struct arguments *arguments, struct generation *first, struct report *report)
{
	test_plugins(first->config, report);
	if (service_test(&first->config->server, report))
		test_reload(arguments->config, first->config->server.user, report);

	int code = report_ok(report) ? EXIT_SUCCESS : EXIT_CONFIG;

	report_free(print_and_empty(report));
	if (code == EXIT_SUCCESS && !arguments->json)
		print_summary(first);
	if (code == EXIT_SUCCESS && arguments->online)
		code = test_online(arguments, first);
	building_discard(first);
	return code;
}

// --carriers. The exit code.
static int print_carriers(struct generation *generation)
{
	int err = carriers_print(generation->config, generation->view->places, stdout);

	if (err < 0)
		print_line(NULL, REPORT_ERROR, err_text(err));
	building_discard(generation);
	return err < 0 ? EXIT_RUNTIME : EXIT_SUCCESS;
}

// --export-state. The exit code.
static int export_state(const char *path, struct report *report)
{
	struct state_exported all;
	struct config *config;
	int err = config_load(path, report, &config);

	report_free(print_and_empty(report));
	if (err < 0)
		return err == E_NOMEM ? EXIT_RUNTIME : EXIT_CONFIG;
	err = state_export(config->server.state_dir, &all); // logs its errors
	if (err == E_OK)
		printf("%s: orders.json and health.json written: %zu %s, %zu %s, health of %zu %s\n",
		       config->server.state_dir, all.drains, all.drains == 1 ? "drain" : "drains", all.forces,
		       all.forces == 1 ? "force" : "forces", all.targets, all.targets == 1 ? "target" : "targets");
	if (err == E_OK && all.left_out)
		printf("%s: %zu %s not written, as older versions do not know what they are: see above\n",
		       config->server.state_dir, all.left_out, all.left_out == 1 ? "drain is" : "drains are");
	config_free(config);
	return err == E_OK ? EXIT_SUCCESS : EXIT_RUNTIME;
}

int main(int argc, char **argv)
{
	struct arguments arguments = {.config = SYSCONFDIR "/edgesteer/edgesteer.yaml", .asking = {.port = DNS_PORT}};
	struct generation first;
	struct report *report, *built; // the latter: of the first generation
	struct daemon *daemon;

	service_tune_memory();
	read_arguments(argc, argv, &arguments);
	report = report_new_or_exit();
	if (arguments.export)
		return export_state(arguments.config, report);

	int err = building_read(arguments.config, NULL, 1, report, &first); // config, zones, sources, view, the door's files

	print_unreported(err, report);
	report_each(report, print_line, NULL);
	if (err < 0) {
		report_free(report);
		return err == E_NOMEM ? EXIT_RUNTIME : EXIT_CONFIG;
	}
	if (arguments.carriers || arguments.test) {
		report_free(report);
		return arguments.test ? test(&arguments, &first, report_new_or_exit()) : print_carriers(&first);
	}
	log_set_level((enum log_level)first.config->server.log_level);
	built = report;
	report = report_new_or_exit();
	err = daemon_new(arguments.config, &first, built, report, &daemon); // sockets, privileges, state, control
	report_free(built);
	if (err == E_NOMEM)
		print_unreported(err, report);
	report = report_free(print_and_empty(report));
	if (err < 0)
		return err == E_INVAL ? EXIT_CONFIG : EXIT_RUNTIME;
	err = daemon_run(daemon); // first round of health checks, then workers, until a signal

	int code = err < 0 ? EXIT_RUNTIME : EXIT_SUCCESS;

	if (daemon_free(daemon))
		_exit(code); // the builder's thread still uses what exit() would tear down
	return code;
}
