// The options of how health is judged; see options_parts.h.
#include "config/options_parts.h"

#include "config/config.h"
#include "config/rules.h"
#include "schema/number.h"

static const struct option damping_rows[] = {
	{"half-life", &number_duration_ms, .fallback = "5m", .min = "0s", .max = "1h", FIELD(config_health, half_life_ms),
	 .help = "The time in which a penalty halves. 0: nothing is damped."},
	{"suppress", &number_integer, .fallback = "4000", .min = "1000", .max = "100000", FIELD(config_health, suppress),
	 .help = "The penalty from which on a target stays down: with the default, at its fifth fall within a few minutes."},
	{"reuse", &number_integer, .fallback = "1500", .min = "1", .max = "100000", FIELD(config_health, reuse),
	 .help = "The penalty below which its health counts again. Less than `suppress`."},
	{"longest", &number_duration_ms, .fallback = "20m", .min = "1s", .max = "1d", FIELD(config_health, longest_ms),
	 .help = "The longest time that it stays down after its last fall."},
};

static const struct schema damping_schema = {
	.path = "health.damping",
	.intro = "Flap damping, as of routes in BGP (RFC 2439): each fall of a target adds 1000 to its penalty, which decays. One "
	         "that goes up and down every few seconds thus moves its clients at most nine times, four times away and back and once "
	         "away, however long it goes on, and gets them back when it has been still for up to `longest`. As with any target "
	         "that is down, it is answered when no other is up.",
	ROWS(damping_rows),
	.finish = rules_damping,
};

static const struct option health_rows[] = {
	{"brake-max", &number_duration_ms, .fallback = "1m", .min = "0s", .max = "1h", FIELD(config_health, brake_max_ms),
	 .help = "The correlated-failure brake: when all watched targets under one parent region, or all that one vantage sees, have fallen "
	         "within an interval of the slowest check, three at least and at two sites, and no second vantage says so of them, "
	         "they are held in their last good state for this long: more likely the vantage, or the network before it, is at "
	         "fault. It ends sooner for a target that a second vantage says is down, or that is up again, and for all with "
	         "`edgesteerctl brake release`. 0: off."},
	{"damping", &schema_mapping, .schema = &damping_schema, .offset = 0, .size = sizeof(struct config_health),
	 .help = "Targets that go up and down all the time stay down."},
};

const struct schema options_health = {
	.path = "health",
	.intro = "What is believed of health checks and of what agents report. See `quorum`, `panic` and `slow-start` of the apps.",
	ROWS(health_rows),
};
