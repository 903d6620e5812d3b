// Priorities of events, and timers; see loop.h.
#include "daemon/loop.h"

enum {
	PRIORITIES = 3,          // of events; the lowest is that of probes
	PROBES_IN_A_ROW = 4,     // probe events before other events are looked for: about 2 ms of TLS handshakes
};

struct event_base *loop_new(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	if (config && event_config_set_max_dispatch_interval(config, NULL, PROBES_IN_A_ROW, PRIORITIES - 1) == 0)
		base = event_base_new_with_config(config);
	if (config)
		event_config_free(config);
	if (base && event_base_priority_init(base, PRIORITIES) < 0) {
		event_base_free(base);
		base = NULL;
	}
	return base;
}

void loop_arm(struct event *event, int64_t seconds, int microseconds)
{
	struct timeval wait = {seconds, microseconds};

	if (!event_pending(event, EV_TIMEOUT, NULL) && event_add(event, &wait) < 0)
		event_active(event, EV_TIMEOUT, 0);
}
