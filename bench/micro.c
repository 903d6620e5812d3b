// Micro-benchmarks, one figure per part: building the prefix tree and the rankings, one prefix search, one complete
// answer. Uses the server's own functions on a config, its table and a file of clients (bench/run makes all three).
// Figures are medians of repeated runs, as JSON; bench/README.md explains "cold" and "hot".
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "answer/answer.h"
#include "ask.h"
#include "base/addr.h"
#include "base/attr.h"
#include "base/clock.h"
#include "base/counters.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/names.h"
#include "base/report.h"
#include "clients.h"
#include "config/config.h"
#include "generation/generation.h"
#include "lessons.h"
#include "steer/lpm.h"
#include "steer/ptree.h"
#include "traffic/samples.h"
#include "view/columns.h"
#include "view/handouts.h"
#include "view/live.h"
#include "view/notes.h"
#include "view/view.h"

enum {
	REPEATS = LESSONS_REPEATS,
	HOT_CLIENTS = 256,
	SAMPLED_EVERY = 1024,
	QUERY_STRIDE = (ASK_MAX + 63) / 64 * 64,
	REPLY_ROOM = 4096,
};

// The words of the command line.
struct words {
	uint32_t names, learned, ramp, vantages, adopt, samples, rounds;
};

struct bench {
	struct words wanted;
	const struct view *view;
	struct live live;
	struct target_states *states;
	struct clients clients;
	struct ask ask;
	struct addr *addrs;      // the clients' addresses, by client
	struct lessons lessons;
	struct ptree_entry *v4;  // the table's IPv4 prefixes, in file order
	size_t v4_count, prefix_count;
	bool more;               // a figure has been printed
};

// ---- reading the work ----

static int collect(struct bench *bench, const struct prefix *prefix, uint16_t value, size_t *cap)
{
	bench->prefix_count++;
	if (prefix->addr.family != ADDR_V4)
		return E_OK;
	if (bench->v4_count == *cap) {
		size_t want = *cap ? *cap * 2 : 4096;
		struct ptree_entry *entries = reallocarray(bench->v4, want, sizeof(*entries));

		if (!entries)
			return E_NOMEM;
		bench->v4 = entries;
		*cap = want;
	}

	struct addr_key key = addr_key(&prefix->addr);

	bench->v4[bench->v4_count++] = (struct ptree_entry){key.hi, key.lo, value, prefix->len};
	return E_OK;
}

// The IPv4 rows of the table, with a number for the rest of each line.
static int read_table(struct bench *bench, const char *path)
{
	FILE *file = fopen(path, "r");
	struct names *places = names_new();
	char *line = NULL;
	size_t size = 0, cap = 0, number = 0;
	int err = file && places ? E_OK : E_IO;

	while (err == E_OK && getline(&line, &size, file) > 0) {
		char *comma = strchr(line, ',');
		struct prefix prefix;
		uint16_t place;

		if (number++ == 0)
			continue; // the header
		if (!comma)
			err = E_INVAL;
		line[strcspn(line, "\r\n")] = '\0';
		if (comma)
			*comma = '\0';
		if (err == E_OK)
			err = prefix_parse(line, &prefix, NULL);
		if (err == E_OK)
			err = names_add(places, comma + 1, strlen(comma + 1), &place);
		if (err == E_OK)
			err = collect(bench, &prefix, place, &cap);
	}
	if (err < 0)
		fprintf(stderr, "micro: %s:%zu: %s\n", path, number, file ? err_text(err) : strerror(errno));
	if (file)
		fclose(file);
	free(line);
	names_free(places);
	return err;
}

// The address in a client's ECS option: family at 6, source length at 8, address from 10 on (clients.h).
static int read_addresses(struct bench *bench)
{
	bench->addrs = calloc(bench->clients.count, sizeof(*bench->addrs));
	if (!bench->addrs)
		return E_NOMEM;
	for (uint32_t i = 0; i < bench->clients.count; i++) {
		const struct client *client = &bench->clients.list[i];

		bench->addrs[i].family = client->tail[7] == 1 ? ADDR_V4 : ADDR_V6;
		memcpy(bench->addrs[i].bytes, client->tail + 10, client->tail_len - 10u);
	}
	return E_OK;
}

static void print_report(void *ctx, enum report_level level, const char *text)
{
	(void)ctx;
	if (level == REPORT_ERROR)
		fprintf(stderr, "micro: %s\n", text);
}

// ---- measuring ----

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static void print_figure(struct bench *bench, const char *name, const char *unit, double *values)
{
	qsort(values, REPEATS, sizeof(values[0]), compare);
	printf("%s\n  \"%s\": {\"unit\": \"%s\", \"median\": %.2f, \"min\": %.2f, \"max\": %.2f}", bench->more ? "," : "{", name,
	       unit, values[REPEATS / 2], values[0], values[REPEATS - 1]);
	bench->more = true;
}

