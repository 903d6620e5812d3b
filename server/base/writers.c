// Owners and modes along a path; see writers.h.
#include "base/writers.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"

// Others may write there, and change what is there of somebody else's.
static bool is_open(const struct stat *st)
{
	return st->st_mode & (S_IWGRP | S_IWOTH) && !(S_ISDIR(st->st_mode) && st->st_mode & S_ISVTX);
}

static int check_one(const char *path, uid_t owner, char *why)
{
	struct stat st;

	if (stat(path, &st) < 0) {
		snprintf(why, WRITERS_WHY_LEN, "cannot be read: %s", strerror(errno));
		return E_IO;
	}
	if (st.st_uid == 0 || st.st_uid == owner) {
		if (!is_open(&st))
			return E_OK;
		snprintf(why, WRITERS_WHY_LEN,
		         "is not read: others than its owner may write to %.300s (mode %04o), and a config can start "
		         "programs",
		         path, (unsigned)st.st_mode & 07777);
	} else {
		snprintf(why, WRITERS_WHY_LEN,
		         "is not read: %.300s belongs neither to root nor to the owner of the config in use (uid %u), "
		         "and a config can start programs",
		         path, (unsigned)owner);
	}
	return E_INVAL;
}

int writers_check(const char *path, const char *like, char **ret_real, char *why)
{
	struct stat model;
	char *real = realpath(path, NULL), *folder = real ? strdup(real) : NULL, *end;
	int err = E_OK;

	if (!folder || stat(like, &model) < 0) {
		snprintf(why, WRITERS_WHY_LEN, "cannot be read: %s", strerror(errno));
		free(folder);
		free(real);
		return E_IO;
	}
	// From the file up to the root.
	for (end = folder + strlen(folder); err == E_OK && end; end = strrchr(folder, '/')) {
		*end = '\0';
		err = check_one(folder[0] ? folder : "/", model.st_uid, why);
	}
	free(folder);
	if (err == E_OK)
		*ret_real = real;
	else
		free(real);
	return err;
}
