// The cost of probing: the daemon's prober with the given number of targets, against responders in separate processes
// on loopback (one address per target, 127.x.y.z). Prints the prober's own CPU time as JSON. Run by hand.
//
// Over HTTPS it checks the certificate, as the daemon does by default; the certificate is signed by a CA of its own.
#include <errno.h>
#include <event2/event.h>
#include <getopt.h>
#include <netinet/in.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/infile.h"
#include "base/clock.h"
#include "base/log.h"
#include "config/config.h"
#include "health/health.h"
#include "health/watchlist.h"

enum { RESPONDERS = 2, TARGETS_AT_MOST = 1 << 20, PORT = 0, FD_LIMIT = 65536 };

static const char reply[] = "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

struct options {
	unsigned targets, interval_ms, timeout_ms, probes, time_s;
	enum check_type type;
	bool resume;           // then measure again, with sessions that are resumed
};

static char folder[256], ca_file[sizeof(folder) + 16]; // of the CA; "": none
static char *ca_pem;                                   // what is in it; NULL: none

struct bench {
	struct event_base *base;
	struct health *health;
	int64_t began_ms, settled_ms;
};

static _Noreturn void die(const char *what)
{
	perror(what);
	exit(1);
}

static void remove_folder(void)
{
	unlink(ca_file);
	rmdir(folder);
}

static void make_folder(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(folder, sizeof(folder), "%s/health_bench-XXXXXX", tmp ? tmp : P_tmpdir);
	if (!mkdtemp(folder))
		die(folder);
	snprintf(ca_file, sizeof(ca_file), "%s/ca.pem", folder);
	atexit(remove_folder);
}

// ---- responders

static int listen_everywhere(uint16_t *ret_port)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_port = htons(PORT)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), one = 1;
	socklen_t len = sizeof(name);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)) < 0 ||
	    bind(fd, (struct sockaddr *)&name, sizeof(name)) < 0 || listen(fd, 4096) < 0 ||
	    getsockname(fd, (struct sockaddr *)&name, &len) < 0)
		die("listen");
	*ret_port = ntohs(name.sin_port);
	return fd;
}

// A certificate for the key with one extension, signed by `ca`; self-signed where that is NULL.
static X509 *certify(EVP_PKEY *key, const char *name, int extension, const char *value, X509 *ca, EVP_PKEY *ca_key)
{
	X509_EXTENSION *made = X509V3_EXT_nconf_nid(NULL, NULL, extension, value);
	X509 *cert = X509_new();
	X509_NAME *subject = X509_get_subject_name(cert);

	X509_set_version(cert, 2);
	X509_gmtime_adj(X509_getm_notBefore(cert), -86400);
	X509_gmtime_adj(X509_getm_notAfter(cert), 86400);
	X509_set_pubkey(cert, key);
	X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_ASC, (const unsigned char *)name, -1, -1, 0);
	X509_set_issuer_name(cert, ca ? X509_get_subject_name(ca) : subject);
	if (!made || X509_add_ext(cert, made, -1) != 1 || !X509_sign(cert, ca ? ca_key : key, EVP_sha256()))
		die("certificate");
	X509_EXTENSION_free(made);
	return cert;
}

// The responders' certificate, signed by a CA whose own certificate is written to `ca_file`.
static SSL_CTX *make_context(void)
{
	EVP_PKEY *ca_key = EVP_EC_gen("P-256"), *key = EVP_EC_gen("P-256");
	X509 *ca = certify(ca_key, "bench authority", NID_basic_constraints, "critical,CA:TRUE", NULL, NULL);
	X509 *cert = certify(key, "bench", NID_subject_alt_name, "DNS:*.edge.example.com", ca, ca_key);
	SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
	FILE *file = fopen(ca_file, "w");

	if (!file || PEM_write_X509(file, ca) != 1 || fclose(file) != 0)
		die(ca_file);

	char why[INFILE_WHY_LEN];
	size_t len;

	if (infile_read(ca_file, 1 << 20, &ca_pem, &len, why) < 0)
		die(ca_file);
	if (SSL_CTX_use_certificate(ctx, cert) != 1 || SSL_CTX_use_PrivateKey(ctx, key) != 1)
		die("certificate");
	return ctx;
}

// A connection: answers the first data received, then is closed.
struct conn {
	int fd;
	SSL *ssl; // NULL: plain
};

static bool answer_plain(const struct conn *conn)
{
	char request[4096];

	if (read(conn->fd, request, sizeof(request)) > 0 && write(conn->fd, reply, sizeof(reply) - 1) < 0)
		perror("write");
	return true;
}

