// Numbers of the DNS's registries by their names: ldns' tables, which are only read. Called by file.c for every record,
// and by field.c.
#pragma once

#include "base/attr.h"

enum zone_registry {
	ZONE_REGISTRY_NONE,
	ZONE_REGISTRY_ALGORITHM,  // of DNSSEC
	ZONE_REGISTRY_CERTIFICATE, // types of CERT
	ZONE_REGISTRY_USAGE,      // of TLSA, as are the two below (RFC 7218)
	ZONE_REGISTRY_SELECTOR,
	ZONE_REGISTRY_MATCHING,
};

// The number of a record type given by its mnemonic or as TYPEnnn, in any case; -1 when unknown.
int zone_mnemonic_type(const char *word) PURE;
// The number that a registry has for a name, in any case; -1 when it has none.
int zone_mnemonic_number(enum zone_registry registry, const char *word) PURE;
