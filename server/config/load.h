// Reads a config file into a struct config, or writes what may stand in one: both from the rows of options.c.
#pragma once

#include <stddef.h>

#include "base/attr.h"

struct config;
struct report;

// Reads and checks a config file. Everything wrong goes into the report, all of it; then E_INVAL (or E_IO when the file
// cannot be read, which is in the report too). Warnings do not fail it. E_NOMEM.
int config_load(const char *path, struct report *report, struct config **ret_config) MUST_USE NONNULL(1, 2, 3);
// The same for text already in memory; `path` names it in messages, and relative paths begin in its folder.
int config_parse(const char *path, const char *text, size_t len, struct report *report,
                 struct config **ret_config) MUST_USE NONNULL(1, 2, 4, 5);
// As config_load(), but a config with errors is handed out too, less what is of no use in it, so that more errors can be
// found in the files that it names. Nothing else may be done with it: whether it is good, the report says, which is empty
// before. E_INVAL: there is nothing to hand out.
int config_load_partly(const char *path, struct report *report, struct config **ret_config) MUST_USE NONNULL(1, 2, 3);

// The manual page edgesteer.yaml(5), or the JSON schema for editors, made from the same rows that parse. To standard
// output.
void config_print_manual(void);
void config_print_schema(void);
