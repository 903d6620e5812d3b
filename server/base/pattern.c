// PCRE2's own limit of steps begins anew at each octet where the pattern may begin (pcre2api(3)), so that 64 Ki octets could
// cost 64 Ki times as much. So a callout before every item counts the work of the whole search: one for itself, and one for
// each octet between this item and the one before. See pattern.h.
#include "base/pattern.h"

#define PCRE2_CODE_UNIT_WIDTH 8

#include <pcre2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"

struct pattern {
	pcre2_code *code;
};

struct work {
	uint64_t done;
	size_t at; // where the last item began, in octets
};

struct pattern *pattern_free(struct pattern *pattern)
{
	if (pattern)
		pcre2_code_free(pattern->code);
	free(pattern);
	return NULL;
}

static int explain(int error, size_t at, char why[static PATTERN_WHY_LEN])
{
	char text[PATTERN_WHY_LEN / 2];

	if (error == PCRE2_ERROR_HEAP_FAILED)
		return E_NOMEM;
	pcre2_get_error_message(error, (PCRE2_UCHAR *)text, sizeof(text));
	snprintf(why, PATTERN_WHY_LEN, "is no regular expression from its character %zu on: %s, expected one of PCRE2", at + 1, text);
	return E_INVAL;
}

int pattern_new(const char *text, struct pattern **ret_pattern, char why[static PATTERN_WHY_LEN])
{
	const uint32_t options = PCRE2_AUTO_CALLOUT | PCRE2_NEVER_UTF | PCRE2_NEVER_UCP | PCRE2_NEVER_BACKSLASH_C;
	struct pattern *pattern = calloc(1, sizeof(*pattern));
	uint32_t references = 0;
	int error = 0;
	size_t at = 0;

	if (!pattern)
		return E_NOMEM;
	pattern->code = pcre2_compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED, options, &error, &at, NULL);
	if (!pattern->code) {
		free(pattern);
		return explain(error, at, why);
	}
	pcre2_pattern_info(pattern->code, PCRE2_INFO_BACKREFMAX, &references);
	if (references > 0) {
		snprintf(why, PATTERN_WHY_LEN, "has a back reference, expected a regular expression without any");
		pattern_free(pattern);
		return E_INVAL;
	}
	*ret_pattern = pattern;
	return E_OK;
}

static int on_item(pcre2_callout_block *block, void *ctx)
{
	struct work *work = ctx;
	size_t at = block->current_position;

	work->done += 1 + (at > work->at ? at - work->at : work->at - at);
	work->at = at;
	return work->done > PATTERN_WORK_MAX ? PCRE2_ERROR_MATCHLIMIT : 0;
}

int pattern_search(const struct pattern *pattern, const char *octets, size_t len, uint64_t *ret_work)
{
	pcre2_match_data *data = pcre2_match_data_create(1, NULL);
	pcre2_match_context *context = pcre2_match_context_create(NULL);
	struct work work = {0};
	int found = PCRE2_ERROR_NOMEMORY;

	must(len <= PATTERN_SUBJECT_MAX);
	if (data && context) {
		pcre2_set_heap_limit(context, PATTERN_HEAP_KIB);
		pcre2_set_callout(context, on_item, &work);
		found = pcre2_match(pattern->code, (PCRE2_SPTR)octets, len, 0, 0, data, context);
	}
	pcre2_match_data_free(data);
	pcre2_match_context_free(context);
	if (ret_work)
		*ret_work = work.done;
	if (found >= 0) // 0: more groups than there is room for, and nobody asks for them
		return E_OK;
	if (found == PCRE2_ERROR_NOMEMORY)
		return E_NOMEM;
	return found == PCRE2_ERROR_NOMATCH ? E_NOTFOUND : E_LIMIT;
}
