// libcurl's parser reads the URLs, so that they are what a client that follows redirects takes them for; see redirect.h.
#include "health/redirect.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"

bool redirect_is_one(long status)
{
	return (status >= 301 && status <= 303) || status == 307 || status == 308;
}

bool redirect_is_get(long status, enum check_method method)
{
	if (method == CHECK_METHOD_GET || method == CHECK_METHOD_HEAD)
		return false;
	return status == 303 || (status <= 302 && method == CHECK_METHOD_POST);
}

static int of_code(CURLUcode code)
{
	return code == CURLUE_OK ? E_OK : code == CURLUE_OUT_OF_MEMORY ? E_NOMEM : E_INVAL;
}

// A part of a URL, for curl_free(); NULL: it has none.
static int get(CURLU *url, CURLUPart part, unsigned flags, char **ret_text)
{
	CURLUcode code = curl_url_get(url, part, ret_text, flags);

	if (code != CURLUE_OK)
		*ret_text = NULL;
	return code == CURLUE_NO_PORT || code == CURLUE_NO_QUERY || code == CURLUE_NO_HOST ? E_OK : of_code(code);
}

// Whether both URLs have the same part, which all have.
static int compare(CURLU *a, CURLU *b, CURLUPart part)
{
	char *left = NULL, *right = NULL;
	int err = get(a, part, 0, &left);

	if (err == E_OK)
		err = get(b, part, 0, &right);
	if (err == E_OK && (!left || !right || strcasecmp(left, right) != 0))
		err = E_LIMIT;
	curl_free(left);
	curl_free(right);
	return err;
}

static int compare_ports(CURLU *base, CURLU *url, uint16_t connected)
{
	char *ours = NULL, *theirs = NULL, text[8];
	int err = get(base, CURLUPART_PORT, CURLU_NO_DEFAULT_PORT, &ours);

	if (err == E_OK)
		err = get(url, CURLUPART_PORT, CURLU_NO_DEFAULT_PORT, &theirs);
	snprintf(text, sizeof(text), "%u", connected);
	if (err == E_OK && theirs && strcmp(theirs, text) != 0 && (!ours || strcmp(theirs, ours) != 0))
		err = E_LIMIT;
	curl_free(ours);
	curl_free(theirs);
	return err;
}

// Whether it can be in the line of a request.
static bool is_printable(const char *text)
{
	for (; *text; text++)
		if (*text <= ' ' || *text >= 0x7f)
			return false;
	return true;
}

static int join(CURLU *url, char **ret_path)
{
	char *path = NULL, *query = NULL, *joined = NULL;
	int err = get(url, CURLUPART_PATH, 0, &path);

	if (err == E_OK)
		err = get(url, CURLUPART_QUERY, 0, &query);
	if (err == E_OK && asprintf(&joined, "%s%s%s", path ? path : "/", query ? "?" : "", query ? query : "") < 0) {
		joined = NULL;
		err = E_NOMEM;
	}
	curl_free(path);
	curl_free(query);
	if (err == E_OK && (joined[0] != '/' || !is_printable(joined) || strlen(joined) > REDIRECT_PATH_MAX))
		err = E_INVAL;
	if (err == E_OK)
		*ret_path = joined;
	else
		free(joined);
	return err;
}

static int resolve(CURLU *base, CURLU *url, const struct redirect_from *from, const char *location, char **ret_path)
{
	char *written;
	int err;

	if (asprintf(&written, "%s://%s%s", from->scheme, from->host, from->path) < 0)
		return E_NOMEM;
	err = of_code(curl_url_set(base, CURLUPART_URL, written, CURLU_PATH_AS_IS));
	if (err == E_OK)
		err = of_code(curl_url_set(url, CURLUPART_URL, written, CURLU_PATH_AS_IS));
	free(written);
	if (err == E_OK) // relative to what `url` has
		err = of_code(curl_url_set(url, CURLUPART_URL, location, CURLU_NON_SUPPORT_SCHEME));
	if (err == E_OK)
		err = compare(base, url, CURLUPART_SCHEME);
	if (err == E_OK)
		err = compare(base, url, CURLUPART_HOST);
	if (err == E_OK)
		err = compare_ports(base, url, from->port);
	return err == E_OK ? join(url, ret_path) : err;
}

int redirect_path(const struct redirect_from *from, const char *location, char **ret_path)
{
	CURLU *base = curl_url(), *url = curl_url();
	int err = base && url ? resolve(base, url, from, location, ret_path) : E_NOMEM;

	curl_url_cleanup(base);
	curl_url_cleanup(url);
	return err;
}
