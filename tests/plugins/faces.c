// Plugins that keep to the contract badly, for test_discovery and reload.py: one file under many names, each a link to
// it. Built like a stranger's plugin, against edgesteer-plugin.h alone.
#include "edgesteer-plugin.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int open_plainly(const struct edgesteer_host *host, void **ret_self)
{
	*ret_self = (void *)host;
	return 0;
}

static int open_slowly(const struct edgesteer_host *host, void **ret_self)
{
	*ret_self = (void *)host;
	usleep(800000);
	return 0;
}

static int open_silently_failing(const struct edgesteer_host *host, void **ret_self)
{
	(void)host, (void)ret_self;
	return -1;
}

static int enumerate_silently_failing(void *self)
{
	(void)self;
	return -1;
}

static int enumerate_complaining(void *self)
{
	const struct edgesteer_host *host = self;

	host->report(host, EDGESTEER_ERROR, "/some/file", 7, "an escape \033[31m and a newline\n");
	host->report(host, (enum edgesteer_level)99, NULL, 0, "a level there is none of");
	return 0;
}

static int enumerate_telling_file(void *self)
{
	const struct edgesteer_host *host = self;

	host->report(host, EDGESTEER_NOTE, host->option(host, "file"), 0, "is the file");
	return 0;
}

static int enumerate_for_ever(void *self)
{
	(void)self;
	while (sleep(1) == 0) // no signal comes
		;
	return 0;
}

static int enumerate_nothing(void *self)
{
	(void)self;
	return 0;
}

static const struct edgesteer_prefix documentation = {.family = 4, .length = 24, .address = {198, 51, 100}};

static int open_adding(const struct edgesteer_host *host, void **ret_self)
{
	const struct edgesteer_place place = {.size = sizeof(place), .latitude = NAN};

	*ret_self = (void *)host;
	return host->add(host, &documentation, &place);
}

static int add_pair(void *ctx, const char *key, const char *value)
{
	struct edgesteer_place *place = ctx;

	if (strcmp(key, "stop") == 0)
		return -3;
	if (strcmp(key, "carrier") == 0)
		place->carrier = value;
	else
		place->class_ = value;
	return 0;
}

// A valid one: `facts` for 198.51.100.0/24.
static int enumerate_facts(void *self)
{
	const struct edgesteer_host *host = self;
	struct edgesteer_place place = {.size = sizeof(place), .latitude = NAN};

	if (host->option_map(host, "facts", add_pair, &place) == -3)
		host->report(host, EDGESTEER_NOTE, NULL, 0, "stopped");
	if (host->option(host, "no-such-option"))
		return -1;
	return host->add(host, &documentation, &place);
}

// Adds what the option `what` asks for, and continues whatever the result.
static int enumerate_what(void *self)
{
	static const char long_text[] = "0123456789012345678901234567890123456789012345678901234567890123";
	static const char *const sites[] = {"a", "b", "c", "d", ""};
	const struct edgesteer_host *host = self;
	const char *what = host->option(host, "what");
	struct edgesteer_prefix prefix = documentation;
	struct edgesteer_place place = {.size = sizeof(place), .latitude = NAN};

	if (strcmp(what, "family") == 0)
		prefix.family = 5;
	else if (strcmp(what, "length") == 0)
		prefix.length = 33;
	else if (strcmp(what, "tail") == 0)
		prefix.length = 16;
	else if (strcmp(what, "carrier") == 0)
		place.carrier = long_text;
	else if (strcmp(what, "class") == 0)
		place.class_ = "caf\xc3\xa9";
	else if (strcmp(what, "site") == 0)
		place.site = "\033[31m";
	else if (strcmp(what, "sites") == 0)
		place.sites = sites, place.site_count = 4, place.site = "\033[31m"; // which is not looked at
	else if (strcmp(what, "sites-before-1.6") == 0)
		place.sites = sites, place.site_count = 5, place.size = offsetof(struct edgesteer_place, sites);
	else if (strcmp(what, "sites-five") == 0)
		place.sites = sites, place.site_count = 5;
	else if (strcmp(what, "sites-null") == 0)
		place.site_count = 1;
	else if (strcmp(what, "sites-empty") == 0)
		place.sites = sites + 3, place.site_count = 2;
	else if (strcmp(what, "latitude") == 0)
		place.latitude = 91;
	else if (strcmp(what, "longitude") == 0)
		place.latitude = 9, place.longitude = NAN;
	else if (strcmp(what, "infinity") == 0)
		place.latitude = 9, place.longitude = INFINITY;
	else if (strcmp(what, "size") == 0)
		place.size = 8;
	else if (strcmp(what, "size-almost") == 0)
		place.size = offsetof(struct edgesteer_place, accuracy_km);
	else if (strcmp(what, "size-of-1.0") == 0)
		place.size = offsetof(struct edgesteer_place, accuracy_km) + sizeof(double);
	else if (strcmp(what, "size-of-tomorrow") == 0)
		place.size += 64;
	for (int i = 0; i < 1000; i++)
		(void)host->add(host, strcmp(what, "null-prefix") ? &prefix : NULL, strcmp(what, "null-place") ? &place : NULL);
	return 0;
}

// ---- providers ------------------------------------------------------------------------------------------------------

static const char *const one_address[] = {"192.0.2.1"};
static const struct edgesteer_target one_target = {.size = sizeof(one_target), .key = "one", .app = "a.e.x",
                                                   .site = "us-east-1", .addresses = one_address, .address_count = 1};

