// When a service is left alone; see breaker.h.
#include "learn/breaker.h"

#include "base/must.h"

void breaker_success(struct breaker *breaker)
{
	if (breaker->state != BREAKER_OPEN)
		*breaker = (struct breaker){0};
}

// No earlier than the service asks for, and with a second of chance on top: many daemons heard the same.
static void wait_for(struct breaker *breaker, uint32_t retry_s, int64_t now_ms, uint64_t chance)
{
	int64_t until_ms;

	if (retry_s > BREAKER_RETRY_MAX_S)
		retry_s = BREAKER_RETRY_MAX_S;
	until_ms = now_ms + retry_s * INT64_C(1000) + (int64_t)(chance % 1000);
	if (retry_s && breaker->until_ms < until_ms)
		breaker->until_ms = until_ms;
}

void breaker_failure(struct breaker *breaker, uint32_t retry_s, bool is_final, int64_t now_ms, uint64_t chance)
{
	bool was_half_open = breaker->state == BREAKER_HALF_OPEN;

	breaker->failures++;
	if (breaker->state == BREAKER_OPEN) { // of a question from before
		wait_for(breaker, retry_s, now_ms, chance);
		return;
	}
	if (breaker->state == BREAKER_CLOSED && breaker->failures < BREAKER_FAILURES && !retry_s && !is_final)
		return;
	breaker->pause_ms = was_half_open && breaker->pause_ms ? breaker->pause_ms * 2 : BREAKER_FIRST_MS;
	if (breaker->pause_ms > BREAKER_MAX_MS)
		breaker->pause_ms = BREAKER_MAX_MS;
	breaker->state = BREAKER_OPEN;
	breaker->is_trying = false;
	breaker->until_ms = now_ms + breaker->pause_ms / 2 + (int64_t)(chance % (breaker->pause_ms + 1));
	wait_for(breaker, retry_s, now_ms, chance);
}

void breaker_untried(struct breaker *breaker)
{
	breaker->is_trying = false;
}

const char *breaker_text(enum breaker_state state)
{
	static const char *const texts[] = {"closed", "open", "half-open"};

	must(state <= BREAKER_HALF_OPEN);
	return texts[state];
}