static int measure_ptree(struct bench *bench)
{
	struct ptree_entry *copy = calloc(bench->v4_count, sizeof(*copy));
	double build_ms[REPEATS], freeze_ms[REPEATS];
	int err = copy ? E_OK : E_NOMEM;

	for (int i = 0; i < REPEATS && err == E_OK; i++) {
		struct ptree *tree = NULL;
		struct lpm lpm = {0};

		memcpy(copy, bench->v4, bench->v4_count * sizeof(*copy));

		int64_t start_ns = clock_mono_ns();

		err = ptree_build(copy, bench->v4_count, &tree);
		build_ms[i] = (double)(clock_mono_ns() - start_ns) / 1e6;
		start_ns = clock_mono_ns();
		if (err == E_OK)
			err = lpm_freeze(tree, &lpm);
		freeze_ms[i] = (double)(clock_mono_ns() - start_ns) / 1e6;
		lpm_wipe(&lpm);
		ptree_free(tree);
	}
	free(copy);
	if (err == E_OK) {
		print_figure(bench, "ptree_build, IPv4", "ms", build_ms);
		print_figure(bench, "lpm_freeze, IPv4", "ms", freeze_ms);
	}
	return err;
}

static int measure_steer(struct bench *bench)
{
	struct steer_input in = view_steer_input(bench->view);
	double build_ms[REPEATS];
	int err = E_OK;

	for (int i = 0; i < REPEATS && err == E_OK; i++) {
		struct steer steer;
		int64_t start_ns = clock_mono_ns();

		err = steer_build_own(&in, &bench->view->steering->sets[0].spec, &steer);
		build_ms[i] = (double)(clock_mono_ns() - start_ns) / 1e6;
		steer_wipe(&steer);
	}
	if (err == E_OK)
		print_figure(bench, "steer_build", "ms", build_ms);
	return err;
}

// Results are stored here, so that the compiler cannot drop a search.
static volatile uint32_t found;

// Each address depends on the previous hit (always by 0, which the compiler cannot know): this measures latency, not
// throughput.
static double lookup_ns(const struct bench *bench, uint32_t count, unsigned rounds)
{
	const struct steer *steer = &bench->view->steering->sets[0];
	uint32_t sink = 0;
	int64_t start_ns = clock_mono_ns();

	for (unsigned round = 0; round < rounds; round++)
		for (uint32_t i = 0; i < count; i++) {
			const struct addr *addr = &bench->addrs[i];
			struct addr_key key = addr_key(addr);

			key.lo |= sink >> 31;
			sink = lpm_lookup(steer_table(steer, addr), key).value;
		}

	double ns = (double)(clock_mono_ns() - start_ns);

	found = sink;
	return ns / count / rounds;
}

// `together`: how many are answered at once, at most ANSWER_BATCH.
static double answer_ns(struct bench *bench, uint8_t (*queries)[QUERY_STRIDE], uint32_t count, unsigned rounds,
                        unsigned together)
{
	static uint8_t replies[ANSWER_BATCH][REPLY_ROOM];
	static struct counters counters;
	struct answer_client client = {.addr = {.family = ADDR_V4, .bytes = {127, 0, 0, 1}}, .counters = &counters};
	int64_t start_ns = clock_mono_ns();

	for (unsigned round = 0; round < rounds; round++)
		for (uint32_t first = 0; first < count; first += together) {
			struct answer_message messages[ANSWER_BATCH];
			unsigned n = count - first < together ? count - first : together;

			for (unsigned i = 0; i < n; i++)
				messages[i] = (struct answer_message){
					client, queries[first + i],
					bench->ask.head_len + bench->clients.list[first + i].tail_len, replies[i]};
			answer_batch(&bench->live, messages, n);
		}

	double ns = (double)(clock_mono_ns() - start_ns);

	if (counter_read(&counters.noerror) == 0)
		fprintf(stderr, "micro: no query was answered\n");
	return ns / count / rounds;
}