static int put_one(const struct edgesteer_host *host)
{
	return host->begin(host) < 0 || host->put(host, &one_target) < 0 ? -1 : 0;
}

// Never returns, and tells more after it was told to stop.
static int provide_for_ever(void *self)
{
	const struct edgesteer_host *host = self;

	put_one(host);
	for (;;) {
		(void)host->commit(host);
		sleep(1);
		put_one(host);
	}
	return 0;
}

// Returns at once: without a commit, every second time after one.
static int provide_hastily(void *self)
{
	static int times;
	const struct edgesteer_host *host = self;

	put_one(host);
	return times++ % 2 == 0 ? host->commit(host) : -1;
}

static int provide_nothing(void *self)
{
	const struct edgesteer_host *host = self;

	while (read(host->stop_fd(host), &(char[8]){0}, 8) < 0)
		usleep(1000);
	return 0;
}

// Breaks the contract in every way there is.
static int provide_wrongly(void *self)
{
	const struct edgesteer_host *host = self;
	struct edgesteer_target target = one_target;
	const struct edgesteer_prefix *prefix = &documentation;

	put_one(host);
	(void)host->commit(host);
	(void)host->put(host, NULL);
	target.size = 8;
	(void)host->put(host, &target);
	target = one_target;
	target.key = target.app = target.site = NULL;
	(void)host->put(host, &target);
	target = one_target;
	target.key = "two";
	target.app = "b.e.x";
	target.address_count = 33;
	(void)host->put(host, &target);
	target.addresses = NULL;
	target.address_count = 1;
	(void)host->put(host, &target);
	target = one_target;
	target.key = "\033[31m";
	(void)host->put(host, &target);
	(void)host->drop(host, NULL);
	(void)host->add(host, prefix, NULL);
	host->source(host, "a \033[31mpart", (enum edgesteer_source)99, NULL);
	host->source(host, "a \033[31mpart", EDGESTEER_SOURCE_AWAY, "why \n not");
	for (int i = 0; i < 1000; i++) {
		char part[2] = {(char)(' ' + i % 90), '\0'};

		host->source(host, part, EDGESTEER_SOURCE_CONNECTING, NULL);
	}
	(void)host->commit(host);
	while (read(host->stop_fd(host), &(char[8]){0}, 8) < 0) // takes what says that it is to stop
		usleep(1000);
	return 0;
}

static const struct edgesteer_option facts_options[] = {
	{"facts", EDGESTEER_MAP, 1, NULL, "What is known."},
	{"file", EDGESTEER_FILE, 0, "/default", NULL},
	{NULL, EDGESTEER_TEXT, 0, NULL, NULL},
};

static const struct edgesteer_option what_options[] = {
	{"what", EDGESTEER_TEXT, 0, "nothing wrong", "What is wrong."},
	{NULL, EDGESTEER_TEXT, 0, NULL, NULL},
};

static const struct edgesteer_option default_options[] = {
	{"file", EDGESTEER_FILE, 0, "beside.csv", NULL},
	{NULL, EDGESTEER_TEXT, 0, NULL, NULL},
};

static const struct edgesteer_option too_many_options[66] = {[0 ... 64] = {"x", EDGESTEER_TEXT, 0, NULL, NULL}};

#define FACE(SYMBOL, NAME, ...) \
	EDGESTEER_PLUGIN(SYMBOL) = {.abi_major = EDGESTEER_PLUGIN_ABI_MAJOR, .size = sizeof(struct edgesteer_plugin), \
	                            .name = NAME, .summary = "a test", __VA_ARGS__}

FACE(good_one, "good-one", .options = facts_options, .open = open_plainly, .enumerate = enumerate_facts);
FACE(what, "what", .options = what_options, .open = open_plainly, .enumerate = enumerate_what);
FACE(beside, "beside", .options = default_options, .open = open_plainly, .enumerate = enumerate_telling_file);
FACE(endless, "endless", .open = open_plainly, .enumerate = enumerate_for_ever);
FACE(mute_open, "mute-open", .open = open_silently_failing, .enumerate = enumerate_nothing);
FACE(mute_list, "mute-list", .open = open_plainly, .enumerate = enumerate_silently_failing);
FACE(complains, "complains", .open = open_plainly, .enumerate = enumerate_complaining);
FACE(early, "early", .open = open_adding, .enumerate = enumerate_nothing);
FACE(many_options, "many-options", .options = too_many_options, .open = open_plainly, .enumerate = enumerate_nothing);
FACE(wrong_name, "right-name", .open = open_plainly, .enumerate = enumerate_nothing);
FACE(no_open, "no-open", .enumerate = enumerate_nothing);
FACE(no_list, "no-list", .open = open_plainly);

FACE(closed, "closed", .open = open_silently_failing, .provide = provide_for_ever);
FACE(stubborn, "stubborn", .open = open_plainly, .provide = provide_for_ever);
FACE(hasty, "hasty", .open = open_plainly, .provide = provide_hastily);
FACE(slow, "slow", .open = open_slowly, .provide = provide_nothing);
FACE(wrong, "wrong", .open = open_plainly, .provide = provide_wrongly);

EDGESTEER_PLUGIN(wrong_abi) = {.abi_major = EDGESTEER_PLUGIN_ABI_MAJOR + 1, .size = sizeof(struct edgesteer_plugin),
                               .name = "wrong-abi", .open = open_plainly, .enumerate = enumerate_nothing};
EDGESTEER_PLUGIN(too_small) = {.abi_major = EDGESTEER_PLUGIN_ABI_MAJOR, .size = 16, .name = "too-small"};
