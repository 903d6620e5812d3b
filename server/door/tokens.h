// The file of tokens: who they let in, and for what. Of a token only its SHA-256 is kept. For keys.c and door.c.
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

struct report;
struct tokens;

enum {
	TOKENS_MAX = 1000,
	TOKENS_FILE_MAX = 1 << 20, // octets, as the next ones
	TOKEN_LEN_MIN = 16,
	TOKEN_LEN_MAX = 256,
	TOKENS_NAME_MAX = 63,
	TOKENS_VANTAGES_MAX = 255, // of all patterns of a token, with the commas
};

// Reads the text of a file, with lines "SCOPE[,SCOPE...] NAME TOKEN [vantage=PATTERN[,PATTERN...]]". `file` is for
// messages. E_INVAL: a line is wrong, all of which are reported, without what is in them; E_NOMEM. The caller frees it with
// tokens_free().
int tokens_read(char *text, const char *file, struct report *report, struct tokens **ret_tokens) MUST_USE;
// Takes NULL; returns NULL.
struct tokens *tokens_free(struct tokens *tokens);

// The set of enum verbs_scope that the token gives; 0: it is not in the file. *ret_name is whose it is, owned by `tokens`.
// Takes the same time whichever it is.
unsigned tokens_scopes(const struct tokens *tokens, const char *token, size_t len, const char **ret_name);

// What a scope's word gives, 0: it is none.
unsigned tokens_scope_of(const char *word, size_t len) PURE;

// Whether a token of the scope `report` may speak for a vantage, NULL: for others than vantages. One that the file binds to
// patterns of vantages may for those that match, and for nobody else; what is in several lines may what any of them says.
bool tokens_speaks_for(const struct tokens *tokens, const char *token, size_t len, const char *vantage);
