// Writes numbers in network byte order, and what every record has. Each function returns the address after what it
// wrote.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "wire/dns.h"

static inline uint8_t *put16(uint8_t *at, unsigned value)
{
	at[0] = (uint8_t)(value >> 8);
	at[1] = (uint8_t)value;
	return at + 2;
}

static inline uint8_t *put32(uint8_t *at, uint32_t value)
{
	return put16(put16(at, value >> 16), value & 0xffff);
}

// A record from its TYPE to its RDLENGTH, of class IN: what is between the owner and the RDATA.
static inline uint8_t *put_record_fields(uint8_t *at, uint16_t type, uint32_t ttl_s, size_t rdata_len)
{
	return put16(put32(put16(put16(at, type), DNS_CLASS_IN), ttl_s), (unsigned)rdata_len);
}

// The first DNS_RECORD_LEN octets of a record whose owner is a pointer to the question's name.
static inline uint8_t *put_record_start(uint8_t *at, uint16_t type, uint32_t ttl_s, size_t rdata_len)
{
	return put_record_fields(put16(at, 0xc000 | DNS_HEADER_LEN), type, ttl_s, rdata_len);
}
