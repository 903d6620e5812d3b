// Which carrier a record's network is: the `carriers` option of mmdb.c.
#pragma once

#include <stddef.h>

#include "edgesteer-plugin.h"
#include "record.h"

enum { CARRIERS_MAX = 4096 }; // rows

struct carriers;

// Reads the option. NULL after host->report() said why.
struct carriers *carriers_new(const struct edgesteer_host *host);
// Takes NULL.
void carriers_free(struct carriers *carriers);

// The carrier's short name, or NULL. A row by mobile network code counts before one by AS, that before one by name: the
// code says that the network is a mobile one, an AS may carry fixed lines as well.
const char *carriers_find(struct carriers *carriers, const struct record *record);

// Warns of the operator's rows that carriers_find() never used: a misspelt key would go unnoticed otherwise.
void carriers_report_unused(const struct carriers *carriers);
