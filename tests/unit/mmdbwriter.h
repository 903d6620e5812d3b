// Writes small MaxMind databases for tests: any mix of record size and IP version, well-formed unless a field says
// otherwise.
#pragma once

#include <stddef.h>
#include <stdint.h>

enum { MMDBWRITER_NODES = 65536, MMDBWRITER_DATA = 1 << 20 };

struct mmdbwriter {
	unsigned ip_version;  // 4 or 6
	unsigned record_size; // 24, 28 or 32 bits
	uint32_t nodes[MMDBWRITER_NODES][2]; // a node, mmdbwriter_leaf() or MMDBWRITER_EMPTY
	uint32_t node_count;
	uint8_t data[MMDBWRITER_DATA];
	size_t data_len;
	// Replaces the metadata made from the above when `metadata_len` is not 0.
	uint8_t metadata[65536];
	size_t metadata_len;
};

#define MMDBWRITER_EMPTY UINT32_MAX

static inline uint32_t mmdbwriter_leaf(uint32_t offset)
{
	return offset | 1u << 31;
}

void mmdbwriter_begin(struct mmdbwriter *writer, unsigned ip_version, unsigned record_size);
// Appends a record, returns its offset. Radius 0: none.
uint32_t mmdbwriter_city(struct mmdbwriter *writer, double latitude, double longitude, unsigned radius_km);
uint32_t mmdbwriter_asn(struct mmdbwriter *writer, uint32_t asn);
// Appends octets as they are, returns their offset.
uint32_t mmdbwriter_bytes(struct mmdbwriter *writer, const void *bytes, size_t len);
// `address` of 4 or 16 octets by ip_version. What was there is kept around it, and overwritten below it.
void mmdbwriter_insert(struct mmdbwriter *writer, const uint8_t *address, unsigned length, uint32_t leaf);
void mmdbwriter_save(const struct mmdbwriter *writer, const char *path);
