// What the functions that read a config share while it is read: the tree, the place in it for messages, what is being
// filled. Lives on the loader's stack. Nothing here outlives a load but what stands in the arena.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attr.h"
#include "schema/mark.h"

struct report;
struct yaml_tree;

enum { READER_PATH_MAX = 256, READER_QUOTE_MAX = 96 };

struct reader {
	struct arena *arena;
	struct report *report;
	const struct yaml_tree *yaml;
	const char *file;           // absolute path of the file read: relative paths in it begin in its folder
	void *context;              // of the functions that the rows name; the engine does not look into it
	struct mark here;           // of the value being read
	char path[READER_PATH_MAX]; // "apps.app.example.com.ttl"
	size_t path_len;
	int err;                    // E_NOMEM is kept here; everything else is in the report
};

// Where the reader was, to go back to.
struct reader_place {
	struct mark here;
	size_t path_len;
};

// Steps into a member of a mapping or an element of a list, and back.
struct reader_place reader_enter_key(struct reader *reader, const json_t *object, const char *key);
struct reader_place reader_enter_item(struct reader *reader, const json_t *array, size_t index);
void reader_leave(struct reader *reader, struct reader_place place);

// Adds "FILE:LINE:COLUMN: key.path: text" to the report.
void reader_error(struct reader *reader, const char *fmt, ...) PRINTF(2, 3);
void reader_warning(struct reader *reader, const char *fmt, ...) PRINTF(2, 3);
// The same for a member of the mapping the reader stands in, at the member's key.
void reader_error_at(struct reader *reader, const json_t *object, const char *key, const char *fmt, ...) PRINTF(4, 5);
// False when so much is wrong already that help with it ("did you mean") is not worth its time.
bool reader_may_help(const struct reader *reader);

// The text for a message: in backquotes, cut, control characters replaced. In buf[READER_QUOTE_MAX], returned.
const char *reader_quote(const char *text, char *buf);
// The value for a message: its text quoted, or "a list", "a mapping", "nothing".
const char *reader_quote_value(const json_t *value, char *buf);
// "", or ", did you mean `WORD`?" in buf[READER_QUOTE_MAX], returned.
const char *reader_did_you_mean(const char *word, char *buf);

// Memory from the arena; NULL after setting reader->err.
void *reader_take(struct reader *reader, size_t count, size_t size);
char *reader_strdup(struct reader *reader, const char *text);
// A path as written, made absolute; NULL as above.
const char *reader_path(struct reader *reader, const char *written);
// The same without a reader: relative ones begin in the folder of `file`, an absolute path. In `arena`; NULL without
// memory.
const char *reader_path_beside(struct arena *arena, const char *file, const char *written);

// The number of a name in one of the reader's dictionaries, or -1.
int reader_find(const json_t *names, const char *name);
// Gives a name a number. False when it has one already.
bool reader_number(struct reader *reader, json_t *names, const char *name, size_t number);
