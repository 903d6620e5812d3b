// What a target sends to the DNS probe: the first octet chooses the type asked, the rest is the message. Whatever it is, what is
// found is among what is counted, and looking for nothing finds what looking for something counts.
#include <stdint.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"
#include "health/dns_reply.h"
#include "wire/dns.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t types[] = {DNS_A, DNS_AAAA, DNS_CNAME, DNS_MX, DNS_NS, DNS_PTR, DNS_SOA, DNS_SRV, DNS_TXT};
	struct dns_reply_question question = {.name = {"\1a\1x", 5}, .id = 0x1234};
	unsigned with = 0, without = 0;
	int found, any;

	if (size == 0)
		return 0;
	question.type = types[data[0] % (sizeof(types) / sizeof(types[0]))];
	if (!dns_reply_is_to(data + 1, size - 1, &question))
		return 0;
	must(size - 1 >= DNS_HEADER_LEN && dns_reply_rcode(data + 1) < 16);
	any = dns_reply_find(data + 1, size - 1, &question, NULL, &without);
	found = dns_reply_find(data + 1, size - 1, &question, "192.0.2.1", &with);
	must(any == E_OK || any == E_INVAL);
	must((found == E_INVAL) == (any == E_INVAL) && with == without);
	must(found != E_OK || with > 0);
	return 0;
}
