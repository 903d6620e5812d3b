// Reads /proc/self; see process.h.
#include "daemon/process.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

// Of `max` that may be open.
static uint64_t count_fds(uint64_t max)
{
	DIR *folder = opendir("/proc/self/fd");
	uint64_t count = 0;

	if (!folder)
		return errno == EMFILE ? max : 0;
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
	unsigned long long threads, mapped, resident;

	if (after && sscanf(after + 1, "%*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %*s %llu %*s %*s %llu %llu",
	                    &threads, &mapped, &resident) == 3) {
		process->threads = threads;
		process->mapped = mapped;
		process->resident = resident * (uint64_t)sysconf(_SC_PAGESIZE);
	}
	if (file)
		fclose(file);
}

static uint64_t milliseconds(const struct timeval *time)
{
	return (uint64_t)time->tv_sec * 1000 + (uint64_t)time->tv_usec / 1000;
}

void process_read(struct process *ret_process)
{
	struct rlimit files;
	struct rusage used;

	*ret_process = (struct process){0};
	read_stat(ret_process);
	if (getrusage(RUSAGE_SELF, &used) == 0) // needs no descriptor: a counter may not fall when there is none
		ret_process->cpu_ms = milliseconds(&used.ru_utime) + milliseconds(&used.ru_stime);
	if (getrlimit(RLIMIT_NOFILE, &files) == 0)
		ret_process->max_fds = files.rlim_cur;
	ret_process->open_fds = count_fds(ret_process->max_fds);
}
