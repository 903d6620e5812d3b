// Questions to a program and its replies; see lookups.h.
#include "lookups.h"

#include <arpa/inet.h>
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "output.h"
#include "reply.h"

enum {
	LINE_MAX_LEN = 64 << 10,
	QUESTION_MAX_LEN = 2048,
	LINES_PER_TURN = 1000, // between two looks at everything else
};

void lookups_begin(struct lookups *lookups, const struct edgesteer_host *host, int in, int out)
{
	lookups->host = host;
	lookups->in = in;
	lookups->count = lookups->unsent_len = 0;
	lookups->quiet_ms = 0;
	lines_begin(&lookups->lines, out, LINE_MAX_LEN);
}

static void refuse(const struct edgesteer_host *host, uint64_t id, const char *text)
{
	struct verdict verdict = {.outcome = EDGESTEER_BROKEN};

	verdict_set(&verdict, EDGESTEER_BROKEN, "%s", text);
	verdict_answer(&verdict, host, id);
}

void lookups_done(struct lookups *lookups)
{
	for (size_t i = 0; i < lookups->count; i++)
		refuse(lookups->host, lookups->asked[i].host_id, "the program has ended");
	lookups->count = 0;
	lines_done(&lookups->lines);
}

void lookups_refuse(const struct edgesteer_host *host)
{
	struct edgesteer_question question;

	while (host->take(host, &question) == 1)
		refuse(host, question.id, "the program has failed, and is started again in a while");
}

bool lookups_has_room(const struct lookups *lookups)
{
	return lookups->count < LOOKUPS_MAX && lookups->unsent_len + QUESTION_MAX_LEN <= sizeof(lookups->unsent);
}

// ---- questions ------------------------------------------------------------------------------------------------------

static json_t *question_json(const struct edgesteer_question *question, int64_t id)
{
	char address[INET6_ADDRSTRLEN] = "";
	int64_t left_ms = question->deadline_ms - output_now_ms();

	inet_ntop(question->family == 4 ? AF_INET : AF_INET6, question->address, address, sizeof(address));

	json_t *json = json_pack("{s:I, s:s, s:i, s:f, s:s*}", "id", (json_int_t)id, "address", address, "prefix-length",
	                         (int)question->prefix_length, "timeout", (double)(left_ms > 0 ? left_ms : 0) / 1000, "app",
	                         question->app);
	if (json && question->is_direct) {
		json_object_set_new(json, "direct", json_true());
		if (question->port)
			json_object_set_new(json, "port", json_integer(question->port));
	}
	return json;
}

// False: it could not be written.
static bool write_question(struct lookups *lookups, const struct edgesteer_question *question)
{
	json_t *json = question_json(question, lookups->last_id + 1);
	char *to = lookups->unsent + lookups->unsent_len;
	size_t len = json ? json_dumpb(json, to, QUESTION_MAX_LEN - 1, JSON_COMPACT | JSON_REAL_PRECISION(6)) : 0;

	json_decref(json);
	if (len == 0 || len >= QUESTION_MAX_LEN)
		return false;
	to[len] = '\n';
	lookups->unsent_len += len + 1;
	lookups->asked[lookups->count++] = (struct lookups_asked){++lookups->last_id, question->id, question->deadline_ms};
	if (!lookups->quiet_ms)
		lookups->quiet_ms = output_now_ms();
	return true;
}

static bool send_all(struct lookups *lookups)
{
	while (lookups->unsent_len > 0) {
		ssize_t sent = write(lookups->in, lookups->unsent, lookups->unsent_len);

		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0)
			return errno == EAGAIN;
		lookups->unsent_len -= (size_t)sent;
		memmove(lookups->unsent, lookups->unsent + sent, lookups->unsent_len);
	}
	return true;
}

bool lookups_ask(struct lookups *lookups)
{
	const struct edgesteer_host *host = lookups->host;
	struct edgesteer_question question;

	while (lookups_has_room(lookups) && host->take(host, &question) == 1)
		if (!write_question(lookups, &question))
			refuse(host, question.id, "the question cannot be written: out of memory, or too long a name");
	return send_all(lookups);
}

// ---- replies --------------------------------------------------------------------------------------------------------

static void forget(struct lookups *lookups, size_t i)
{
	lookups->asked[i] = lookups->asked[--lookups->count];
	if (lookups->count == 0)
		lookups->quiet_ms = 0;
}

void lookups_expire(struct lookups *lookups)
{
	int64_t now_ms = output_now_ms();

	for (size_t i = lookups->count; i-- > 0;)
		if (lookups->asked[i].deadline_ms <= now_ms)
			lookups->asked[i] = lookups->asked[--lookups->count]; // it stays quiet, though
}

static int take_line(struct lookups *lookups, const char *line, size_t len, char *why)
{
	json_error_t error;
	json_t *json = json_loadb(line, len, JSON_REJECT_DUPLICATES, &error);
	struct verdict verdict;
	json_int_t id;
	int err;

	if (!json) {
		snprintf(why, REPLY_WHY_SIZE, "not JSON: column %d: %.100s", error.column, error.text);
		return -1;
	}
	err = reply_read(json, &id, &verdict, why);
	json_decref(json);
	if (err < 0)
		return err;
	lookups->quiet_ms = lookups->count > 0 ? output_now_ms() : 0;
	for (size_t i = 0; i < lookups->count; i++)
		if (lookups->asked[i].id == id) {
			verdict_answer(&verdict, lookups->host, lookups->asked[i].host_id);
			forget(lookups, i);
			break;
		}
	return 0;
}

static int fail_line(struct lookups *lookups, size_t number, const char *why)
{
	lookups->host->report(lookups->host, EDGESTEER_ERROR, NULL, 0, "line %zu of its output: %s: it is ended, and started "
	                      "again", number, why);
	return -1;
}

int lookups_take(struct lookups *lookups)
{
	char *line, why[REPLY_WHY_SIZE];
	size_t len;

	for (int i = 0; i < LINES_PER_TURN; i++)
		switch (lines_next(&lookups->lines, &line, &len)) {
		case LINES_ONE:
			if (len > 0 && take_line(lookups, line, len, why) < 0)
				return fail_line(lookups, lookups->lines.number, why);
			break;
		case LINES_NONE: return 0;
		case LINES_END: return 1;
		case LINES_TOO_LONG: return fail_line(lookups, lookups->lines.number + 1, "longer than 64 KiB");
		case LINES_FAILED: return fail_line(lookups, lookups->lines.number + 1, strerror(errno));
		}
	return 0;
}
