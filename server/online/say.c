// What is printed about a domain; see say.h.
#include "online/say.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "base/err.h"

enum { TEXT_LEN = 4096 };

static const char *text(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

static bool is_good(const json_t *findings)
{
	return strcmp(text(findings, "verdict"), "agrees") == 0 && !json_is_true(json_object_get(findings, "breaks"));
}

void say_count(const json_t *findings, struct say_counts *counts)
{
	counts->domains++;
	counts->broken += json_is_true(json_object_get(findings, "breaks"));
	counts->agree += is_good(findings);
}

// What to put at the parent, in both forms.
static int say_paste(const json_t *findings, FILE *out)
{
	const json_t *paste = json_object_get(findings, "paste"), *line;
	const char *zone = text(json_object_get(findings, "parent"), "zone");
	char *batch;
	size_t i;

	if (!paste)
		return E_OK;
	batch = json_dumps(json_object_get(paste, "route53"), JSON_INDENT(2) | JSON_ENSURE_ASCII);
	if (!batch)
		return E_NOMEM;
	fprintf(out, "\nThe zone %s, or the registrar, is to have for %s:\n\n", zone, text(findings, "domain"));
	json_array_foreach(json_object_get(paste, "zone-file"), i, line)
		fprintf(out, "%s\n", json_string_value(line));
	fprintf(out,
	        "\nWhere the zone is in Route 53, with its ID in place of HOSTED-ZONE-ID:\n\n"
	        "aws route53 change-resource-record-sets --hosted-zone-id HOSTED-ZONE-ID --change-batch '%s'\n\n",
	        batch);
	free(batch);
	return E_OK;
}

int say_text(const json_t *findings, FILE *out)
{
	const char *domain = text(findings, "domain");
	const json_t *parent = json_object_get(findings, "parent"), *finding, *list = json_object_get(findings, "findings");
	char shown[TEXT_LEN];
	size_t i;

	json_array_foreach(list, i, finding) {
		clean_copy(shown, sizeof(shown), text(finding, "text"));
		fprintf(out, "%s: %s: %s\n", domain, text(finding, "level"), shown);
	}
	if (is_good(findings))
		fprintf(out, "%s: agrees: %s has the zone's name servers and glue, says %s (%s), and they answer\n", domain,
		        text(parent, "zone"), text(parent, "server"), text(parent, "address"));

	int err = say_paste(findings, out);

	return err == E_OK && ferror(out) ? E_IO : err;
}

int say_json(const json_t *findings, FILE *out)
{
	return json_dumpf(findings, out, JSON_COMPACT | JSON_ENSURE_ASCII) == 0 && fputc('\n', out) != EOF ? E_OK : E_IO;
}

// ---- Apps ----

static void say_judged(const json_t *target, const char *key, const char *what, const char *where, FILE *out)
{
	const json_t *judged;
	size_t i;

	json_array_foreach(json_object_get(target, key), i, judged)
		fprintf(out, "%s: warning: %s is %s: %s\n", where, text(judged, "address"), what, text(judged, "text"));
}

static void say_target(const char *app, const json_t *target, FILE *out)
{
	const json_t *addresses = json_object_get(target, "addresses"), *address;
	const bool is_probed = json_is_true(json_object_get(target, "probed"));
	char where[TEXT_LEN], error[TEXT_LEN];
	size_t i;

	snprintf(where, sizeof(where), "%s at %s: %s", app, text(target, "site"), text(target, "name"));
	clean_copy(error, sizeof(error), text(target, "error"));
	if (*error)
		fprintf(out, "%s: warning: %s\n", where, error);
	if (json_array_size(addresses) > 0) {
		fprintf(out, "%s: %s", where, is_probed ? "probed at " : "");
		json_array_foreach(addresses, i, address)
			fprintf(out, "%s%s", i > 0 ? ", " : "", json_string_value(address));
		fprintf(out, " (TTL %lld s)\n", (long long)json_integer_value(json_object_get(target, "ttl")));
	}
	say_judged(target, "refused", "refused", where, out);
	say_judged(target, "suspect", "taken in spite of this", where, out);
}

int say_app(const json_t *app, FILE *out)
{
	const json_t *target;
	size_t i;

	json_array_foreach(json_object_get(app, "targets"), i, target)
		say_target(text(app, "app"), target, out);
	if (json_is_true(json_object_get(app, "breaks")))
		fprintf(out, "%s: error: none of its targets has an address\n", text(app, "app"));
	return ferror(out) ? E_IO : E_OK;
}

void say_summary(const struct say_counts *counts, FILE *out)
{
	if (counts->apps > 0)
		fprintf(out, "targets by host name: %zu %s, %zu without an address\n", counts->apps,
		        counts->apps == 1 ? "app" : "apps", counts->silent);
	fprintf(out, "delegation: %zu %s: %zu agree, %zu with warnings, %zu broken\n", counts->domains,
	        counts->domains == 1 ? "domain" : "domains", counts->agree, counts->domains - counts->agree - counts->broken,
	        counts->broken);
}
