// A service for `discovery` that says what a file says, for the flow tests: built like a stranger's plugin. Lines of the
// file, read anew for each question, are
//
//   FIRST-OCTETS OUTCOME [SITE[,SITE]...] [CARRIER]
//
// of which the first whose octets ("10.1.") begin the address counts. Outcomes: found, missed, busy, denied, broken, unasked; silent
// (no answer), late (after the deadline), twice, other (for a question that was not asked), return (look_up() returns).
// What it registers the line "register WAY" says: good (all is added), bad (steps that are none), fails (without a word),
// hangs (until long after it is to stop).
// Every question is a line of the file `log`: the address, whether it is direct, the app and the port.
#include "edgesteer-plugin.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct teller {
	const struct edgesteer_host *host;
	const char *file, *log;
	uint64_t late_id; // 0: none
	int64_t late_ms;
};

static const struct edgesteer_option options[] = {
	{"file", EDGESTEER_TEXT, 1, NULL, "What to say."},
	{"log", EDGESTEER_TEXT, 1, NULL, "Where to write what was asked."},
	{NULL, EDGESTEER_TEXT, 0, NULL, NULL},
};

static int open_teller(const struct edgesteer_host *host, void **ret_self)
{
	struct teller *self = calloc(1, sizeof(*self));

	if (!self)
		return -1;
	self->host = host;
	self->file = host->path(host, host->option(host, "file"));
	self->log = host->path(host, host->option(host, "log"));
	*ret_self = self;
	return 0;
}

static void close_teller(void *self)
{
	free(self);
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

// What the file says of an address, in its four words; "missed": nothing.
static void look(const char *path, const char *address, char words[4][256])
{
	FILE *file = fopen(path, "r");
	char line[1024];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file)) {
		memset(words, 0, 4 * 256);
		found = sscanf(line, "%255s %255s %255s %255s", words[0], words[1], words[2], words[3]) >= 2 &&
		        strncmp(address, words[0], strlen(words[0])) == 0;
	}
	if (!found) {
		memset(words, 0, 4 * 256);
		strcpy(words[1], "missed");
	}
	if (file)
		fclose(file);
}

static enum edgesteer_outcome outcome_of(const char *word)
{
	static const char *const words[] = {"found", "missed", "busy", "denied", "timeout", "broken", "unasked"};

	for (int i = 0; i < 7; i++)
		if (strcmp(words[i], word) == 0)
			return (enum edgesteer_outcome)i;
	return EDGESTEER_FOUND;
}

static void tell(struct teller *self, uint64_t id, char words[4][256])
{
	struct edgesteer_finding finding = {.size = sizeof(finding), .outcome = outcome_of(words[1]), .text = "as told"};
	const char *sites[8];
	char *left = words[2];

	for (char *site; finding.site_count < 8 && (site = strsep(&left, ",")) && *site;)
		sites[finding.site_count++] = site;
	finding.sites = sites;
	finding.carrier = words[3][0] ? words[3] : NULL;
	self->host->answer(self->host, id, &finding);
}

// 1: look_up() is to return.
static int answer(struct teller *self, const struct edgesteer_question *question)
{
	char address[64], words[4][256];
	FILE *log = fopen(self->log, "a");

	inet_ntop(question->family == 4 ? AF_INET : AF_INET6, question->address, address, sizeof(address));
	if (log) {
		fprintf(log, "%s %d %s %d\n", address, question->is_direct, question->app ? question->app : "-", question->port);
		fclose(log);
	}
	look(self->file, address, words);
	if (strcmp(words[1], "late") == 0) {
		self->late_id = question->id;
		self->late_ms = question->deadline_ms + 50;
		return 0;
	}
	if (strcmp(words[1], "other") == 0)
		tell(self, question->id + 1000, words);
	else if (strcmp(words[1], "silent") != 0 && strcmp(words[1], "return") != 0)
		tell(self, question->id, words);
	if (strcmp(words[1], "twice") == 0)
		tell(self, question->id, words);
	return strcmp(words[1], "return") == 0;
}

static int look_up(void *ctx)
{
	struct teller *self = ctx;
	struct pollfd fds[2] = {{.fd = self->host->stop_fd(self->host), .events = POLLIN},
	                        {.fd = self->host->question_fd(self->host), .events = POLLIN}};
	struct edgesteer_question question;
	char words[4][256] = {"", "found", "nyc"};

	while (poll(fds, 2, 20) >= 0 && !fds[0].revents) {
		while (self->host->take(self->host, &question))
			if (answer(self, &question))
				return 0;
		if (self->late_id && now_ms() > self->late_ms) {
			tell(self, self->late_id, words);
			self->late_id = 0;
		}
	}
	return 0;
}

static void step_badly(const struct edgesteer_host *host)
{
	const struct edgesteer_step steps[] = {
		{.size = 8, .action = EDGESTEER_ADD}, {.size = sizeof(steps[0]), .action = (enum edgesteer_action)99},
		{.size = sizeof(steps[0]), .action = EDGESTEER_ADD, .progress = (enum edgesteer_progress)99},
		{.size = sizeof(steps[0]), .action = EDGESTEER_KEEP, .progress = EDGESTEER_DONE},
	};

	host->step(host, NULL);
	for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
		host->step(host, &steps[i]);
	for (int i = 0; i < 6000; i++) {
		const struct edgesteer_step good = {.size = sizeof(good), .action = EDGESTEER_ADD, .text = "an escape \033[31m"};

		host->step(host, &good);
	}
}

static int register_targets(void *ctx, const struct edgesteer_registration *registration)
{
	struct teller *self = ctx;
	char words[4][256] = {"", "good"};

	(void)look(self->file, "register", words);
	if (strcmp(words[1], "fails") == 0)
		return -1;
	if (strcmp(words[1], "bad") == 0)
		step_badly(self->host);
	if (strcmp(words[1], "hangs") == 0)
		(void)poll(NULL, 0, 30000);
	for (size_t i = 0; i < registration->endpoint_count; i++) {
		const struct edgesteer_endpoint *endpoint = &registration->endpoints[i];
		const struct edgesteer_step step = {
			.size = sizeof(step), .action = EDGESTEER_ADD, .progress = registration->apply ? EDGESTEER_DONE : EDGESTEER_PLANNED,
			.app = endpoint->app, .site = endpoint->site, .text = endpoint->address_count ? endpoint->addresses[0] : NULL,
		};

		self->host->step(self->host, &step);
	}
	return 0;
}

EDGESTEER_PLUGIN(teller) = {
	.abi_major = EDGESTEER_PLUGIN_ABI_MAJOR,
	.abi_minor = EDGESTEER_PLUGIN_ABI_MINOR,
	.size = sizeof(struct edgesteer_plugin),
	.name = "teller",
	.summary = "says what a file says",
	.options = options,
	.open = open_teller,
	.close = close_teller,
	.look_up = look_up,
	.register_targets = register_targets,
};
