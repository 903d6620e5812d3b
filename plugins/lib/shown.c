// Text from others, as a message may show it; see shown.h.
#include "shown.h"

#include <string.h>

const char *shown(char buf[static SHOWN_SIZE], const char *text)
{
	size_t len = 0;

	for (; text[len] && len < SHOWN_SIZE - 1; len++)
		buf[len] = text[len] < ' ' || text[len] > '~' ? '?' : text[len];
	buf[len] = '\0';
	if (text[len])
		memcpy(buf + len - 3, "...", 3);
	return buf;
}
