// Entries of the book as text, to be kept in the store, with times of the wall clock: there is no other over a restart.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "learn/book.h"

enum { SAVED_TEXT_LEN = 768 };

// One line of fields with a tab between each, into buf[SAVED_TEXT_LEN], which it returns. The wall clock is ahead of the book's
// by `stepped_s`.
const char *saved_format(const struct book *book, const struct book_entry *entry, int64_t stepped_s, char *buf);
// The inverse, of the entry of a prefix as text. E_INVAL: it is not what saved_format() wrote; E_LIMIT, E_NOMEM. Names are
// added to the book.
int saved_parse(struct book *book, const char *prefix, const char *text, struct book_entry *ret_entry) MUST_USE;
// Makes an entry that was read back one of the book, of which `now_s` is the time, and whose clock the wall's is ahead of by
// `stepped_s`. What was heard in the future was heard by a clock that has been set back since: it serves on, but is to be asked
// about, and grows old from now on. Returns whether that is so, and the row is to be written again.
bool saved_settle(struct book_entry *entry, int64_t now_s, int64_t stepped_s);
