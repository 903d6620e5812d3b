// Entries of the book as text, to be kept in the store.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"
#include "learn/book.h"

enum { SAVED_TEXT_LEN = 768 };

// One line of fields with a tab between each, into buf[SAVED_TEXT_LEN], which it returns.
const char *saved_format(const struct book *book, const struct book_entry *entry, char *buf);
// The inverse, of the entry of a prefix as text. E_INVAL: it is not what saved_format() wrote; E_LIMIT, E_NOMEM. Names are
// added to the book.
int saved_parse(struct book *book, const char *prefix, const char *text, struct book_entry *ret_entry) MUST_USE;
