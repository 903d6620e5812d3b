// Questions asked over HTTPS, with a token, many at a time: look_up() of the plugins that know how to write a question and
// to read its reply. A reply 401 means a new token, once; what is not answered by its deadline has timed out.
#pragma once

#include "edgesteer-plugin.h"
#include "https.h"
#include "keyring.h"
#include "verdict.h"

enum {
	INQUIRY_URL_SIZE = 1024, INQUIRY_BODY_SIZE = 768, INQUIRY_HEADERS_MAX = 6, INQUIRY_HEADER_SIZE = 128,
	INQUIRY_MAX = 1024, // questions at a time
};

// One question as it is sent.
struct inquiry_letter {
	char url[INQUIRY_URL_SIZE];
	char body[INQUIRY_BODY_SIZE]; // "": a GET
	size_t header_count;
	char headers[INQUIRY_HEADERS_MAX][INQUIRY_HEADER_SIZE];
};

struct inquiry {
	const struct edgesteer_host *host;
	struct keyring_clients clients;
	struct https_peer peer;
	// Writes a question. False: it cannot be asked, and *ret_verdict says why.
	bool (*write)(void *ctx, const struct edgesteer_question *question, struct inquiry_letter *ret_letter,
	              struct verdict *ret_verdict);
	// Reads a reply with any status, or that there is none. *ret_verdict is zeroed before.
	void (*read)(void *ctx, const struct https_result *result, struct verdict *ret_verdict);
	void *ctx;
};

// What look_up() returns.
int inquiry_run(const struct inquiry *inquiry);

// Sets the URL: `base`, a slash unless it ends with one, and the path. False: no room.
bool inquiry_set_url(struct inquiry_letter *letter, const char *base, const char *path);
// Appends a header, unless there is no room for it: those that plugins write are short.
void inquiry_add_header(struct inquiry_letter *letter, const char *fmt, ...)
#ifdef __GNUC__
    __attribute__((format(printf, 2, 3)))
#endif
    ;
