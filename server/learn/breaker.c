// When a service is left alone; see breaker.h.
#include "learn/breaker.h"

#include "base/must.h"

void breaker_success(struct breaker *breaker)
{
	if (breaker->state != BREAKER_OPEN)
		*breaker = (struct breaker){0};
}

void breaker_failure(struct breaker *breaker, uint32_t retry_s, bool is_final, int64_t now_ms, uint64_t chance)
{
	bool was_half_open = breaker->state == BREAKER_HALF_OPEN;
	uint64_t wait_ms;

	breaker->failures++;
	if (breaker->state == BREAKER_OPEN)
		return;
	if (breaker->state == BREAKER_CLOSED && breaker->failures < BREAKER_FAILURES && !retry_s && !is_final)
		return;
	breaker->pause_ms = was_half_open && breaker->pause_ms ? breaker->pause_ms * 2 : BREAKER_FIRST_MS;
	if (breaker->pause_ms > BREAKER_MAX_MS)
		breaker->pause_ms = BREAKER_MAX_MS;
	wait_ms = breaker->pause_ms / 2 + chance % (breaker->pause_ms + 1);
	if (retry_s > BREAKER_RETRY_MAX_S)
		retry_s = BREAKER_RETRY_MAX_S;
	if (wait_ms < retry_s * UINT64_C(1000))
		wait_ms = retry_s * UINT64_C(1000) + chance % 1000;
	breaker->state = BREAKER_OPEN;
	breaker->is_trying = false;
	breaker->until_ms = now_ms + (int64_t)wait_ms;
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
