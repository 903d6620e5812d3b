// Hexadecimal, base32hex and base64; see digits.h.
#include "zone/digits.h"

#include "zone/convert.h"

static int value_of(enum zone_base base, char digit)
{
	const char upper = base == ZONE_BASE64 ? digit : (char)(digit & ~0x20);

	if (base == ZONE_BASE64)
		return digit >= 'A' && digit <= 'Z'   ? digit - 'A'
		       : digit >= 'a' && digit <= 'z' ? digit - 'a' + 26
		       : digit >= '0' && digit <= '9' ? digit - '0' + 52
		       : digit == '+'                 ? 62
		       : digit == '/'                 ? 63
		                                      : -1;
	if (digit >= '0' && digit <= '9')
		return digit - '0';
	return upper >= 'A' && upper < 'A' + (1 << base) - 10 ? upper - 'A' + 10 : -1;
}

bool zone_digits_add(struct zone_digits *digits, struct zone_convert *convert, char digit)
{
	if (digits->base == ZONE_BASE64 && digit == '=') {
		digits->pads++;
		return true;
	}

	const int value = value_of(digits->base, digit);

	if (value < 0 || digits->pads > 0)
		return false;
	digits->bits = digits->bits << digits->base | (uint32_t)value;
	digits->pending += digits->base;
	digits->count++;
	if (digits->pending < 8)
		return true;
	digits->pending -= 8;
	return zone_convert_put_number(convert, digits->bits >> digits->pending & UINT8_MAX, 1);
}

bool zone_digits_end(const struct zone_digits *digits)
{
	const uint32_t rest = digits->bits & ((1u << digits->pending) - 1);

	return digits->pending < digits->base && rest == 0 &&
	       (digits->base != ZONE_BASE64 || ((digits->count + digits->pads) % 4 == 0 && digits->pads < 3));
}

static bool add_word(struct zone_digits *digits, struct zone_convert *convert)
{
	for (const char *at = zone_convert_take(convert); *at; at++)
		if (!zone_digits_add(digits, convert, *at))
			return false;
	return true;
}

bool zone_digits_word(struct zone_convert *convert, enum zone_base base)
{
	struct zone_digits digits = {.base = base};

	return add_word(&digits, convert) && zone_digits_end(&digits);
}

bool zone_digits_words(struct zone_convert *convert, enum zone_base base)
{
	struct zone_digits digits = {.base = base};

	while (convert->count > 0)
		if (!add_word(&digits, convert))
			return false;
	return zone_digits_end(&digits);
}
