// What the tables of options have in common, and those that the root's rows name. To add an option: a field in config.h, a
// row in its section's table.
#pragma once

#include <stddef.h>

#include "base/attr.h"
#include "schema/schema.h"

#define FIELD(type, member) .offset = offsetof(struct type, member), .size = sizeof(((struct type *)0)->member)
#define LIST(type, member, count) FIELD(type, member), .count_offset = offsetof(struct type, count)
#define ROWS(rows) .options = rows, .option_count = ARRAY_LEN(rows)

#define SHRINK_HELP(what, same) \
	"A reload is refused that would take a larger share of its " what " than this from the same " same " as it was loaded " \
	"for the generation in use. `edgesteerctl reload --force` takes it anyway. A start takes whatever there is."

// options_checks.c: fills a struct config_check.
extern const struct schema options_check;
// options_server.c: fills a struct config_server.
extern const struct schema options_server;
// options_health.c: fills a struct config_health.
extern const struct schema options_health;
// options_sources.c: entries of the lists, and `learned`, which fills members of struct config; `observe`.
extern const struct schema options_locate, options_provider, options_discovery, options_learned, options_observe;
