// Hysteresis for one prefix; see opinion.h.
#include "learn/opinion.h"

#include <string.h>

#include "base/must.h"

_Static_assert(sizeof(struct finding) == (FINDING_SITES_MAX + 2) * sizeof(uint16_t), "findings are compared as octets");

bool opinion_same(const struct finding *a, const struct finding *b)
{
	return memcmp(a, b, sizeof(*a)) == 0;
}

static bool has_spoken(const struct opinion *opinion, uint32_t voice)
{
	for (unsigned i = 0; i < opinion->voice_count; i++)
		if (opinion->voices[i] == voice)
			return true;
	return false;
}

static void forget_next(struct opinion *opinion)
{
	opinion->voice_count = 0;
	opinion->is_ready = false;
}

enum opinion_outcome opinion_hear(struct opinion *opinion, const struct finding *sample, uint32_t voice, int64_t now_s,
                                  const struct opinion_rules *rules)
{
	must(rules->agree >= 1 && rules->agree <= OPINION_AGREE_MAX);
	if (opinion->has_held && opinion_same(&opinion->held, sample)) {
		forget_next(opinion);
		if (opinion->confidence < 2 * rules->agree)
			opinion->confidence++;
		return OPINION_CONFIRMED;
	}
	if (opinion->voice_count == 0 || !opinion_same(&opinion->next, sample)) {
		forget_next(opinion);
		opinion->next = *sample;
		opinion->next_since_s = now_s;
		if (opinion->confidence > 0)
			opinion->confidence--;
	}
	if (opinion->voice_count < rules->agree && !has_spoken(opinion, voice))
		opinion->voices[opinion->voice_count++] = voice;
	opinion->is_ready = opinion->voice_count >= rules->agree || now_s - opinion->next_since_s >= rules->agree_for_s;
	if (opinion->is_ready)
		return OPINION_READY;
	return opinion->has_held && opinion->confidence == 0 ? OPINION_DOUBTED : OPINION_WAITS;
}

void opinion_move(struct opinion *opinion, const struct opinion_rules *rules)
{
	must(opinion->is_ready);
	opinion->held = opinion->next;
	opinion->has_held = true;
	opinion->confidence = (uint8_t)rules->agree;
	forget_next(opinion);
}

void opinion_withdraw(struct opinion *opinion)
{
	opinion->has_held = false;
	opinion->confidence = 0;
}
