// Fuzzes the reading of a resolver's reply: for any octets, what is kept is sorted, of the family asked for, and no more than
// there is room for; an error leaves it alone and has its words. The first octet chooses the family.
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"
#include "resolve/received.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void check(const struct received *received, enum addr_family family)
{
	must(received->count > 0 && received->count <= RECEIVED_ADDRESSES_MAX && received->ttl_s <= INT32_MAX);
	for (size_t i = 0; i < received->count; i++) {
		const struct addr *addr = &received->addresses[i];

		must(addr->family == family);
		must(i == 0 || memcmp(received->addresses[i - 1].bytes, addr->bytes, sizeof(addr->bytes)) < 0);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static struct wire_name own;
	const struct received_zones zones = {&own, 1};
	struct received received = {.count = 0};
	char why[RECEIVED_WHY_LEN] = "";

	if (len == 0)
		return 0;
	must(name_from_text("edge.example.com", own.wire, &own.len) == E_OK);

	enum addr_family family = data[0] & 1 ? ADDR_V6 : ADDR_V4;
	int err = received_read(data + 1, len - 1, family, &zones, &received, why);

	must(err == E_OK || err == E_NOTFOUND || err == E_INVAL);
	if (err == E_OK)
		check(&received, family);
	else
		must(received.count == 0);
	must(err != E_INVAL || why[0]);
	return 0;
}
