// Damage at random: octets changed and files cut short, in each file of the folder. What one file loses the other has;
// what is lost in both is reported; nothing that was never given appears. EDGESTEER_LONG=1: every length of every file,
// every 61st of a log.
#include <dirent.h>
#include <event2/event.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/attr.h"
#include "base/err.h"
#include "base/log.h"
#include "disk.h"
#include "history.h"
#include "statedir.h"

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { ROUNDS = 25, ROUNDS_LONG = 50, STEP = 8 * 61, STEP_LONG = 4 * 61 };
#else
enum { ROUNDS = 80, ROUNDS_LONG = 200, STEP = 3 * 61, STEP_LONG = 61 };
#endif
enum { SEED = 23, CHANGES = 120, PAGE = 4096, FILES_MAX = 16 };

struct file {
	char name[64];
	unsigned char *octets;
	size_t len;
};

// A folder as it was at some moment.
struct snapshot {
	struct file files[FILES_MAX];
	size_t count;
};

static struct history history = {.seed = SEED};

static void take(struct snapshot *snapshot)
{
	DIR *folder = opendir(statedir);

	snapshot->count = 0;
	for (struct dirent *entry; (entry = readdir(folder));) {
		struct file *file = &snapshot->files[snapshot->count];
		char path[400];
		struct stat st;

		snprintf(path, sizeof(path), "%s/%s", statedir, entry->d_name);
		if (stat(path, &st) < 0 || !S_ISREG(st.st_mode))
			continue;
		assert_true(++snapshot->count < FILES_MAX);
		snprintf(file->name, sizeof(file->name), "%.63s", entry->d_name);
		file->len = (size_t)st.st_size;
		file->octets = malloc(file->len + 1);

		FILE *in = fopen(path, "r");

		assert_int_equal(fread(file->octets, 1, file->len, in), file->len);
		fclose(in);
	}
	closedir(folder);
}

static void put_back(const struct snapshot *snapshot)
{
	DIR *folder = opendir(statedir);
	char text[400];

	for (struct dirent *entry; (entry = readdir(folder));) {
		snprintf(text, sizeof(text), "%s/%s", statedir, entry->d_name);
		if (entry->d_name[0] != '.')
			assert_int_equal(unlink(text), 0);
	}
	closedir(folder);
	for (size_t i = 0; i < snapshot->count; i++) {
		snprintf(text, sizeof(text), "%s/%s", statedir, snapshot->files[i].name);

		FILE *out = fopen(text, "w");

		assert_int_equal(fwrite(snapshot->files[i].octets, 1, snapshot->files[i].len, out), snapshot->files[i].len);
		fclose(out);
	}
}

static void forget(struct snapshot *snapshot)
{
	for (size_t i = 0; i < snapshot->count; i++)
		free(snapshot->files[i].octets);
}

// In the file of the folder: changed octets, a changed block, or a page from elsewhere.
static void damage(const struct file *file, unsigned *seed)
{
	unsigned char block[PAGE];
	char path[400];

	snprintf(path, sizeof(path), "%s/%s", statedir, file->name);

	FILE *out = fopen(path, "r+");
	size_t at = (size_t)rand_r(seed) % (file->len + 1), len = 1 + (size_t)rand_r(seed) % 64;

	switch (rand_r(seed) % 4) {
	case 0:
		at = (size_t)rand_r(seed) % 200; // headers
		len = 1;
		break;
	case 1:
		len = 1;
		break;
	case 2:
		at = at / 512 * 512;
		len = 512;
		break;
	default:
		break;
	}
	for (size_t i = 0; i < len; i++)
		block[i] = len == 512 && *seed % 2 ? 0 : (unsigned char)rand_r(seed);
	fseek(out, (long)at, SEEK_SET);
	fwrite(block, 1, len, out);
	fclose(out);
}

static void cut(const struct file *file, size_t len)
{
	char path[400];

	snprintf(path, sizeof(path), "%s/%s", statedir, file->name);
	assert_int_equal(truncate(path, (off_t)len), 0);
}

// One file was damaged: nothing is lost.
static void check_all(const char *what, const char *name, size_t number)
{
	struct state *state = NULL;

	if (state_open(statedir_base, statedir, &statedir_ops, &state) < 0)
		fail_msg("%s of %s, %zu: cannot be opened", what, name, number);
	if (!history_is(&history, state))
		fail_msg("%s of %s, %zu: not all is there", what, name, number);
	assert_int_equal(statedir_put_drain(state, "after", NULL, 0), E_OK);
	state = statedir_reopen(state);
	assert_non_null(state_drained(state, NULL, "after", 1));
	state_close(state);
}

