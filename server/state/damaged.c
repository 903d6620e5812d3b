// Looks through the state folder; see damaged.h. The names are folder_set_aside()'s: "NAME.damaged-TIME", "…-TIME-2".
#include "state/damaged.h"

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

static void count_entry(const char *entry, const char *const *names, size_t count, struct damaged *found, long *newest)
{
	int64_t time_s;
	long number;

	for (size_t i = 0; i < count; i++) {
		if (!read_name(entry, names[i], &time_s, &number))
			continue;
		if (!found->count++ || time_s > found->time_s || (time_s == found->time_s && number > *newest)) {
			snprintf(found->newest, sizeof(found->newest), "%s", entry);
			found->time_s = time_s;
			*newest = number;
		}
	}
}

int damaged_find(const struct folder *folder, const char *const *names, size_t count, struct damaged *ret_damaged)
{
	int fd = openat(folder->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); // a place in the folder of its own
	DIR *listing = fd < 0 ? NULL : fdopendir(fd);
	struct damaged found = {0};
	long newest = 0;
	unsigned looked = 0;

	if (!listing) {
		if (fd < 0)
			return E_IO;
		close(fd);
		return E_NOMEM;
	}
	for (const struct dirent *entry; looked < DAMAGED_LOOK_MAX && (entry = readdir(listing)); looked++)
		count_entry(entry->d_name, names, count, &found, &newest);
	closedir(listing);
	*ret_damaged = found;
	return E_OK;
}
