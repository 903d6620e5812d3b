// The load client's command line: the parser, the check and the help of an option come from its row.
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/addr.h"
#include "base/err.h"
#include "load.h"

enum value { VALUE_TEXT, VALUE_NUMBER, VALUE_SECONDS, VALUE_FLAG };

// The type of an option's value; numbers and seconds are parsed as double and checked against the range.
struct row {
	const char *name;
	enum value value;
	double min, max;
	const char *unit, *help;
};

enum row_number {
	ROW_SERVER, ROW_NAME, ROW_NAMES, ROW_TYPE, ROW_CLIENTS, ROW_V4_LEN, ROW_V6_LEN, ROW_NO_ECS, ROW_EXPECT, ROW_RATE,
	ROW_WINDOW, ROW_BATCH, ROW_SOCKETS, ROW_TCP, ROW_TIME, ROW_COUNT, ROW_WARMUP, ROW_TIMEOUT, ROW_UDP_SIZE, ROW_PID,
	ROW_THREAD, ROW_CPU, ROW_SLEEP, ROW_JSON, ROW_HELP, ROWS
};

static const struct row rows[ROWS] = {
	[ROW_SERVER] = {"server", VALUE_TEXT, 0, 0, "ADDRESS@PORT", "the server (default 127.0.0.1@5300)"},
	[ROW_NAME] = {"name", VALUE_TEXT, 0, 0, "NAME", "the name to query (default app.edge.example)"},
	[ROW_NAMES] = {"names", VALUE_NUMBER, 1, ASK_NAMES_MAX, "N", "query many: #s in --name become numbers below N, mixed"},
	[ROW_TYPE] = {"type", VALUE_TEXT, 0, 0, "TYPE", "its type: A, AAAA, TXT, HTTPS, ..., TYPEn (default A)"},
	[ROW_CLIENTS] = {"clients", VALUE_TEXT, 0, 0, "FILE", "clients for ECS, one address or prefix per line"},
	[ROW_V4_LEN] = {"v4-len", VALUE_NUMBER, 0, 32, "N", "source length of IPv4 clients written as addresses (24)"},
	[ROW_V6_LEN] = {"v6-len", VALUE_NUMBER, 0, 128, "N", "the same for IPv6 (56)"},
	[ROW_NO_ECS] = {"no-ecs", VALUE_FLAG, 0, 0, "", "EDNS without the ECS option"},
	[ROW_EXPECT] = {"expect", VALUE_TEXT, 0, 0, "FILE", "what each client must get, one line each: addresses, or -"},
	[ROW_RATE] = {"rate", VALUE_NUMBER, 1, 1e8, "N", "queries per second, independent of answers; else a closed loop"},
	[ROW_WINDOW] = {"window", VALUE_NUMBER, 1, 65536, "N", "closed loop: outstanding queries (256)"},
	[ROW_BATCH] = {"batch", VALUE_NUMBER, 1, LOAD_BATCH_MAX, "N", "queries sent on a socket in one call (32)"},
	[ROW_SOCKETS] = {"sockets", VALUE_NUMBER, 1, LOAD_LANES_MAX, "N", "sockets, or TCP connections (64)"},
	[ROW_TCP] = {"tcp", VALUE_FLAG, 0, 0, "", "over TCP, pipelined"},
	[ROW_TIME] = {"time", VALUE_SECONDS, 1e-3, 86400, "SECONDS", "how long (5; with --count: no limit)"},
	[ROW_COUNT] = {"count", VALUE_NUMBER, 1, 1e15, "N", "stop after this many queries"},
	[ROW_WARMUP] = {"warmup", VALUE_SECONDS, 0, 3600, "SECONDS", "the same load before the run, not counted (0)"},
	[ROW_TIMEOUT] = {"timeout", VALUE_SECONDS, 1e-3, 60, "SECONDS", "after this a query counts as lost (1)"},
	[ROW_UDP_SIZE] = {"udp-size", VALUE_NUMBER, 512, 4096, "N", "EDNS size (1232)"},
	[ROW_PID] = {"pid", VALUE_NUMBER, 1, 1 << 30, "PID", "the server's process, to read its CPU time from /proc"},
	[ROW_THREAD] = {"thread", VALUE_TEXT, 0, 0, "PATTERN", "only its threads with such names"},
	[ROW_CPU] = {"cpu", VALUE_NUMBER, 0, 1023, "N", "run on this CPU"},
	[ROW_SLEEP] = {"sleep", VALUE_FLAG, 0, 0, "", "sleep when idle, for a shared CPU"},
	[ROW_JSON] = {"json", VALUE_TEXT, 0, 0, "FILE", "write figures as JSON; - for standard output"},
	[ROW_HELP] = {"help", VALUE_FLAG, 0, 0, "", "this text"},
};

