// Reads the data section's elements, and records composed of them; see record.h.
#include "record.h"

#include <math.h>
#include <string.h>

enum type {
	EXTENDED,
	POINTER,
	TEXT,
	DOUBLE,
	BYTES,
	UINT16,
	UINT32,
	MAP,
	INT32,
	UINT64,
	UINT128,
	ARRAY,
	CACHE_CONTAINER, // this and the next never occur in a file
	END_MARKER,
	BOOLEAN,
	FLOAT,
};

enum {
	ELEMENTS_MAX = 8192, // of one record; the largest real ones have some two hundred
	DEPTH_MAX = 16,      // of the metadata; real ones have three levels
};

struct element {
	enum type type;
	size_t size;    // octets; for a MAP pairs, for an ARRAY elements, for a BOOLEAN its value, for a POINTER its target
	size_t payload; // offset of its octets or its first element
	size_t next;    // offset after it; for a MAP and an ARRAY only when read through a pointer
};

static bool fail(struct record_section *section, const char *why)
{
	section->why = why;
	return false;
}

static uint64_t number(const struct record_section *section, size_t at, size_t len)
{
	uint64_t value = 0;

	for (size_t i = 0; i < len; i++)
		value = value << 8 | section->bytes[at + i];
	return value;
}

// True when the type may have this size and its octets are inside the section.
static bool size_is_good(const struct record_section *section, const struct element *element)
{
	static const struct {
		bool fixed; // the size must equal the limit
		size_t limit;
	} sizes[] = {
		[TEXT] = {false, SIZE_MAX}, [BYTES] = {false, SIZE_MAX}, [DOUBLE] = {true, 8},   [FLOAT] = {true, 4},
		[UINT16] = {false, 2},      [UINT32] = {false, 4},       [INT32] = {false, 4},   [UINT64] = {false, 8},
		[UINT128] = {false, 16},
	};
	size_t limit = sizes[element->type].limit;

	return element->size <= section->len - element->payload &&
	       (sizes[element->type].fixed ? element->size == limit : element->size <= limit);
}

// "Pointer": 2 bits say how many octets follow; 3 more are the value's top bits, except in the longest form.
static bool read_pointer(struct record_section *section, size_t offset, uint8_t control, struct element *ret_element)
{
	static const size_t bases[] = {0, 2048, 526336, 0};
	unsigned form = control >> 3 & 3;
	size_t at = offset + 1, len = form + 1;

	if (len > section->len - at)
		return fail(section, "a pointer is cut off by the file's end");

	size_t target = (size_t)number(section, at, len) + bases[form];

	if (form < 3)
		target += (size_t)(control & 7) << 8 * len;
	if (target >= section->len)
		return fail(section, "a pointer leads out of the file");
	*ret_element = (struct element){POINTER, target, at, at + len};
	return true;
}

// Reads the element at `offset`, without following pointers.
static bool read_raw(struct record_section *section, size_t offset, struct element *ret_element)
{
	size_t at = offset;

	if (++section->elements > ELEMENTS_MAX)
		return fail(section, "a record has too many parts");
	if (at >= section->len)
		return fail(section, "a record is cut off by the file's end");

	uint8_t control = section->bytes[at++];
	struct element element = {.type = control >> 5, .size = control & 31};

	if (element.type == POINTER)
		return read_pointer(section, offset, control, ret_element);
	if (element.type == EXTENDED) {
		if (at >= section->len)
			return fail(section, "a record is cut off by the file's end");
		element.type = 7u + section->bytes[at++];
		if (element.type <= MAP || element.type > FLOAT || element.type == CACHE_CONTAINER ||
		    element.type == END_MARKER)
			return fail(section, "a record has a part of unknown type");
	}
	if (element.size >= 29) { // 29, 30, 31: one, two, three more octets, starting after the range of the shorter forms
		static const size_t bases[] = {29, 29 + 256, 29 + 256 + 65536};
		size_t len = element.size - 28;

		if (len > section->len - at)
			return fail(section, "a record is cut off by the file's end");
		element.size = (size_t)number(section, at, len) + bases[len - 1];
		at += len;
	}
	element.payload = at;
	element.next = at;
	if (element.type != MAP && element.type != ARRAY && element.type != BOOLEAN) {
		if (!size_is_good(section, &element))
			return fail(section, "a value has an impossible size");
		element.next += element.size;
	}
	*ret_element = element;
	return true;
}

