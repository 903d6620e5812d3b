// Any octets as what an API server sends: JSON documents, each taken for an object of every kind. The kubernetes plugin
// must keep to its limits, and what it claims is text that can be told: printable keys, names, a site and a load
// balancer.
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "fakehost.h"
#include "kubernetes/claims.h"
#include "lib/skim.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

enum { DOCUMENT_MAX = 1 << 16, TEXT_MAX = 300 };

static void expect(bool good)
{
	if (!good)
		abort();
}

static bool is_printable(const char *text)
{
	for (; text && *text; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return text != NULL;
}

static int take(void *ctx, const char *bytes, size_t len)
{
	struct kobjects *objects = ctx;
	json_t *json = json_loadb(bytes, len, JSON_ALLOW_NUL, NULL);

	expect(len <= DOCUMENT_MAX);
	for (int kind = 0; kind < KOBJECT_KINDS && json_is_object(json); kind++) {
		const char *why;
		struct kobject *object = kobject_decode((enum kobject_kind)kind, json, NULL, &why);

		expect(!object || !why);
		expect(!object || (is_printable(object->id) && object->rule_count <= KOBJECT_RULES_MAX + 1 &&
		                   object->address_count <= KOBJECT_ADDRESSES_MAX));
		if (object)
			expect(kobjects_put(&objects[kind], object) != KOBJECTS_FULL);
	}
	json_decref(json);
	return 0;
}

static void check_claims(const struct kobjects *const objects[KOBJECT_KINDS], struct remarks *remarks)
{
	struct settings_row any[] = {{"*", "*"}};
	const struct settings settings = {
		.subnets = {any, 1, 1},
		.apps = {any, 1, 1},
		.apps_given = true,
		.annotations = true,
	};
	struct claims claims = {.list = NULL};

	remarks_begin_round(remarks, 0);
	claims_add(&claims, &settings, "c", objects, remarks);
	claims_unite(&claims);
	remarks_end_round(remarks);
	expect(!claims.failed);
	for (size_t i = 0; i < claims.count; i++) {
		const struct claim *claim = &claims.list[i];

		expect(is_printable(claim->key) && is_printable(claim->app) && *claim->app && strlen(claim->app) < TEXT_MAX);
		expect(*claim->site && *claim->balancer);
	}
	claims_free(&claims);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct skim_limits limits = {
		.text = TEXT_MAX, .nested = 1 << 13, .level = 2, .huge = 1 << 10, .document = DOCUMENT_MAX, .raw = 1 << 18,
	};
	struct kobjects objects[KOBJECT_KINDS];
	const struct kobjects *pointers[KOBJECT_KINDS];
	struct fakehost host;
	struct remarks remarks;
	struct skim skim;

	fakehost_begin(&host, NULL, NULL);
	remarks_begin(&remarks, &host.lent);
	for (int kind = 0; kind < KOBJECT_KINDS; kind++) {
		kobjects_begin(&objects[kind]);
		pointers[kind] = &objects[kind];
	}
	skim_begin(&skim, &limits);
	skim_feed(&skim, (const char *)data, len, take, objects);
	skim_end(&skim);
	check_claims(pointers, &remarks);
	for (int kind = 0; kind < KOBJECT_KINDS; kind++)
		kobjects_free(&objects[kind]);
	remarks_free(&remarks);
	fakehost_end(&host);
	return 0;
}
