// Reading dates and times of day; see when.h.
#include "base/when.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/err.h"

enum { YEAR_MAX = 9999, DAY_S = 86400 };

// A number of exactly `digits` digits at *at, which is moved past it; -1: there is none.
static int take_digits(const char **at, int digits)
{
	int number = 0;

	for (int i = 0; i < digits; i++) {
		if (**at < '0' || **at > '9')
			return -1;
		number = number * 10 + (*(*at)++ - '0');
	}
	return number;
}

static bool take(const char **at, const char *any)
{
	if (!**at || !strchr(any, **at))
		return false;
	++*at;
	return true;
}

// HH:MM or HH:MM:SS.
static bool take_clock(const char **at, struct tm *tm)
{
	tm->tm_hour = take_digits(at, 2);
	if (tm->tm_hour < 0 || tm->tm_hour > 23 || !take(at, ":"))
		return false;
	tm->tm_min = take_digits(at, 2);
	if (take(at, ":"))
		tm->tm_sec = take_digits(at, 2);
	return tm->tm_min >= 0 && tm->tm_min <= 59 && tm->tm_sec >= 0 && tm->tm_sec <= 59;
}

// YYYY-MM-DD.
static bool take_date(const char **at, struct tm *tm)
{
	tm->tm_year = take_digits(at, 4) - 1900;
	if (tm->tm_year < 70 || !take(at, "-"))
		return false;
	tm->tm_mon = take_digits(at, 2) - 1;
	if (tm->tm_mon < 0 || tm->tm_mon > 11 || !take(at, "-"))
		return false;
	tm->tm_mday = take_digits(at, 2);
	return tm->tm_mday >= 1 && tm->tm_mday <= 31;
}

// Z or +HH:MM, in seconds east of UTC. False: it is neither.
static bool take_zone(const char **at, int64_t *ret_east_s)
{
	bool is_west = **at == '-';
	struct tm tm = {0};

	*ret_east_s = 0;
	if (take(at, "Zz"))
		return true;
	if (!take(at, "+-") || !take_clock(at, &tm) || tm.tm_sec)
		return false;
	*ret_east_s = (tm.tm_hour * 3600 + tm.tm_min * 60) * (is_west ? -1 : 1);
	return true;
}

// A day of the month that there is not would be carried into the next.
static int seconds_of(struct tm tm, bool is_local, int64_t *ret_s)
{
	struct tm same = tm;

	same.tm_isdst = -1;

	time_t time_s = is_local ? mktime(&same) : timegm(&same);

	if (same.tm_mday != tm.tm_mday || same.tm_mon != tm.tm_mon)
		return E_INVAL;
	*ret_s = time_s;
	return E_OK;
}

static int parse_epoch(const char *at, int64_t *ret_s)
{
	int64_t time_s = 0;
	size_t digits = strspn(at, "0123456789");

	if (digits == 0 || digits > 11 || at[digits])
		return E_INVAL;
	while (*at)
		time_s = time_s * 10 + (*at++ - '0');
	*ret_s = time_s;
	return E_OK;
}

// The next time of day like this, of this machine's time zone.
static int parse_clock(const char *at, int64_t now_s, int64_t *ret_s)
{
	time_t now = (time_t)now_s;
	struct tm day, clock = {0};
	int err = E_OK;

	if (!take_clock(&at, &clock) || *at || !localtime_r(&now, &day))
		return E_INVAL;
	day.tm_hour = clock.tm_hour;
	day.tm_min = clock.tm_min;
	day.tm_sec = clock.tm_sec;
	err = seconds_of(day, true, ret_s);
	if (err == E_OK && *ret_s <= now_s) {
		now = (time_t)(now_s + DAY_S);
		if (!localtime_r(&now, &day))
			return E_INVAL;
		day.tm_hour = clock.tm_hour;
		day.tm_min = clock.tm_min;
		day.tm_sec = clock.tm_sec;
		err = seconds_of(day, true, ret_s);
	}
	return err;
}

int when_parse(const char *text, int64_t now_s, bool is_local, int64_t *ret_s)
{
	struct tm tm = {0};
	const char *at = text;
	int64_t east_s, time_s;

	if (*at == '@')
		return parse_epoch(at + 1, ret_s);
	if (is_local && strlen(text) > 2 && text[2] == ':')
		return parse_clock(at, now_s, ret_s);
	if (!take_date(&at, &tm) || !take(&at, "Tt ") || !take_clock(&at, &tm))
		return E_INVAL;
	if (!*at)
		return is_local ? seconds_of(tm, true, ret_s) : E_INVAL;
	if (!take_zone(&at, &east_s) || *at || seconds_of(tm, false, &time_s) < 0)
		return E_INVAL;
	*ret_s = time_s - east_s;
	return E_OK;
}

const char *when_format(int64_t time_s, char *buf)
{
	time_t time = (time_t)time_s;
	struct tm tm;

	if (!gmtime_r(&time, &tm) || tm.tm_year + 1900 > YEAR_MAX || strftime(buf, WHEN_TEXT_LEN, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		snprintf(buf, WHEN_TEXT_LEN, "@%lld", (long long)time_s);
	return buf;
}
