// Passes measured round trips to the daemon; see feed.h.
#include "client/feed.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/attr.h"
#include "client/json.h"
#include "client/print.h"

// A part is small enough for a request, whatever it is escaped as: no octet takes more than two.
enum { PART = 30000, REFUSED_MAX = 10, FULL_MS = 50, FULL_TRIES = 600 };

struct feed {
	const char *socket, *name; // name: of the file, for messages
	unsigned timeout_s;
	struct client_link_error *error;
	json_int_t lines, bad, shown; // so far
};

static int fail(struct client_link_error *error, bool is_unreached, const char *what, const char *why)
{
	error->is_unreached = is_unreached;
	snprintf(error->text, sizeof(error->text), "%.300s%.200s", what, why);
	return -1;
}

static void show_refused(struct feed *feed, const json_t *refused)
{
	for (size_t i = 0; i < json_array_size(refused) && feed->shown < REFUSED_MAX; i++, feed->shown++) {
		const json_t *one = json_array_get(refused, i);

		client_print(stderr, "%s:%lld: %s\n", feed->name, (long long)(feed->lines + feed->bad + client_int(one, "line")),
		             client_text(one, "why"));
	}
}

// How many octets the daemon has used, or -1.
static long send_once(struct feed *feed, const char *text, size_t len)
{
	json_t *request = json_pack("{s:s, s:s%}", "verb", "observe", "lines", text, len);
	json_t *reply = request ? client_link_ask(feed->socket, request, feed->timeout_s, NULL, feed->error) : NULL;
	long used = -1;

	if (!request)
		fail(feed->error, false, "out of memory", "");
	else if (reply && !json_is_true(json_object_get(reply, "ok")))
		fail(feed->error, false, client_text(reply, "error"), "");
	else if (reply) {
		used = (long)client_int(reply, "used");
		show_refused(feed, json_object_get(reply, "refused"));
		feed->lines += client_int(reply, "lines");
		feed->bad += client_int(reply, "bad");
	}
	json_decref(request);
	json_decref(reply);
	return used >= 0 && (size_t)used <= len ? used : -1;
}

// All of them, however long that takes while there is progress.
static int send_lines(struct feed *feed, char *text, size_t len)
{
	// What cannot be in a line that is taken is made something that JSON has room for.
	for (size_t i = 0; i < len; i++)
		if (text[i] != '\n' && text[i] != '\t' && (text[i] < ' ' || text[i] > '~'))
			text[i] = text[i] == '\r' ? ' ' : '?';
	for (int tries = 0; len > 0; tries++) {
		long used = send_once(feed, text, len);

		if (used < 0)
			return -1;
		if (used > 0)
			tries = 0;
		text += used;
		len -= (size_t)used;
		if (len > 0 && tries == FULL_TRIES)
			return fail(feed->error, false, "the daemon takes no more lines: its queue stays full", "");
		if (len > 0)
			(void)poll(NULL, 0, FULL_MS);
	}
	return 0;
}

static int send_all(struct feed *feed, int fd)
{
	char buf[PART];
	size_t count = 0;
	ssize_t len;

	while ((len = read(fd, buf + count, sizeof(buf) - count)) != 0) {
		const char *end;
		size_t part;

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0)
			return fail(feed->error, false, "cannot read: ", strerror(errno));
		count += (size_t)len;
		end = memrchr(buf, '\n', count);
		part = end ? (size_t)(end + 1 - buf) : count == sizeof(buf) ? count : 0;
		if (send_lines(feed, buf, part) < 0)
			return -1;
		memmove(buf, buf + part, count - part);
		count -= part;
	}
	return send_lines(feed, buf, count);
}

json_t *client_feed(const char *socket, const char *file, unsigned timeout_s, struct client_link_error *error)
{
	bool is_stdin = !file || strcmp(file, "-") == 0;
	struct feed feed = {.socket = socket, .name = is_stdin ? "standard input" : file, .timeout_s = timeout_s, .error = error};
	int fd = is_stdin ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC), err;

	if (fd < 0) {
		error->is_unreached = false;
		snprintf(error->text, sizeof(error->text), "cannot open %.200s: %s", file, strerror(errno));
		return NULL;
	}
	err = send_all(&feed, fd);
	if (!is_stdin)
		close(fd);
	return err < 0 ? NULL : json_pack("{s:b, s:I, s:I}", "ok", 1, "lines", feed.lines, "bad", feed.bad);
}

void client_show_observe(const json_t *reply)
{
	json_int_t lines = client_int(reply, "lines"), bad = client_int(reply, "bad");

	client_print(stdout, "observed: %lld %s, %lld not taken\n", (long long)lines, lines == 1 ? "line" : "lines",
	             (long long)bad);
}

void client_show_observed(const json_t *observed)
{
	if (!json_is_object(observed))
		return;
	client_print(stdout, "observed     %lld measurements of %lld taken, %lld lines bad, %lld octets dropped\n",
	             client_int(observed, "taken"), client_int(observed, "lines"), client_int(observed, "bad"),
	             client_int(observed, "dropped"));
	client_print(stdout, "             %lld prefixes, %lld sites of them (%.1f MB); ignored: %lld out of reach, %lld of no site\n",
	             client_int(observed, "prefixes"), client_int(observed, "pairs"), (double)client_int(observed, "octets") / 1e6,
	             client_int(observed, "out_of_reach"), client_int(observed, "unknown_sites"));
	if (client_text(observed, "error")[0])
		client_print(stdout, "             last bad line: %s\n", client_text(observed, "error"));
}
