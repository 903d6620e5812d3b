// Reads ctl.yaml; see groups.h.
#include "client/groups.h"

#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/infile.h"
#include "base/must.h"
#include "base/nearest.h"
#include "base/report.h"
#include "client/fault.h"
#include "client/member.h"
#include "client/print.h"
#include "client/url.h"
#include "schema/list.h"
#include "schema/schema.h"
#include "schema/text.h"
#include "schema/yaml.h"

#define FILE_NAME               "edgesteer/ctl.yaml"
#define ROWS(rows)              .options = rows, .option_count = ARRAY_LEN(rows)
#define FIELD(type, name)       .offset = offsetof(struct type, name), .size = sizeof(((struct type *)0)->name)
#define LIST(type, name, count) FIELD(type, name), .count_offset = offsetof(struct type, count)

enum { FILE_MAX = 1 << 20, FILE_NODES_MAX = 1 << 16 };

struct group {
	const char *name;
	struct client_member with; // what its members have that say nothing else
	struct client_member *members;
	size_t count;
};

struct ctl_file {
	const char *fallback; // the default group
	struct group *groups;
	size_t count;
};

// ---- options --------------------------------------------------------------------------------------------------------

static void name_member(struct reader *reader, const char *name, void *entry)
{
	struct client_member *member = entry;

	if (!text_is_word(name))
		reader_error(reader, "is no name: expected up to %d letters, digits, '-', '_' and '.'", TEXT_WORD_MAX);
	member->name = reader_strdup(reader, name);
}

static void name_group(struct reader *reader, const char *name, void *entry)
{
	struct group *group = entry;

	if (!text_is_word(name))
		reader_error(reader, "is no name: expected up to %d letters, digits, '-', '_' and '.'", TEXT_WORD_MAX);
	group->name = reader_strdup(reader, name);
}

static bool has_files(const struct client_member *member)
{
	return member->ca_file || member->token_file || member->cert || member->key;
}

static void check_pair(struct reader *reader, const struct value *object, const struct client_member *member)
{
	if (!member->cert != !member->key)
		reader_error_at(reader, value_get(object, member->cert ? "cert" : "key"), "`cert` and `key` go together");
}

static void finish_member(struct reader *reader, struct value *object, void *entry)
{
	struct client_member *member = entry;
	const char *wrong = !member->url                 ? NULL
	                    : client_url_is(member->url) ? client_url_fault(member->url)
	                                                 : "is not https://HOST:PORT";

	if (!member->socket == !member->url)
		reader_error_at(reader, NULL,
		                member->url ? "has a `socket` and a `url`, expected one of them"
		                            : "has neither a `socket` nor a `url`, expected one of them");
	else if (member->socket && has_files(member))
		reader_error_at(reader, NULL,
		                "`ca-file`, `token-file`, `cert` and `key` are for a `url`, and it has a `socket`");
	if (wrong)
		reader_error_at(reader, value_get(object, "url"), "%s", wrong);
	else if (member->url)
		member->url = client_url_trim(reader->arena, member->url);
	check_pair(reader, object, member);
}

static const char *either(const char *own, const char *common)
{
	return own ? own : common;
}

static void finish_group(struct reader *reader, struct value *object, void *entry)
{
	struct group *group = entry;
	const struct client_member *with = &group->with;

	check_pair(reader, object, with);
	for (size_t i = 0; i < group->count; i++) {
		struct client_member *member = &group->members[i];

		for (size_t j = 0; j < i; j++) {
			const struct client_member *other = &group->members[j];

			if ((member->url && other->url && strcmp(member->url, other->url) == 0) ||
			    (member->socket && other->socket && strcmp(member->socket, other->socket) == 0))
				reader_error_at(reader, NULL, "has one daemon twice, as %s and as %s", other->name, member->name);
		}
		if (!member->url)
			continue;
		member->ca_file = either(member->ca_file, with->ca_file);
		member->token_file = either(member->token_file, with->token_file);
		member->key = either(member->key, member->cert ? NULL : with->key);
		member->cert = either(member->cert, with->cert);
	}
	if (group->count == 0)
		reader_error_at(reader, NULL, "has no members");
}

static const struct option member_rows[] = {
	{"socket", &text_path, FIELD(client_member, socket)},
	{"url", &text_any, FIELD(client_member, url)},
	{"ca-file", &text_path, FIELD(client_member, ca_file)},
	{"token-file", &text_path, FIELD(client_member, token_file)},
	{"cert", &text_path, FIELD(client_member, cert)},
	{"key", &text_path, FIELD(client_member, key)},
};

static const struct schema member_schema = {
	.path = "groups.NAME.members.NAME",
	ROWS(member_rows),
	.size = sizeof(struct client_member),
	.names = "a name",
	.max_entries = CLIENT_MEMBERS_MAX,
	.name = name_member,
	.finish = finish_member,
};

static const struct option group_rows[] = {
	{"ca-file", &text_path, FIELD(group, with.ca_file)},
	{"token-file", &text_path, FIELD(group, with.token_file)},
	{"cert", &text_path, FIELD(group, with.cert)},
	{"key", &text_path, FIELD(group, with.key)},
	{"members", &schema_map, .required = true, .schema = &member_schema, LIST(group, members, count)},
};

