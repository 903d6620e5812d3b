// How a plugin reaches a service; see access.h.
#include "access.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "secret.h"
#include "shown.h"

static void warn(const struct edgesteer_host *host, const char *option, const char *path, const char *why)
{
	if (why)
		host->report(host, EDGESTEER_WARNING, NULL, 0, "`%s`: %s: %s", option, path, why);
}

void access_check_token(const struct edgesteer_host *host, const char *option, const char *path)
{
	char buf[128];

	warn(host, option, path, path ? secret_token_fault(path, buf) : NULL);
}

void access_check_key(const struct edgesteer_host *host, const char *option, const char *path)
{
	char buf[128];

	warn(host, option, path, path ? secret_key_fault(path, buf) : NULL);
}

int access_read_url(const struct edgesteer_host *host, const char *option, const char **ret_url)
{
	const char *url = host->option(host, option);
	char buf[SHOWN_SIZE];

	if (url && https_url_is_good(url)) {
		*ret_url = url;
		return 0;
	}
	host->report(host, EDGESTEER_ERROR, NULL, 0, "`%s` is '%s': expected https://NAME/PATH", option,
	             url ? shown(buf, url) : "");
	return -1;
}

int access_read(const struct edgesteer_host *host, const char **ret_base_url, struct oauth_client *client)
{
	int err = access_read_url(host, "base-url", ret_base_url);

	if (access_read_url(host, "token-url", &client->token_url) < 0)
		err = -1;
	client->ca_file = host->option(host, "ca-file");
	client->secret_file = host->option(host, "secret-file");
	if (!client->scope)
		client->scope = host->option(host, "scope");
	access_check_token(host, "secret-file", client->secret_file);
	if (client->ca_file && access(client->ca_file, R_OK) < 0)
		host->report(host, EDGESTEER_WARNING, NULL, 0, "`ca-file`: %s: %s", client->ca_file, strerror(errno));
	return err;
}

int access_read_word(const struct edgesteer_host *host, const char *option, const char *const *words)
{
	const char *text = host->option(host, option);
	char buf[SHOWN_SIZE], list[160] = "";

	for (int i = 0; words[i]; i++) {
		if (text && strcmp(text, words[i]) == 0)
			return i;
		strncat(list, i == 0 ? "" : words[i + 1] ? ", " : " or ", sizeof(list) - strlen(list) - 1);
		strncat(list, words[i], sizeof(list) - strlen(list) - 1);
	}
	host->report(host, EDGESTEER_ERROR, NULL, 0, "`%s` is '%s', expected %s", option, text ? shown(buf, text) : "", list);
	return -1;
}
