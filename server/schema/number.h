// Option types that are one number, with or without a unit; the row's `min` and `max` are its range.
#pragma once

#include "schema/schema.h"

extern const struct option_type number_integer;     // unsigned of 1, 2 or 4 octets
extern const struct option_type number_duration_ms; // unsigned
extern const struct option_type number_duration_s;  // unsigned; whole seconds
extern const struct option_type number_latency_us;  // 4 octets, signed where the range starts below zero
extern const struct option_type number_rate_us;     // double: latency per kilometre
extern const struct option_type number_distance_km; // double
extern const struct option_type number_percent;     // unsigned
extern const struct option_type number_share;       // unsigned: a percentage with decimals, in millionths of the whole
extern const struct option_type number_location;    // double[2]: latitude, longitude in degrees
