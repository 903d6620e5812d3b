// Reads and searches the table of AS numbers; see asns.h.
#include "asns.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "builtin.h"
#include "lib/parse.h"

enum { CARRIER_MAX_LEN = 63, REPORT_LEN = 640 }; // the host cuts messages off a little later

struct asns {
	const struct edgesteer_host *host;
	size_t count;
	struct asns_row rows[ASNS_MAX]; // sorted by number
	bool given[ASNS_MAX];           // by the option, in the same order
};

// The first row whose number is not less.
static size_t position(const struct asns *asns, uint32_t asn)
{
	size_t low = 0, high = asns->count;

	while (low < high) {
		size_t middle = (low + high) / 2;

		if (asns->rows[middle].asn < asn)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

// False: there is no room. Replaces a row of the same number.
static bool put(struct asns *asns, const struct asns_row *row, bool given)
{
	size_t at = position(asns, row->asn);

	if (at == asns->count || asns->rows[at].asn != row->asn) {
		if (asns->count == ASNS_MAX)
			return false;
		memmove(&asns->rows[at + 1], &asns->rows[at], (asns->count - at) * sizeof(asns->rows[0]));
		memmove(&asns->given[at + 1], &asns->given[at], (asns->count - at) * sizeof(asns->given[0]));
		asns->count++;
	}
	asns->rows[at] = *row;
	asns->given[at] = given;
	return true;
}

// "verizon", "verizon mobile", "bell mixed" or "none".
static bool read_value(const char *value, struct asns_row *row)
{
	size_t len = strcspn(value, " ");
	const char *access = value + len + strspn(value + len, " ");

	if (len == 0 || len > CARRIER_MAX_LEN)
		return false;
	row->carrier = strcmp(value, "none") == 0 ? NULL : value;
	row->carrier_len = len;
	row->mixed = strcmp(access, "mixed") == 0;
	return *access == '\0' || row->mixed || strcmp(access, "mobile") == 0;
}

static int add_option(void *ctx, const char *key, const char *value)
{
	struct asns *asns = ctx;
	const struct edgesteer_host *host = asns->host;
	struct asns_row row = {.asn = 0};

	if (!parse_asn(key, &row.asn))
		host->report(host, EDGESTEER_ERROR, NULL, 0, "asns: '%.60s' is not an AS number such as AS64500", key);
	else if (!read_value(value, &row))
		host->report(host, EDGESTEER_ERROR, NULL, 0,
		             "asns: %.60s: '%.80s' is not a carrier, which `mobile` or `mixed` may follow, or none", key, value);
	else if (put(asns, &row, true))
		return 0;
	else
		host->report(host, EDGESTEER_ERROR, NULL, 0, "asns: more than %d AS numbers with the built-in ones", ASNS_MAX);
	return -1;
}

struct asns *asns_new(const struct edgesteer_host *host)
{
	struct asns *asns = calloc(1, sizeof(*asns));

	if (!asns) {
		host->report(host, EDGESTEER_ERROR, NULL, 0, "out of memory");
		return NULL;
	}
	asns->host = host;
	for (size_t i = 0; i < builtin_asns_count; i++) {
		const struct builtin_asn *from = &builtin_asns[i];
		const struct asns_row row = {from->asn, from->carrier, strlen(from->carrier), from->mixed, 0};

		put(asns, &row, false);
	}
	if (host->option_map(host, "asns", add_option, asns) == 0)
		return asns;
	asns_free(asns);
	return NULL;
}

void asns_free(struct asns *asns)
{
	free(asns);
}

struct asns_row *asns_find(struct asns *asns, uint32_t asn)
{
	size_t at = position(asns, asn);

	return at < asns->count && asns->rows[at].asn == asn && asns->rows[at].carrier ? &asns->rows[at] : NULL;
}

const char *asns_carrier(const struct asns_row *row, char buf[64])
{
	memcpy(buf, row->carrier, row->carrier_len);
	buf[row->carrier_len] = '\0';
	return buf;
}

static bool same_carrier(const struct asns_row *a, const struct asns_row *b)
{
	return a->carrier && b->carrier && a->carrier_len == b->carrier_len &&
	       strncasecmp(a->carrier, b->carrier, a->carrier_len) == 0;
}

// "bell AS577 (mixed) 737, AS36522 194", for all rows of the carrier of row `first`. Returns the length, as snprintf().
static size_t format_carrier(const struct asns *asns, size_t first, char *buf, size_t len)
{
	char carrier[CARRIER_MAX_LEN + 1];
	size_t at = (size_t)snprintf(buf, len, "%s", asns_carrier(&asns->rows[first], carrier));

	for (size_t i = first; i < asns->count && at < len; i++) {
		const struct asns_row *row = &asns->rows[i];

		if (same_carrier(row, &asns->rows[first]))
			at += (size_t)snprintf(buf + at, len - at, "%s AS%u%s %zu", i == first ? "" : ",", row->asn,
			                       row->mixed ? " (mixed)" : "", row->prefixes);
	}
	return at;
}

// Whether no earlier row is of the same carrier.
static bool is_first(const struct asns *asns, size_t i)
{
	for (size_t j = 0; j < i; j++)
		if (same_carrier(&asns->rows[j], &asns->rows[i]))
			return false;
	return asns->rows[i].carrier != NULL;
}

void asns_report(const struct asns *asns, const char *file)
{
	const struct edgesteer_host *host = asns->host;
	char text[REPORT_LEN] = "", one[REPORT_LEN];
	size_t at = 0, hidden = 0;

	for (size_t i = 0; i < asns->count; i++) {
		const struct asns_row *row = &asns->rows[i];

		if (row->carrier && asns->given[i] && row->prefixes == 0)
			host->report(host, EDGESTEER_WARNING, file, 0, "has no prefix of AS%u, which `asns` gives to %.*s", row->asn,
			             (int)row->carrier_len, row->carrier);
		if (!is_first(asns, i))
			continue;

		size_t len = format_carrier(asns, i, one, sizeof(one));

		if (hidden > 0 || at + len + 2 >= sizeof(text))
			hidden++;
		else
			at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", at > 0 ? "; " : "", one);
	}
	if (hidden > 0)
		host->report(host, EDGESTEER_NOTE, file, 0, "prefixes by carrier and AS: %s; and %zu more carriers", text, hidden);
	else
		host->report(host, EDGESTEER_NOTE, file, 0, "prefixes by carrier and AS: %s", text);
}