static const struct schema group_schema = {
	.path = "groups.NAME",
	ROWS(group_rows),
	.size = sizeof(struct group),
	.names = "a name",
	.max_entries = CLIENT_GROUPS_MAX,
	.name = name_group,
	.finish = finish_group,
};

static const struct option file_rows[] = {
	{"default", &text_word, FIELD(ctl_file, fallback)},
	{"groups", &schema_map, .required = true, .schema = &group_schema, LIST(ctl_file, groups, count)},
};

static const struct group *find_group(const struct ctl_file *file, const char *name)
{
	for (size_t i = 0; i < file->count; i++)
		if (strcmp(file->groups[i].name, name) == 0)
			return &file->groups[i];
	return NULL;
}

static const char *meant_group(const struct ctl_file *file, const char *name, char *buf)
{
	struct nearest nearest = nearest_begin(name);

	for (size_t i = 0; i < file->count; i++)
		nearest_offer(&nearest, file->groups[i].name);
	return nearest_meant(&nearest, '\'', buf);
}

static void finish_file(struct reader *reader, struct value *object, void *entry)
{
	struct ctl_file *file = entry;
	char meant[NEAREST_MEANT_MAX];

	for (size_t i = 0; i < file->count; i++)
		if (!file->groups[i].name)
			return; // out of memory
	if (file->fallback && !find_group(file, file->fallback))
		reader_error_at(reader, value_get(object, "default"), "`groups` has no '%s'%s", file->fallback,
		                meant_group(file, file->fallback, meant));
}

static const struct schema file_schema = {
	.path = "", ROWS(file_rows), .size = sizeof(struct ctl_file), .finish = finish_file};

// ---- the file -------------------------------------------------------------------------------------------------------

// Its path, in the arena; NULL: there is no home.
static const char *find_path(struct arena *arena)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME"), *below = "/.config/";
	const struct passwd *user = home && home[0] == '/' ? NULL : getpwuid(getuid());
	char *path = NULL;

	if (user)
		home = user->pw_dir;
	if (config && config[0] == '/') { // the specification has relative ones ignored
		home = config;
		below = "/";
	}
	if (!home || home[0] != '/')
		return NULL;
	must(asprintf(&path, "%s%s%s", home, below, FILE_NAME) >= 0);

	char *copy = arena_strdup(arena, path);

	must(copy);
	free(path);
	return copy;
}

static void print_error(void *ctx, enum report_level level, const char *text)
{
	(void)ctx;
	(void)level;
	client_print(stderr, "edgesteerctl: %s\n", text);
}

static int read_text(struct reader *reader, const struct value_file *source, const char *text, size_t len,
                     struct ctl_file *file)
{
	struct yaml_budget budget = {FILE_MAX, FILE_NODES_MAX};
	struct yaml_tree *tree = NULL;
	int err = yaml_tree_parse(source, text, len, &budget, reader->report, &tree);

	if (err == E_OK)
		schema_read(reader, &file_schema, yaml_tree_root(tree), file);
	yaml_tree_free(tree);
	return err < 0 ? err : reader->err < 0 ? reader->err : report_ok(reader->report) ? E_OK : E_INVAL;
}

// 1: the file is read; 0: there is none; -1: the fault says why, or errors have been printed.
static int load(const char *path, struct arena *arena, struct ctl_file *file, struct client_fault *fault)
{
	const struct value_file source = {path, path};
	struct report *report = report_new();
	struct reader reader = {.arena = arena, .report = report, .file = path, .here = {.file = path}};
	char why[INFILE_WHY_LEN], *text = NULL;
	struct stat status;
	size_t len = 0;
	int fd = -1, err = infile_open(path, &fd, why);

	must(report);
	if (err < 0 && (errno == ENOENT || errno == ENOTDIR)) {
		report_free(report);
		return 0;
	}
	// Who can write to it says where the tokens go.
	if (err == E_OK && (fstat(fd, &status) < 0 || status.st_mode & S_IWOTH)) {
		snprintf(why, sizeof(why), "can be written by everybody: chmod o-w it");
		err = E_INVAL;
	}
	if (err == E_OK)
		err = infile_read_fd(fd, FILE_MAX, &text, &len, why);
	if (fd >= 0)
		close(fd);
	if (err < 0) {
		client_fault(fault, false, "%s %s", path, why);
	} else {
		err = read_text(&reader, &source, text, len, file);
		report_each(report, print_error, NULL);
		fault->text[0] = '\0';
	}
	free(text);
	report_free(report);
	return err < 0 ? -1 : 1;
}

int client_groups_find(const char *name, struct arena *arena, struct client_members *ret_members,
                       struct client_fault *fault)
{
	const char *path = find_path(arena);
	struct ctl_file file = {0};
	int found = path ? load(path, arena, &file, fault) : 0;
	const struct group *group;
	char meant[NEAREST_MEANT_MAX];

	if (found < 0)
		return -1;
	if (found == 0 && name)
		return client_fault(fault, false, "there is no group '%s': %s does not exist", name,
		                    path ? path : "~/.config/" FILE_NAME);
	if (!name && !file.fallback)
		return 0;
	group = find_group(&file, name ? name : file.fallback);
	if (!group)
		return client_fault(fault, false, "%s has no group '%s'%s", path, name, meant_group(&file, name, meant));
	*ret_members = (struct client_members){group->members, group->count, true};
	return 1;
}
