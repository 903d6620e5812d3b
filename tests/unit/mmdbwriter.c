// See mmdbwriter.h. https://maxmind.github.io/MaxMind-DB/
#include "mmdbwriter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void check(int good)
{
	if (!good)
		abort();
}

// ---- the data section's elements, appended to a buffer --------------------------------------------------------------

struct out {
	uint8_t *bytes;
	size_t len;
};

static void put(struct out *out, const void *bytes, size_t len)
{
	memcpy(out->bytes + out->len, bytes, len);
	out->len += len;
}

static void put_control(struct out *out, unsigned type, unsigned size)
{
	uint8_t control = (uint8_t)((type > 7 ? 0 : type << 5) | size), extended = (uint8_t)(type - 7);

	check(size < 29);
	put(out, &control, 1);
	if (type > 7)
		put(out, &extended, 1);
}

static void put_text(struct out *out, const char *text)
{
	put_control(out, 2, (unsigned)strlen(text));
	put(out, text, strlen(text));
}

// Types: 5 uint16, 6 uint32, 9 uint64.
static void put_number(struct out *out, unsigned type, uint32_t value)
{
	uint8_t bytes[4] = {(uint8_t)(value >> 24), (uint8_t)(value >> 16), (uint8_t)(value >> 8), (uint8_t)value};
	unsigned skip = 0;

	while (skip < 4 && bytes[skip] == 0)
		skip++;
	put_control(out, type, 4 - skip);
	put(out, bytes + skip, 4 - skip);
}

static void put_double(struct out *out, double value)
{
	uint64_t bits;

	memcpy(&bits, &value, sizeof(bits));
	bits = __builtin_bswap64(bits);
	put_control(out, 3, 8);
	put(out, &bits, 8);
}

// ---- the database ---------------------------------------------------------------------------------------------------

void mmdbwriter_begin(struct mmdbwriter *writer, unsigned ip_version, unsigned record_size)
{
	writer->ip_version = ip_version;
	writer->record_size = record_size;
	writer->nodes[0][0] = writer->nodes[0][1] = MMDBWRITER_EMPTY;
	writer->node_count = 1;
	writer->data_len = writer->metadata_len = 0;
}

uint32_t mmdbwriter_city(struct mmdbwriter *writer, double latitude, double longitude, unsigned radius_km)
{
	struct out out = {writer->data, writer->data_len};
	uint32_t offset = (uint32_t)out.len;

	check(out.len + 128 < sizeof(writer->data));
	put_control(&out, 7, 2);
	put_text(&out, "location");
	put_control(&out, 7, radius_km ? 3 : 2);
	put_text(&out, "latitude");
	put_double(&out, latitude);
	if (radius_km) {
		put_text(&out, "accuracy_radius");
		put_number(&out, 5, radius_km);
	}
	put_text(&out, "longitude");
	put_double(&out, longitude);
	put_text(&out, "other"); // something to pass over: a list of an empty map and a text
	put_control(&out, 11, 2);
	put_control(&out, 7, 0);
	put_text(&out, "x");
	writer->data_len = out.len;
	return mmdbwriter_leaf(offset);
}

uint32_t mmdbwriter_asn(struct mmdbwriter *writer, uint32_t asn)
{
	struct out out = {writer->data, writer->data_len};
	uint32_t offset = (uint32_t)out.len;

	check(out.len + 128 < sizeof(writer->data));
	put_control(&out, 7, 1);
	put_text(&out, "autonomous_system_number");
	put_number(&out, 6, asn);
	writer->data_len = out.len;
	return mmdbwriter_leaf(offset);
}

uint32_t mmdbwriter_bytes(struct mmdbwriter *writer, const void *bytes, size_t len)
{
	struct out out = {writer->data, writer->data_len};
	uint32_t offset = (uint32_t)out.len;

	check(out.len + len <= sizeof(writer->data));
	put(&out, bytes, len);
	writer->data_len = out.len;
	return mmdbwriter_leaf(offset);
}

void mmdbwriter_insert(struct mmdbwriter *writer, const uint8_t *address, unsigned length, uint32_t leaf)
{
	uint32_t node = 0;

	check(length > 0);
	for (unsigned depth = 0;; depth++) {
		uint32_t *record = &writer->nodes[node][address[depth / 8] >> (7 - depth % 8) & 1];

		if (depth + 1 == length) {
			*record = leaf;
			return;
		}
		if (*record >> 31) { // a leaf: it goes on below, on both sides
			check(writer->node_count < MMDBWRITER_NODES);
			writer->nodes[writer->node_count][0] = writer->nodes[writer->node_count][1] = *record;
			*record = writer->node_count++;
		}
		node = *record;
	}
}

static uint32_t record_value(const struct mmdbwriter *writer, uint32_t record)
{
	if (record == MMDBWRITER_EMPTY)
		return writer->node_count;
	return record >> 31 ? writer->node_count + 16 + (record & ~(1u << 31)) : record;
}

static void save_node(const struct mmdbwriter *writer, const uint32_t node[2], FILE *file)
{
	uint32_t left = record_value(writer, node[0]), right = record_value(writer, node[1]);
	uint8_t l[4] = {(uint8_t)(left >> 24), (uint8_t)(left >> 16), (uint8_t)(left >> 8), (uint8_t)left};
	uint8_t r[4] = {(uint8_t)(right >> 24), (uint8_t)(right >> 16), (uint8_t)(right >> 8), (uint8_t)right};
	uint8_t middle = (uint8_t)((l[0] & 15) << 4 | (r[0] & 15));
	unsigned whole = writer->record_size == 32 ? 4 : 3;

	fwrite(l + 4 - whole, 1, whole, file);
	if (writer->record_size == 28)
		fwrite(&middle, 1, 1, file);
	fwrite(r + 4 - whole, 1, whole, file);
}

static size_t make_metadata(const struct mmdbwriter *writer, uint8_t *bytes)
{
	struct out out = {bytes, 0};

	put_control(&out, 7, 9);
	put_text(&out, "node_count");
	put_number(&out, 6, writer->node_count);
	put_text(&out, "record_size");
	put_number(&out, 5, writer->record_size);
	put_text(&out, "ip_version");
	put_number(&out, 5, writer->ip_version);
	put_text(&out, "database_type");
	put_text(&out, "edgesteer-test");
	put_text(&out, "languages");
	put_control(&out, 11, 0);
	put_text(&out, "binary_format_major_version");
	put_number(&out, 5, 2);
	put_text(&out, "binary_format_minor_version");
	put_number(&out, 5, 0);
	put_text(&out, "build_epoch");
	put_number(&out, 9, 1700000000);
	put_text(&out, "description");
	put_control(&out, 7, 0);
	return out.len;
}

void mmdbwriter_save(const struct mmdbwriter *writer, const char *path)
{
	static const uint8_t separator[16];
	static const char marker[] = "\xab\xcd\xef" "MaxMind.com";
	uint8_t metadata[512];
	FILE *file = fopen(path, "w");

	check(file != NULL);
	for (uint32_t i = 0; i < writer->node_count; i++)
		save_node(writer, writer->nodes[i], file);
	fwrite(separator, 1, sizeof(separator), file);
	fwrite(writer->data, 1, writer->data_len, file);
	fwrite(marker, 1, sizeof(marker) - 1, file);
	if (writer->metadata_len)
		fwrite(writer->metadata, 1, writer->metadata_len, file);
	else
		fwrite(metadata, 1, make_metadata(writer, metadata), file);
	check(fclose(file) == 0);
}
