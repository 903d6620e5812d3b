// What a program prints, line by line; see output.h.
#include "output.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "lib/given.h"

enum {
	LINE_MAX_LEN = 16 << 20,
	LINES_PER_TURN = 1000, // between two looks at everything else
};

int64_t output_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int output_begin(struct output *output, const struct edgesteer_host *host, int fd)
{
	*output = (struct output){.host = host};
	lines_begin(&output->lines, fd, LINE_MAX_LEN);
	return host->begin(host);
}

void output_done(struct output *output)
{
	lines_done(&output->lines);
}

static int commit(struct output *output)
{
	int err = output->host->commit(output->host);

	output->has_committed = true;
	output->begun_ms = 0;
	if (err == 0)
		output->host->source(output->host, NULL, EDGESTEER_SOURCE_CURRENT, NULL);
	return err;
}

// Negative: the program is to be ended, and why[GIVEN_WHY_LEN] says why.
static int take_member(struct output *output, const char *name, const json_t *value, char *why)
{
	const struct edgesteer_host *host = output->host;
	int err;

	snprintf(why, GIVEN_WHY_LEN, "the daemon takes no more");
	if (strcmp(name, "list") == 0) {
		err = given_put_list(host, value, why);
		return err < 0 ? err : commit(output);
	}
	if (strcmp(name, "commit") == 0 && json_is_true(value))
		return commit(output);
	if (!output->begun_ms)
		output->begun_ms = output_now_ms();
	if (strcmp(name, "add") == 0)
		return given_put(host, value, why);
	if (strcmp(name, "remove") == 0 && json_is_string(value))
		return host->drop(host, json_string_value(value));
	snprintf(why, GIVEN_WHY_LEN, "expected {\"list\": [...]}, {\"add\": {...}}, {\"remove\": \"KEY\"} or {\"commit\": true}");
	return -1;
}

static int take_line(struct output *output, const char *line, size_t len, char *why)
{
	json_error_t error;
	json_t *json = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error), *value;
	const char *name;
	int err = -1;

	if (!json) {
		snprintf(why, GIVEN_WHY_LEN, "not JSON: column %d: %.100s", error.column, error.text);
		return -1;
	}
	if (json_object_size(json) == 1)
		json_object_foreach(json, name, value)
			err = take_member(output, name, value, why);
	else
		snprintf(why, GIVEN_WHY_LEN, "not an object with one member");
	json_decref(json);
	return err;
}

static int fail_line(struct output *output, size_t number, const char *why)
{
	output->host->report(output->host, EDGESTEER_ERROR, NULL, 0, "line %zu of its output: %s: it is ended, and its last targets "
	                   "serve on", number, why);
	return -1;
}

int output_take(struct output *output)
{
	char *line, why[GIVEN_WHY_LEN];
	size_t len;

	for (int i = 0; i < LINES_PER_TURN; i++)
		switch (lines_next(&output->lines, &line, &len)) {
		case LINES_ONE:
			if (len > 0 && take_line(output, line, len, why) < 0)
				return fail_line(output, output->lines.number, why);
			break;
		case LINES_NONE: return 0;
		case LINES_END: return 1;
		case LINES_TOO_LONG: return fail_line(output, output->lines.number + 1, "longer than 16 MiB");
		case LINES_FAILED: return fail_line(output, output->lines.number + 1, strerror(errno));
		}
	return 0;
}
