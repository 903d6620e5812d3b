// Names in the DNS's registries; see mnemonic.h. Nothing that is called in ldns here allocates, which
// tests/unit/test_zone_rdata.c verifies.
#include "zone/mnemonic.h"

#include <ldns/ldns.h>
#include <stddef.h>
#include <stdint.h>
#include <strings.h>

#include "wire/dns.h"
#include "zone/convert.h"

static const ldns_lookup_table usages[] = {{0, "PKIX-TA"}, {1, "PKIX-EE"}, {2, "DANE-TA"}, {3, "DANE-EE"},
                                           {255, "PrivCert"}, {0, NULL}};
static const ldns_lookup_table selectors[] = {{0, "Cert"}, {1, "SPKI"}, {255, "PrivSel"}, {0, NULL}};
static const ldns_lookup_table matchings[] = {{0, "Full"}, {1, "SHA2-256"}, {2, "SHA2-512"}, {255, "PrivMatch"},
                                              {0, NULL}};
static const ldns_lookup_table none[] = {{0, NULL}};
// Types that ldns may not know: that depends on its version, and on how it was built.
static const ldns_lookup_table types[] = {{DNS_NINFO, "NINFO"}, {DNS_RKEY, "RKEY"}, {DNS_TALINK, "TALINK"},
                                          {DNS_SVCB, "SVCB"}, {DNS_HTTPS, "HTTPS"}, {DNS_AVC, "AVC"},
                                          {DNS_AMTRELAY, "AMTRELAY"}, {DNS_RESINFO, "RESINFO"}, {0, NULL}};

static int look_up(const ldns_lookup_table *row, const char *word)
{
	for (; row->name; row++)
		if (strcasecmp(row->name, word) == 0)
			return row->id;
	return -1;
}

int zone_mnemonic_type(const char *word)
{
	uint32_t number;

	if (strncasecmp(word, "TYPE", 4) == 0 && word[4])
		return zone_convert_number(word + 4, UINT16_MAX, &number) ? (int)number : -1;

	const unsigned type = ldns_get_rr_type_by_name(word);

	return type != 0 && type <= UINT16_MAX ? (int)type : look_up(types, word);
}

int zone_mnemonic_number(enum zone_registry registry, const char *word)
{
	static const ldns_lookup_table *const tables[] = {
		[ZONE_REGISTRY_NONE] = none,
		[ZONE_REGISTRY_ALGORITHM] = ldns_algorithms,
		[ZONE_REGISTRY_CERTIFICATE] = ldns_cert_algorithms,
		[ZONE_REGISTRY_USAGE] = usages,
		[ZONE_REGISTRY_SELECTOR] = selectors,
		[ZONE_REGISTRY_MATCHING] = matchings,
	};

	return look_up(tables[registry], word);
}
