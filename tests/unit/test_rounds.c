// The learner's rounds on a clock of the test's own, with a service that the test plays: what is made of fifty questions a
// second when a million clients ask in a minute, and when one sender forges half of what is noted (the optimum is computed:
// that of asking in the order of the true traffic, which is Zipf's); services that change their mind on every call, for
// good, or for ten thousand prefixes at once.
#include "learn/rounds.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/must.h"
#include "base/report.h"
#include "generation/generation.h"
#include "report_text.h"
#include "tempdir.h"
#include "view/live.h"
#include "view/notes.h"
#include "view/view.h"

// Clients are /24s of 16.0.0.0/4, by rank; the forger's are others of the same carrier, in 32.0.0.0/4. The least busy one
// asks once a minute, so that all do; together they ask 240,000 queries a second, of which workers look at one in 32.
enum {
	RANKS = 1000000,
	ROUNDS_A_SECOND = 1000 / ROUND_MS,
	LOOKS_A_ROUND = 7500 / ROUNDS_A_SECOND,
	RATE = 50,
	AGREE = 3,
	SENDERS = 400, // resolvers
	SECONDS = 600,
	FAST = 1000,   // questions a second of another service
	MOVES = 600,
	BOOK_MB_MAX = 24,
};

static const char config_text[] =
	"domains: {e.x: {ns: [n.x]}}\n"
	"locate: [{plugin: ranges, file: clients.csv}]\n"
	"sites: {bos: {kind: wavelength, reach: [verizon], location: [42.3, -71]}, nyc: {kind: wavelength, reach: [verizon], "
	"location: [40.7, -74]}, region: {kind: region, location: [39, -77]}}\n"
	"apps: {app.e.x: {targets: {bos: {addresses: [192.0.2.1]}, nyc: {addresses: [192.0.2.2]}, "
	"region: {addresses: [192.0.2.3]}}}}\n"
	"discovery:\n"
	"- {plugin: exec, carriers: [verizon], rate: 50, concurrency: 10, timeout: 60s, command: [/bin/true]}\n"
	"- {plugin: exec, carriers: [verizon], rate: 1000, concurrency: 500, timeout: 60s, command: [/bin/true]}\n";

// How often rank r is drawn: 1 / r, by Walker's alias method.
struct zipf {
	double *share;    // of the traffic
	float *keep;      // else `alias`
	uint32_t *alias;
};

static struct zipf zipf;
static struct generation generation;
static char folder[TEMPDIR_LEN];

static void make_zipf(void)
{
	uint32_t *small = calloc(RANKS, sizeof(*small)), *large = calloc(RANKS, sizeof(*large));
	double *scaled = calloc(RANKS, sizeof(*scaled)), total = 0;
	size_t small_count = 0, large_count = 0;

	zipf = (struct zipf){calloc(RANKS, sizeof(double)), calloc(RANKS, sizeof(float)), calloc(RANKS, sizeof(uint32_t))};
	must(small && large && scaled && zipf.share && zipf.keep && zipf.alias);
	for (size_t i = 0; i < RANKS; i++)
		total += 1.0 / (double)(i + 1);
	for (uint32_t i = 0; i < RANKS; i++) {
		zipf.share[i] = 1.0 / (double)(i + 1) / total;
		scaled[i] = zipf.share[i] * RANKS;
		zipf.keep[i] = 1;
		if (scaled[i] < 1)
			small[small_count++] = i;
		else
			large[large_count++] = i;
	}
	while (small_count > 0 && large_count > 0) {
		uint32_t less = small[--small_count], more = large[large_count - 1];

		zipf.keep[less] = (float)scaled[less];
		zipf.alias[less] = more;
		scaled[more] -= 1 - scaled[less];
		if (scaled[more] < 1) {
			large_count--;
			small[small_count++] = more;
		}
	}
	free(small);
	free(large);
	free(scaled);
}

static uint64_t draws;

static uint32_t draw_rank(void)
{
	uint64_t random = hash_mix(++draws);
	uint32_t rank = (uint32_t)((random >> 32) * RANKS >> 32);

	return (float)(random & 0xffffff) / 0x1000000 < zipf.keep[rank] ? rank : zipf.alias[rank];
}

// A client of the /24 with this number; of different ranks they are not neighbours.
static struct addr client_of(uint8_t first, uint32_t number)
{
	uint32_t at = number * 747796405u & 0xfffff;

