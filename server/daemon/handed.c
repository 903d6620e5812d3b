// Counters looked at in turn, by the places that they keep across reloads; see handed.h.
#include "daemon/handed.h"

#include <event2/event.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/must.h"
#include "view/handouts.h"
#include "view/live.h"
#include "view/view.h"

// Of a place in view->handout_slots.
struct handed_place {
	uint64_t count;
	int64_t last_s;
};

struct handed {
	struct event *look;
	struct handed_place *places;
	uint32_t place_count;
	uint32_t next; // target
};

static void on_look(evutil_socket_t fd, short what, void *arg)
{
	const struct live *live = live_current();

	(void)fd;
	(void)what;
	if (live)
		handed_look(arg, live->view, clock_wall_s());
}

struct handed *handed_new(struct event_base *base)
{
	static const struct timeval second = {1, 0};
	struct handed *handed = calloc(1, sizeof(*handed));

	if (!handed)
		return NULL;
	handed->look = event_new(base, -1, EV_PERSIST, on_look, handed);
	return handed->look && event_add(handed->look, &second) == 0 ? handed : handed_free(handed);
}

struct handed *handed_free(struct handed *handed)
{
	if (!handed)
		return NULL;
	if (handed->look)
		event_free(handed->look);
	free(handed->places);
	free(handed);
	return NULL;
}

// False: out of memory; what is not known is not shown.
static bool reserve(struct handed *handed, uint32_t place)
{
	uint32_t count = handed->place_count ? handed->place_count : 1024;

	if (place < handed->place_count)
		return true;
	while (count <= place)
		count *= 2;

	struct handed_place *places = calloc(count, sizeof(*places)); // of pages that are taken as they are filled

	if (!places)
		return false;
	if (handed->place_count > 0)
		memcpy(places, handed->places, handed->place_count * sizeof(*places));
	free(handed->places);
	handed->places = places;
	handed->place_count = count;
	return true;
}

void handed_look(struct handed *handed, const struct view *view, int64_t now_s)
{
	uint32_t count = view->target_count < HANDED_PER_LOOK ? view->target_count : HANDED_PER_LOOK;

	for (uint32_t i = 0; i < count; i++) {
		uint32_t target = handed->next < view->target_count ? handed->next : 0, place = view->handout_slots[target];
		uint64_t answers = handouts_of(view->handouts, view->targets[target].handouts);

		handed->next = target + 1;
		if (!reserve(handed, place))
			return;
		if (answers == handed->places[place].count)
			continue;
		// The place of a target that is gone is given to another one, which begins at 0.
		handed->places[place] = (struct handed_place){answers, answers ? now_s : 0};
	}
}

int64_t handed_last_s(const struct handed *handed, const struct view *view, uint32_t target)
{
	uint32_t place = view->handout_slots[target];

	must(target < view->target_count);
	return place < handed->place_count ? handed->places[place].last_s : 0;
}
