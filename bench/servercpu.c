// /proc/PID/task/*/schedstat; see servercpu.h.
#include "servercpu.h"

#include <dirent.h>
#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"

// The first line of a small file under /proc, without its end.
static int read_line(const char *path, char *buf, int size)
{
	FILE *file = fopen(path, "r");

	if (!file)
		return E_IO;

	const char *got = fgets(buf, size, file);

	fclose(file);
	if (!got)
		return E_IO;
	buf[strcspn(buf, "\n")] = '\0';
	return 0;
}

static int read_thread(const char *task, const char *name, const char *pattern, int64_t *ret_ns)
{
	char path[512], line[256];
	long long ns;

	snprintf(path, sizeof(path), "%s/%s/comm", task, name);
	if (read_line(path, line, sizeof(line)) < 0)
		return E_IO;
	if (pattern && fnmatch(pattern, line, 0) != 0)
		return E_NOTFOUND;
	snprintf(path, sizeof(path), "%s/%s/schedstat", task, name);
	if (read_line(path, line, sizeof(line)) < 0 || sscanf(line, "%lld", &ns) != 1)
		return E_IO;
	*ret_ns = ns;
	return 0;
}

int servercpu_read(pid_t pid, const char *pattern, int64_t *ret_ns)
{
	char task[64];
	int64_t sum = 0, ns;
	unsigned threads = 0;

	snprintf(task, sizeof(task), "/proc/%ld/task", (long)pid);

	DIR *dir = opendir(task);

	if (!dir)
		return E_IO;
	for (const struct dirent *entry; (entry = readdir(dir));) {
		if (entry->d_name[0] == '.' || read_thread(task, entry->d_name, pattern, &ns) < 0)
			continue;
		sum += ns;
		threads++;
	}
	closedir(dir);
	if (threads == 0)
		return E_IO;
	*ret_ns = sum;
	return 0;
}