// False: more data is needed.
static bool answer_tls(const struct conn *conn)
{
	char request[4096];
	int len = SSL_read(conn->ssl, request, sizeof(request)); // does the handshake as well

	if (len <= 0)
		return SSL_get_error(conn->ssl, len) != SSL_ERROR_WANT_READ;
	SSL_write(conn->ssl, reply, sizeof(reply) - 1);
	SSL_shutdown(conn->ssl);
	return true;
}

static void accept_all(int listener, int epoll, SSL_CTX *ctx)
{
	for (int fd; (fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0;) {
		struct conn *conn = malloc(sizeof(*conn));
		struct epoll_event event = {.events = EPOLLIN, .data.ptr = conn};

		if (!conn)
			die("malloc");
		*conn = (struct conn){fd, ctx ? SSL_new(ctx) : NULL};
		if (conn->ssl) {
			SSL_set_fd(conn->ssl, fd);
			SSL_set_accept_state(conn->ssl);
		}
		epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
	}
}

static void respond(int listener, SSL_CTX *ctx)
{
	struct epoll_event events[64], event = {.events = EPOLLIN | EPOLLEXCLUSIVE};
	int epoll = epoll_create1(0);

	epoll_ctl(epoll, EPOLL_CTL_ADD, listener, &event);
	for (;;) {
		int count = epoll_wait(epoll, events, 64, -1);

		for (int i = 0; i < count; i++) {
			struct conn *conn = events[i].data.ptr;

			if (!conn) {
				accept_all(listener, epoll, ctx);
			} else if (conn->ssl ? answer_tls(conn) : answer_plain(conn)) {
				SSL_free(conn->ssl);
				close(conn->fd);
				free(conn);
			}
		}
	}
}

static void start_responders(int listener, SSL_CTX *ctx)
{
	for (int i = 0; i < RESPONDERS; i++) {
		pid_t pid = fork();

		if (pid < 0)
			die("fork");
		if (pid > 0)
			continue;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		respond(listener, ctx);
	}
}

// ---- prober

static void on_changed(void *ctx, size_t target, const struct health_address *address)
{
	(void)ctx;
	(void)target;
	(void)address;
}

static void on_settled(void *ctx)
{
	struct bench *bench = ctx;

	if (bench->settled_ms) // those that are probed in another way, see measure_resumed()
		return;
	bench->settled_ms = clock_mono_ms() - bench->began_ms;
	event_base_loopbreak(bench->base);
}

static void make_config(const struct options *options, uint16_t port, struct config *config)
{
	static uint16_t ok[] = {200, 299};
	static struct config_site site = {.name = "site"};
	static struct config_check check;

	check = (struct config_check){
		.type = options->type, .port = port, .path = "/healthz", .expect_status = ok, .expect_status_count = 1,
		.interval_ms = options->interval_ms, .timeout_ms = options->timeout_ms, .rise = 2, .fall = 3, .verify = true,
		.ca_pem = ca_pem,
	};
	*config = (struct config){
		.server.probes = options->probes, .checks = &check, .check_count = 1, .sites = &site, .site_count = 1,
		.app_count = options->targets,
	};
	config->apps = calloc(options->targets, sizeof(*config->apps));
	for (unsigned i = 0; config->apps && i < options->targets; i++) {
		struct config_target *target = calloc(1, sizeof(*target));
		struct addr *address = calloc(1, sizeof(*address));
		char *name = malloc(64);

		if (!target || !address || !name)
			die("config");
		snprintf(name, 64, "app%u.edge.example.com", i);
		*address = (struct addr){ADDR_V4, {127, (uint8_t)(1 + (i >> 16)), (uint8_t)(i >> 8), (uint8_t)i}};
		target->check_addresses = address;
		target->check_address_count = 1;
		config->apps[i] = (struct config_app){.name = name, .targets = target, .target_count = 1};
	}
}

static double cpu_s(void)
{
	struct rusage usage;

	getrusage(RUSAGE_SELF, &usage);
	return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
	       (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
}

// Returns the CPU time of one probe in microseconds. `what`: the name of the type in what is printed.
static double measure(const struct options *options, struct bench *bench, const char *what)
{
	struct timeval time = {options->time_s, 0};
	struct health_stats before, after;
	struct rusage usage;

	health_stats(bench->health, &before);

	double cpu = cpu_s();
	int64_t began_ms = clock_mono_ms();

	event_base_loopexit(bench->base, &time);
	event_base_dispatch(bench->base);

	double took_s = (double)(clock_mono_ms() - began_ms) / 1000;

	cpu = cpu_s() - cpu;
	health_stats(bench->health, &after);
	getrusage(RUSAGE_SELF, &usage);

	uint64_t probes = after.probes - before.probes;

	printf("{\"type\": \"%s\", \"targets\": %u, \"interval_s\": %g, \"first_round_s\": %.3f, \"time_s\": %.2f, "
	       "\"probes\": %llu, \"failures\": %llu, \"late\": %llu, \"cpu_cores\": %.4f, \"cpu_us_per_probe\": %.1f, \"max_rss_mb\": %.1f}\n",
	       what, options->targets, options->interval_ms / 1000.0, (double)bench->settled_ms / 1000,
	       took_s, (unsigned long long)probes, (unsigned long long)after.failures,
	       (unsigned long long)(after.late - before.late), cpu / took_s, cpu * 1e6 / (double)(probes ? probes : 1), (double)usage.ru_maxrss / 1024);
	fflush(stdout);
	return cpu * 1e6 / (double)(probes ? probes : 1);
}

// The same targets again with `tls-session-resumption`, once each of them has a session.
static void measure_resumed(const struct options *options, struct bench *bench, struct config *config, double full_us)
{
	const struct timeval round = {options->interval_ms / 1000 + 1, 0};
	struct watchlist *watchlist = NULL;
	double resumed_us;

	config->checks[0].resume = true;
	if (watchlist_new(config, health_list(bench->health), &watchlist) < 0)
		die("health");
	health_configure(bench->health, watchlist, config->server.probes);
	for (int i = 0; i < 2; i++) {
		event_base_loopexit(bench->base, &round);
		event_base_dispatch(bench->base);
	}
	resumed_us = measure(options, bench, "https, resumed");
	printf("{\"resumed_to_full\": %.3f}\n", resumed_us / full_us);
}

// Negative: usage. Positive: help.
static int parse(int argc, char **argv, struct options *options)
{
	static const struct option rows[] = {
		{"targets", required_argument, NULL, 'n'}, {"interval-ms", required_argument, NULL, 'i'},
		{"timeout-ms", required_argument, NULL, 't'}, {"probes", required_argument, NULL, 'p'},
		{"time", required_argument, NULL, 's'}, {"type", required_argument, NULL, 'T'}, {"resume", no_argument, NULL, 'r'}, {"help", no_argument, NULL, 'h'},
		{0},
	};

	for (int c; (c = getopt_long(argc, argv, "", rows, NULL)) != -1;) {
		unsigned number = optarg ? (unsigned)strtoul(optarg, NULL, 10) : 0;

		if (c == 'h')
			return 1;
		if (c == 'n')
			options->targets = number;
		else if (c == 'i')
			options->interval_ms = number;
		else if (c == 't')
			options->timeout_ms = number;
		else if (c == 'p')
			options->probes = number;
		else if (c == 's')
			options->time_s = number;
		else if (c == 'r')
			options->resume = true;
		else if (c == 'T' && optarg)
			options->type = strcmp(optarg, "tcp") == 0 ? CHECK_TCP : strcmp(optarg, "https") == 0 ? CHECK_HTTPS : CHECK_HTTP;
		else
			return -1;
	}
	if (options->resume && options->type != CHECK_HTTPS)
		return -1;
	return options->targets && options->targets <= TARGETS_AT_MOST && options->interval_ms >= 100 && options->probes &&
	       options->timeout_ms && options->time_s ? 0 : -1;
}

int main(int argc, char **argv)
{
	struct options options = {.targets = 10000, .interval_ms = 10000, .timeout_ms = 2000, .probes = 2000, .time_s = 20};
	struct rlimit files = {FD_LIMIT, FD_LIMIT};
	struct bench bench = {0};
	const struct health_ops ops = {.changed = on_changed, .settled = on_settled, .ctx = &bench};
	struct watchlist *watchlist = NULL;
	static const char *const types[] = {"http", "https", "tcp"};
	struct config config;
	SSL_CTX *ctx = NULL;
	double full_us;
	uint16_t port;
	int usage = parse(argc, argv, &options);

	if (usage) {
		fprintf(usage < 0 ? stderr : stdout,
		        "Usage: health_bench [--type http|https|tcp] [--targets N] [--interval-ms N] [--timeout-ms N] "
		        "[--probes N] [--time SECONDS] [--resume]\n");
		return usage < 0 ? 2 : 0;
	}
	setrlimit(RLIMIT_NOFILE, &files);
	signal(SIGPIPE, SIG_IGN);
	log_set_level(LOG_LEVEL_WARNING);
	if (options.type == CHECK_HTTPS) {
		make_folder();
		ctx = make_context();
	}
	start_responders(listen_everywhere(&port), ctx);
	make_config(&options, port, &config);
	bench.base = event_base_new();
	bench.health = bench.base ? health_new(bench.base, &ops) : NULL;
	bench.began_ms = clock_mono_ms();
	if (!bench.health || watchlist_new(&config, NULL, &watchlist) < 0)
		die("health");
	health_configure(bench.health, watchlist, config.server.probes);
	event_base_dispatch(bench.base);
	full_us = measure(&options, &bench, types[options.type]);
	if (options.resume)
		measure_resumed(&options, &bench, &config, full_us);
	return 0;
}
