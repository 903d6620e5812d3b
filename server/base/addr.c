// Addresses, prefixes and endpoints; see addr.h.
#include "base/addr.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"

struct addr addr_cut(const struct addr *addr, uint8_t len)
{
	dev_must(len <= 8 * sizeof(addr->bytes));

	struct addr cut = {.family = addr->family};
	uint8_t octets = len / 8, rest = len % 8;

	memcpy(cut.bytes, addr->bytes, octets);
	if (rest)
		cut.bytes[octets] = (uint8_t)(addr->bytes[octets] & (0xff << (8 - rest)));
	return cut;
}

bool addr_equal(const struct addr *a, const struct addr *b)
{
	return a->family == b->family && memcmp(a->bytes, b->bytes, sizeof(a->bytes)) == 0;
}

bool prefix_overlaps(const struct prefix *a, const struct prefix *b)
{
	uint8_t len = a->len < b->len ? a->len : b->len;
	struct addr left = addr_cut(&a->addr, len), right = addr_cut(&b->addr, len);

	return addr_equal(&left, &right);
}

int addr_parse(const char *text, struct addr *ret_addr)
{
	struct addr addr = {0};

	if (inet_pton(AF_INET, text, addr.bytes) == 1)
		addr.family = ADDR_V4;
	else if (inet_pton(AF_INET6, text, addr.bytes) == 1)
		addr.family = ADDR_V6;
	else
		return E_INVAL;
	*ret_addr = addr;
	return E_OK;
}

int prefix_parse(const char *text, struct prefix *ret_prefix, bool *ret_tail)
{
	char host[INET6_ADDRSTRLEN];
	const char *slash = strchr(text, '/');
	size_t len = slash ? (size_t)(slash - text) : strlen(text);
	struct addr addr;

	if (len >= sizeof(host))
		return E_INVAL;
	memcpy(host, text, len);
	host[len] = '\0';
	if (addr_parse(host, &addr) < 0)
		return E_INVAL;

	unsigned bits = addr_bits(addr.family);

	if (slash) {
		const char *digits = slash + 1;
		size_t count = strspn(digits, "0123456789");

		if (count == 0 || count > 3 || digits[count] != '\0')
			return E_INVAL;
		bits = (unsigned)strtoul(digits, NULL, 10);
		if (bits > addr_bits(addr.family))
			return E_INVAL;
	}

	struct prefix prefix = {addr_cut(&addr, (uint8_t)bits), (uint8_t)bits};

	if (ret_tail)
		*ret_tail = !addr_equal(&prefix.addr, &addr);
	*ret_prefix = prefix;
	return E_OK;
}

const char *addr_format(const struct addr *addr, char *buf)
{
	int family = addr->family == ADDR_V4 ? AF_INET : AF_INET6;

	if (addr->family == ADDR_NONE || !inet_ntop(family, addr->bytes, buf, ADDR_TEXT_LEN))
		strcpy(buf, "-");
	return buf;
}

const char *prefix_format(const struct prefix *prefix, char *buf)
{
	addr_format(&prefix->addr, buf);

	size_t at = strlen(buf);

	snprintf(buf + at, ADDR_TEXT_LEN - at, "/%u", prefix->len);
	return buf;
}

socklen_t addr_to_sockaddr(const struct addr *addr, uint16_t port, struct sockaddr_storage *ret_name)
{
	must(addr->family == ADDR_V4 || addr->family == ADDR_V6);
	memset(ret_name, 0, sizeof(*ret_name));
	if (addr->family == ADDR_V4) {
		struct sockaddr_in in = {.sin_family = AF_INET, .sin_port = htons(port)};

		memcpy(&in.sin_addr, addr->bytes, 4);
		memcpy(ret_name, &in, sizeof(in));
		return sizeof(in);
	}

	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

	memcpy(&in6.sin6_addr, addr->bytes, 16);
	memcpy(ret_name, &in6, sizeof(in6));
	return sizeof(in6);
}

struct addr addr_of_sockaddr(const struct sockaddr_storage *name)
{
	struct addr addr = {0};

	if (name->ss_family == AF_INET) {
		addr.family = ADDR_V4;
		memcpy(addr.bytes, &((const struct sockaddr_in *)name)->sin_addr, 4);
	} else if (name->ss_family == AF_INET6) {
		const struct in6_addr *in6 = &((const struct sockaddr_in6 *)name)->sin6_addr;

		if (IN6_IS_ADDR_V4MAPPED(in6)) {
			addr.family = ADDR_V4;
			memcpy(addr.bytes, in6->s6_addr + 12, 4);
		} else {
			addr.family = ADDR_V6;
			memcpy(addr.bytes, in6, 16);
		}
	}
	return addr;
}

int addr_parse_endpoint(const char *text, uint16_t default_port, struct sockaddr_storage *ret_name,
                        socklen_t *ret_len)
{
	char host[INET6_ADDRSTRLEN];
	const char *at = strchr(text, '@');
	size_t len = at ? (size_t)(at - text) : strlen(text);
	unsigned long port = default_port;
	struct addr addr;

	if (len >= sizeof(host))
		return E_INVAL;
	memcpy(host, text, len);
	host[len] = '\0';
	if (addr_parse(host, &addr) < 0)
		return E_INVAL;
	if (at) {
		size_t count = strspn(at + 1, "0123456789");

		if (count == 0 || count > 5 || at[1 + count] != '\0')
			return E_INVAL;
		port = strtoul(at + 1, NULL, 10);
		if (port == 0 || port > 65535)
			return E_INVAL;
	}
	*ret_len = addr_to_sockaddr(&addr, (uint16_t)port, ret_name);
	return E_OK;
}

const char *addr_format_endpoint(const struct sockaddr_storage *name, char *buf)
{
	struct addr addr = addr_of_sockaddr(name);
	uint16_t port_be16 = name->ss_family == AF_INET ? ((const struct sockaddr_in *)name)->sin_port
	                                                : ((const struct sockaddr_in6 *)name)->sin6_port;

	addr_format(&addr, buf);

	size_t at = strlen(buf);

	snprintf(buf + at, ADDR_TEXT_LEN - at, "@%u", ntohs(port_be16));
	return buf;
}
