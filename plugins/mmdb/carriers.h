// Finds the carrier of a record's network: the `carriers` option of mmdb.c.
#pragma once

#include <stddef.h>

#include "edgesteer-plugin.h"
#include "lib/record.h"

enum { CARRIERS_MAX = 4096 }; // rows

struct carriers;

// Reads the option. NULL after an error, which is reported.
struct carriers *carriers_new(const struct edgesteer_host *host);
// Takes NULL.
void carriers_free(struct carriers *carriers);

// The carrier's short name, or NULL. A row by mobile network code takes precedence over one by AS, and that over one by
// name: the code says that the network is a mobile one, while an AS may have fixed lines as well.
const char *carriers_find(struct carriers *carriers, const struct record *record);

// Warns of rows that carriers_find() never used, as a misspelt key would otherwise go unnoticed.
void carriers_report_unused(const struct carriers *carriers);
