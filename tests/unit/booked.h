// A book's prefixes by number, for the tests of it.
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/err.h"
#include "learn/book.h"

// Client `host` of the prefix number `prefix`, 10.x.y.0/24.
static struct addr client(unsigned prefix, unsigned host)
{
	return (struct addr){.family = ADDR_V4, .bytes = {10, (uint8_t)(prefix >> 8), (uint8_t)prefix, (uint8_t)host}};
}

static enum opinion_outcome hear(struct book *book, unsigned prefix, unsigned host, uint16_t site, int64_t now_s)
{
	struct book_sample sample = {client(prefix, host), {.sites = {site}}, 1, 0, 100};
	enum opinion_outcome outcome;

	assert_int_equal(book_hear(book, &sample, now_s, &outcome), E_OK);
	return outcome;
}

static const struct book_entry *entry_of(const struct book *book, unsigned prefix)
{
	struct addr addr = client(prefix, 0);
	struct prefix wanted = book_prefix(book, &addr);

	return book_find(book, &wanted);
}

// The site that is answered; 0: the table speaks.
static unsigned held(const struct book *book, unsigned prefix)
{
	const struct book_entry *entry = entry_of(book, prefix);

	return entry && entry->opinion.has_held ? entry->opinion.held.sites[0] : 0;
}
