// Ranges, and the numbers of $GENERATE; see generate.h.
#include "zone/generate.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "zone/scan.h"

enum { NUMBER_MAX = INT32_MAX, WIDTH_MAX = 255, NUMBER_TEXT_MAX = 2 * WIDTH_MAX };

// How a number is written: "${offset,width,base}".
struct form {
	long offset;
	unsigned width; // characters, at least
	char base;      // d, o, x, X; n, N: nibbles, the lowest first, as in ip6.arpa
};

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

// Reads digits up to `max`; moves *at behind them.
static bool read_number(const char **at, long max, long *ret_number)
{
	long number = 0;

	if (!is_digit(**at))
		return false;
	for (; is_digit(**at); ++*at)
		if (number <= max)
			number = number * 10 + (**at - '0');
	*ret_number = number;
	return number <= max;
}

int zone_generate_range(const char *word, struct zone_generate_range *ret_range)
{
	long start, stop, step = 1;

	if (!read_number(&word, NUMBER_MAX, &start) || *word++ != '-' || !read_number(&word, NUMBER_MAX, &stop))
		return E_INVAL;
	if (*word == '/' && (word++, !read_number(&word, NUMBER_MAX, &step)))
		return E_INVAL;
	if (*word || stop < start || step == 0)
		return E_INVAL;
	*ret_range = (struct zone_generate_range){(uint32_t)start, (uint32_t)stop, (uint32_t)step};
	return E_OK;
}

uint32_t zone_generate_count(const struct zone_generate_range *range)
{
	return (range->stop - range->start) / range->step + 1;
}

// Reads "{OFFSET[,WIDTH[,BASE]]}" and moves *at behind it; without a brace, the form is the plain one.
static bool read_form(const char **at, struct form *ret_form)
{
	struct form form = {.base = 'd'};
	long width = 0;
	bool negative;

	if (**at != '{') {
		*ret_form = form;
		return true;
	}
	++*at;
	negative = **at == '-';
	*at += negative || **at == '+';
	if (!read_number(at, NUMBER_MAX, &form.offset))
		return false;
	form.offset = negative ? -form.offset : form.offset;
	if (**at == ',' && (++*at, !read_number(at, WIDTH_MAX, &width)))
		return false;
	form.width = (unsigned)width;
	if (**at == ',') {
		form.base = (*at)[1];
		if (!form.base || !strchr("doxXnN", form.base))
			return false;
		*at += 2;
	}
	if (*(*at)++ != '}')
		return false;
	*ret_form = form;
	return true;
}

// Nibbles and the dots between them count towards the width.
static size_t format_nibbles(char *text, unsigned long number, const struct form *form)
{
	const char *digits = form->base == 'n' ? "0123456789abcdef" : "0123456789ABCDEF";
	size_t len = 0;

	do {
		if (len > 0)
			text[len++] = '.';
		text[len++] = digits[number & 0xf];
		number >>= 4;
	} while (number > 0 || len + 1 < form->width);
	return len;
}

static size_t format_number(char *text, unsigned long number, const struct form *form)
{
	const int width = (int)form->width;

	switch (form->base) {
	case 'o': return (size_t)snprintf(text, NUMBER_TEXT_MAX, "%0*lo", width, number);
	case 'x': return (size_t)snprintf(text, NUMBER_TEXT_MAX, "%0*lx", width, number);
	case 'X': return (size_t)snprintf(text, NUMBER_TEXT_MAX, "%0*lX", width, number);
	case 'd': return (size_t)snprintf(text, NUMBER_TEXT_MAX, "%0*lu", width, number);
	default: return format_nibbles(text, number, form);
	}
}

// Writes the piece of a word at *at, a character or a number, and moves *at behind it. Returns its length; 0: malformed.
static size_t next_piece(const char **at, uint32_t number, char *text)
{
	struct form form;

	if (**at == '\\' && (*at)[1]) {
		memcpy(text, *at, 2);
		*at += 2;
		return 2;
	}
	if (**at != '$' || (*at)[1] == '$') {
		const bool dollar = **at == '$';

		memcpy(text, dollar ? "\\$" : *at, 2);
		*at += dollar ? 2 : 1;
		return dollar ? 2 : 1;
	}
	++*at;
	if (!read_form(at, &form) || (long)number + form.offset < 0)
		return 0;
	return format_number(text, (unsigned long)((long)number + form.offset), &form);
}

int zone_generate_words(const char *from, size_t count, uint32_t number, char *words, size_t size, size_t *ret_len)
{
	size_t len = 0;

	for (; count > 0; count--, from++) {
		while (*from) {
			char text[NUMBER_TEXT_MAX];
			const size_t piece = next_piece(&from, number, text);

			if (piece == 0)
				return E_INVAL;
			if (piece >= size - len) // room for the word's zero
				return E_LIMIT;
			memcpy(words + len, text, piece);
			len += piece;
		}
		if (len >= size)
			return E_LIMIT;
		words[len++] = '\0';
	}
	*ret_len = len;
	return E_OK;
}
