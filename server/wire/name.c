// Domain names in wire form; see name.h.
#include "wire/name.h"

#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/must.h"

enum { WORD = sizeof(uint64_t), POINTER = 0xc0 };

#define OF_EACH(octet) (0x0101010101010101u * (octet))

static uint8_t fold(uint8_t c)
{
	return (uint8_t)(c - 'A') < 26 ? c | 0x20 : c;
}

// Eight octets at once. The highest bit of each becomes "is a capital"; the sums cannot carry into the next octet.
static uint64_t fold_word(uint64_t word)
{
	uint64_t low = word & OF_EACH(0x7f);
	uint64_t from_a = low + OF_EACH(0x80 - 'A'), past_z = low + OF_EACH(0x7f - 'Z');
	uint64_t capital = (from_a ^ past_z) & ~word & OF_EACH(0x80);

	return word | capital >> 2;
}

void name_fold(uint8_t *wire, size_t len)
{
	size_t at = 0;

	for (; len - at >= WORD; at += WORD) {
		uint64_t word;

		memcpy(&word, wire + at, WORD);
		word = fold_word(word);
		memcpy(wire + at, &word, WORD);
	}
	for (; at < len; at++)
		wire[at] = fold(wire[at]);
}

int name_read(const uint8_t *wire, size_t avail, struct name *ret_name)
{
	struct name *name = ret_name;
	size_t at = 0;
	unsigned labels = 0;

	if (avail > NAME_WIRE_MAX)
		avail = NAME_WIRE_MAX;
	for (;; labels++) {
		if (at >= avail)
			return E_INVAL;

		unsigned len = wire[at];

		dev_must(labels <= NAME_LABELS_MAX);
		name->offset[labels] = (uint8_t)at++;
		if (len == 0)
			break;
		if (len > NAME_LABEL_MAX || len > avail - at)
			return E_INVAL;
		at += len;
	}
	dev_must(at >= 1 && at <= NAME_WIRE_MAX);
	memcpy(name->wire, wire, at);
	name_fold(name->wire, (at + WORD - 1) / WORD * WORD); // rounded up to full words: the buffer has room for them
	name->len = (uint8_t)at;
	name->labels = (uint8_t)labels;
	return E_OK;
}

uint64_t name_hash(const uint8_t *wire, size_t len)
{
	return hash_mix(hash_bytes(0, wire, len));
}

int name_unpack(const uint8_t *message, size_t len, size_t *at, struct wire_name *ret_name)
{
	size_t from = *at, limit = from;
	unsigned pointers = 0;

	ret_name->len = 0;
	for (;;) {
		uint8_t label = from < len ? message[from] : POINTER;

		if ((label & POINTER) == POINTER) {
			if (from + 2 > len || pointers == NAME_LABELS_MAX)
				return E_INVAL;
			if (pointers++ == 0)
				*at = from + 2;
			from = (size_t)(message[from] << 8 | message[from + 1]) & 0x3fff;
			if (from >= limit)
				return E_INVAL;
			limit = from;
			continue;
		}
		if (label > NAME_LABEL_MAX || from + 1 + label > len || ret_name->len + 1 + label > NAME_WIRE_MAX)
			return E_INVAL;
		memcpy(ret_name->wire + ret_name->len, message + from, 1u + label);
		ret_name->len += 1u + label;
		from += 1u + label;
		if (label == 0)
			break;
	}
	if (pointers == 0)
		*at = from;
	name_fold(ret_name->wire, ret_name->len);
	return E_OK;
}

uint64_t name_suffix_hash(const struct name *name, unsigned from)
{
	dev_must(from <= name->labels);

	unsigned at = name->offset[from];

	return name_hash(name->wire + at, name->len - at);
}

// Reads one character of presentation form, unescaped, into *ret_octet. Returns how many octets of text it took, 0 when
// malformed.
static size_t read_escaped(const char *text, uint8_t *ret_octet)
{
	if (text[0] != '\\') {
		*ret_octet = (uint8_t)text[0];
		return 1;
	}
	if (text[1] < '0' || text[1] > '9') {
		*ret_octet = (uint8_t)text[1];
		return text[1] ? 2 : 0;
	}
	if (text[2] < '0' || text[2] > '9' || text[3] < '0' || text[3] > '9')
		return 0;

	int octet = (text[1] - '0') * 100 + (text[2] - '0') * 10 + (text[3] - '0');

	*ret_octet = (uint8_t)octet;
	return octet <= 255 ? 4 : 0;
}

int name_from_text(const char *text, uint8_t *wire, size_t *ret_len)
{
	uint8_t out[NAME_WIRE_MAX + 1];
	size_t label = 0, at = 1; // out[label] is where the length of the label being read goes

	if (*text == '\0')
		return E_INVAL;
	if (strcmp(text, ".") == 0) {
		wire[0] = 0;
		*ret_len = 1;
		return E_OK;
	}
	while (*text) {
		if (*text == '.') {
			size_t len = at - label - 1;

			if (len == 0 || len > NAME_LABEL_MAX)
				return E_INVAL;
			out[label] = (uint8_t)len;
			label = at++;
			text++;
			if (at > NAME_WIRE_MAX)
				return E_INVAL;
			continue;
		}

		uint8_t octet;
		size_t took = read_escaped(text, &octet);

		if (took == 0 || at >= NAME_WIRE_MAX)
			return E_INVAL;
		out[at++] = octet;
		text += took;
	}

	size_t len = at - label - 1;

	if (len > NAME_LABEL_MAX)
		return E_INVAL;
	out[label] = (uint8_t)len;
	if (len > 0) { // no final dot: the root's zero follows
		if (at >= NAME_WIRE_MAX)
			return E_INVAL;
		out[at++] = 0;
	}
	must(at <= NAME_WIRE_MAX);
	memcpy(wire, out, at);
	*ret_len = at;
	return E_OK;
}

const char *name_to_text(const uint8_t *wire, size_t len, char *buf)
{
	char *out = buf;

	must(len <= NAME_WIRE_MAX); // at most four characters for each octet: NAME_TEXT_MAX has room
	if (len <= 1)
		return strcpy(buf, ".");
	for (size_t at = 0; at < len && wire[at] != 0;) {
		size_t label = wire[at++];

		if (out != buf)
			*out++ = '.';
		for (; label > 0 && at < len; label--, at++) {
			uint8_t c = wire[at];

			if (c <= 0x20 || c >= 0x7f) {
				*out++ = '\\';
				*out++ = (char)('0' + c / 100);
				*out++ = (char)('0' + c / 10 % 10);
				*out++ = (char)('0' + c % 10);
				continue;
			}
			if (c == '.' || c == '\\' || c == '"' || c == ';' || c == '@' || c == '$' || c == '(' || c == ')')
				*out++ = '\\';
			*out++ = (char)c;
		}
	}
	*out = '\0';
	return buf;
}

unsigned name_labels(const uint8_t *wire)
{
	unsigned labels = 0;

	for (; *wire; wire += *wire + 1)
		labels++;
	return labels;
}

bool name_ends_with(const uint8_t *name, size_t len, const uint8_t *suffix, size_t suffix_len)
{
	while (len > suffix_len) {
		size_t label = (size_t)name[0] + 1;

		dev_must(label <= len);
		name += label;
		len -= label;
	}
	return len == suffix_len && memcmp(name, suffix, len) == 0;
}
