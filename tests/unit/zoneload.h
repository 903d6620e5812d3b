// What the tests of master files share: loading them by configs made by hand, files in a folder of the test's own.
#pragma once

#include <stddef.h>

#include "base/report.h"
#include "config/config.h"
#include "zone/zone.h"

enum { ZONELOAD_SERIAL = 42, ZONELOAD_PATH_MAX = 512 };

// The first three lines of a valid zone.
#define ZONELOAD_HEAD "$TTL 300\n@ SOA ns.elsewhere. host 1 2 3 4 5\n@ NS ns.elsewhere.\n"

// Group fixtures: the folder.
int zoneload_setup(void **state);
int zoneload_teardown(void **state);

// Paths into buf[ZONELOAD_PATH_MAX], which they return: of a file in tests/data/zones, and in the folder.
const char *zoneload_data(const char *name, char *buf);
const char *zoneload_path(const char *name, char *buf);
// Writes a file in the folder; zoneload_teardown() removes "t.zone" and "outer.zone".
void zoneload_write(const char *name, const char *text, size_t len);

struct config_domain zoneload_domain(const char *name, const char *file);
int zoneload(struct config_domain *domains, size_t count, struct report *report, struct zonedb **ret_db);
// Loads a text as the master file "t.zone" of "example".
int zoneload_text(const char *text, size_t len, struct report *report, struct zonedb **ret_db);
// draftzone_expect() with the folder's name left out.
void zoneload_expect(const struct report *report, const char *expected);
