// Numbers with units: durations, latencies, distances. Used by the config's types and by the control verbs. Pure, no
// allocation. All parsers return E_INVAL for malformed text and more than 15 digits; a zero needs no unit.
#pragma once

#include <stdint.h>

#include "base/attr.h"

enum { UNITS_TEXT_LEN = 32 };

// Whole numbers of ms, s, m, h, d, larger units first: "10s", "1h30m" -> milliseconds.
int units_parse_duration_ms(const char *text, uint64_t *ret_ms) MUST_USE;
// The inverse: writes "1h30m" or "0s" into buf[UNITS_TEXT_LEN] and returns it.
const char *units_format_duration_ms(uint64_t ms, char *buf);
// us, ms, s, with fraction and sign: "5ms", "0.02ms", "-250us" -> microseconds.
int units_parse_latency_us(const char *text, double *ret_us) MUST_USE;
// m, km, with fraction: "200km", "50m" -> kilometres.
int units_parse_distance_km(const char *text, double *ret_km) MUST_USE;
// "50%": whole numbers up to 100.
int units_parse_percent(const char *text, double *ret_percent) MUST_USE;
// The same with fraction and sign: "0.5%".
int units_parse_share(const char *text, double *ret_percent) MUST_USE;
// No unit; with fraction and sign: "-74.006".
int units_parse_number(const char *text, double *ret_number) MUST_USE;
// No unit, digits only.
int units_parse_integer(const char *text, uint64_t *ret_integer) MUST_USE;
