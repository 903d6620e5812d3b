// Names of the kinds of site.
#include "steer/site.h"

#include <string.h>

#include "base/must.h"

static const char *const kinds[SITE_KINDS] = {
	[SITE_WAVELENGTH] = "wavelength", [SITE_LOCAL_ZONE] = "local-zone", [SITE_OUTPOST] = "outpost",
	[SITE_AZ] = "az",                 [SITE_REGION] = "region",
};

const char *site_kind_text(enum site_kind kind)
{
	must(kind < SITE_KINDS);
	return kinds[kind];
}

int site_kind_from_text(const char *text)
{
	for (int i = 0; i < SITE_KINDS; i++)
		if (strcmp(kinds[i], text) == 0)
			return i;
	return -1;
}
