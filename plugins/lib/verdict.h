// What came of a question to a service, as it is put together before the host is told: with copies of all text, checked.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "edgesteer-plugin.h"
#include "https.h"

enum { VERDICT_SITES_MAX = 4, VERDICT_SITE_SIZE = 64, VERDICT_TEXT_SIZE = 160 };

struct verdict {
	enum edgesteer_outcome outcome; // of EDGESTEER_FOUND there is a site at least
	unsigned retry_s, lifetime_s;
	size_t site_count;
	char sites[VERDICT_SITES_MAX][VERDICT_SITE_SIZE]; // different, best first
	char carrier[VERDICT_SITE_SIZE], class_[VERDICT_SITE_SIZE]; // "": nothing is said
	char text[VERDICT_TEXT_SIZE];   // "": none
};

// Sets outcome and text. What comes from the service goes through verdict_quote() first.
void verdict_set(struct verdict *verdict, enum edgesteer_outcome outcome, const char *fmt, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 3, 4)))
#endif
    ;

// The beginning of a text of a service's as it may be shown: printable, and without anything as long as a token, which
// it may repeat. Returns `buf`.
enum { VERDICT_QUOTE_SIZE = 80 };
const char *verdict_quote(char buf[static VERDICT_QUOTE_SIZE], const char *text);

// Sets what follows from a reply of which no more is known than its status, or that there is none. `code` is what its
// body says in a word or a few, NULL: nothing; a 404 then asks whether the option `url` is right.
//
//   no reply     timeout: TIMEOUT; a certificate: DENIED; else BROKEN
//   429, 503     BUSY, with the time of Retry-After
//   401, 403     DENIED
//   408, 504     TIMEOUT
//   else         BROKEN; a redirect too
void verdict_of_reply(struct verdict *verdict, const struct https_result *result, const char *code, const char *url);

// Adds a site, unless it is there, or four are. A text that cannot be a name is passed over.
void verdict_add_site(struct verdict *verdict, const char *site);
// What the option `sites` has for a key; NULL: nothing.
const char *verdict_mapped(const struct edgesteer_host *host, const char *key);
// FOUND when there are sites, else NOT_FOUND with the text.
void verdict_conclude(struct verdict *verdict, const char *text);

// Tells the host.
void verdict_answer(const struct verdict *verdict, const struct edgesteer_host *host, uint64_t id);
