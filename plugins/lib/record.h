// Reads the data section of a MaxMind DB (format 2.0, https://maxmind.github.io/MaxMind-DB/), for mmdbtree.c and its
// users: the few fields we use of City, Enterprise, ISP and ASN records. libmaxminddb opens files and reads search
// trees, but its readers of data do not limit what a damaged or malicious file makes them do (offsets, nesting, total
// size), so they get no data that was not walked here first. Pure functions of the file's bytes; texts point into them.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

// A data section.
struct record_section {
	const uint8_t *bytes;
	size_t len;
	size_t elements; // read so far for the current record
	const char *why; // the reason after a failure
};

struct record_text {
	const char *start; // without a final zero
	size_t len;        // 0: unknown
};

struct record {
	double latitude, longitude; // degrees; NaN: unknown
	double accuracy_km;         // NaN: unknown
	uint32_t asn;               // 0: unknown
	struct record_text mcc, mnc; // mobile country and network code (ITU-T E.212)
	struct record_text isp;
	struct record_text country; // ISO 3166-1 alpha-2
};

// Reads the record at `offset`. False: it is damaged; section->why is the reason.
bool record_read(struct record_section *section, size_t offset, struct record *ret_record);

// Finds the metadata in the last `len` bytes of a file and walks all of it. True: libmaxminddb can safely read it.
// False: *ret_why is the reason.
bool record_check_metadata(const uint8_t *tail, size_t len, const char **ret_why);

enum { RECORD_METADATA_MAX_LEN = 128 << 10 }; // the format's own limit, with the marker before it
