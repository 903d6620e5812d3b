// Checks URLs; see url.h. libcurl reads them, as it will when it asks.
#include "client/url.h"

#include <curl/curl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/addr.h"
#include "base/arena.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/must.h"

bool client_url_is(const char *address)
{
	return strstr(address, "://") != NULL;
}

// The part, "" where there is none, into buf[len].
static void part_of(CURLU *url, CURLUPart which, char *buf, size_t len)
{
	char *part = NULL;

	buf[0] = '\0';
	if (curl_url_get(url, which, &part, 0) != CURLUE_OK)
		return;
	snprintf(buf, len, "%.*s", (int)len - 1, part);
	curl_free(part);
}

static bool is_loopback(const char *host)
{
	static const uint8_t loopback[16] = {[15] = 1};
	char text[ADDR_TEXT_LEN + 2];
	struct addr addr;
	size_t len = strlen(host);

	if (strcmp(host, "localhost") == 0)
		return true;
	if (len >= sizeof(text))
		return false;
	if (host[0] == '[' && host[len - 1] == ']')
		snprintf(text, sizeof(text), "%.*s", (int)len - 2, host + 1);
	else
		memcpy(text, host, len + 1);
	return addr_parse(text, &addr) == E_OK &&
	       (addr.family == ADDR_V4 ? addr.bytes[0] == 127 : memcmp(addr.bytes, loopback, sizeof(loopback)) == 0);
}

static const char *fault_of(CURLU *url)
{
	static const CURLUPart unwanted[] = {CURLUPART_USER, CURLUPART_PASSWORD, CURLUPART_QUERY, CURLUPART_FRAGMENT};
	char text[256];

	for (size_t i = 0; i < ARRAY_LEN(unwanted); i++) {
		part_of(url, unwanted[i], text, sizeof(text));
		if (text[0])
			return "is more than https://HOST:PORT";
	}
	part_of(url, CURLUPART_PATH, text, sizeof(text));
	if (text[0] && strcmp(text, "/") != 0)
		return "is more than https://HOST:PORT";
	part_of(url, CURLUPART_SCHEME, text, sizeof(text));
	if (strcmp(text, "https") == 0)
		return NULL;
	if (strcmp(text, "http") != 0)
		return "is not https://HOST:PORT";
	part_of(url, CURLUPART_HOST, text, sizeof(text));
	return is_loopback(text)
	           ? NULL
	           : "would send the token in the clear: http:// is for this machine alone, expected https://";
}

const char *client_url_fault(const char *text)
{
	CURLU *url = curl_url();
	const char *wrong;

	must(url);
	wrong = curl_url_set(url, CURLUPART_URL, text, 0) == CURLUE_OK ? fault_of(url) : "is not https://HOST:PORT";
	curl_url_cleanup(url);
	return wrong;
}

const char *client_url_trim(struct arena *arena, const char *url)
{
	char *copy = arena_strdup(arena, url);
	size_t len = strlen(url);

	must(copy);
	if (len > 0 && copy[len - 1] == '/')
		copy[len - 1] = '\0';
	return copy;
}
