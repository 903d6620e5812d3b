// Reading tokens and comparing them; see tokens.h.
#include "door/tokens.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/report.h"
#include "base/wildcard.h"
#include "control/verbs.h"

#define BLANKS " \t\r"
#define HASHED "sha256:"
#define BOUND "vantage="

struct token {
	unsigned scopes;
	uint8_t digest[SHA256_DIGEST_LENGTH];
	char name[TOKENS_NAME_MAX + 1];
	char vantages[TOKENS_VANTAGES_MAX + 1]; // patterns for `report`, with commas between them; "": any vantage
};

struct tokens {
	size_t count;
	struct token tokens[TOKENS_MAX];
};

unsigned tokens_scope_of(const char *word, size_t len)
{
	static const struct {
		const char *word;
		unsigned scopes;
	} rows[] = {
		{"read", VERBS_READ},
		{"report", VERBS_REPORT},
		{"operate", VERBS_OPERATE | VERBS_READ}, // who drains must see what it does
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (strlen(rows[i].word) == len && memcmp(rows[i].word, word, len) == 0)
			return rows[i].scopes;
	return 0;
}

// 0: a word is no scope.
static unsigned scopes_of(const char *list)
{
	unsigned scopes = 0;

	for (size_t len; *list; list += len + (list[len] == ',')) {
		unsigned scope;

		len = strcspn(list, ",");
		scope = tokens_scope_of(list, len);
		if (!scope)
			return 0;
		scopes |= scope;
	}
	return scopes;
}

// False: it is not what a "sha256:" is followed by.
static bool read_digest(const char *hex, uint8_t *digest)
{
	if (strlen(hex) != 2 * SHA256_DIGEST_LENGTH || hex[strspn(hex, "0123456789abcdefABCDEF")] != '\0')
		return false;
	for (size_t i = 0; i < SHA256_DIGEST_LENGTH; i++) {
		char pair[3] = {hex[2 * i], hex[2 * i + 1]};

		digest[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return true;
}

// The fourth word of a line: for whom its token may speak. What is wrong with it, NULL: nothing.
static const char *read_bound(const char *word, struct token *token)
{
	const char *list = word + sizeof(BOUND) - 1;

	if (strncmp(word, BOUND, sizeof(BOUND) - 1) != 0)
		return "is not SCOPE[,SCOPE...] NAME TOKEN [vantage=PATTERN[,PATTERN...]]";
	if (!(token->scopes & VERBS_REPORT))
		return "has a `vantage=` without the scope `report`";
	if (strlen(list) > TOKENS_VANTAGES_MAX)
		return "has a `vantage=` that is longer than 255 octets";
	for (const char *at = list;; at++) {
		size_t len = strcspn(at, ",");

		if (len == 0)
			return "has an empty pattern in its `vantage=`";
		at += len;
		if (!*at)
			break;
	}
	snprintf(token->vantages, sizeof(token->vantages), "%s", list);
	return NULL;
}

// What is wrong with a line, NULL: nothing.
static const char *read_line(char *line, struct token *token)
{
	char *rest = NULL, *scopes = strtok_r(line, BLANKS, &rest), *name = strtok_r(NULL, BLANKS, &rest);
	const char *secret = strtok_r(NULL, BLANKS, &rest), *bound = strtok_r(NULL, BLANKS, &rest), *wrong;
	size_t len = secret ? strlen(secret) : 0;

	if (!secret || (bound && strtok_r(NULL, BLANKS, &rest)))
		return "is not SCOPE[,SCOPE...] NAME TOKEN [vantage=PATTERN[,PATTERN...]]";
	token->scopes = scopes_of(scopes);
	if (!token->scopes)
		return "begins with something that is no scope, expected read, report or operate, or several with commas";
	if (strlen(name) > TOKENS_NAME_MAX)
		return "has a name that is longer than 63 octets";
	snprintf(token->name, sizeof(token->name), "%s", name);
	token->vantages[0] = '\0';
	wrong = bound ? read_bound(bound, token) : NULL;
	if (wrong)
		return wrong;
	if (strncmp(secret, HASHED, sizeof(HASHED) - 1) == 0)
		return read_digest(secret + sizeof(HASHED) - 1, token->digest) ? NULL : "has a `sha256:` without 64 hexadecimal digits";
	if (len < TOKEN_LEN_MIN || len > TOKEN_LEN_MAX)
		return "has a token that is not 16 to 256 octets long";
	SHA256((const unsigned char *)secret, len, token->digest);
	return NULL;
}

_Static_assert(TOKENS_NAME_MAX == 63 && TOKEN_LEN_MIN == 16 && TOKEN_LEN_MAX == 256 && TOKENS_VANTAGES_MAX == 255,
               "as read_line() says");

int tokens_read(char *text, const char *file, struct report *report, struct tokens **ret_tokens)
{
	struct tokens *tokens = calloc(1, sizeof(*tokens));
	size_t number = 0;
	bool good = tokens != NULL;
	char *next = text;

	for (char *line; tokens && (line = strsep(&next, "\n"));) {
		const char *wrong;

		number++;
		line += strspn(line, BLANKS);
		if (*line == '#' || *line == '\0')
			continue;
		wrong = tokens->count < TOKENS_MAX ? read_line(line, &tokens->tokens[tokens->count])
		                                   : "is one token too many, expected at most 1000";
		if (wrong)
			report_error(report, file, number, 0, "%s", wrong);
		good = good && !wrong;
		if (wrong && tokens->count == TOKENS_MAX)
			break;
		tokens->count += !wrong;
	}
	if (good) {
		*ret_tokens = tokens;
		return E_OK;
	}
	tokens_free(tokens);
	return tokens ? E_INVAL : E_NOMEM;
}

_Static_assert(TOKENS_MAX == 1000, "as tokens_read() says");

struct tokens *tokens_free(struct tokens *tokens)
{
	free(tokens);
	return NULL;
}

unsigned tokens_scopes(const struct tokens *tokens, const char *token, size_t len, const char **ret_name)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	unsigned scopes = 0;

	SHA256((const unsigned char *)token, len, digest);
	for (size_t i = 0; i < tokens->count; i++) {
		if (CRYPTO_memcmp(digest, tokens->tokens[i].digest, sizeof(digest)) != 0)
			continue;
		scopes |= tokens->tokens[i].scopes;
		*ret_name = tokens->tokens[i].name;
	}
	return scopes;
}

static bool is_bound_to(const struct token *token, const char *vantage)
{
	for (const char *at = token->vantages; *at;) {
		size_t len = strcspn(at, ",");

		if (wildcard_match(at, len, vantage))
			return true;
		at += len + (at[len] == ',');
	}
	return false;
}

bool tokens_speaks_for(const struct tokens *tokens, const char *token, size_t len, const char *vantage)
{
	uint8_t digest[SHA256_DIGEST_LENGTH];
	bool may = false;

	SHA256((const unsigned char *)token, len, digest);
	for (size_t i = 0; i < tokens->count; i++) {
		const struct token *known = &tokens->tokens[i];

		if (CRYPTO_memcmp(digest, known->digest, sizeof(digest)) == 0 && known->scopes & VERBS_REPORT)
			may = may || !known->vantages[0] || (vantage && is_bound_to(known, vantage));
	}
	return may;
}
