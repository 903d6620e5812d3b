// Text from others, as a message may show it.
#pragma once

#include <stddef.h>

enum { SHOWN_SIZE = 128 };

// Copies `text` without control characters and octets beyond ASCII (`?` stands for each), cut with "..." where it is
// too long; returns `buf`.
const char *shown(char buf[static SHOWN_SIZE], const char *text);
