// Counts the calls of the memory allocator made by worker threads, for tests/flow/noalloc.py: preloaded into the daemon,
// it keeps its counters in the file named by $COUNTALLOC_FILE, mapped, so that the test reads them at any time.

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

// glibc's own names for what is wrapped here: dlsym() would itself allocate.
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *old);

struct counters {
	uint64_t workers; // calls by threads named udp-... and tcp-...
	uint64_t others;
};

static struct counters before_mapping;
static struct counters *counters = &before_mapping;
// Set once the thread is known to be a worker; a thread without its name yet is looked at again.
static __thread int is_worker __attribute__((tls_model("initial-exec")));

__attribute__((constructor)) static void map_counters(void)
{
	const char *path = getenv("COUNTALLOC_FILE");
	int fd = path ? open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644) : -1;
	void *map;

	if (fd < 0)
		return;
	if (ftruncate(fd, sizeof(*counters)) == 0) {
		map = mmap(NULL, sizeof(*counters), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		if (map != MAP_FAILED)
			counters = map;
	}
	close(fd);
}

static void count(void)
{
	char name[16] = "";

	if (!is_worker && prctl(PR_GET_NAME, name) == 0)
		is_worker = strncmp(name, "udp-", 4) == 0 || strncmp(name, "tcp-", 4) == 0;
	__atomic_fetch_add(is_worker ? &counters->workers : &counters->others, 1, __ATOMIC_RELAXED);
}

void *malloc(size_t size)
{
	count();
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	count();
	return __libc_calloc(n, size);
}

void *realloc(void *old, size_t size)
{
	count();
	return __libc_realloc(old, size);
}

void free(void *old)
{
	if (old)
		count();
	__libc_free(old);
}

void *memalign(size_t alignment, size_t size)
{
	count();
	return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	count();
	return __libc_memalign(alignment, size);
}

int posix_memalign(void **ret_memory, size_t alignment, size_t size)
{
	void *memory;

	count();
	memory = __libc_memalign(alignment, size);
	if (!memory)
		return ENOMEM;
	*ret_memory = memory;
	return 0;
}