// Both were: what is missing is reported.
static void check_part(size_t number)
{
	struct state *state = NULL;
	struct state_damage found = {0};
	size_t missing = 0;

	if (state_open(statedir_base, statedir, &statedir_ops, &state) < 0)
		fail_msg("damage of both, %zu: cannot be opened", number);
	if (!history_is_part(&history, state, CHANGES, &missing))
		fail_msg("damage of both, %zu: something appeared", number);
	assert_int_equal(state_damage(state, &found), E_OK);
	if (missing && !(found.is_counted && (found.lost > 0 || found.is_lost_unknown)))
		fail_msg("damage of both, %zu: %zu are missing, and nobody says so", number, missing);
	free(found.path);
	state_close(state);
}

// The folder after all changes: as left by kill -9, and by a clean stop.
static void make(struct snapshot *killed, struct snapshot *closed)
{
	struct state *state = statedir_open();
	int err;

	for (uint32_t i = 0; i < CHANGES; i++) {
		if (i == CHANGES / 2) // so that the files have something as well as the logs
			state = statedir_reopen(state);
		err = STATEDIR_WAITING;
		history_give(state, SEED, i, statedir_done, &err);
		history_apply(&history, i);
		statedir_wait(&err);
		state_set_health(state, "app", "site", i, true, 0);
	}
	statedir_settle(state);
	take(killed);
	state_close(state);
	take(closed);
}

static void damage_each(const struct snapshot *snapshot, unsigned rounds, unsigned *seed)
{
	for (size_t i = 0; i < snapshot->count; i++) {
		bool is_health = strncmp(snapshot->files[i].name, "health", 6) == 0;

		for (unsigned round = 0; round < (is_health ? rounds / 4 : rounds) && snapshot->files[i].len; round++) {
			put_back(snapshot);
			damage(&snapshot->files[i], seed);
			check_all("damage", snapshot->files[i].name, round);
		}
	}
}

static void cut_each(const struct snapshot *snapshot, bool all)
{
	for (size_t i = 0; i < snapshot->count; i++) {
		for (size_t len = 0; len < snapshot->files[i].len; len++) {
			bool is_log = strstr(snapshot->files[i].name, "-wal") != NULL;
			size_t border = len % (PAGE + (is_log ? 24 : 0)), step = (all ? STEP_LONG : STEP) * (1 + snapshot->files[i].len / 20000);

			if (all) // an octet more or less of a log is of interest where its pages end
				step = is_log ? STEP_LONG : 1;
			if (len % step != 0 && border > 1)
				continue;
			put_back(snapshot);
			cut(&snapshot->files[i], len);
			check_all("cut", snapshot->files[i].name, len);
		}
	}
}

static void damage_both(const struct snapshot *snapshot, unsigned rounds, unsigned *seed)
{
	for (unsigned round = 0; round < rounds; round++) {
		put_back(snapshot);
		for (unsigned k = 0; k < 4; k++)
			for (size_t i = 0; i < snapshot->count; i++)
				if (snapshot->files[i].len && strncmp(snapshot->files[i].name, "state", 5) == 0 && rand_r(seed) % 2)
					damage(&snapshot->files[i], seed);
		check_part(round);
	}
}

static void test_damage_at_random(void **unused)
{
	struct snapshot killed, closed;
	bool is_long = getenv("EDGESTEER_LONG") != NULL;
	unsigned seed = 7, rounds = is_long ? ROUNDS_LONG : ROUNDS;

	(void)unused;
	atomic_store(&disk_no_syncs, 1);
	make(&killed, &closed);
	damage_each(&killed, rounds, &seed);
	damage_each(&closed, is_long ? rounds : rounds / 4, &seed);
	// These are quick, and what of a damaged row only its checksum tells is seen in one of fifty.
	damage_both(&killed, is_long ? 10 * ROUNDS_LONG : ROUNDS_LONG, &seed);
	damage_both(&closed, is_long ? 10 * ROUNDS_LONG : ROUNDS_LONG / 2, &seed);
	cut_each(&killed, is_long);
	cut_each(&closed, is_long);
	forget(&killed);
	forget(&closed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_damage_at_random, statedir_setup, statedir_teardown),
	};

	log_set_level((enum log_level)0);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
