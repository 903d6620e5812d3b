// One question to one server, over UDP and, where the reply is truncated, over TCP; waits for the reply. Its sockets are
// its own and not ldns's, which believes replies from any address and with any ID, and lets a server that sends an octet
// now and then hold it forever. Any thread.
#pragma once

#include <stdint.h>

#include "base/addr.h"
#include "base/attr.h"
#include "online/message.h"

enum {
	ASK_MS = 5000, // the longest that one server is waited for
	ASK_WHY_LEN = 128,
};

// Waits until `deadline_ms` (monotonic) at the latest. The caller empties *ret_message with message_done(). E_IO: there
// is no reply, for the reason in `why`; E_NOTFOUND: it could not be asked, as there is no way to it from here or no time
// left; E_NOMEM, also with a reason.
int ask(const struct sockaddr_storage *server, const struct question *question, int64_t deadline_ms,
        struct message *ret_message, char why[static ASK_WHY_LEN]) MUST_USE;

// The name of an rcode: "REFUSED". Into buf[ASK_WHY_LEN] where it has none. Returns it.
const char *ask_rcode(unsigned rcode, char *buf);
