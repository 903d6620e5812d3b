// The daemon's log: one line per event on standard error. A line starts with the priority "<N>" when journald reads it
// ($JOURNAL_STREAM is set, and standard error is not a terminal), else with the local time. Slow side only: nothing on
// the query path may include this header.
#pragma once

#include "base/attr.h"

// The numbers are syslog's.
enum log_level {
	LOG_LEVEL_ERROR = 3,
	LOG_LEVEL_WARNING = 4,
	LOG_LEVEL_NOTICE = 5,
	LOG_LEVEL_INFO = 6,
	LOG_LEVEL_DEBUG = 7,
};

// Drops lines above `level` from now on. Default LOG_LEVEL_INFO. Any thread.
void log_set_level(enum log_level level);
// Logs one line without its final newline; it is cleaned (clean.h), and text past 2 KiB is cut. Any thread.
void log_line(enum log_level level, const char *fmt, ...) PRINTF(2, 3) NONNULL(2);

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...) log_line(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)
