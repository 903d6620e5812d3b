// Reading tokens; see bearer.h.
#include "base/bearer.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/infile.h"

enum { FILE_MAX = 4096 };

static bool is_token(const char *text, size_t len)
{
	if (len == 0 || len > BEARER_MAX)
		return false;
	for (size_t i = 0; i < len; i++)
		if (text[i] <= ' ' || text[i] > '~')
			return false;
	return true;
}

static int take_token(const char *text, char *token, char *why)
{
	size_t len = strcspn(text, "\r\n");

	if (!is_token(text, len)) {
		snprintf(why, INFILE_WHY_LEN, "expected a token, 1 to %d printable ASCII characters, on its first line", BEARER_MAX);
		return E_INVAL;
	}
	memcpy(token, text, len);
	token[len] = '\0';
	return E_OK;
}

int bearer_read(const char *path, char *token, char *why)
{
	char *text = NULL;
	size_t len = 0;
	int fd = -1, err = infile_open_secret(path, &fd, why);

	if (err < 0)
		return err;
	err = infile_read_fd(fd, FILE_MAX, &text, &len, why);
	close(fd);
	if (err < 0)
		return err;
	err = take_token(text, token, why);
	explicit_bzero(text, len);
	free(text);
	return err;
}
