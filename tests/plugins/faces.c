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

EDGESTEER_PLUGIN(wrong_abi) = {.abi_major = EDGESTEER_PLUGIN_ABI_MAJOR + 1, .size = sizeof(struct edgesteer_plugin),
                               .name = "wrong-abi", .open = open_plainly, .enumerate = enumerate_nothing};
EDGESTEER_PLUGIN(too_small) = {.abi_major = EDGESTEER_PLUGIN_ABI_MAJOR, .size = 16, .name = "too-small"};
