// Where something was written in a file of the operator's; for messages.
#pragma once

#include <stddef.h>

struct mark {
	const char *file;    // owned by what the mark was got from
	size_t line, column; // from 1; 0: the file as a whole
};
