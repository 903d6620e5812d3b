// One measured round trip, as a line of text: what whoever ends a client's connections, or the client itself, tells of it.
// Hostile until it was read here.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "base/names.h"

enum {
	OBSERVATION_LINE_MAX = 256,     // octets of a line, without its line feed
	OBSERVATION_MS_MAX = 60000,
	OBSERVATION_WHY_LEN = 192,
};

struct observation {
	struct addr client;
	uint32_t us;                    // 1..OBSERVATION_MS_MAX * 1000
	uint32_t host;                  // who measured, as a hash of its name; 0: it does not say
	char site[NAME_MAX_LEN + 1];    // a word (letters, digits, "-", "_", "."), of the config or not
};

// Reads "ADDRESS SITE MILLISECONDS [HOST]", of `len` octets. An IPv4-mapped address is the IPv4 one. 1: *ret_observation is
// filled in. 0: there is nothing on it, or a comment ("#"). E_INVAL: ret_why[OBSERVATION_WHY_LEN] says what is wrong, in
// printable characters.
int observation_parse(const char *line, size_t len, struct observation *ret_observation, char *ret_why) MUST_USE;
