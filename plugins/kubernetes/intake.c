// What a server's reply tells, document by document; see intake.h.
#include "intake.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "feed.h"
#include "lib/shown.h"

// An object of Kubernetes has at most 1.5 MB, an annotation 256 KB. What we read is shorter than a host name or two.
static const struct skim_limits page_limits = {
	.text = 8 << 10, .nested = 2 << 20, .level = 2, .huge = 1 << 20, .document = 16 << 20, .raw = 256 << 20,
};
static const struct skim_limits event_limits = {
	.text = 8 << 10, .nested = 2 << 20, .level = 2, .huge = 1 << 20, .document = 4 << 20, .raw = 64 << 20,
};

void intake_begin(struct feed *feed)
{
	skim_begin(&feed->skim, feed->state == FEED_LIST ? &page_limits : &event_limits);
	feed->outcome = FEED_NONE;
	feed->progress = false;
}

// The documents of a reply end it with an event, and with that the request.
static int outcome(struct feed *feed, enum feed_event event)
{
	feed->outcome = event;
	return 1;
}

static int stray(struct feed *feed, const char *what)
{
	feed_say_why(feed, "the server sends %s", what);
	return outcome(feed, FEED_STRAY);
}

static bool set_text(char **text, json_t *json)
{
	const char *given = json_string_length(json) ? json_string_value(json) : NULL;
	char *copy = given ? strdup(given) : NULL;

	if (given && !copy)
		return false;
	free(*text);
	*text = copy;
	return true;
}

#define say_damaged(feed, fmt, ...) \
	remark((feed)->common->remarks, "cluster %s: %s: " fmt, (feed)->common->cluster->name, feed_name(feed), ##__VA_ARGS__)

// A document without what was too long to matter, of which nothing is said, unless Kubernetes itself would not have it.
static json_t *parse(struct feed *feed, const char *bytes, size_t len)
{
	if (feed->skim.huge)
		say_damaged(feed, "%zu values were left out that are longer than Kubernetes allows", feed->skim.huge);
	return json_loadb(bytes, len, JSON_ALLOW_NUL, NULL);
}

static int out_of_memory(struct feed *feed)
{
	feed_say_why(feed, "out of memory");
	return outcome(feed, FEED_STRAY);
}

static const char *class_of(const struct feed *feed)
{
	return feed->common->settings->ingress_class;
}

// Puts an object, or removes it where it is none that we look at. Returns 0, or 1 with the outcome set.
static int take_object(struct feed *feed, json_t *json)
{
	char id[512];
	const char *why = "it is too long, or no object";
	struct kobject *object = json_is_object(json) ? kobject_decode(feed->kind, json, class_of(feed), &why) : NULL;

	if (why) {
		say_damaged(feed, "an object is left out: %s", why);
		feed->list_damaged = true;
		return 0;
	}
	if (!object && errno == ENOMEM)
		return out_of_memory(feed);
	if (!object) {
		feed->common->changed |= kobject_read_id(json, id, sizeof(id)) && kobjects_remove(&feed->objects, id);
		return 0;
	}
	object->seen = feed->list_number;

	int changed = kobjects_put(&feed->objects, object);

	if (changed == KOBJECTS_FULL) {
		feed_say_why(feed, "out of memory, or more than %d objects", (int)KOBJECTS_MAX);
		return outcome(feed, FEED_STRAY);
	}
	feed->common->changed |= changed == KOBJECTS_CHANGED;
	return 0;
}

static int take_items(struct feed *feed, json_t *items)
{
	json_t *item;
	size_t i;

	json_array_foreach(items, i, item)
		if (take_object(feed, item) != 0)
			return 1;
	return 0;
}

static int take_page(struct feed *feed, json_t *list)
{
	json_t *metadata = json_object_get(list, "metadata"), *items = json_object_get(list, "items");
	json_t *version = json_object_get(metadata, "resourceVersion");
	const char *kind = json_string_value(json_object_get(list, "kind"));

	// An empty list and no list at all must not be taken for each other.
	if (!kind || strcmp(kind, feed_list_kind(feed)) != 0 || !json_string_length(version) ||
	    (items && !json_is_array(items) && !json_is_null(items)))
		return stray(feed, "something else than the list that was asked for");
	if (take_items(feed, items) != 0)
		return 1;
	if (!set_text(&feed->version, version) || !set_text(&feed->page, json_object_get(metadata, "continue")))
		return out_of_memory(feed);
	feed->outcome = feed->page ? FEED_PAGE : FEED_LAST;
	return 0;
}

static int on_page(void *ctx, const char *bytes, size_t len)
{
	struct feed *feed = ctx;
	json_t *list = feed->outcome == FEED_NONE ? parse(feed, bytes, len) : NULL;
	int stop = list ? take_page(feed, list) : stray(feed, "what is no JSON");

	json_decref(list);
	return stop;
}

static int take_error(struct feed *feed, json_t *status)
{
	json_t *code = json_object_get(status, "code");
	const char *message = json_string_value(json_object_get(status, "message"));
	char buf[SHOWN_SIZE];

	feed_say_why(feed, "%lld %s", json_integer_value(code), shown(buf, message ? message : "without a message"));
	return outcome(feed, json_integer_value(code) == 410 ? FEED_GONE : FEED_FAILED);
}

static int take_deleted(struct feed *feed, json_t *object)
{
	char id[512];

	if (kobject_read_id(object, id, sizeof(id)))
		feed->common->changed |= kobjects_remove(&feed->objects, id) == KOBJECTS_CHANGED;
	else
		say_damaged(feed, "a deleted object cannot be told: its namespace or name is no name");
	return 0;
}

static int take_event(struct feed *feed, json_t *event)
{
	const char *type = json_string_value(json_object_get(event, "type"));
	json_t *object = json_object_get(event, "object");
	json_t *version = json_object_get(json_object_get(object, "metadata"), "resourceVersion");
	int stop = 0;

	if (!type)
		return stray(feed, "something else than the event that was expected");
	if (strcmp(type, "ERROR") == 0)
		return take_error(feed, object);
	if (strcmp(type, "ADDED") == 0 || strcmp(type, "MODIFIED") == 0)
		stop = take_object(feed, object);
	else if (strcmp(type, "DELETED") == 0)
		stop = take_deleted(feed, object);
	else if (strcmp(type, "BOOKMARK") != 0)
		return stray(feed, "an event of an unknown type");
	if (stop == 0 && json_string_length(version) && !set_text(&feed->version, version))
		return out_of_memory(feed);
	feed->progress |= stop == 0;
	return stop;
}

static int on_event(void *ctx, const char *bytes, size_t len)
{
	struct feed *feed = ctx;
	json_t *event = parse(feed, bytes, len);
	int stop = event ? take_event(feed, event) : stray(feed, "what is no JSON");

	json_decref(event);
	return stop;
}

int intake_take(void *ctx, const char *bytes, size_t len)
{
	struct feed *feed = ctx;
	int err = skim_feed(&feed->skim, bytes, len, feed->state == FEED_LIST ? on_page : on_event, feed);

	if (err == SKIM_LARGE) {
		feed_say_why(feed, "the server sends more than %zu octets at once", feed->skim.limits.document);
		return outcome(feed, feed->state == FEED_LIST ? FEED_LARGE : FEED_STRAY);
	}
	if (err == SKIM_NOMEM)
		return out_of_memory(feed);
	return err == SKIM_GARBAGE ? stray(feed, "what is no JSON") : err;
}