// Reads the element at `offset`, or the one that a pointer there leads to; `next` is then after the pointer.
static bool read_element(struct record_section *section, size_t offset, struct element *ret_element, bool *ret_pointed)
{
	struct element element, target;

	if (!read_raw(section, offset, &element))
		return false;
	*ret_pointed = element.type == POINTER;
	if (*ret_pointed) {
		if (!read_raw(section, element.size, &target))
			return false;
		if (target.type == POINTER)
			return fail(section, "a pointer leads to a pointer");
		target.next = element.next;
		element = target;
	}
	*ret_element = element;
	return true;
}

// Skips one element with all it contains, counting the elements left instead of recursing. Pointers are not followed,
// so this terminates.
static bool skip(struct record_section *section, size_t *at)
{
	struct element element;

	for (size_t left = 1; left > 0; left--) {
		if (!read_raw(section, *at, &element))
			return false;
		*at = element.next;
		if (element.type == MAP)
			left += 2 * element.size;
		else if (element.type == ARRAY)
			left += element.size;
	}
	return true;
}

// ---- records --------------------------------------------------------------------------------------------------------

static bool read_double(struct record_section *section, const struct element *element, double limit, double *ret_value)
{
	uint64_t bits = number(section, element->payload, element->type == DOUBLE ? 8 : 0);
	double value;

	if (element->type != DOUBLE)
		return fail(section, "a coordinate is not a double");
	memcpy(&value, &bits, sizeof(value));
	if (!(fabs(value) <= limit))
		return fail(section, "a coordinate is out of range");
	*ret_value = value;
	return true;
}

static bool read_uint(struct record_section *section, const struct element *element, uint32_t *ret_value)
{
	if (element->type != UINT16 && element->type != UINT32)
		return fail(section, "a number is of the wrong type");
	*ret_value = (uint32_t)number(section, element->payload, element->size);
	return true;
}

static bool read_text(struct record_section *section, const struct element *element, struct record_text *ret_text)
{
	if (element->type != TEXT)
		return fail(section, "a text is of the wrong type");
	*ret_text = (struct record_text){(const char *)section->bytes + element->payload, element->size};
	return true;
}

enum field { LATITUDE, LONGITUDE, ACCURACY, ASN, MCC, MNC, ISP, COUNTRY, NOT_WANTED };

// The positions of the fields: ISP and ASN databases have theirs at the top level, Enterprise in `traits`.
static const struct {
	const char *parent, *key;
	enum field field;
} wanted[] = {
	{"location", "latitude", LATITUDE},
	{"location", "longitude", LONGITUDE},
	{"location", "accuracy_radius", ACCURACY},
	{"country", "iso_code", COUNTRY},
	{"", "autonomous_system_number", ASN},
	{"", "mobile_country_code", MCC},
	{"", "mobile_network_code", MNC},
	{"", "isp", ISP},
	{"traits", "autonomous_system_number", ASN},
	{"traits", "mobile_country_code", MCC},
	{"traits", "mobile_network_code", MNC},
	{"traits", "isp", ISP},
};

static bool text_is(struct record_text text, const char *word)
{
	return text.len == strlen(word) && memcmp(text.start, word, text.len) == 0;
}

static enum field find_field(const char *parent, struct record_text key)
{
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (text_is(key, wanted[i].key) && strcmp(parent, wanted[i].parent) == 0)
			return wanted[i].field;
	return NOT_WANTED;
}

// The maps in the top-level one that contain fields we use.
static const char *find_inner(const char *parent, struct record_text key)
{
	if (*parent)
		return NULL;
	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
		if (*wanted[i].parent && text_is(key, wanted[i].parent))
			return wanted[i].parent;
	return NULL;
}

static bool read_field(struct record_section *section, enum field field, const struct element *element,
                       struct record *record)
{
	uint32_t km;

