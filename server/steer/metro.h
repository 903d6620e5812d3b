// Clients whose carrier is known but not where they are: which of the sites in their reach comes first. That is the
// rule `unknown-metro`, of an app, and so a part of what a ranking depends on besides the place.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/attr.h"
#include "steer/cost.h"

struct place;

// METRO_RULE(id, text): the rules, and their names in configs and messages.
#define METRO_RULES_EACH(METRO_RULE) \
	METRO_RULE(REGION, "region") \
	METRO_RULE(CARRIER, "carrier") \
	METRO_RULE(SOLE, "sole") \
	METRO_RULE(EXPECTED, "expected")

#define METRO_RULE_ID(id, text) METRO_##id,

enum metro_rule { METRO_RULES_EACH(METRO_RULE_ID) METRO_RULES };

#undef METRO_RULE_ID

// The name of a rule.
const char *metro_rule_text(enum metro_rule rule);

// Truth table: what a rule makes of a place and a set of sites. The first row that applies; the test walks the same
// rows. A country that is not known excludes nothing: neither the client's, nor a site's.
//
//   the place                       rule      the set, or the prior                     case           first of unknown cost
//   has coordinates                 any       any                                       LOCATED        public sites
//   has a hint                      any       any                                       HINTED         public sites
//   has no carrier                  any       any                                       NO_CARRIER     public sites
//   has a class other than edge     any       any                                       NOT_EDGE       public sites
//   else                            region    any                                       REGION         public sites
//                                   carrier   no site of the carrier                    NO_SITE        public sites
//                                   carrier   some                                      CARRIER        the carrier's sites
//                                   sole      no site of the carrier in the country     NO_SITE        public sites
//                                   sole      one                                       SOLE           that site
//                                   sole      more                                      SEVERAL        public sites
//                                   expected  the prior has metros of the carrier       EXPECTED       none: costs are known
//                                   expected  it has none                               NO_METROS      public sites
//
// After those that are first come public sites, then the carrier's, each in the order of the config. Reach is decided
// before: no rule adds a site.
enum metro_case {
	METRO_CASE_LOCATED, METRO_CASE_HINTED, METRO_CASE_NO_CARRIER, METRO_CASE_NOT_EDGE, METRO_CASE_REGION,
	METRO_CASE_NO_SITE, METRO_CASE_CARRIER, METRO_CASE_SOLE, METRO_CASE_SEVERAL, METRO_CASE_EXPECTED,
	METRO_CASE_NO_METROS, METRO_CASES
};

// What decides the order of the candidates of one place for one set.
struct metro {
	enum metro_case case_;
	uint16_t site;              // SOLE: its index in the view's sites
	const int64_t *expected_us; // EXPECTED: by site; INT64_MAX: unknown. Owned by the prior
};

// `sites` are the set's, as indices in in->sites.
struct metro metro_of(const struct steer_input *in, enum metro_rule rule, const uint16_t *sites, size_t count,
                      const struct place *place);
// The same for a rule other than `sole`, whose order does not depend on the set: NO_SITE is then CARRIER, as without
// sites of the carrier there is nothing to put first.
struct metro metro_of_rule(const struct steer_input *in, enum metro_rule rule, const struct place *place);

// Where a candidate stands among the others of its place (see cost_order()). Gives *cost the expected one where the
// rule does and nothing better is known.
int64_t metro_order(const struct steer_input *in, const struct metro *metro, uint16_t site, struct cost *cost);