	return (struct addr){.family = ADDR_V4, .bytes = {(uint8_t)(first | at >> 16), (uint8_t)(at >> 8), (uint8_t)at, 77}};
}

static void write_file(const char *name, const char *text)
{
	FILE *file;

	assert_int_equal(chdir(folder), 0);
	file = fopen(name, "w");
	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static int begin(void **state)
{
	struct report *report = report_new();
	char *reported;

	(void)state;
	make_zipf();
	assert_int_equal(tempdir_make(folder), 0);
	write_file("c", config_text);
	write_file("clients.csv", "prefix,carrier,latitude,longitude\n16.0.0.0/4,verizon,42,-71\n32.0.0.0/4,verizon,42,-71\n");
	(void)!generation_build("c", NULL, 1, report, &generation);
	reported = report_text(report);
	assert_string_equal(reported, "");
	free(reported);
	report_free(report);
	return 0;
}

static int end(void **state)
{
	(void)state;
	assert_int_equal(unlink("c") + unlink("clients.csv") + rmdir(folder), 0);
	view_free(generation.view);
	config_free(generation.config);
	free(zipf.share);
	free(zipf.keep);
	free(zipf.alias);
	return 0;
}

// ---- the world ------------------------------------------------------------------------------------------------------

struct world {
	struct learner learner;
	struct live live;
	struct informant *service;
	// What the service says; a carrier and a class, if any, of each question.
	void (*more_of)(struct edgesteer_finding *finding);
	const char *(*site_of)(struct world *w, const struct edgesteer_question *question);
	int64_t start_ms, now_ms, now_s;
	unsigned asked[ROUNDS_A_SECOND]; // in each of the last rounds
	unsigned most_in_a_second, round;
	uint64_t calls[1 << 20];         // about a prefix
};

static struct world world;

static const char *bos(struct world *, const struct edgesteer_question *);

// `entry` is the number of the service in the config.
static void world_begin(unsigned entry)
{
	static const struct book_rules rules = {{AGREE, 600}, 24, 48, 100000, MOVES, 7 * 86400};
	struct report *report = report_new();
	struct learner *learner = &world.learner;

	world = (struct world){.start_ms = clock_mono_ms(), .live = {.view = generation.view}, .site_of = bos};
	world.now_ms = world.start_ms;
	world.now_s = 1000000;
	must(pthread_mutex_init(&learner->mutex, NULL) == 0);
	learner->rules = (struct learner_rules){.book = rules, .tries = 3};
	learner->book = book_new(&rules);
	learner->crowd = crowd_new();
	learner->notes = notes_new(1);
	learner->random = draws;
	assert_true(learner->book && learner->crowd && learner->notes);
	assert_int_equal(informant_open(generation.config, &generation.config->discoveries[entry], report, &world.service), E_OK);
	report_free(report);
	world.service->bucket = bucket_new(world.service->rate, world.now_ms);
	learner->services[learner->service_count++] = world.service;
}

static void world_end(void)
{
	struct learner *learner = &world.learner;

	for (struct learner_change *change = learner->changes, *next; change; change = next) {
		next = change->next;
		free(change);
	}
	informant_free(world.service);
	facts_wipe_regions(&learner->regions);
	free(learner->masks);
	notes_free(learner->notes);
	crowd_free(learner->crowd);
	book_free(learner->book);
	pthread_mutex_destroy(&learner->mutex);
}

static const struct book_entry *entry_of(const struct addr *client)
{
	struct prefix prefix = book_prefix(world.learner.book, client);

	return book_find(world.learner.book, &prefix);
}

// What is answered to the clients of a rank; "": what the table says.
static const char *held(uint32_t rank)
{
	struct addr client = client_of(16, rank);
	const struct book_entry *entry = entry_of(&client);

	return book_text(world.learner.book, entry && entry->opinion.has_held ? entry->opinion.held.sites[0] : 0);
}

// A query that a worker has looked at. It leaves no note where something fresh is known: `wanted` of the overlay.
static void look(struct addr client, uint32_t sender)
{
	struct note note = {.client = client, .by_ecs = true, .source_len = 24,
	                    .sender = {.family = ADDR_V4, .bytes = {198, 51, (uint8_t)(sender >> 8), (uint8_t)sender}}};
	const struct book_entry *entry = entry_of(&client);

	if (!entry || !book_is_fresh(entry, world.now_s))
		notes_put(notes_ring(world.learner.notes, 0), &note);
}

// The service: it answers before the next round.
static void answer(void)
{
	const struct edgesteer_host *host = &world.service->base.lent;
	struct edgesteer_question question;
	unsigned in_a_second = 0, *asked = &world.asked[world.round++ % ROUNDS_A_SECOND];

	*asked = 0;
	for (; host->take(host, &question); ++*asked) {
		const char *site = world.site_of(&world, &question);
		struct edgesteer_finding finding = {.size = sizeof(finding), .outcome = EDGESTEER_FOUND, .sites = &site, .site_count = 1};

		if (world.more_of)
			world.more_of(&finding);
		host->answer(host, question.id, &finding);
	}
	for (unsigned i = 0; i < ROUNDS_A_SECOND; i++)
		in_a_second += world.asked[i];
	if (in_a_second > world.most_in_a_second)
		world.most_in_a_second = in_a_second;
}

static void turn(unsigned passed_ms)
{
	pthread_mutex_lock(&world.learner.mutex);
	rounds_turn(&world.learner, &world.live, world.now_ms, world.now_s);
	pthread_mutex_unlock(&world.learner.mutex);
	answer();
	world.now_ms += passed_ms;
	world.now_s = 1000000 + (world.now_ms - world.start_ms) / 1000;
}

// ---- questions for the busiest --------------------------------------------------------------------------------------

// What share of the clients' queries is answered from learned prefixes.
static double learned_share(void)
{
	double share = 0;

	for (uint32_t rank = 0; rank < RANKS; rank++)
		share += *held(rank) ? zipf.share[rank] : 0;
	return share;
}

// That of asking in the order of the traffic, each prefix as often as has to agree.
static double best_share(void)
{
	double share = 0;

	for (uint32_t rank = 0; rank < (RATE * SECONDS + RATE / 10) / AGREE; rank++)
		share += zipf.share[rank];
	return share;
}

// Ten minutes. `forged` is how many prefixes one sender makes look busy, others in every minute, with as many notes as all
// others have together; 0: there is no such sender. The share of the optimum that is reached.
static double play(unsigned forged)
{
	double share;
	uint32_t count = 0;

	world_begin(0);
	for (int round = 0; round < SECONDS * ROUNDS_A_SECOND; round++) {
		unsigned minute = (unsigned)(round / ROUNDS_A_SECOND / 60);

		for (unsigned i = 0; i < LOOKS_A_ROUND; i++)
			if (forged && i % 2)
				look(client_of(32, minute * forged + count++ % forged), SENDERS);
			else
				look(client_of(16, draw_rank()), (uint32_t)(hash_mix(++draws) % SENDERS));
		turn(ROUND_MS);
	}
	assert_in_range(world.most_in_a_second, RATE - 1, RATE + RATE / 10);
	assert_in_range(world.service->totals.asked, RATE * SECONDS - RATE, RATE * SECONDS + RATE / 10);
	assert_true(crowd_count(world.learner.crowd) <= CROWD_MAX);
	assert_true(book_bytes(world.learner.book) < BOOK_MB_MAX << 20);
	assert_int_equal(notes_dropped(world.learner.notes), 0);
	share = learned_share() / best_share();
	print_message("with %u forged prefixes a minute: %.4f of the optimum\n", forged, share);
	world_end();
	return share;
}

// A single thread, which takes minutes there.
static void skip_under_tsan(void)
{
#if defined(__SANITIZE_THREAD__)
	skip();
#endif
}

static void test_quota(void **state)
{
	(void)state;
	skip_under_tsan();
	assert_true(play(0) >= 0.95);
}

// The more prefixes a forger makes look busy the less busy each can look, as it has a share of the notes and no more. In
// between is what does most harm.
static void test_forger(void **state)
{
	static const unsigned rows[] = {700, 100, 300, 500, 1000, 1500, 3000, 100000};

	(void)state;
	skip_under_tsan();
	for (size_t i = 0; i < (getenv("EDGESTEER_LONG") ? ARRAY_LEN(rows) : 1); i++)
		assert_true(play(rows[i]) >= 0.9);
}

// ---- a service that changes its mind --------------------------------------------------------------------------------

static const char *bos(struct world *w, const struct edgesteer_question *question)
{
	(void)w, (void)question;
	return "bos";
}

static const char *nyc(struct world *w, const struct edgesteer_question *question)
{
	(void)w, (void)question;
	return "nyc";
}

// The other site on every call for a prefix.
static const char *flapping(struct world *w, const struct edgesteer_question *question)
{
	uint32_t at = (uint32_t)(question->address[0] & 15) << 16 | (uint32_t)question->address[1] << 8 | question->address[2];

	return w->calls[at]++ % 2 ? "bos" : "nyc";
}

// The first `ranks` ask all the time, for so long; no more than `moves` of them move in any minute. Returns how many are
// answered with New York in the end.
static unsigned let_pass(unsigned ranks, unsigned seconds, unsigned a_second)
{
	static unsigned moved[60];
	const struct book_counts *counts = book_counts_of(world.learner.book);
	unsigned found = 0;

	assert_true(ranks <= RANKS && 1000 % a_second == 0);
	memset(moved, 0, sizeof(moved));
	for (unsigned round = 0; round < seconds * a_second; round++) {
		unsigned before = (unsigned)counts->moved, in_a_minute = 0, *now = &moved[world.now_s % 60];

		for (unsigned i = 0; i < 2000; i++)
			look(client_of(16, (uint32_t)(hash_mix(++draws) % ranks)), i % SENDERS);
		if (round % a_second == 0)
			*now = 0;
		turn(1000 / a_second);
		*now += (unsigned)counts->moved - before;
		for (unsigned i = 0; i < ARRAY_LEN(moved); i++)
			in_a_minute += moved[i];
		assert_true(in_a_minute <= MOVES);
	}
	for (uint32_t rank = 0; rank < ranks; rank++)
		found += strcmp(held(rank), "nyc") == 0;
	return found;
}

static void learn_boston(unsigned ranks)
{
	world_begin(1);
	assert_int_equal(let_pass(ranks, 20 + AGREE * ranks / FAST * 2, ROUNDS_A_SECOND), 0);
	for (uint32_t rank = 0; rank < ranks; rank++)
		assert_string_equal(held(rank), "bos");
	world.now_ms += INT64_C(1000) * BOOK_LIFETIME_S; // it is to be asked again
}

static void test_flapping(void **state)
{
	enum { FEW = 300 };
	uint64_t asked, version;

	(void)state;
	learn_boston(FEW);
	asked = world.service->totals.asked;
	version = book_version(world.learner.book);
	world.site_of = flapping;
	for (int hour = 0; hour < 3; hour++) {
		assert_int_equal(let_pass(FEW, 60, ROUNDS_A_SECOND), 0);
		world.now_ms += INT64_C(1000) * BOOK_LIFETIME_S;
	}
	assert_true(world.service->totals.asked - asked >= 3 * FEW);
	assert_int_equal(book_version(world.learner.book), version); // nobody was answered anything else in between
	world_end();
}

static void test_changed_mind(void **state)
{
	enum { FEW = 300 };
	uint64_t asked;

	(void)state;
	learn_boston(FEW);
	asked = world.service->totals.asked;
	world.site_of = nyc;
	assert_int_equal(let_pass(FEW, 20, ROUNDS_A_SECOND), FEW);
	// Of a prefix's 256 addresses one may be drawn twice, and counts once.
	assert_in_range(world.service->totals.asked - asked, FEW * AGREE, FEW * AGREE + FEW / 20);
	assert_int_equal(book_counts_of(world.learner.book)->withdrawn, 0);
	world_end();
}

// A carrier that anchors all its clients elsewhere: ten thousand prefixes.
static void test_anchored_anew(void **state)
{
	enum { MANY = 10000, MINUTES = (MANY + MOVES - 1) / MOVES };
	unsigned moved;

	(void)state;
	learn_boston(MANY);
	world.site_of = nyc;
	moved = let_pass(MANY, 60, ROUNDS_A_SECOND); // all are asked about
	assert_in_range(moved, MOVES, 2 * MOVES);
	assert_int_equal(book_waiting(world.learner.book), MANY - moved);
	assert_true(book_counts_of(world.learner.book)->held_back >= MANY - 2 * MOVES);
	assert_int_equal(let_pass(MANY, MINUTES * 60 - 60, 1), MANY);
	assert_int_equal(book_waiting(world.learner.book), 0);
	assert_int_equal(book_counts_of(world.learner.book)->moved, MANY);
	world_end();
}

// ---- a service that makes up names ----------------------------------------------------------------------------------

static uint32_t made_up;

// Another class each time, where one prefix in two is of the first one.
static void invent(struct edgesteer_finding *finding)
{
	static char text[32];

	snprintf(text, sizeof(text), "class-%u", made_up % 2 ? made_up : 0);
	made_up++;
	finding->class_ = text;
}

static void known(struct edgesteer_finding *finding)
{
	finding->class_ = "edge";
	finding->carrier = "verizon";
}

// It has so many and no more; what it says with names that are known goes on, of it and of others.
static void test_made_up_names(void **state)
{
	enum { FEW = 300 };
	struct informant *service;
	uint16_t number;
	unsigned count = 0;
	uint64_t unnamed;

	(void)state;
	world_begin(1);
	service = world.service;
	world.more_of = invent;
	made_up = 0;
	(void)let_pass(FEW, 20, ROUNDS_A_SECOND);
	assert_true(made_up > 2 * BOOK_INVENTED_MAX + 100);
	assert_int_equal(service->names, BOOK_INVENTED_MAX);
	unnamed = service->totals.unnamed;
	assert_true(unnamed > 0);
	assert_int_equal(service->totals.outcomes[EDGESTEER_BROKEN], 0); // it is asked all the same
	world.more_of = known;
	world.now_ms += 3601000; // what was not settled is asked about again, and what was is not fresh
	(void)let_pass(FEW, 120, ROUNDS_A_SECOND); // of some up to ten answers settled nothing: the pauses grow from 16 s on
	for (uint32_t rank = 0; rank < FEW; rank++)
		assert_string_equal(held(rank), "bos");
	assert_int_equal(service->totals.unnamed, unnamed);
	// However many services there have been, half of the table is left for sites.
	for (unsigned i = 0; i < BOOK_NAMES_MAX; i++) {
		char text[32];

		count = 0;
		snprintf(text, sizeof(text), "of another service %u", i);
		if (book_name_invented(world.learner.book, text, &count, &number) < 0)
			break;
		assert_int_equal(count, 1);
	}
	assert_int_equal(number, BOOK_INVENTED_ALL - 1);
	assert_int_equal(book_name_invented(world.learner.book, "class-0", &count, &number), E_OK);
	for (unsigned i = 0; i < SITES_MAX; i++) {
		char text[32];

		snprintf(text, sizeof(text), "site %u", i);
		assert_int_equal(rounds_name_site(&world.learner, text, &number), E_OK);
	}
	world_end();
}

// ---- a service that takes no questions ------------------------------------------------------------------------------

static bool is_told(void)
{
	struct pollfd wait = {.fd = world.service->question_fd, .events = POLLIN};

	return poll(&wait, 1, 0) == 1;
}

// Its descriptor is readable while something is queued, and only then, also where nobody has taken what was.
static void test_not_taken(void **state)
{
	const struct edgesteer_host *host;
	struct edgesteer_question taken;
	struct informant_question question = {.addr = client_of(16, 1), .prefix_len = 24};
	struct informant_answer answered;

	(void)state;
	world_begin(0);
	host = &world.service->base.lent;
	assert_false(is_told());
	informant_ask(world.service, &question, world.now_ms);
	informant_ask(world.service, &question, world.now_ms + 1000);
	assert_true(is_told());
	world.now_ms += world.service->timeout_ms;
	assert_true(informant_collect(world.service, world.now_ms, &answered));
	assert_int_equal(answered.outcome, EDGESTEER_TIMEOUT);
	assert_true(is_told());
	world.now_ms += 1000;
	assert_true(informant_collect(world.service, world.now_ms, &answered));
	assert_false(is_told());
	assert_int_equal(host->take(host, &taken), 0);
	informant_ask(world.service, &question, world.now_ms);
	assert_true(is_told());
	assert_int_equal(host->take(host, &taken), 1);
	assert_false(is_told());
	world_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_quota),        cmocka_unit_test(test_forger),        cmocka_unit_test(test_flapping),
		cmocka_unit_test(test_changed_mind), cmocka_unit_test(test_anchored_anew), cmocka_unit_test(test_not_taken),
		cmocka_unit_test(test_made_up_names),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
