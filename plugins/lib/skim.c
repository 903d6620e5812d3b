// Cuts JSON documents out of a stream; see skim.h.
#include "skim.h"

#include <stdlib.h>
#include <string.h>

void skim_begin(struct skim *skim, const struct skim_limits *limits)
{
	*skim = (struct skim){.limits = *limits};
}

void skim_end(struct skim *skim)
{
	free(skim->kept);
	skim->kept = NULL;
	skim->len = skim->cap = 0;
	skim->depth = 0;
}

int skim_amid(const struct skim *skim)
{
	return skim->depth > 0;
}

// Room for `more` octets, and for the null of what is left out.
static int reserve(struct skim *skim, size_t more)
{
	size_t need = skim->len + more + 16, cap = skim->cap ? skim->cap : 4096;

	if (need <= skim->cap)
		return 0;
	while (cap < need)
		cap *= 2;

	char *kept = realloc(skim->kept, cap);

	if (!kept)
		return SKIM_NOMEM;
	skim->kept = kept;
	skim->cap = cap;
	return 0;
}

static void keep(struct skim *skim, char c)
{
	if (!skim->skipping)
		skim->kept[skim->len++] = c;
}

static void begin_text(struct skim *skim)
{
	skim->in = SKIM_TEXT;
	skim->text_cut = 0;
	skim->text_start = skim->len;
	skim->text_len = 0;
	keep(skim, '"');
}

static void within_text(struct skim *skim, char c)
{
	if (skim->in == SKIM_ESCAPE)
		skim->in = SKIM_TEXT;
	else if (c == '\\')
		skim->in = SKIM_ESCAPE;
	else if (c == '"')
		skim->in = SKIM_BETWEEN;
	skim->huge += ++skim->text_len == skim->limits.huge;
	if (!skim->text_cut || skim->in == SKIM_BETWEEN)
		keep(skim, c);
	if (!skim->skipping && !skim->text_cut && skim->len - skim->text_start > skim->limits.text + 2) {
		skim->len = skim->text_start + 1;
		skim->text_cut = 1;
		skim->left_out++;
		if (skim->in == SKIM_BETWEEN)
			keep(skim, '"');
	}
}

static int open_bracket(struct skim *skim, char c)
{
	if (skim->depth == SKIM_DEPTH_MAX || (skim->depth == 0 && c != '{'))
		return SKIM_GARBAGE;
	skim->starts[++skim->depth] = skim->len;
	keep(skim, c);
	return 0;
}

static void close_bracket(struct skim *skim, char c)
{
	keep(skim, c);
	if (skim->skipping == skim->depth) {
		skim->skipping = 0;
		memcpy(skim->kept + skim->len, "null", 4);
		skim->len += 4;
	}
	skim->depth--;
}

// Leaves out the innermost object or array when it has grown too long.
static void limit_nested(struct skim *skim)
{
	if (skim->skipping || skim->depth <= skim->limits.level ||
	    skim->len - skim->starts[skim->depth] <= skim->limits.nested)
		return;
	skim->len = skim->starts[skim->depth];
	skim->skipping = skim->depth;
	skim->left_out++;
	skim->huge++;
}

static int between(struct skim *skim, char c)
{
	if (c == ' ' || c == '\n' || c == '\r' || c == '\t')
		return 0;
	if (c == '{' || c == '[')
		return open_bracket(skim, c);
	if (skim->depth == 0)
		return SKIM_GARBAGE;
	if (c == '"')
		begin_text(skim);
	else if (c == '}' || c == ']')
		close_bracket(skim, c);
	else
		keep(skim, c);
	return 0;
}

static int finish(struct skim *skim, int (*each)(void *ctx, const char *json, size_t len), void *ctx)
{
	int err = each(ctx, skim->kept, skim->len);

	skim->len = 0;
	skim->raw = 0;
	skim->left_out = skim->huge = 0;
	return err;
}

int skim_feed(struct skim *skim, const char *bytes, size_t len,
              int (*each)(void *ctx, const char *json, size_t len), void *ctx)
{
	int err = reserve(skim, len);

	for (size_t i = 0; i < len && err == 0; i++) {
		if (skim->in != SKIM_BETWEEN)
			within_text(skim, bytes[i]);
		else if ((err = between(skim, bytes[i])) < 0)
			break;
		limit_nested(skim);
		if (skim->depth && (++skim->raw > skim->limits.raw || skim->len > skim->limits.document))
			err = SKIM_LARGE;
		else if (!skim->depth && skim->len)
			err = finish(skim, each, ctx);
	}
	return err;
}
