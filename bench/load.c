// The load client: queries a DNS server over many sockets, each query with another client's subnet (RFC 7871), in a
// closed loop or at a fixed rate, and reports loss, latency and the server's CPU time per answer. bench/README.md
// explains the figures.
#include "load.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "servercpu.h"

enum {
	TURN_BATCHES = 4,          // sent before answers are received again
	EXPIRE_EVERY_NS = 5000000,
	SLEEP_MAX_NS = 2000000,
	WRONG_PRINTED = 10,
};

struct figures {
	double seconds;
	int64_t own_cpu_ns, server_cpu_ns; // server_cpu_ns -1: not read
};

static int64_t own_cpu_ns(void)
{
	struct timespec used;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
	return (int64_t)used.tv_sec * 1000000000 + used.tv_nsec;
}

static uint64_t in_the_air(const struct load *load)
{
	return load->tally.sent - load->tally.answered - load->tally.lost;
}

static void check_address(struct load *load, const struct flight_slot *query, const struct reply *reply)
{
	char text[ADDR_TEXT_LEN] = "no address";

	if (clients_expected(&load->clients, query->client, &reply->address))
		return;
	if (load->tally.wrong++ >= WRONG_PRINTED)
		return;
	if (reply->address.family != ADDR_NONE)
		addr_format(&reply->address, text);
	fprintf(stderr, "load: client %u (counted from 1) was answered %s (rcode %u)", query->client + 1, text, reply->rcode);
	if (load->options.names > 0)
		fprintf(stderr, " for name %u", query->name);
	fputc('\n', stderr);
}

void load_reply(struct load *load, struct lane *lane, const uint8_t *message, size_t len, int64_t now_ns)
{
	struct tally *tally = &load->tally;
	struct flight_slot *query = len >= 2 ? flight_find(&lane->flight, (uint16_t)(message[0] << 8 | message[1])) : NULL;
	struct reply reply;
	bool checked = load->clients.expected != NULL;

	if (!query || !ask_read(&load->ask, query->name, message, len, checked, &reply)) {
		tally->strays++;
		return;
	}
	tally->answered++;
	tally->bytes += len;
	tally->rcodes[reply.rcode]++;
	tally->empty += reply.answers == 0;
	tally->truncated += reply.truncated;
	hist_add(&tally->latency, now_ns > query->due_ns ? (uint64_t)(now_ns - query->due_ns) : 0);
	if (checked)
		check_address(load, query, &reply);
	flight_close(&lane->flight, query);
}

// ---- one phase: the warm-up or the run ----

struct phase {
	struct load *load;
	const struct transport *transport;
	int64_t start_ns, end_ns, expire_ns;
	unsigned next_lane;
	int poll; // epoll's descriptor; -1: the client never sleeps
};

// How many queries may be sent now. In a closed loop only full batches, so that neither side handles small ones.
static struct batch next_batch(const struct phase *phase, int64_t now_ns)
{
	const struct load *load = phase->load;
	const struct options *options = &load->options;
	struct batch batch = {.count = options->batch, .due_ns = now_ns};
	uint64_t open = in_the_air(load), sent = load->tally.sent;

	if (options->rate > 0) {
		double due = (double)(now_ns - phase->start_ns) * options->rate / 1e9 - (double)sent;

		batch.step_ns = 1e9 / options->rate;
		batch.due_ns = phase->start_ns + (int64_t)(batch.step_ns * (double)sent);
		batch.count = due < 1 ? 0 : due > batch.count ? batch.count : (unsigned)due;
	} else if (open + batch.count > options->window) {
		batch.count = 0;
	}
	if (options->count && batch.count > options->count - sent)
		batch.count = (unsigned)(options->count - sent);
	return batch;
}

static bool send_some(struct phase *phase, int64_t now_ns)
{
	struct load *load = phase->load;
	bool any = false;

	for (unsigned i = 0; i < TURN_BATCHES; i++) {
		struct batch batch = next_batch(phase, now_ns);

		if (batch.count == 0)
			break;
		if (phase->transport->send(load, &load->lanes[phase->next_lane], &batch) > 0)
			any = true;
		if (++phase->next_lane == load->options.sockets)
			phase->next_lane = 0;
	}
	return any;
}

