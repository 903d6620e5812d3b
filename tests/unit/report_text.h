// What a report holds, as one text, for tests of whatever fills reports: a line each, warnings with "warning: " before
// them.
#pragma once

#include <stddef.h>

struct config;
struct report;

// The caller frees it. Fails the test without memory.
char *report_text(const struct report *report);

// Reads a text as the config file /d/f. NULL when it is refused. What was reported, without the file's name, in
// *ret_reported, which the caller frees. Fails the test where outcome and report do not agree.
struct config *report_text_config(const char *text, size_t len, char **ret_reported);
