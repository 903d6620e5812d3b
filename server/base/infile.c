// Opening and reading regular files; see infile.h.
#include "base/infile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"

static int fail(char *why)
{
	snprintf(why, INFILE_WHY_LEN, "cannot be read: %s", strerror(errno));
	return E_IO;
}

int infile_open(const char *path, int *ret_fd, char *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat status;

	if (fd < 0)
		return fail(why);

	int err = fstat(fd, &status) < 0 ? fail(why) : E_OK;

	if (err == E_OK && S_ISDIR(status.st_mode)) {
		errno = EISDIR;
		err = fail(why);
	} else if (err == E_OK && !S_ISREG(status.st_mode)) {
		snprintf(why, INFILE_WHY_LEN, "cannot be read: not a regular file");
		err = E_IO;
	}
	if (err < 0)
		close(fd);
	else
		*ret_fd = fd;
	return err;
}

// The file may grow or shrink meanwhile: what counts is what read() gives.
static int read_all(int fd, size_t max, char **ret_text, size_t *ret_len, char *why)
{
	struct stat status;
	size_t cap = fstat(fd, &status) == 0 && status.st_size > 0 ? (size_t)status.st_size + 1 : 4096, len = 0;
	char *text = NULL;
	int err = E_OK;

	for (;;) {
		cap = cap > max + 1 ? max + 1 : cap; // one more, to see that it is too large

		char *larger = realloc(text, cap + 1);

		err = larger ? E_OK : E_NOMEM;
		text = larger ? larger : text;
		while (err == E_OK && len < cap) {
			ssize_t got = read(fd, text + len, cap - len);

			if (got == 0)
				break;
			if (got > 0)
				len += (size_t)got;
			else if (errno != EINTR)
				err = fail(why);
		}
		if (err < 0 || len < cap)
			break;
		if (len > max) {
			snprintf(why, INFILE_WHY_LEN, "cannot be read: larger than %zu MiB", max >> 20);
			err = E_LIMIT;
			break;
		}
		cap *= 2;
	}
	if (err < 0) {
		free(text);
		return err;
	}
	text[len] = '\0';
	*ret_text = text;
	*ret_len = len;
	return E_OK;
}

int infile_read(const char *path, size_t max, char **ret_text, size_t *ret_len, char *why)
{
	int fd;
	int err = infile_open(path, &fd, why);

	if (err < 0)
		return err;
	err = read_all(fd, max, ret_text, ret_len, why);
	close(fd);
	return err;
}
