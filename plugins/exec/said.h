// What a program says on its standard error: each line is a note to the operator, within a rate.
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "edgesteer-plugin.h"
#include "lib/lines.h"

struct said {
	const struct edgesteer_host *host;
	struct lines lines;
	unsigned count;    // lines since
	int64_t since_ms;
};

// `said` may have been used for an earlier run, whose rate goes on. The descriptor is read without waiting.
void said_begin(struct said *said, const struct edgesteer_host *host, int fd);
void said_done(struct said *said);
// Whether there may be more later.
bool said_take(struct said *said);
