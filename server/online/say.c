// What is printed about a domain; see say.h.
#include "online/say.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/clean.h"
#include "base/err.h"
#include "online/providers.h"

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

// ---- Providers ----

// "ADDRESS, ADDRESS".
static void say_list(const json_t *list, FILE *out)
{
	const json_t *one;
	size_t i;

	json_array_foreach(list, i, one)
		fprintf(out, "%s%s", i > 0 ? ", " : "", json_string_value(one));
}

static void say_given(const char *label, const json_t *target, FILE *out)
{
	fprintf(out, "%s: %s at %s: %s", label, text(target, "app"), text(target, "site"), text(target, "alias"));
	say_list(json_object_get(target, "addresses"), out);
	fputc('\n', out);
}

// Why nothing has come: what it said last, or its source's parts.
static void say_silent(const char *label, const json_t *provider, FILE *out)
{
	const json_t *part;
	size_t i;

	fprintf(out, "%s: warning: has given nothing within %d s%s%s\n", label, PROVIDERS_MS / 1000,
	        *text(provider, "error") ? ": " : "", text(provider, "error"));
	json_array_foreach(json_object_get(provider, "parts"), i, part)
		fprintf(out, "%s: warning: %s: %s\n", label, *text(part, "name") ? text(part, "name") : "its source",
		        text(part, "text"));
}

int say_provider(const json_t *provider, FILE *out)
{
	const json_t *targets = json_object_get(provider, "targets"), *one;
	const char *label = text(provider, "provider");
	const long long malformed = (long long)json_integer_value(json_object_get(provider, "malformed"));
	size_t i;

	if (json_is_true(json_object_get(provider, "committed")))
		fprintf(out, "%s: gives %zu %s\n", label, json_array_size(targets),
		        json_array_size(targets) == 1 ? "target" : "targets");
	else
		say_silent(label, provider, out);
	json_array_foreach(targets, i, one)
		say_given(label, one, out);
	json_array_foreach(json_object_get(provider, "refused"), i, one)
		fprintf(out, "%s: warning: %s at %s is refused: %s\n", label, text(one, "app"), text(one, "site"),
		        text(one, "text"));
	if (malformed > 0)
		fprintf(out, "%s: warning: of what it gives %lld %s not valid, as the log says\n", label, malformed,
		        malformed == 1 ? "is" : "are");
	return ferror(out) ? E_IO : E_OK;
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
	const json_t *addresses = json_object_get(target, "addresses");
	const bool is_probed = json_is_true(json_object_get(target, "probed"));
	char where[TEXT_LEN], error[TEXT_LEN];

	snprintf(where, sizeof(where), "%s at %s: %s", app, text(target, "site"), text(target, "name"));
	clean_copy(error, sizeof(error), text(target, "error"));
	if (*error)
		fprintf(out, "%s: warning: %s\n", where, error);
	if (json_array_size(addresses) > 0) {
		fprintf(out, "%s: %s", where, is_probed ? "probed at " : "");
		say_list(addresses, out);
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
