// Prints a report into a text; see report_text.h.
#include "report_text.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/report.h"
#include "config/config.h"
#include "config/load.h"

static void print_line(void *ctx, enum report_level level, const char *text)
{
	fprintf(ctx, "%s%s\n", level == REPORT_WARNING ? "warning: " : level == REPORT_NOTE ? "note: " : "", text);
}

char *report_text(const struct report *report)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);

	assert_non_null(out);
	report_each(report, print_line, out);
	assert_int_equal(fclose(out), 0);
	return text;
}

struct config *report_text_config(const char *text, size_t len, char **ret_reported)
{
	struct report *report = report_new();
	struct config *config = NULL;
	int err = config_parse("/d/f", text, len, report, &config);
	char *reported = report_text(report), *to = reported;

	assert_int_equal(err, report_ok(report) ? E_OK : E_INVAL);
	assert_int_equal(err == E_OK, config != NULL);
	for (const char *from = reported; *from; from++)
		if (strncmp(from, "/d/f:", 5) == 0 && (from == reported || from[-1] == '\n' || from[-1] == ' '))
			from += 4; // the colon too
		else
			*to++ = *from;
	*to = '\0';
	report_free(report);
	*ret_reported = reported;
	return config;
}
