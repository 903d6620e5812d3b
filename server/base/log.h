// The daemon's log: one line per event to standard error. It begins with the "<N>" priority when journald reads it
// ($JOURNAL_STREAM is set, and standard error is not a terminal), else with the local time. Slow side only: nothing a query walks through may include this header.
#pragma once

#include "base/attr.h"

enum log_level { LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARNING = 4, LOG_LEVEL_NOTICE = 5, LOG_LEVEL_INFO = 6, LOG_LEVEL_DEBUG = 7 };

// Lines above `level` are dropped. Default LOG_LEVEL_INFO. Callable at any time from any thread.
void log_set_level(enum log_level level);
void log_line(enum log_level level, const char *fmt, ...) PRINTF(2, 3) NONNULL(2);

#define log_error(...) log_line(LOG_LEVEL_ERROR, __VA_ARGS__)
#define log_warning(...) log_line(LOG_LEVEL_WARNING, __VA_ARGS__)
#define log_notice(...) log_line(LOG_LEVEL_NOTICE, __VA_ARGS__)
#define log_info(...) log_line(LOG_LEVEL_INFO, __VA_ARGS__)
#define log_debug(...) log_line(LOG_LEVEL_DEBUG, __VA_ARGS__)
