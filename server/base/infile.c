// Opening and reading regular files; see infile.h.
#include "base/infile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
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

static int open_file(const char *path, int *ret_fd, char *why)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return fail(why);
	*ret_fd = fd;
	return E_OK;
}

static int check_regular(int fd, struct stat *ret_status, char *why)
{
	if (fstat(fd, ret_status) < 0)
		return fail(why);
	if (S_ISDIR(ret_status->st_mode)) {
		errno = EISDIR;
		return fail(why);
	}
	if (S_ISREG(ret_status->st_mode))
		return E_OK;
	snprintf(why, INFILE_WHY_LEN, "cannot be read: not a regular file");
	return E_IO;
}

static int too_large(size_t max, char *why)
{
	snprintf(why, INFILE_WHY_LEN, "cannot be read: larger than %zu MiB", max >> 20);
	return E_LIMIT;
}

// The mode that counts is that of what is open: the path may lead to another file by now.
static int open_checked(const char *path, bool is_secret, int *ret_fd, char *why)
{
	struct stat status;
	int fd = -1, err = open_file(path, &fd, why);

	if (err < 0)
		return err;
	err = check_regular(fd, &status, why);
	if (err == E_OK && is_secret && status.st_mode & S_IRWXO) {
		snprintf(why, INFILE_WHY_LEN, "may be read or written by everybody: chmod o-rwx it");
		err = E_IO;
	}
	if (err < 0)
		close(fd);
	else
		*ret_fd = fd;
	return err;
}

int infile_open(const char *path, int *ret_fd, char *why)
{
	return open_checked(path, false, ret_fd, why);
}

int infile_open_secret(const char *path, int *ret_fd, char *why)
{
	return open_checked(path, true, ret_fd, why);
}

// The file may grow or shrink meanwhile: what counts is what read() gives.
int infile_read_fd(int fd, size_t max, char **ret_text, size_t *ret_len, char *why)
{
	struct stat status;
	int err = check_regular(fd, &status, why);

	if (err < 0)
		return err;
	if ((uintmax_t)status.st_size > max)
		return too_large(max, why);

	size_t cap = status.st_size > 0 ? (size_t)status.st_size + 1 : 4096, len = 0;
	char *text = NULL;

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
			err = too_large(max, why);
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
	int fd = -1, err = open_file(path, &fd, why);

	if (err < 0)
		return err;
	err = infile_read_fd(fd, max, ret_text, ret_len, why);
	close(fd);
	return err;
}
