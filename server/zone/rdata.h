// RDATA from its presentation form to wire form, by ldns: its only door on the serving side. Called by file.c for
// every record; owns nothing.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

enum { ZONE_RDATA_MAX = 65535, ZONERDATA_WHY_MAX = 160 };

// The number of a type's mnemonic or TYPEnnn; -1 when there is none.
int zone_rdata_type(const char *word);

// Turns `count` words (see struct zone_scan_entry; the zeros between them become spaces) into wire form. Names without a
// final dot are below `origin`. E_INVAL: what is wrong is in ret_why[ZONERDATA_WHY_MAX]; E_NOMEM.
int zone_rdata_parse(uint16_t type, char *words, size_t count, const uint8_t *origin, size_t origin_len,
                    uint8_t ret_rdata[static ZONE_RDATA_MAX], size_t *ret_len, char *ret_why) MUST_USE;
