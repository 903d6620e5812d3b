// Publishing the live part; see live.h.
#include "view/live.h"

#include <stdlib.h>

#include "view/view.h"

struct published live_published;

static uint64_t epochs; // main thread only

const char *live_state_text(uint8_t state)
{
	static const char *const texts[] = {
		[0] = "up",
		[TARGET_DOWN] = "down",
		[TARGET_DRAINED] = "drained",
		[TARGET_DRAINED | TARGET_DOWN] = "drained, down",
	};

	return texts[state & (TARGET_DOWN | TARGET_DRAINED)];
}

struct live *live_new(const struct view *view)
{
	struct live *live = calloc(1, sizeof(*live) + view->target_count);

	if (!live)
		return NULL;
	live->view = view;
	live->count = view->target_count;
	return live;
}

static void free_view(void *view)
{
	view_free(view);
}

static void replace(struct live *live)
{
	const struct live *old = publish_swap(&live_published, live);

	if (!old)
		return;
	// The view goes after every reader has let go of the last live part that led to it.
	if (!live || live->view != old->view)
		publish_retire(old->view, free_view);
	publish_retire(old, free);
}

void live_publish(struct live *live)
{
	live->epoch = ++epochs;
	replace(live);
}

const struct live *live_current(void)
{
	return live_read();
}

void live_withdraw(void)
{
	replace(NULL);
}