	switch (field) {
	case LATITUDE: return read_double(section, element, 90, &record->latitude);
	case LONGITUDE: return read_double(section, element, 180, &record->longitude);
	case ASN: return read_uint(section, element, &record->asn);
	case MCC: return read_text(section, element, &record->mcc);
	case MNC: return read_text(section, element, &record->mnc);
	case ISP: return read_text(section, element, &record->isp);
	case COUNTRY: return read_text(section, element, &record->country);
	case ACCURACY:
		if (!read_uint(section, element, &km))
			return false;
		record->accuracy_km = km;
		return true;
	case NOT_WANTED: break;
	}
	return true;
}

// Reads the pairs of a map, `*at` its first key. Recurses once: from the top into the maps that are `wanted`'s parents.
static bool read_map(struct record_section *section, size_t *at, size_t pairs, const char *parent,
                     struct record *record)
{
	for (; pairs > 0; pairs--) {
		struct element element;
		struct record_text key;
		bool pointed;

		if (!read_element(section, *at, &element, &pointed) || !read_text(section, &element, &key))
			return false;
		*at = element.next;

		enum field field = find_field(parent, key);
		const char *inner = find_inner(parent, key);

		if (field == NOT_WANTED && !inner) {
			if (!skip(section, at))
				return false;
			continue;
		}
		if (!read_element(section, *at, &element, &pointed))
			return false;
		*at = element.next;
		if (inner) {
			size_t inside = element.payload;

			if (element.type != MAP)
				return fail(section, "a part that should be a map is not one");
			if (!read_map(section, &inside, element.size, inner, record))
				return false;
			if (!pointed)
				*at = inside;
		} else if (!read_field(section, field, &element, record)) {
			return false;
		}
	}
	return true;
}

bool record_read(struct record_section *section, size_t offset, struct record *ret_record)
{
	struct record record = {.latitude = NAN, .longitude = NAN, .accuracy_km = NAN};
	struct element top;
	bool pointed;

	section->elements = 0;
	if (!read_element(section, offset, &top, &pointed))
		return false;
	if (top.type != MAP)
		return fail(section, "a record is not a map");

	size_t at = top.payload;

	if (!read_map(section, &at, top.size, "", &record))
		return false;
	*ret_record = record;
	return true;
}

// ---- metadata -------------------------------------------------------------------------------------------------------

// Walks an element with all it contains, following pointers; `*at` moves past it.
static bool walk(struct record_section *section, size_t *at, unsigned depth)
{
	struct element element, key;
	bool pointed, key_pointed;

	if (depth == DEPTH_MAX)
		return fail(section, "its metadata is nested too deep");
	if (!read_element(section, *at, &element, &pointed))
		return false;
	*at = element.next;
	if (element.type != MAP && element.type != ARRAY)
		return true;

	size_t inside = element.payload;

	for (size_t i = 0; i < element.size; i++) {
		if (element.type == MAP) {
			if (!read_element(section, inside, &key, &key_pointed))
				return false;
			if (key.type != TEXT)
				return fail(section, "its metadata has a key that is not text");
			inside = key.next;
		}
		if (!walk(section, &inside, depth + 1))
			return false;
	}
	if (!pointed)
		*at = inside;
	return true;
}

bool record_check_metadata(const uint8_t *tail, size_t len, const char **ret_why)
{
	static const char marker[] = "\xab\xcd\xef" "MaxMind.com";
	const size_t marker_len = sizeof(marker) - 1;
	const uint8_t *found = NULL, *next = tail;

	while (len >= marker_len && (next = memmem(next, (size_t)(tail + len - next), marker, marker_len)))
		found = next++;
	if (!found) {
		*ret_why = "it has no metadata: not a MaxMind DB, or an incomplete one";
		return false;
	}

	struct record_section section = {.bytes = found + marker_len, .len = (size_t)(tail + len - found) - marker_len};
	struct element top;
	bool pointed;
	size_t at = 0;
	bool good = read_element(&section, at, &top, &pointed) && walk(&section, &at, 0) &&
	            (top.type == MAP || fail(&section, "its metadata is not a map"));

	if (!good)
		*ret_why = section.why;
	return good;
}
