// Reads a config file into a struct config, or documents what one may contain: both from the rows of options*.c.
#pragma once

#include <stddef.h>

#include "base/attr.h"

struct config;
struct report;

// Reads and checks a config file. The caller frees *ret_config with config_free(). E_INVAL, with all errors in the
// report; E_IO (reported) when the file cannot be read; E_NOMEM. Warnings are no failure.
int config_load(const char *path, struct report *report, struct config **ret_config) MUST_USE NONNULL(1, 2, 3);
// The same for text in memory; `path` names it in messages, and relative paths start in its folder.
int config_parse(const char *path, const char *text, size_t len, struct report *report,
                 struct config **ret_config) MUST_USE NONNULL(1, 2, 4, 5);
// As config_load(), but also returns a config with errors, less its unusable entries, so that more errors can be found
// in the files that it names. Nothing else may be done with such a config. The caller passes an empty report, which
// then tells whether there were errors. E_INVAL: there is no config to return.
int config_load_partly(const char *path, struct report *report, struct config **ret_config) MUST_USE NONNULL(1, 2, 3);

// Write the manual page edgesteer.yaml(5), and the JSON schema for editors, to standard output.
void config_print_manual(void);
void config_print_schema(void);
