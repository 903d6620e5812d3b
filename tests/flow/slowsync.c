// A disk that takes its time, for tests/flow/slowdisk.py: preloaded into the daemon, every sync of a file takes the
// milliseconds in the file named by $SLOWSYNC_FILE, a 64-bit number. Reads and writes are as they are.
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static volatile const int64_t *takes_ms;

__attribute__((constructor)) static void map_file(void)
{
	const char *path = getenv("SLOWSYNC_FILE");
	int fd = path ? open(path, O_RDONLY | O_CLOEXEC) : -1;

	if (fd < 0)
		return;

	void *map = mmap(NULL, sizeof(*takes_ms), PROT_READ, MAP_SHARED, fd, 0);

	if (map != MAP_FAILED)
		takes_ms = map;
	close(fd);
}

static void wait_for_disk(void)
{
	int64_t ms = takes_ms ? *takes_ms : 0;
	struct timespec wait = {ms / 1000, ms % 1000 * 1000000};

	if (ms > 0)
		nanosleep(&wait, NULL);
}

int fsync(int fd)
{
	wait_for_disk();
	return (int)syscall(SYS_fsync, fd);
}

int fdatasync(int fd)
{
	wait_for_disk();
	return (int)syscall(SYS_fdatasync, fd);
}
