// Texts of the error values.
#include "base/err.h"

const char *err_text(int err)
{
	switch (err) {
	case E_OK: return "success";
	case E_INVAL: return "invalid";
	case E_NOMEM: return "out of memory";
	case E_IO: return "input/output error";
	case E_NOTFOUND: return "not found";
	case E_EXISTS: return "exists already";
	case E_LIMIT: return "limit reached";
	case E_STATE: return "not possible now";
	case E_STOPPED: return "the daemon is stopping";
	case E_HELD: return "held";
	}
	return "unknown error";
}
