// Reading the door's files; see keys.h.
#include "door/keys.h"

#include <openssl/ssl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/infile.h"
#include "base/inputs.h"
#include "base/report.h"
#include "config/config.h"
#include "door/tls.h"
#include "door/tokens.h"

struct keys {
	size_t count;
	struct key keys[CONFIG_HTTP_MAX];
};

// Whether a file may be read by everybody.
enum secrecy { OPEN, SECRET };

static void complain(const struct config_http *http, const char *option, const char *path, const char *why,
                     struct report *report)
{
	report_error(report, http->mark.file, http->mark.line, http->mark.column, "server.http.%s: %s %s", option, path, why);
}

// The text of a file, the caller's; NULL with E_OK: there is no path, or it is wrong and that is reported.
static int read_file(const struct config_http *http, const char *option, const char *path, enum secrecy secrecy,
                     struct report *report, char **ret_text)
{
	char why[INFILE_WHY_LEN];
	size_t len = 0;
	int fd = -1, err;

	*ret_text = NULL;
	if (!path)
		return E_OK;
	inputs_add(report_inputs(report), path);
	err = secrecy == SECRET ? infile_open_secret(path, &fd, why) : infile_open(path, &fd, why);
	if (err == E_OK) {
		err = infile_read_fd(fd, TOKENS_FILE_MAX, ret_text, &len, why);
		close(fd);
	}
	if (err == E_OK && strlen(*ret_text) < len) {
		free(*ret_text);
		*ret_text = NULL;
		complain(http, option, path, "has a zero octet, expected text", report);
	} else if (err < 0 && err != E_NOMEM) {
		complain(http, option, path, why, report);
		err = E_OK;
	}
	return err;
}

static int read_tls(const struct config_http *http, struct report *report, struct key *key)
{
	char *cert = NULL, *secret = NULL, *client_ca = NULL, why[TLS_WHY_LEN];
	const char *of;
	int err = read_file(http, "tls.cert", http->cert, OPEN, report, &cert);

	if (err == E_OK)
		err = read_file(http, "tls.key", http->key, SECRET, report, &secret);
	if (err == E_OK)
		err = read_file(http, "tls.client-ca", http->client_ca, OPEN, report, &client_ca);
	if (err == E_OK && cert && secret && (client_ca || !http->client_ca)) {
		const struct tls_texts texts = {cert, secret, client_ca};

		err = tls_context(&texts, &key->tls, &of, why);
		if (err == E_INVAL && of == cert)
			complain(http, "tls.cert", http->cert, why, report);
		else if (err == E_INVAL && of == secret)
			complain(http, "tls.key", http->key, why, report);
		else if (err == E_INVAL)
			complain(http, "tls.client-ca", http->client_ca, why, report);
	}
	key->has_client_ca = client_ca != NULL;
	free(cert);
	if (secret)
		OPENSSL_cleanse(secret, strlen(secret));
	free(secret);
	free(client_ca);
	return err == E_INVAL ? E_OK : err;
}

static int read_tokens(const struct config_http *http, struct report *report, struct key *key)
{
	char *text;
	int err = read_file(http, "tokens", http->tokens, SECRET, report, &text);

	if (err == E_OK && text)
		err = tokens_read(text, http->tokens, report, &key->tokens);
	free(text);
	return err == E_INVAL ? E_OK : err;
}

int keys_read(const struct config_server *server, struct report *report, struct keys **ret_keys)
{
	struct keys *keys = calloc(1, sizeof(*keys));
	size_t wrong = report_count(report, REPORT_ERROR);
	int err = keys ? E_OK : E_NOMEM;

	inputs_section(report_inputs(report), INPUT_FEED, server->watch >= CONFIG_WATCH_FEEDS);
	for (; err == E_OK && keys->count < server->http_count; keys->count++) {
		const struct config_http *http = &server->http[keys->count];
		struct key *key = &keys->keys[keys->count];

		key->listen = strdup(http->listen);
		err = key->listen ? read_tls(http, report, key) : E_NOMEM;
		if (err == E_OK)
			err = read_tokens(http, report, key);
	}
	if (err == E_OK && report_count(report, REPORT_ERROR) > wrong)
		err = E_INVAL;
	if (err == E_OK)
		*ret_keys = keys;
	else
		keys_free(keys);
	return err;
}

void keys_wipe(struct key *key)
{
	free(key->listen);
	SSL_CTX_free(key->tls);
	tokens_free(key->tokens);
	*key = (struct key){0};
}

struct keys *keys_free(struct keys *keys)
{
	for (size_t i = 0; keys && i < keys->count; i++)
		keys_wipe(&keys->keys[i]);
	free(keys);
	return NULL;
}

bool keys_swap(struct keys *keys, const char *listen, struct key *key)
{
	for (size_t i = 0; i < keys->count; i++) {
		struct key found = keys->keys[i];

		if (!found.listen || strcmp(found.listen, listen) != 0)
			continue;
		keys->keys[i] = *key;
		*key = found;
		return true;
	}
	return false;
}