static bool receive_some(struct phase *phase)
{
	struct load *load = phase->load;
	int64_t now_ns = clock_mono_ns();
	bool any = false;

	for (unsigned i = 0; i < load->options.sockets; i++)
		if (load->lanes[i].flight.open && phase->transport->receive(load, &load->lanes[i], now_ns)) {
			now_ns = clock_mono_ns();
			any = true;
		}
	return any;
}

static void expire(struct phase *phase, int64_t now_ns)
{
	struct load *load = phase->load;

	if (now_ns < phase->expire_ns)
		return;
	phase->expire_ns = now_ns + EXPIRE_EVERY_NS;
	for (unsigned i = 0; i < load->options.sockets; i++)
		load->tally.lost += flight_expire(&load->lanes[i].flight, now_ns - load->options.timeout_ns);
}

// Sleeps until something arrives or the next query is due.
static void rest(const struct phase *phase, int64_t now_ns)
{
	const struct load *load = phase->load;
	int64_t wait_ns = SLEEP_MAX_NS;
	struct epoll_event event;

	if (load->options.rate > 0) {
		double due_ns = (double)(load->tally.sent + 1) * 1e9 / load->options.rate;
		int64_t ahead_ns = phase->start_ns + (int64_t)due_ns - now_ns;

		if (ahead_ns < wait_ns)
			wait_ns = ahead_ns > 0 ? ahead_ns : 0;
	}
	epoll_pwait2(phase->poll, &event, 1, &(struct timespec){.tv_nsec = wait_ns}, NULL);
}

static int watch_lanes(struct phase *phase)
{
	phase->poll = epoll_create1(EPOLL_CLOEXEC);
	if (phase->poll < 0)
		return E_IO;
	for (unsigned i = 0; i < phase->load->options.sockets; i++) {
		struct epoll_event event = {.events = EPOLLIN, .data.u32 = i};

		if (epoll_ctl(phase->poll, EPOLL_CTL_ADD, phase->load->lanes[i].fd, &event) < 0)
			return E_IO;
	}
	return 0;
}

static void run_phase(struct load *load, const struct transport *transport, int64_t time_ns)
{
	const struct options *options = &load->options;
	int64_t now_ns = clock_mono_ns();
	struct phase phase = {load, transport, now_ns, now_ns + time_ns, 0, 0, -1};

	if (options->sleep && watch_lanes(&phase) < 0)
		fprintf(stderr, "load: epoll: %s; not sleeping\n", strerror(errno));
	for (bool sending = true; sending || in_the_air(load) > 0; now_ns = clock_mono_ns()) {
		bool any = false;

		sending = now_ns < phase.end_ns && !(options->count && load->tally.sent >= options->count);
		if (sending)
			any = send_some(&phase, now_ns);
		any |= receive_some(&phase);
		expire(&phase, now_ns);
		if (!any && phase.poll >= 0)
			rest(&phase, now_ns);
	}
	if (phase.poll >= 0)
		close(phase.poll);
}

// ---- the run and its figures ----

static int read_server(const struct load *load, int64_t *ret_ns)
{
	const struct options *options = &load->options;

	if (options->pid == 0) {
		*ret_ns = 0;
		return 0;
	}
	if (servercpu_read(options->pid, options->thread, ret_ns) == 0)
		return 0;
	fprintf(stderr, "load: process %ld: no such process, or no thread of this name\n", (long)options->pid);
	return E_IO;
}

static int run(struct load *load, struct figures *ret_figures)
{
	const struct transport *transport = load->options.tcp ? &lane_tcp : &lane_udp;
	int64_t before, after;

	if (load->options.warmup_ns > 0) {
		uint64_t count = load->options.count;

		load->options.count = 0;
		run_phase(load, transport, load->options.warmup_ns);
		load->options.count = count;
		load->tally = (struct tally){0};
	}

	int64_t start_ns = clock_mono_ns(), own_ns = own_cpu_ns();

	if (read_server(load, &before) < 0)
		return E_IO;
	run_phase(load, transport, load->options.time_ns);
	if (read_server(load, &after) < 0)
		return E_IO;
	ret_figures->seconds = (double)(clock_mono_ns() - start_ns) / 1e9;
	ret_figures->own_cpu_ns = own_cpu_ns() - own_ns;
	ret_figures->server_cpu_ns = load->options.pid ? after - before : -1;
	return 0;
}

static double per(double amount, uint64_t count)
{
	return count ? amount / (double)count : 0;
}

