// Lines with measured round trips, from the socket, a file or the control socket. What is taken is within its limits, and its
// site and its client print as they were read; what is refused has a reason that is printable.
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/must.h"
#include "learn/observation.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_taken(const struct observation *observation)
{
	char line[OBSERVATION_LINE_MAX + 1], text[ADDR_TEXT_LEN], why[OBSERVATION_WHY_LEN];
	struct observation again;
	int len = snprintf(line, sizeof(line), "%s %s %u.%03u", addr_format(&observation->client, text), observation->site,
	                   observation->us / 1000, observation->us % 1000);

	must(observation->us >= 1 && observation->us <= OBSERVATION_MS_MAX * 1000u);
	must(len > 0 && (size_t)len < sizeof(line));
	must(observation_parse(line, (size_t)len, &again, why) == 1);
	must(addr_equal(&again.client, &observation->client) && strcmp(again.site, observation->site) == 0 &&
	     again.us == observation->us);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;

	for (size_t at = 0; at < size;) {
		const char *end = memchr(text + at, '\n', size - at);
		size_t len = end ? (size_t)(end - text) - at : size - at;
		char why[OBSERVATION_WHY_LEN] = "";
		struct observation observation;
		int read = observation_parse(text + at, len, &observation, why);

		if (read > 0)
			check_taken(&observation);
		must(read >= 0 || (why[0] && strlen(why) < sizeof(why)));
		for (const char *c = why; *c; c++)
			must((unsigned char)*c >= ' ' && *c != 0x7f);
		at += len + 1;
	}
	return 0;
}