static int measure_answers(struct bench *bench)
{
	uint32_t count = bench->clients.count, hot = count < HOT_CLIENTS ? count : HOT_CLIENTS;
	uint8_t(*queries)[QUERY_STRIDE] = calloc(count, QUERY_STRIDE);
	double cold_ns[REPEATS], hot_ns[REPEATS];
	uint32_t name = 0;

	if (!queries)
		return E_NOMEM;
	for (uint32_t i = 0; i < count; i++) {
		memcpy(queries[i], bench->ask.head, bench->ask.head_len);
		ask_number(&bench->ask, name, queries[i]);
		name = ask_next(&bench->ask, name);
		memcpy(queries[i] + bench->ask.head_len, bench->clients.list[i].tail, CLIENT_TAIL_ROOM);
	}
	for (int i = 0; i < REPEATS; i++) {
		cold_ns[i] = lookup_ns(bench, count, 1);
		hot_ns[i] = lookup_ns(bench, hot, bench->wanted.rounds);
	}
	print_figure(bench, "lpm_lookup, cold", "ns", cold_ns);
	print_figure(bench, "lpm_lookup, hot", "ns", hot_ns);
	for (unsigned together = 1; together <= ANSWER_BATCH; together += ANSWER_BATCH - 1) {
		for (int i = 0; i < REPEATS; i++) {
			cold_ns[i] = answer_ns(bench, queries, count, 1, together);
			hot_ns[i] = answer_ns(bench, queries, hot, bench->wanted.rounds, together);
		}
		print_figure(bench, together == 1 ? "answer alone, cold" : "answer in a batch, cold", "ns", cold_ns);
		print_figure(bench, together == 1 ? "answer alone, hot" : "answer in a batch, hot", "ns", hot_ns);
	}
	free(queries);
	return E_OK;
}

// Learns a site for `count` prefixes.
static int learn(struct bench *bench, size_t count)
{
	struct lessons *lessons = &bench->lessons;
	int err = lessons_learn(bench->view->tables, bench->addrs, bench->clients.count, count, lessons);

	if (err < 0)
		return err;
	bench->live.learned = lessons->learned;
	print_figure(bench, "learned, all anew", "ms", lessons->build_ms);
	print_figure(bench, "learned, 100 changed", "ms", lessons->update_ms);
	printf(",\n  \"learned_octets\": %zu, \"learned_resident\": %zu", lessons->octets, lessons->resident);
	return E_OK;
}

// That many targets, from the first of the app on, take half of their clients, as in the middle of a drain over some time.
static int ramp(struct bench *bench, uint32_t count)
{
	struct target_shares *shares = live_shares_new(bench->view->target_count);

	if (!shares)
		return E_NOMEM;
	for (uint32_t i = 0; i < count && i < bench->view->target_count; i++) {
		bench->states->octets[i] |= TARGET_LEAVING;
		shares->of[i] = (struct target_share){.staying = SHARE_ALL / 2};
	}
	bench->live.shares = shares;
	return E_OK;
}

// The first app steers that many percent of its clients.
static int adopt(struct bench *bench, uint32_t percent)
{
	const struct app *app = &bench->view->apps[0];
	struct target_shares *shares = live_shares_new(bench->view->target_count);

	if (!shares)
		return E_NOMEM;
	for (uint32_t i = app->first_target; i < app->first_target + app->target_count; i++) {
		bench->states->octets[i] |= TARGET_ADOPTED;
		shares->of[i] = (struct target_share){.steered = (uint16_t)(SHARE_ALL / 100 * percent)};
	}
	bench->live.shares = shares;
	return E_OK;
}

// That many vantages, of the table's carriers in turn, each say of another target what all others do not say of it.
static int disagree(struct bench *bench, uint32_t count)
{
	uint32_t carriers = (uint32_t)names_count(bench->view->places->carriers) - 1;
	struct columns *columns = columns_new(count);

	if (!columns || carriers == 0) {
		free(columns);
		return columns ? E_INVAL : E_NOMEM;
	}
	for (uint32_t i = 0; i < count && i < bench->view->target_count; i++) {
		columns_add(columns, i, (uint16_t)(1 + i % carriers));
		bench->states->octets[i] |= TARGET_BY_CARRIER;
	}
	bench->live.columns = columns;
	return E_OK;
}

// ---- what is measured -----------------------------------------------------------------------------------------------

static const char usage[] =
	"Usage: micro CONFIG TABLE.csv CLIENTS NAME [WORD=NUMBER...]\n"
	"Measures the parts of an answer to NAME. bench/run --work leaves the files.\n"
	"  names=N      to that many names (#s in NAME are replaced, as by load)\n"
	"  learned=N    while that many prefixes are learned\n"
	"  ramp=N       while that many targets, from the first on, take half of their clients\n"
	"  adopt=N      while the first app steers that many percent of its clients (not with ramp)\n"
	"  vantages=N   while so many carriers' vantages each say of another target what the others do not say\n"
	"  samples=0    without the sample of queries that `plan` is made from (else one in 1,024, as when 200,000 come a second)\n"
	"  rounds=N     of each hot measurement (2,000)\n";

