// RDATA from presentation form to wire form. The only user of ldns in the daemon. Called by file.c for every record;
// owns nothing.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"

enum { ZONE_RDATA_MAX = 65535, ZONE_RDATA_WHY_MAX = 160 };

// The number of a type given by its mnemonic or as TYPEnnn; -1 when unknown.
int zone_rdata_type(const char *word);

// Converts `count` words (see struct zone_scan_entry; the zeros between them become spaces) to wire form. Names without
// a final dot are relative to `origin`, a wire name. E_INVAL, with the reason in ret_why[ZONE_RDATA_WHY_MAX]; E_NOMEM.
int zone_rdata_parse(uint16_t type, char *words, size_t count, const uint8_t *origin, size_t origin_len,
                    uint8_t ret_rdata[static ZONE_RDATA_MAX], size_t *ret_len, char *ret_why) MUST_USE;
