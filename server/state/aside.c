// Looks through the state folder; see aside.h. The names are file_set_aside()'s: "NAME.damaged-TIME", "…-TIME-2".
#include "state/aside.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"

// When the file was set aside, and as which one of that second. False: it is another file.
static bool read_name(const char *found, const char *name, int64_t *ret_time_s, long *ret_number)
{
	char before[NAME_MAX + 1], *end;
	int len = snprintf(before, sizeof(before), "%s.damaged-", name);

	if (strncmp(found, before, (size_t)len) != 0 || found[len] < '0' || found[len] > '9')
		return false;
	*ret_time_s = strtoll(found + len, &end, 10);
	*ret_number = *end == '-' ? strtol(end + 1, &end, 10) : 0;
	return *end == '\0';
}

int aside_find(int dir, const char *name, struct aside *ret_aside)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); // a place in the folder of its own
	DIR *folder = fd < 0 ? NULL : fdopendir(fd);
	struct aside aside = {0};
	long newest_number = 0;
	unsigned looked = 0;

	if (!folder) {
		if (fd < 0)
			return E_IO;
		close(fd);
		return E_NOMEM;
	}
	for (const struct dirent *entry; looked < ASIDE_LOOK_MAX && (entry = readdir(folder)); looked++) {
		int64_t time_s;
		long number;

		if (!read_name(entry->d_name, name, &time_s, &number))
			continue;
		if (!aside.count++ || time_s > aside.time_s || (time_s == aside.time_s && number > newest_number)) {
			snprintf(aside.newest, sizeof(aside.newest), "%s", entry->d_name);
			aside.time_s = time_s;
			newest_number = number;
		}
	}
	closedir(folder);
	*ret_aside = aside;
	return E_OK;
}
