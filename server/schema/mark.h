// A position in an operator's file, for messages.
#pragma once

#include <stddef.h>

struct mark {
	const char *file;    // owned by the source of the mark
	size_t line, column; // from 1; 0: the file as a whole
};
