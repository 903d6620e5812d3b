// Fuzzes the reading of other servers' replies: whatever comes, what was read is within its limits and valid.
#include <stdint.h>
#include <stdlib.h>

#include "base/must.h"
#include "online/message.h"
#include "wire/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check_name(const struct wire_name *name)
{
	size_t at = 0;

	must(name->len > 0 && name->len <= NAME_WIRE_MAX);
	while (name->wire[at] != 0) {
		must(name->wire[at] <= NAME_LABEL_MAX);
		at += 1 + (size_t)name->wire[at];
		must(at < name->len);
	}
	must(at + 1 == name->len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct message message;

	if (len > DNS_MESSAGE_MAX || message_read(data, len, &message) < 0)
		return 0;
	must(message.count <= MESSAGE_RECORDS_MAX);
	for (size_t i = 0; i < message.count; i++) {
		check_name(&message.records[i].owner);
		if (message.records[i].type == DNS_NS)
			check_name(&message.records[i].name);
	}
	message_done(&message);
	return 0;
}
