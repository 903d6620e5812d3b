// Reads the checks' files; see check_files.h.
#include "generation/check_files.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/arena.h"
#include "base/err.h"
#include "base/infile.h"
#include "base/inputs.h"
#include "base/report.h"
#include "config/config.h"
#include "http/identity.h"

enum file_kind { CA_FILE, CLIENT_CERT, CLIENT_KEY, FILE_KINDS };

static const struct {
	const char *option;
	size_t path, pem;      // offsets of const char * in a struct config_check
	bool is_secret;
	const char *begin[3];  // one of which it has
	const char *lacks;
} kinds[FILE_KINDS] = {
	[CA_FILE] = {"ca-file", offsetof(struct config_check, ca_file), offsetof(struct config_check, ca_pem), false,
	             {"-----BEGIN CERTIFICATE-----", "-----BEGIN TRUSTED CERTIFICATE-----"}, "has no certificate in PEM"},
	[CLIENT_CERT] = {"client-cert", offsetof(struct config_check, client_cert), offsetof(struct config_check, client_cert_pem),
	                 false, {"-----BEGIN CERTIFICATE-----"}, "has no certificate in PEM"},
	[CLIENT_KEY] = {"client-key", offsetof(struct config_check, client_key), offsetof(struct config_check, client_key_pem), true,
	                {"-----BEGIN PRIVATE KEY-----", "-----BEGIN EC PRIVATE KEY-----", "-----BEGIN RSA PRIVATE KEY-----"},
	                "has no key in PEM without a passphrase"},
};

static const char *text_at(const struct config_check *check, size_t offset)
{
	return *(const char *const *)((const char *)check + offset);
}

static void set_pem(struct config_check *check, enum file_kind kind, const char *pem)
{
	*(const char **)((char *)check + kinds[kind].pem) = pem;
}

// Why the text is none of its kind; NULL: it is one. What is inside is for the TLS library to judge.
static const char *find_fault(enum file_kind kind, const char *text, size_t len)
{
	if (strlen(text) < len)
		return kind == CLIENT_KEY ? "has a zero octet, expected a key in PEM" : "has a zero octet, expected certificates in PEM";
	for (size_t i = 0; i < ARRAY_LEN(kinds[kind].begin) && kinds[kind].begin[i]; i++)
		if (strstr(text, kinds[kind].begin[i]))
			return NULL;
	return kinds[kind].lacks;
}

// As infile_read().
static int read_text(enum file_kind kind, const char *path, char **ret_text, size_t *ret_len, char *why)
{
	int fd = -1, err = kinds[kind].is_secret ? infile_open_secret(path, &fd, why) : infile_open(path, &fd, why);

	if (err < 0)
		return err;
	err = infile_read_fd(fd, CONFIG_CA_BYTES_MAX, ret_text, ret_len, why);
	close(fd);
	return err;
}

static void complain(const struct config_check *check, enum file_kind kind, const char *why, struct report *report)
{
	report_error(report, check->mark.file, check->mark.line, check->mark.column, "checks.%s.%s: %s %s", check->name,
	             kinds[kind].option, text_at(check, kinds[kind].path), why);
}

static int read_one(const struct config *config, struct config_check *check, enum file_kind kind, struct report *report)
{
	const char *path = text_at(check, kinds[kind].path), *fault;
	char why[INFILE_WHY_LEN], *text = NULL, *pem = NULL;
	size_t len = 0;
	int err;

	inputs_add(report_inputs(report), path);
	err = read_text(kind, path, &text, &len, why);
	if (err == E_NOMEM)
		return err;
	fault = err < 0 ? why : find_fault(kind, text, len);
	if (fault)
		complain(check, kind, fault, report);
	else
		pem = arena_strdup(config->arena, text);
	if (text && kinds[kind].is_secret)
		explicit_bzero(text, len);
	free(text);
	set_pem(check, kind, pem);
	return fault || pem ? E_OK : E_NOMEM;
}

// What an earlier check has read for the same file; NULL: nothing.
static const char *read_before(const struct config *config, size_t number, enum file_kind kind)
{
	const char *path = text_at(&config->checks[number], kinds[kind].path);

	for (size_t i = 0; i < number; i++) {
		const char *other = text_at(&config->checks[i], kinds[kind].path);

		if (other && strcmp(other, path) == 0)
			return text_at(&config->checks[i], kinds[kind].pem);
	}
	return NULL;
}

// A pair that does not fit would fail every probe.
static int check_pair(const struct config_check *check, struct report *report)
{
	struct identity *identity = NULL;
	int err;

	if (!check->client_cert_pem || !check->client_key_pem)
		return E_OK;
	err = identity_new(check->client_cert_pem, check->client_key_pem, &identity);
	identity_free(identity);
	if (err == E_INVAL)
		complain(check, CLIENT_KEY, "is no key, or not that of the certificate in `client-cert`", report);
	return err == E_NOMEM ? err : E_OK;
}

// Why it cannot be run; NULL: it can. Folders may be searched, which is the same bit.
static const char *program_fault(const char *path)
{
	struct stat status;

	if (access(path, X_OK) < 0 || stat(path, &status) < 0)
		return strerror(errno);
	return S_ISREG(status.st_mode) ? NULL : "not a regular file";
}

// The daemon would go on with what it knows of the targets, see health/probe_exec.c.
static void check_program(const struct config_check *check, struct report *report)
{
	const char *why = check->command_count > 0 ? program_fault(check->command[0]) : NULL;

	if (why)
		report_warning(report, check->mark.file, check->mark.line, check->mark.column, "checks.%s.command: %s cannot be run: %s",
		               check->name, check->command[0], why);
}

int check_files_read(struct config *config, struct report *report)
{
	int err = E_OK;

	for (size_t i = 0; i < config->check_count && err == E_OK; i++) {
		struct config_check *check = &config->checks[i];

		for (enum file_kind kind = 0; kind < FILE_KINDS && err == E_OK; kind++) {
			if (!text_at(check, kinds[kind].path))
				continue;
			set_pem(check, kind, read_before(config, i, kind));
			if (!text_at(check, kinds[kind].pem))
				err = read_one(config, check, kind, report);
		}
		if (err == E_OK)
			err = check_pair(check, report);
		check_program(check, report);
	}
	return err;
}
