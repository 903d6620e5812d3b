// Makes allocations of the daemon fail, for tests/flow/nomemory.py: preloaded into it, it counts them in the file named by
// $FAILALLOC_FILE, mapped, where the test says which ones fail, at any time.

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

// glibc's own names for what is wrapped here: dlsym() would itself allocate.
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *old, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

// As in nomemory.py.
struct plan {
	uint64_t count;  // of allocations since the test has set it to 0
	uint64_t first;  // the number of the first that fails, from 1 on; 0: none
	uint64_t length; // how many fail in a row
	uint64_t failed; // how many have
};

static struct plan before_mapping;
static struct plan *plan = &before_mapping;

__attribute__((constructor)) static void map_plan(void)
{
	const char *path = getenv("FAILALLOC_FILE");
	int fd = path ? open(path, O_RDWR | O_CLOEXEC) : -1;
	void *map;

	if (fd < 0)
		return;
	map = mmap(NULL, sizeof(*plan), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (map != MAP_FAILED)
		plan = map;
	close(fd);
}

static int fails(void)
{
	uint64_t number = __atomic_add_fetch(&plan->count, 1, __ATOMIC_RELAXED);
	uint64_t first = __atomic_load_n(&plan->first, __ATOMIC_RELAXED);

	if (!first || number < first || number - first >= __atomic_load_n(&plan->length, __ATOMIC_RELAXED))
		return 0;
	__atomic_add_fetch(&plan->failed, 1, __ATOMIC_RELAXED);
	errno = ENOMEM;
	return 1;
}

void *malloc(size_t size)
{
	return fails() ? NULL : __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
	return fails() ? NULL : __libc_calloc(count, size);
}

void *realloc(void *old, size_t size)
{
	return fails() ? NULL : __libc_realloc(old, size);
}

void *reallocarray(void *old, size_t count, size_t size)
{
	size_t bytes;

	if (__builtin_mul_overflow(count, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return fails() ? NULL : __libc_realloc(old, bytes);
}

void *memalign(size_t alignment, size_t size)
{
	return fails() ? NULL : __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	return fails() ? NULL : __libc_memalign(alignment, size);
}

int posix_memalign(void **ret, size_t alignment, size_t size)
{
	void *got = fails() ? NULL : __libc_memalign(alignment, size);

	if (!got)
		return ENOMEM;
	*ret = got;
	return 0;
}
