// Error values: a function that can fail returns 0 or one of these, always negative. Details for the operator go into a
// struct report.
#pragma once

enum err {
	E_OK = 0,
	E_INVAL = -1,    // the input is malformed or out of range
	E_NOMEM = -2,    // out of memory, or an arena's cap was reached
	E_IO = -3,       // a system call failed; see errno
	E_NOTFOUND = -4, // not found
	E_EXISTS = -5,   // already exists
	E_LIMIT = -6,    // a configured or built-in limit was reached
	E_STATE = -7,    // not possible now (busy, shutting down)
	E_STOPPED = -8,  // given up, as the daemon is stopping
	E_HELD = -9,     // nothing is wrong with it, but it would change more than is allowed without force
};

// A fixed English word or two for an error value. Never NULL.
const char *err_text(int err);
