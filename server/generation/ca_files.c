// Reads the checks' CA files; see ca_files.h.
#include "generation/ca_files.h"

#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/infile.h"
#include "base/inputs.h"
#include "base/report.h"
#include "config/config.h"

// Why the text is no file of certificates in PEM; NULL: it is one. What is inside is for the TLS library to judge.
static const char *find_fault(const char *text, size_t len)
{
	if (strlen(text) < len)
		return "has a zero octet, expected certificates in PEM";
	if (!strstr(text, "-----BEGIN CERTIFICATE-----") && !strstr(text, "-----BEGIN TRUSTED CERTIFICATE-----"))
		return "has no certificate in PEM";
	return NULL;
}

static int read_one(const struct config *config, struct config_check *check, struct report *report)
{
	char why[INFILE_WHY_LEN], *text = NULL;
	size_t len = 0;

	inputs_add(report_inputs(report), check->ca_file);

	int err = infile_read(check->ca_file, CONFIG_CA_BYTES_MAX, &text, &len, why);

	if (err == E_NOMEM)
		return err;

	const char *fault = err < 0 ? why : find_fault(text, len);

	if (fault)
		report_error(report, check->mark.file, check->mark.line, check->mark.column, "checks.%s.ca-file: %s %s",
		             check->name, check->ca_file, fault);
	check->ca_pem = fault ? NULL : arena_strdup(config->arena, text);
	free(text);
	return fault || check->ca_pem ? E_OK : E_NOMEM;
}

int ca_files_read(struct config *config, struct report *report)
{
	int err = E_OK;

	for (size_t i = 0; i < config->check_count && err == E_OK; i++) {
		struct config_check *check = &config->checks[i];
		size_t same = 0;

		if (!check->ca_file)
			continue;
		while (same < i && !(config->checks[same].ca_file && strcmp(config->checks[same].ca_file, check->ca_file) == 0))
			same++;
		check->ca_pem = same < i ? config->checks[same].ca_pem : NULL;
		if (!check->ca_pem)
			err = read_one(config, check, report);
	}
	return err;
}
