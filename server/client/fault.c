// Errors of asking; see fault.h.
#include "client/fault.h"

#include <stdarg.h>
#include <stdio.h>

int client_fault(struct client_fault *ret_fault, bool is_unreached, const char *fmt, ...)
{
	va_list ap;

	ret_fault->is_unreached = is_unreached;
	va_start(ap, fmt);
	vsnprintf(ret_fault->text, sizeof(ret_fault->text), fmt, ap);
	va_end(ap);
	return -1;
}
