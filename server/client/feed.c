// Passes measured round trips to the daemon; see feed.h.
#include "client/feed.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/must.h"
#include "base/parallel.h"
#include "client/exchange.h"
#include "client/fault.h"
#include "client/json.h"
#include "client/member.h"
#include "client/outcome.h"
#include "client/print.h"

// A part is small enough for a request, whatever it is escaped as: no octet takes more than two.
enum { PART = 30000, REFUSED_MAX = 10, FULL_MS = 50, FULL_TRIES = 600 };

// The file, and how far one member has got.
struct feed {
	const struct client_member *to;
	const char *name; // of the file, for messages
	const char *text; // the part that is sent now
	size_t len;
	unsigned timeout_s;
	bool named, failed;
	struct client_fault fault;
	json_int_t lines, bad, empty, no_site, out_of_reach, shown; // so far
};

static void show_refused(struct feed *feed, const json_t *refused)
{
	for (size_t i = 0; i < json_array_size(refused) && feed->shown < REFUSED_MAX; i++, feed->shown++) {
		const json_t *one = json_array_get(refused, i);

		client_print(stderr, "%s%s%s:%lld: %s\n", feed->named ? feed->to->name : "", feed->named ? ": " : "",
		             feed->name, (long long)(feed->lines + feed->bad + client_int(one, "line")),
		             client_text(one, "why"));
	}
}

// How many octets the daemon has used, or -1.
static long send_once(struct feed *feed, const char *text, size_t len)
{
	const struct client_exchange how = {.changes = true, .timeout_s = feed->timeout_s};
	json_t *request = json_pack("{s:s, s:s%}", "verb", "observe", "lines", text, len);
	json_t *reply = request ? client_exchange(feed->to, request, &how, &feed->fault) : NULL;
	long used = -1;

	if (!request)
		client_fault(&feed->fault, false, "out of memory");
	else if (reply && !json_is_true(json_object_get(reply, "ok")))
		client_fault(&feed->fault, false, "%s", client_text(reply, "error"));
	else if (reply) {
		used = (long)client_int(reply, "used");
		show_refused(feed, json_object_get(reply, "refused"));
		feed->lines += client_int(reply, "lines");
		feed->bad += client_int(reply, "bad");
		feed->empty += client_int(reply, "empty");
		feed->no_site += client_int(reply, "no_site");
		feed->out_of_reach += client_int(reply, "out_of_reach");
	}
	json_decref(request);
	json_decref(reply);
	return used >= 0 && (size_t)used <= len ? used : -1;
}

// Sends one member the part, all of it, however long that takes while there is progress.
static int send_part(void *ctx, size_t number)
{
	struct feed *feed = (struct feed *)ctx + number;
	const char *text = feed->text;
	size_t len = feed->len;

	for (int tries = 0; len > 0 && !feed->failed; tries++) {
		long used = send_once(feed, text, len);

		feed->failed = used < 0;
		if (used < 0)
			break;
		if (used > 0)
			tries = 0;
		text += used;
		len -= (size_t)used;
		if (len > 0 && tries == FULL_TRIES)
			feed->failed =
				client_fault(&feed->fault, false, "the daemon takes no more lines: its queue stays full") < 0;
		else if (len > 0)
			(void)poll(NULL, 0, FULL_MS);
	}
	return 0;
}

static void fail_all(struct feed *feeds, size_t count, const char *what, const char *why)
{
	for (size_t i = 0; i < count; i++)
		if (!feeds[i].failed)
			feeds[i].failed = client_fault(&feeds[i].fault, false, "%.200s: %s", what, why) < 0;
}

// False: nobody is left to send to.
static bool send_lines(struct feed *feeds, size_t count, char *text, size_t len)
{
	bool any = false;

	// What cannot be in a line that is taken is made something that JSON has room for.
	for (size_t i = 0; i < len; i++)
		if (text[i] != '\n' && text[i] != '\t' && (text[i] < ' ' || text[i] > '~'))
			text[i] = text[i] == '\r' ? ' ' : '?';
	for (size_t i = 0; i < count; i++) {
		feeds[i].text = text;
		feeds[i].len = len;
	}
	if (len > 0 && parallel_run_on((unsigned)count, count, send_part, feeds) < 0)
		fail_all(feeds, count, feeds->name, "no threads");
	for (size_t i = 0; i < count; i++)
		any = any || !feeds[i].failed;
	return any;
}

static void send_all(struct feed *feeds, size_t members, int fd)
{
	char buf[PART];
	size_t count = 0;
	ssize_t len;

	while ((len = read(fd, buf + count, sizeof(buf) - count)) != 0) {
		const char *end;
		size_t part;

		if (len < 0 && errno == EINTR)
			continue;
		if (len < 0) {
			fail_all(feeds, members, "cannot read", strerror(errno));
			return;
		}
		count += (size_t)len;
		end = memrchr(buf, '\n', count);
		part = end ? (size_t)(end + 1 - buf) : count == sizeof(buf) ? count : 0;
		if (!send_lines(feeds, members, buf, part))
			return;
		memmove(buf, buf + part, count - part);
		count -= part;
	}
	send_lines(feeds, members, buf, count);
}

static json_t *reply_of(const struct feed *feed)
{
	return json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:I}", "ok", 1, "lines", feed->lines, "taken",
	                 feed->lines - feed->empty - feed->no_site - feed->out_of_reach, "bad", feed->bad, "no_site", feed->no_site,
	                 "out_of_reach", feed->out_of_reach, "empty", feed->empty);
}

void client_feed(const struct client_feeding *feeding, struct client_outcome *outcomes)
{
	const struct client_members *members = feeding->members;
	const char *file = client_text(feeding->request, "file");
	bool is_stdin = !*file || strcmp(file, "-") == 0;
	struct feed *feeds = calloc(members->count, sizeof(*feeds));
	int fd = is_stdin ? STDIN_FILENO : open(file, O_RDONLY | O_CLOEXEC);
	json_t *unread = NULL;

	must(feeds);
	for (size_t i = 0; i < members->count; i++)
		feeds[i] = (struct feed){.to = &members->at[i],
		                         .name = is_stdin ? "standard input" : file,
		                         .timeout_s = feeding->timeout_s,
		                         .named = members->named};
	if (fd < 0)
		unread = client_refusal(CLIENT_USAGE, "%.300s: cannot be read: %s", file, strerror(errno));
	else
		send_all(feeds, members->count, fd);
	if (fd >= 0 && !is_stdin)
		close(fd);
	for (size_t i = 0; i < members->count; i++)
		client_outcome_set(&outcomes[i],
		                   unread            ? json_incref(unread)
		                   : feeds[i].failed ? NULL
		                                     : reply_of(&feeds[i]),
		                   &feeds[i].fault);
	json_decref(unread);
	free(feeds);
}

void client_show_observe(const json_t *reply)
{
	json_int_t taken = client_int(reply, "taken"), bad = client_int(reply, "bad"), no_site = client_int(reply, "no_site"),
		   out_of_reach = client_int(reply, "out_of_reach");

	client_print(stdout, "observed: %lld %s taken, %lld not", taken, taken == 1 ? "line" : "lines", bad + no_site + out_of_reach);
	if (bad + no_site + out_of_reach > 0)
		client_print(stdout, ": %lld wrong, %lld of no site of the config, %lld out of their client's reach", bad, no_site,
		             out_of_reach);
	putchar('\n');
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
