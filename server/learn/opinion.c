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

static void set_next(struct opinion *opinion, const struct finding *next, int64_t now_s)
{
	forget_next(opinion);
	opinion->next = *next;
	opinion->next_since_s = now_s;
}

static void count_voice(struct opinion *opinion, uint32_t voice, const struct opinion_rules *rules)
{
	if (opinion->voice_count < rules->agree && !has_spoken(opinion, voice))
		opinion->voices[opinion->voice_count++] = voice;
}

// A sample that agrees with what is held. The sites behind the first one change when they were the same in a row, too.
static enum opinion_outcome confirm(struct opinion *opinion, const struct finding *sample, uint32_t voice, int64_t now_s,
                                    const struct opinion_rules *rules)
{
	if (opinion->confidence < 2 * rules->agree)
		opinion->confidence++;
	if (opinion_same(&opinion->held, sample)) {
		forget_next(opinion);
		return OPINION_CONFIRMED;
	}
	if (opinion->voice_count == 0 || !opinion_same(&opinion->next, sample))
		set_next(opinion, sample, now_s);
	count_voice(opinion, voice, rules);
	opinion->is_ready = opinion->voice_count >= rules->agree;
	return opinion->is_ready ? OPINION_READY : OPINION_CONFIRMED;
}

enum opinion_outcome opinion_hear(struct opinion *opinion, const struct finding *sample, uint32_t voice, int64_t now_s,
                                  const struct opinion_rules *rules)
{
	must(rules->agree >= 1 && rules->agree <= OPINION_AGREE_MAX);
	if (opinion->has_held && opinion_agrees(&opinion->held, sample))
		return confirm(opinion, sample, voice, now_s, rules);
	if (opinion->voice_count == 0 || !opinion_agrees(&opinion->next, sample)) {
		set_next(opinion, sample, now_s);
		if (opinion->confidence > 0)
			opinion->confidence--;
	}
	count_voice(opinion, voice, rules);
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
