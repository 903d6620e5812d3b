// Writes log lines to standard error, one write() per line so that lines of several threads do not mix.
#include "base/log.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/clean.h"
#include "base/must.h"

static _Atomic int max_level = LOG_LEVEL_INFO;

void log_set_level(enum log_level level)
{
	atomic_store_explicit(&max_level, (int)level, memory_order_relaxed);
}

// Starts a line: journald takes the priority from "<N>" and adds the time itself; everything else needs the time.
static int begin(char *line, size_t size, enum log_level level)
{
	time_t now = time(NULL);
	struct tm local;

	if (getenv("JOURNAL_STREAM") && !isatty(STDERR_FILENO))
		return snprintf(line, size, "<%d>", (int)level);
	return localtime_r(&now, &local) ? (int)strftime(line, size, "%Y-%m-%d %H:%M:%S ", &local) : 0;
}

void log_line(enum log_level level, const char *fmt, ...)
{
	static const char *const words[] = {"", "", "", "error: ", "warning: ", "", "", "debug: "};

	must(level >= LOG_LEVEL_ERROR && level <= LOG_LEVEL_DEBUG);
	if ((int)level > atomic_load_explicit(&max_level, memory_order_relaxed))
		return;

	char line[2048];
	int at = begin(line, sizeof(line), level);

	at += snprintf(line + at, sizeof(line) - (size_t)at, "%s", words[level]);

	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line + at, sizeof(line) - (size_t)at - 1, fmt, ap);
	va_end(ap);

	// The text may contain what a peer sent: it must not start a line of its own.
	size_t len = strlen(clean_text(line));

	line[len++] = '\n';
	if (write(STDERR_FILENO, line, len) < 0)
		return; // nowhere left to report it
}