static void print_json(const struct load *load, const struct figures *figures, FILE *out)
{
	const struct tally *t = &load->tally;
	const struct options *o = &load->options;

	fprintf(out, "{\"transport\": \"%s\", \"mode\": \"%s\", \"rate\": %.0f, \"window\": %u, \"sockets\": %u, ",
	        o->tcp ? "tcp" : "udp", o->rate > 0 ? "rate" : "window", o->rate, o->window, o->sockets);
	fprintf(out, "\"clients\": %u, \"names\": %u, \"seconds\": %.6f, ", load->clients.count, load->ask.name_count,
	        figures->seconds);
	fprintf(out, "\"sent\": %lu, \"answered\": %lu, \"lost\": %lu, \"strays\": %lu, \"errors\": %lu, ", t->sent,
	        t->answered, t->lost, t->strays, t->errors);
	fprintf(out, "\"rcodes\": {");
	for (unsigned i = 0, first = 1; i < ARRAY_LEN(t->rcodes); i++)
		if (t->rcodes[i]) {
			fprintf(out, "%s\"%u\": %lu", first ? "" : ", ", i, t->rcodes[i]);
			first = 0;
		}
	fprintf(out, "}, \"empty\": %lu, \"truncated\": %lu, ", t->empty, t->truncated);
	if (load->clients.expected)
		fprintf(out, "\"wrong\": %lu, ", t->wrong);
	fprintf(out, "\"answers_per_second\": %.1f, \"answer_bytes\": %.2f, ", (double)t->answered / figures->seconds,
	        per((double)t->bytes, t->answered));
	fprintf(out, "\"latency_us\": {\"mean\": %.2f, \"p50\": %.2f, \"p90\": %.2f, \"p99\": %.2f, \"p99.9\": %.2f, ",
	        hist_mean(&t->latency) / 1e3, (double)hist_quantile(&t->latency, 0.5) / 1e3,
	        (double)hist_quantile(&t->latency, 0.9) / 1e3, (double)hist_quantile(&t->latency, 0.99) / 1e3,
	        (double)hist_quantile(&t->latency, 0.999) / 1e3);
	fprintf(out, "\"max\": %.2f}, ", (double)t->latency.max / 1e3);
	if (figures->server_cpu_ns >= 0)
		fprintf(out, "\"server_cpu_ns_per_answer\": %.1f, \"server_cpu_share\": %.4f, ",
		        per((double)figures->server_cpu_ns, t->answered),
		        (double)figures->server_cpu_ns / 1e9 / figures->seconds);
	fprintf(out, "\"own_cpu_ns_per_answer\": %.1f}\n", per((double)figures->own_cpu_ns, t->answered));
}

static void print_people(const struct load *load, const struct figures *figures)
{
	const struct tally *t = &load->tally;

	printf("%lu sent, %lu answered, %lu lost in %.2f s: %.0f answers/s\n", t->sent, t->answered, t->lost,
	       figures->seconds, (double)t->answered / figures->seconds);
	printf("strays %lu, errors %lu, without answer record %lu, truncated %lu", t->strays, t->errors, t->empty,
	       t->truncated);
	if (load->clients.expected)
		printf(", not as expected %lu", t->wrong);
	printf("\nrcodes");
	for (unsigned i = 0; i < ARRAY_LEN(t->rcodes); i++)
		if (t->rcodes[i])
			printf(" %u: %lu", i, t->rcodes[i]);
	printf("; %.1f octets an answer\n", per((double)t->bytes, t->answered));
	printf("latency us: p50 %.1f, p90 %.1f, p99 %.1f, p99.9 %.1f, max %.1f\n",
	       (double)hist_quantile(&t->latency, 0.5) / 1e3, (double)hist_quantile(&t->latency, 0.9) / 1e3,
	       (double)hist_quantile(&t->latency, 0.99) / 1e3, (double)hist_quantile(&t->latency, 0.999) / 1e3,
	       (double)t->latency.max / 1e3);
	if (figures->server_cpu_ns >= 0)
		printf("server: %.0f ns CPU an answer, %.1f %% of a CPU\n", per((double)figures->server_cpu_ns, t->answered),
		       (double)figures->server_cpu_ns / 1e7 / figures->seconds);
	printf("client: %.0f ns CPU an answer\n", per((double)figures->own_cpu_ns, t->answered));
}

