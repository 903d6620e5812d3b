// Maps networks to carriers; see carriers.h.
#include "carriers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "lib/parse.h"

enum kind { BY_NETWORK, BY_AS, BY_ISP, KINDS };

struct row {
	enum kind kind;
	uint32_t asn;        // BY_AS
	const char *key;     // BY_NETWORK "MCC-MNC", BY_ISP the name; owned by the host
	const char *carrier; // owned by the host
	bool used;
};

struct carriers {
	const struct edgesteer_host *host;
	size_t count;
	struct row rows[CARRIERS_MAX];
};

static size_t digits_at(const char *text)
{
	return strspn(text, "0123456789");
}

static enum kind kind_of(const char *key, uint32_t *ret_asn)
{
	size_t mcc_len = digits_at(key);

	if (mcc_len == 3 && key[3] == '-') {
		size_t mnc_len = digits_at(key + 4);

		if ((mnc_len == 2 || mnc_len == 3) && key[4 + mnc_len] == '\0')
			return BY_NETWORK;
	}
	if (strncasecmp(key, "AS", 2) == 0 && parse_asn(key, ret_asn))
		return BY_AS;
	return BY_ISP;
}

static int add_row(void *ctx, const char *key, const char *value)
{
	struct carriers *carriers = ctx;
	const struct edgesteer_host *host = carriers->host;
	struct row row = {.key = key, .carrier = value};

	if (carriers->count == CARRIERS_MAX) {
		host->report(host, EDGESTEER_ERROR, NULL, 0, "carriers: more than %d rows", CARRIERS_MAX);
		return -1;
	}
	if (*key == '\0' || *value == '\0') {
		host->report(host, EDGESTEER_ERROR, NULL, 0, "carriers: '%s: %s': neither side may be empty", key, value);
		return -1;
	}
	row.kind = kind_of(key, &row.asn);
	carriers->rows[carriers->count++] = row;
	return 0;
}

struct carriers *carriers_new(const struct edgesteer_host *host)
{
	struct carriers *carriers = calloc(1, sizeof(*carriers));

	if (!carriers) {
		host->report(host, EDGESTEER_ERROR, NULL, 0, "out of memory");
		return NULL;
	}
	carriers->host = host;

	if (host->option_map(host, "carriers", add_row, carriers) == 0)
		return carriers;
	carriers_free(carriers);
	return NULL;
}

void carriers_free(struct carriers *carriers)
{
	free(carriers);
}

static bool row_fits(const struct row *row, const struct record *record)
{
	switch (row->kind) {
	case BY_NETWORK:
		return record->mcc.len == 3 && strncmp(row->key, record->mcc.start, 3) == 0 &&
		       record->mnc.len == strlen(row->key + 4) &&
		       memcmp(row->key + 4, record->mnc.start, record->mnc.len) == 0;
	case BY_AS: return record->asn == row->asn;
	case BY_ISP:
		return record->isp.len == strlen(row->key) && strncasecmp(row->key, record->isp.start, record->isp.len) == 0;
	case KINDS: break;
	}
	return false;
}

const char *carriers_find(struct carriers *carriers, const struct record *record)
{
	for (enum kind kind = 0; kind < KINDS; kind++) {
		for (size_t i = 0; i < carriers->count; i++) {
			struct row *row = &carriers->rows[i];

			if (row->kind != kind || !row_fits(row, record))
				continue;
			row->used = true;
			return row->carrier;
		}
	}
	return NULL;
}

void carriers_report_unused(const struct carriers *carriers)
{
	const struct edgesteer_host *host = carriers->host;

	for (size_t i = 0; i < carriers->count; i++)
		if (!carriers->rows[i].used)
			host->report(host, EDGESTEER_WARNING, NULL, 0,
			             "carriers: '%s' matches no network in the database (expected AS6167, 310-004 or an ISP's name "
			             "as in the database)", carriers->rows[i].key);
}