// False: usage.
static bool read_words(char **words, struct words *wanted)
{
	const struct {
		const char *word;
		uint32_t *number;
	} rows[] = {{"names=", &wanted->names},       {"learned=", &wanted->learned}, {"ramp=", &wanted->ramp},
	            {"vantages=", &wanted->vantages}, {"adopt=", &wanted->adopt}, {"samples=", &wanted->samples}, {"rounds=", &wanted->rounds}};

	for (; *words; words++) {
		size_t i = 0;
		char *end;

		while (i < ARRAY_LEN(rows) && strncmp(*words, rows[i].word, strlen(rows[i].word)) != 0)
			i++;
		if (i == ARRAY_LEN(rows))
			return false;
		*rows[i].number = (uint32_t)strtoul(*words + strlen(rows[i].word), &end, 10);
		if (*end || end[-1] == '=')
			return false;
	}
	return wanted->rounds > 0;
}

static int measure(struct bench *bench, const struct generation *generation)
{
	int err = measure_ptree(bench);

	if (err == E_OK)
		err = measure_steer(bench);
	if (err == E_OK)
		err = measure_answers(bench);
	if (err == E_OK)
		printf(",\n  \"generation_build\": {\"unit\": \"ms\", \"median\": %lld},\n  \"prefixes\": %zu, \"clients\": %u, "
		       "\"orders\": %u, \"steer_bytes\": %zu\n}\n",
		       (long long)generation->took_ms, bench->prefix_count, bench->clients.count,
		       bench->view->steering->sets[0].ranking_count,
		       steer_bytes(&bench->view->steering->sets[0]));
	return err;
}

// Reads the work: config, table, clients, name.
static int prepare(struct bench *bench, char **files, struct report *report, struct handouts *handouts,
                   struct generation *ret_generation)
{
	int err = generation_build(files[0], NULL, 1, report, ret_generation);

	report_each(report, print_report, NULL);
	if (err == E_OK && ret_generation->view->steering->count == 0)
		err = E_INVAL;
	bench->view = ret_generation->view;
	if (err == E_OK)
		err = handouts_bind(handouts, ret_generation->view, NULL, NULL);
	if (err == E_OK)
		err = read_table(bench, files[1]);
	if (err == E_OK)
		err = clients_read(&bench->clients, files[2], 24, 56);
	if (err == E_OK)
		err = ask_make(&bench->ask, files[3], "A", 1232);
	if (err == E_OK && bench->wanted.names > 1)
		err = ask_many(&bench->ask, bench->wanted.names);
	if (err == E_OK)
		err = read_addresses(bench);
	bench->states = err == E_OK ? live_states_new(bench->view->target_count) : NULL;
	return err == E_OK && !bench->states ? E_NOMEM : err;
}

// What is to be published meanwhile.
static int set_up(struct bench *bench, struct samples *samples)
{
	const struct words *wanted = &bench->wanted;
	int err = E_OK;

	notes_set_every(samples_notes(samples), SAMPLED_EVERY);
	bench->live = (struct live){.view = bench->view, .states = bench->states,
	                            .samples = wanted->samples ? samples_notes(samples) : NULL};
	if (wanted->learned)
		err = learn(bench, wanted->learned);
	if (err == E_OK && wanted->ramp)
		err = ramp(bench, wanted->ramp);
	if (err == E_OK && wanted->adopt)
		err = adopt(bench, wanted->adopt);
	if (err == E_OK && wanted->vantages)
		err = disagree(bench, wanted->vantages);
	return err;
}

int main(int argc, char **argv)
{
	struct bench bench = {.wanted = {.names = 1, .samples = 1, .rounds = 2000}};
	struct handouts *handouts = handouts_new(1);
	struct samples *samples = samples_new(1);
	struct generation generation = {0};
	struct report *report = report_new();
	int err;

	if (argc < 5 || !report || !handouts || !samples || !read_words(argv + 5, &bench.wanted)) {
		fputs(usage, stderr);
		return 2;
	}
	err = prepare(&bench, argv + 1, report, handouts, &generation);
	if (err == E_OK)
		err = set_up(&bench, samples);
	if (err == E_OK)
		err = measure(&bench, &generation);
	if (err < 0) {
		fprintf(stderr, "micro: %s\n", err_text(err));
		return 2;
	}
	report_free(report);
	free(bench.states);
	free((void *)bench.live.shares);
	free((void *)bench.live.columns);
	samples_free(samples);
	lessons_wipe(&bench.lessons);
	handouts_free(handouts);
	free(bench.addrs);
	free(bench.v4);
	clients_done(&bench.clients);
	view_free(generation.view);
	config_free(generation.config);
	return 0;
}