static void print_help(void)
{
	printf("Usage: load [OPTION]...\nQueries a DNS server as fast as it answers, or at a fixed rate; every query has "
	       "another client subnet (ECS).\n\n");
	for (unsigned i = 0; i < ROWS; i++) {
		char left[64];

		snprintf(left, sizeof(left), "--%s%s%s", rows[i].name, *rows[i].unit ? " " : "", rows[i].unit);
		printf("  %-24s %s\n", left, rows[i].help);
	}
	printf("\nExit code: 0 all queries were answered as expected; 1 some were not; 2 usage, files, system.\n");
}

static int read_number(const struct row *row, const char *text, double *ret_number)
{
	char *end;
	double number = strtod(text, &end);
	bool whole = row->value == VALUE_SECONDS || number == (double)(long long)number;

	if (end == text || *end || !(number >= row->min && number <= row->max) || !whole) {
		fprintf(stderr, "load: --%s %s: expected a %snumber from %g to %g\n", row->name, text,
		        row->value == VALUE_SECONDS ? "" : "whole ", row->min, row->max);
		return E_INVAL;
	}
	*ret_number = number;
	return 0;
}

static void set_text(struct options *options, enum row_number row, const char *text)
{
	switch (row) {
	case ROW_SERVER: options->server_text = text; break;
	case ROW_NAME: options->name = text; break;
	case ROW_TYPE: options->type = text; break;
	case ROW_CLIENTS: options->clients = text; break;
	case ROW_EXPECT: options->expect = text; break;
	case ROW_THREAD: options->thread = text; break;
	case ROW_JSON: options->json = text; break;
	case ROW_TCP: options->tcp = true; break;
	case ROW_SLEEP: options->sleep = true; break;
	default: break;
	}
}

static void set_number(struct options *options, enum row_number row, double number)
{
	switch (row) {
	case ROW_NAMES: options->names = (uint32_t)number; break;
	case ROW_V4_LEN: options->v4_len = (uint8_t)number; break;
	case ROW_V6_LEN: options->v6_len = (uint8_t)number; break;
	case ROW_RATE: options->rate = number; break;
	case ROW_WINDOW: options->window = (unsigned)number; break;
	case ROW_BATCH: options->batch = (unsigned)number; break;
	case ROW_SOCKETS: options->sockets = (unsigned)number; break;
	case ROW_TIME: options->time_ns = (int64_t)(number * 1e9); break;
	case ROW_COUNT: options->count = (uint64_t)number; break;
	case ROW_WARMUP: options->warmup_ns = (int64_t)(number * 1e9); break;
	case ROW_TIMEOUT: options->timeout_ns = (int64_t)(number * 1e9); break;
	case ROW_UDP_SIZE: options->udp_size = (uint16_t)number; break;
	case ROW_PID: options->pid = (pid_t)number; break;
	case ROW_CPU: options->cpu = (int)number; break;
	default: break;
	}
}

static int check(struct options *options, bool no_ecs)
{
	if (!options->clients == !no_ecs) {
		fprintf(stderr, "load: give either --clients FILE or --no-ecs\n");
		return E_INVAL;
	}
	if (addr_parse_endpoint(options->server_text, 53, &options->server, &options->server_len) < 0) {
		fprintf(stderr, "load: --server %s: expected ADDRESS@PORT\n", options->server_text);
		return E_INVAL;
	}
	if (options->batch > options->window)
		options->batch = options->window;
	if (options->time_ns == 0)
		options->time_ns = options->count ? INT64_MAX / 2 : 5000000000;
	return 0;
}

int options_read(struct options *options, int argc, char **argv)
{
	struct option longs[ROWS + 1] = {0};
	bool no_ecs = false;
	int row;

	*options = (struct options){.server_text = "127.0.0.1@5300", .name = "app.edge.example", .type = "A",
	                            .timeout_ns = 1000000000, .window = 256, .batch = 32, .sockets = 64, .udp_size = 1232,
	                            .v4_len = 24, .v6_len = 56, .cpu = -1};
	for (int i = 0; i < ROWS; i++)
		longs[i] = (struct option){rows[i].name, rows[i].value != VALUE_FLAG, NULL, i};
	while ((row = getopt_long(argc, argv, "", longs, NULL)) != -1) {
		double number;

		if (row < 0 || row >= ROWS)
			return 3;
		if (row == ROW_HELP) {
			print_help();
			return 1;
		}
		no_ecs |= row == ROW_NO_ECS;
		if (rows[row].value == VALUE_TEXT || rows[row].value == VALUE_FLAG)
			set_text(options, (enum row_number)row, optarg);
		else if (read_number(&rows[row], optarg, &number) < 0)
			return 3;
		else
			set_number(options, (enum row_number)row, number);
	}
	if (optind < argc) {
		fprintf(stderr, "load: %s: not an option\n", argv[optind]);
		return 3;
	}
	return check(options, no_ecs) < 0 ? 3 : 0;
}
