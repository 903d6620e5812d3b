// Names of the kinds of site.
#include "steer/site.h"

#include "base/must.h"

#define TEXT(id, text) [SITE_##id] = text,

static const char *const kinds[SITE_KINDS] = {SITE_KINDS_EACH(TEXT)};

const char *site_kind_text(enum site_kind kind)
{
	must(kind < SITE_KINDS);
	return kinds[kind];
}