static int print_figures(const struct load *load, const struct figures *figures)
{
	const char *path = load->options.json;

	if (!path) {
		print_people(load, figures);
		return 0;
	}

	FILE *out = strcmp(path, "-") == 0 ? stdout : fopen(path, "w");

	if (out)
		print_json(load, figures, out);
	if (!out || (out == stdout ? fflush(out) : fclose(out)) != 0) {
		fprintf(stderr, "load: %s: %s\n", path, strerror(errno));
		return E_IO;
	}
	return 0;
}

// ---- setting up ----

static int pin(int cpu)
{
	cpu_set_t set;

	if (cpu < 0)
		return 0;
	CPU_ZERO(&set);
	CPU_SET((unsigned)cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set) == 0)
		return 0;
	fprintf(stderr, "load: --cpu %d: %s\n", cpu, strerror(errno));
	return E_IO;
}

static int read_clients(struct load *load)
{
	const struct options *options = &load->options;
	int err = options->clients ? clients_read(&load->clients, options->clients, options->v4_len, options->v6_len)
	                           : clients_none(&load->clients);

	if (err == 0 && options->expect)
		err = clients_expect(&load->clients, options->expect);
	if (err == 0 && options->expect && load->clients.count % load->ask.name_count != 0) {
		fprintf(stderr, "load: --expect: with %u clients and %u names, each client asks for another name each time; "
		                "make the clients a multiple of the names\n", load->clients.count, load->ask.name_count);
		err = E_INVAL;
	}
	return err;
}

// Room for the outstanding queries of a lane: the full window, or twice its share of what the timeout lets accumulate.
static uint32_t flight_wanted(const struct options *options)
{
	double share = 2 * options->rate * (double)options->timeout_ns / 1e9 / options->sockets;

	if (options->rate <= 0)
		return options->window;
	return share < 64 ? 64 : share > FLIGHT_MAX ? FLIGHT_MAX : (uint32_t)share;
}

static int open_lanes(struct load *load)
{
	const struct transport *transport = load->options.tcp ? &lane_tcp : &lane_udp;

	load->lanes = calloc(load->options.sockets, sizeof(*load->lanes));
	if (!load->lanes)
		return E_NOMEM;
	for (unsigned i = 0; i < load->options.sockets; i++)
		load->lanes[i].fd = -1;
	for (unsigned i = 0; i < load->options.sockets; i++) {
		struct lane *lane = &load->lanes[i];

		if (flight_init(&lane->flight, flight_wanted(&load->options)) < 0)
			return E_NOMEM;
		if (transport->open(load, lane) < 0) {
			fprintf(stderr, "load: socket %u to %s: %s\n", i, load->options.server_text, strerror(errno));
			return E_IO;
		}
	}
	return 0;
}

static void done(struct load *load)
{
	const struct transport *transport = load->options.tcp ? &lane_tcp : &lane_udp;

	for (unsigned i = 0; load->lanes && i < load->options.sockets; i++) {
		transport->close(&load->lanes[i]);
		flight_done(&load->lanes[i].flight);
	}
	free(load->lanes);
	clients_done(&load->clients);
}

static int make_question(struct load *load)
{
	const struct options *options = &load->options;

	if (ask_make(&load->ask, options->name, options->type, options->udp_size) < 0) {
		fprintf(stderr, "load: not a name or type: %s %s\n", options->name, options->type);
		return E_INVAL;
	}
	if (options->names > 0 && ask_many(&load->ask, options->names) < 0) {
		fprintf(stderr, "load: --name %s: expected #s side by side, a digit each, enough for all numbers below %u "
		                "(--names)\n", options->name, options->names);
		return E_INVAL;
	}
	return 0;
}

int main(int argc, char **argv)
{
	static struct load load;
	struct figures figures;
	int code = options_read(&load.options, argc, argv);

	if (code != 0)
		return code - 1;
	code = 2;
	if (make_question(&load) == 0 && pin(load.options.cpu) == 0 && read_clients(&load) == 0 && open_lanes(&load) == 0 &&
	    run(&load, &figures) == 0 && print_figures(&load, &figures) == 0)
		code = load.tally.answered == load.tally.sent && load.tally.sent > 0 && load.tally.wrong == 0 ? 0 : 1;
	done(&load);
	return code;
}
