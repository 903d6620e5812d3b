// What a program says on its standard error; see said.h.
#include "said.h"

#include "output.h"

enum {
	LINE_MAX_LEN = 500,
	LINES_MAX = 20,         // in PERIOD_S seconds
	PERIOD_S = 10,
	LINES_PER_TURN = 1000,  // between two looks at everything else
};

void said_begin(struct said *said, const struct edgesteer_host *host, int fd)
{
	said->host = host;
	lines_begin(&said->lines, fd, LINE_MAX_LEN * 8);
}

void said_done(struct said *said)
{
	lines_done(&said->lines);
}

static void report_line(struct said *said, const char *line)
{
	const struct edgesteer_host *host = said->host;

	if (output_now_ms() - said->since_ms >= PERIOD_S * 1000) {
		if (said->count > LINES_MAX)
			host->report(host, EDGESTEER_NOTE, NULL, 0, "said %u more lines", said->count - LINES_MAX);
		said->since_ms = output_now_ms();
		said->count = 0;
	}
	if (said->count++ < LINES_MAX)
		host->report(host, EDGESTEER_NOTE, NULL, 0, "says: %.*s", LINE_MAX_LEN, line);
}

bool said_take(struct said *said)
{
	char *line;
	size_t len;

	for (int i = 0; i < LINES_PER_TURN; i++)
		switch (lines_next(&said->lines, &line, &len)) {
		case LINES_ONE: report_line(said, line); break;
		case LINES_TOO_LONG: lines_skip(&said->lines); break;
		case LINES_NONE: return true;
		case LINES_END:
		case LINES_FAILED: return false;
		}
	return true;
}
