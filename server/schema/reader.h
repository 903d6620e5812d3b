// The state shared by the functions that read a config: the tree, the position in it for messages, the arena for
// results. Lives on the loader's stack; only what is in the arena outlives a load.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/arena.h"
#include "base/attr.h"
#include "schema/value.h"

struct dict;
struct report;

enum { READER_PATH_MAX = 256, READER_QUOTE_MAX = 96 };

struct reader {
	struct arena *arena;
	struct report *report;
	const char *file;           // absolute path of the file with that value: relative paths in it start in its folder
	void *context;              // for the functions that the rows name; opaque to schema/
	struct mark here;           // of the value being read
	char path[READER_PATH_MAX]; // "apps.app.example.com.ttl"
	size_t path_len;
	int err;                    // E_NOMEM, or E_OK: all other errors are in the report
};

// A position of the reader, to return to.
struct reader_place {
	struct mark here;
	const char *file;
	size_t path_len;
};

// Step into a member of a mapping or an element of a list, and back to a place from before.
struct reader_place reader_place(const struct reader *reader);
void reader_enter_key(struct reader *reader, const struct value *member);
void reader_enter_item(struct reader *reader, const struct value *element, size_t index);
void reader_leave(struct reader *reader, struct reader_place place);

// Adds "FILE:LINE:COLUMN: key.path: text" to the report.
void reader_error(struct reader *reader, const char *fmt, ...) PRINTF(2, 3);
void reader_warning(struct reader *reader, const char *fmt, ...) PRINTF(2, 3);
// The same for a member of the mapping at the reader's position, at the member's key. NULL: at the mapping.
void reader_error_at(struct reader *reader, const struct value *member, const char *fmt, ...) PRINTF(3, 4);
// False after so many errors that help ("did you mean") is not worth the time it takes.
bool reader_may_help(const struct reader *reader);

// Writes text for a message into buf[READER_QUOTE_MAX]: in backquotes, cut, cleaned. Returns buf.
const char *reader_quote(const char *text, char *buf);
// A value for a message: its text quoted in buf[READER_QUOTE_MAX], or "a list", "a mapping", "nothing".
const char *reader_quote_value(const struct value *value, char *buf);

// Allocates from the arena: `count` zeroed elements of `size` octets, and a copy of a string. NULL after setting
// reader->err.
void *reader_take(struct reader *reader, size_t count, size_t size);
char *reader_strdup(struct reader *reader, const char *text);
// A path from the config made absolute; NULL as above.
const char *reader_path(struct reader *reader, const char *written);
// The same without a reader: a relative path starts in the folder of `file`, which is absolute. In `arena`; NULL when
// out of memory.
const char *reader_path_beside(struct arena *arena, const char *file, const char *written);

// The number of a name in one of the reader's dictionaries, or -1.
int reader_find(const struct dict *names, const char *name);
// Numbers a name, which must outlive the dictionary. False when it has a number already, or after setting reader->err.
bool reader_number(struct reader *reader, struct dict *names, const char *name, size_t number);
