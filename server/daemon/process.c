// Reads /proc/self; see process.h.
#include "daemon/process.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

static uint64_t count_fds(void)
{
	DIR *folder = opendir("/proc/self/fd");
	uint64_t count = 0;

	if (!folder)
		return 0;
	while (readdir(folder))
		count++;
	closedir(folder);
	return count > 3 ? count - 3 : 0; // ".", ".." and the folder's own
}

// The fields after the program's name, which may have blanks and parentheses; proc(5) numbers them from 3.
static void read_stat(struct process *process)
{
	FILE *file = fopen("/proc/self/stat", "re");
	char line[1024];
	const char *after = file && fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
	unsigned long long user, system, threads, mapped, resident;
	uint64_t ticks = (uint64_t)sysconf(_SC_CLK_TCK);

	if (after && sscanf(after + 1, "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu %llu %*s %*s %*s %*s %llu %*s %*s %llu %llu",
	                    &user, &system, &threads, &mapped, &resident) == 5) {
		process->cpu_ms = (user + system) * 1000 / ticks;
		process->threads = threads;
		process->mapped = mapped;
		process->resident = resident * (uint64_t)sysconf(_SC_PAGESIZE);
	}
	if (file)
		fclose(file);
}

void process_read(struct process *ret_process)
{
	struct rlimit files;

	*ret_process = (struct process){0};
	read_stat(ret_process);
	ret_process->open_fds = count_fds();
	if (getrlimit(RLIMIT_NOFILE, &files) == 0)
		ret_process->max_fds = files.rlim_cur;
}
