// Penalties; see damping.h.
#include "health/damping.h"

#include <math.h>

double damping_penalty(const struct damping *damping, const struct damping_rule *rule, int64_t now_ms)
{
	if (rule->half_life_ms == 0 || damping->penalty == 0)
		return 0;
	return damping->penalty * exp2(-(double)(now_ms - damping->at_ms) / rule->half_life_ms);
}

void damping_fell(struct damping *damping, const struct damping_rule *rule, int64_t now_ms)
{
	if (rule->half_life_ms == 0)
		return;

	double most = rule->reuse * exp2((double)rule->longest_ms / rule->half_life_ms);

	damping->penalty = fmin(damping_penalty(damping, rule, now_ms) + DAMPING_FALL, fmax(most, DAMPING_FALL));
	damping->at_ms = now_ms;
	damping->suppressed = damping->suppressed || damping->penalty >= rule->suppress;
}

bool damping_holds(struct damping *damping, const struct damping_rule *rule, int64_t now_ms)
{
	damping->suppressed = damping->suppressed && damping_penalty(damping, rule, now_ms) >= rule->reuse;
	return damping->suppressed;
}

int64_t damping_ends_ms(const struct damping *damping, const struct damping_rule *rule, int64_t now_ms)
{
	double penalty = damping_penalty(damping, rule, now_ms);

	if (!damping->suppressed || penalty < rule->reuse)
		return now_ms;
	return now_ms + (int64_t)(log2(penalty / rule->reuse) * rule->half_life_ms) + 1;
}
