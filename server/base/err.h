// Error values: a function that can fail returns 0 or one of these, always negative. What a person should read goes
// into a struct report, never into the number.
#pragma once

enum err {
	E_OK = 0,
	E_INVAL = -1,    // what came in is malformed or out of range
	E_NOMEM = -2,    // no memory, or a cap was reached
	E_IO = -3,       // a system call failed; errno tells
	E_NOTFOUND = -4, // no such thing
	E_EXISTS = -5,   // there is one already
	E_LIMIT = -6,    // a configured or built-in limit
	E_STATE = -7,    // not possible now (busy, shutting down)
};

// A fixed English word or two for an error value. Never NULL.
const char *err_text(int err);
