// Where the addresses of a site's load balancers are: given in the config, in AWS's ip-ranges.json, or in the built-in
// extract of it; and whether an address is there. Called by crosscheck.c, and by who gets addresses from elsewhere.
#pragma once

#include <stddef.h>

#include "base/addr.h"

struct config;
struct config_site;
struct reader;

// The built-in extract, conf/wavelength-blocks.csv as a table, sorted by site; the build makes site_blocks-data.c of it.
struct site_blocks_row {
	const char *site, *prefix;
};
extern const struct site_blocks_row site_blocks_rows[];
extern const size_t site_blocks_count;

// Sets `block` of the sites that have none given, and `block_check` of those without one. Errors go into the report.
void site_blocks_fill(struct reader *reader, struct config *config);

enum site_blocks_verdict { SITE_BLOCKS_GOOD, SITE_BLOCKS_WARN, SITE_BLOCKS_REFUSE };

// Whether a target at the site may have this address. First row that applies:
//
//   address                         block-check    verdict
//   link-local, multicast, none     any            refuse
//   in the block                    any            good
//   any                             off            good
//   loopback, private               (not given)    refuse
//   any                             (not given)    good
//   any                             warn           warn
//   any                             enforce        refuse
//
// `*ret_why`, a constant: what is wrong with it, unless it is good.
enum site_blocks_verdict site_blocks_check(const struct config_site *site, const struct addr *addr, const char **ret_why);
