// Why there is no reply of a daemon; for edgesteerctl.
#pragma once

#include <stdbool.h>

#include "base/attr.h"

enum { CLIENT_FAULT_LEN = 512 };

struct client_fault {
	bool is_unreached; // the daemon could not be reached, or has not answered
	char text[CLIENT_FAULT_LEN];
};

// Formats it and returns -1.
int client_fault(struct client_fault *ret_fault, bool is_unreached, const char *fmt, ...) PRINTF(3, 4);
