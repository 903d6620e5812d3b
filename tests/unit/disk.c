// Faulty and recorded system calls; see disk.h.
#undef _FORTIFY_SOURCE
#include "disk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

char disk_only[64];
atomic_int disk_failing_syncs, disk_failing_folders, disk_sync_ms, disk_no_syncs, disk_write_errno;
atomic_long disk_syncs, disk_room = -1;

enum what { CREATED, WRITTEN, TRUNCATED, SYNCED, FOLDER_SYNCED, RENAMED, REMOVED, MARKED };

struct record {
	enum what what;
	uint32_t file;      // a number that no later file has
	uint64_t at, len;   // WRITTEN; TRUNCATED: len; MARKED: at
	unsigned char *octets;
	char name[64], to[64];
};

enum { FILES_MAX = 4096 };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static bool recording;
static struct record *records;
static size_t record_count, record_room;
static ino_t inodes[FILES_MAX]; // by file number
static uint32_t file_count;

static const char *last_part(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool is_ours(const char *name)
{
	return strncmp(name, "state", 5) == 0 || strncmp(name, "health", 6) == 0 || strncmp(name, "orders", 6) == 0;
}

// Under the mutex.
static struct record *add(enum what what, uint32_t file)
{
	if (record_count == record_room) {
		record_room = record_room ? record_room * 2 : 1024;
		records = realloc(records, record_room * sizeof(*records));
		if (!records)
			abort();
	}
	records[record_count] = (struct record){.what = what, .file = file};
	return &records[record_count++];
}

// The number of the file, or UINT32_MAX. Under the mutex.
static uint32_t number_of(int fd)
{
	struct stat st;

	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		for (uint32_t i = file_count; i-- > 0;)
			if (inodes[i] == st.st_ino)
				return i;
	return UINT32_MAX;
}

static void created(int fd, const char *name)
{
	struct stat st;

	pthread_mutex_lock(&mutex);
	if (recording && is_ours(name) && fstat(fd, &st) == 0 && file_count < FILES_MAX) {
		inodes[file_count] = st.st_ino;
		snprintf(add(CREATED, file_count++)->name, sizeof(records->name), "%s", name);
	}
	pthread_mutex_unlock(&mutex);
}

static void written(int fd, const void *octets, size_t len, off_t at)
{
	pthread_mutex_lock(&mutex);

	uint32_t file = recording ? number_of(fd) : UINT32_MAX;

	if (file != UINT32_MAX) {
		struct record *record = add(WRITTEN, file);

		record->at = (uint64_t)at;
		record->len = len;
		record->octets = malloc(len + 1);
		if (!record->octets)
			abort();
		memcpy(record->octets, octets, len);
	}
	pthread_mutex_unlock(&mutex);
}

// Whether the fault is for this file.
static bool is_meant(int fd)
{
	char link[64], path[PATH_MAX];
	ssize_t len;

	if (!disk_only[0])
		return true;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	len = readlink(link, path, sizeof(path) - 1);
	path[len > 0 ? len : 0] = '\0';
	return strncmp(last_part(path), disk_only, strlen(disk_only)) == 0;
}

static bool take_one(atomic_int *count)
{
	int left = atomic_load(count);

	while (left > 0)
		if (atomic_compare_exchange_weak(count, &left, left - 1))
			return true;
	return false;
}

// How much of a write there is room for, as on a full disk: 0 with errno when there is none.
static size_t room_for(int fd, size_t len, off_t at)
{
	struct stat st;
	long room = atomic_load(&disk_room), grows;

	if (room < 0 || !is_meant(fd) || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return len;
	grows = (long)at + (long)len - (long)st.st_size;
	if (grows <= 0)
		return len;
	if (grows > room) {
		len = (size_t)(grows - room) < len ? len - (size_t)(grows - room) : 0;
		grows = room;
	}
	if (len)
		atomic_fetch_sub(&disk_room, grows);
	else
		errno = ENOSPC;
	return len;
}

// The calls -----------------------------------------------------------------------------------------------------------

int openat(int dir, const char *path, int flags, ...)
{
	bool is_new = false;
	mode_t mode = 0;

	if (flags & O_CREAT) {
		va_list args;

		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
		is_new = syscall(SYS_faccessat, dir, path, F_OK) < 0;
		if (is_new && atomic_load(&disk_write_errno) && strstr(last_part(path), disk_only) == last_part(path)) {
			errno = atomic_load(&disk_write_errno);
			return -1;
		}
	}

	int fd = (int)syscall(SYS_openat, dir, path, flags, mode);

	if (fd >= 0 && is_new)
		created(fd, last_part(path));
	return fd;
}

int open64(const char *path, int flags, ...)
{
	mode_t mode = 0;

	if (flags & O_CREAT) {
		va_list args;

		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	return openat(AT_FDCWD, path, flags, mode);
}

ssize_t pwrite64(int fd, const void *octets, size_t len, off_t at)
{
	int error = atomic_load(&disk_write_errno);

	if (error && is_meant(fd)) {
		errno = error;
		return -1;
	}

	if (!(len = room_for(fd, len, at)))
		return -1;

	ssize_t done = syscall(SYS_pwrite64, fd, octets, len, at);

	if (done > 0)
		written(fd, octets, (size_t)done, at);
	return done;
}

ssize_t write(int fd, const void *octets, size_t len)
{
	int error = atomic_load(&disk_write_errno);
	struct stat st;

	if (fd <= 2 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return syscall(SYS_write, fd, octets, len);
	if (error && is_meant(fd)) {
		errno = error;
		return -1;
	}

	off_t at = lseek(fd, 0, SEEK_CUR);

	if (!(len = room_for(fd, len, at)))
		return -1;

	ssize_t done = syscall(SYS_write, fd, octets, len);

	if (done > 0)
		written(fd, octets, (size_t)done, at);
	return done;
}

int ftruncate64(int fd, off_t len)
{
	struct stat st;
	bool is_limited = atomic_load(&disk_room) >= 0 && is_meant(fd) && fstat(fd, &st) == 0;
	int result = (int)syscall(SYS_ftruncate, fd, len);

	if (is_limited && result == 0)
		atomic_fetch_add(&disk_room, (long)st.st_size - (long)len);

	pthread_mutex_lock(&mutex);

	uint32_t file = recording && result == 0 ? number_of(fd) : UINT32_MAX;

	if (file != UINT32_MAX)
		add(TRUNCATED, file)->len = (uint64_t)len;
	pthread_mutex_unlock(&mutex);
	return result;
}

static int sync_it(int fd, long call)
{
	struct stat st;
	bool is_folder = fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
	int wait_ms = atomic_load(&disk_sync_ms);

	if (wait_ms > 0 && is_meant(fd))
		usleep((useconds_t)wait_ms * 1000);
	if (!is_folder)
		atomic_fetch_add(&disk_syncs, 1);
	if ((is_folder ? take_one(&disk_failing_folders) : is_meant(fd) && take_one(&disk_failing_syncs))) {
		errno = EIO;
		return -1;
	}

	int result = recording || atomic_load(&disk_no_syncs) ? 0 : (int)syscall(call, fd); // the record is what counts

	pthread_mutex_lock(&mutex);
	if (recording && is_folder) {
		add(FOLDER_SYNCED, 0);
	} else {
		uint32_t file = recording ? number_of(fd) : UINT32_MAX;

		if (file != UINT32_MAX)
			add(SYNCED, file);
	}
	pthread_mutex_unlock(&mutex);
	return result;
}

int fsync(int fd)
{
	return sync_it(fd, SYS_fsync);
}

int fdatasync(int fd)
{
	return sync_it(fd, SYS_fdatasync);
}

static void renamed(enum what what, const char *from, const char *to)
{
	pthread_mutex_lock(&mutex);
	if (recording) {
		struct record *record = add(what, 0);

		snprintf(record->name, sizeof(record->name), "%s", last_part(from));
		snprintf(record->to, sizeof(record->to), "%s", last_part(to));
	}
	pthread_mutex_unlock(&mutex);
}

int renameat(int old_dir, const char *old, int new_dir, const char *new)
{
	int result = (int)syscall(SYS_renameat2, old_dir, old, new_dir, new, 0);

	if (result == 0)
		renamed(RENAMED, old, new);
	return result;
}

int unlinkat(int dir, const char *path, int flags)
{
	int result = (int)syscall(SYS_unlinkat, dir, path, flags);

	if (result == 0)
		renamed(REMOVED, path, "");
	return result;
}

int unlink(const char *path)
{
	return unlinkat(AT_FDCWD, path, 0);
}

void disk_reset(void)
{
	disk_only[0] = '\0';
	atomic_store(&disk_failing_syncs, 0);
	atomic_store(&disk_failing_folders, 0);
	atomic_store(&disk_sync_ms, 0);
	atomic_store(&disk_no_syncs, 0);
	atomic_store(&disk_write_errno, 0);
	atomic_store(&disk_room, -1);
}

// Recording -----------------------------------------------------------------------------------------------------------

void disk_record(void)
{
	pthread_mutex_lock(&mutex);
	recording = true;
	pthread_mutex_unlock(&mutex);
}

void disk_record_end(void)
{
	pthread_mutex_lock(&mutex);
	recording = false;
	pthread_mutex_unlock(&mutex);
}

void disk_forget(void)
{
	for (size_t i = 0; i < record_count; i++)
		free(records[i].octets);
	free(records);
	records = NULL;
	record_count = record_room = 0;
	file_count = 0;
}

void disk_mark(uint32_t mark)
{
	pthread_mutex_lock(&mutex);
	if (recording)
		add(MARKED, 0)->at = mark;
	pthread_mutex_unlock(&mutex);
}

size_t disk_recorded(void)
{
	pthread_mutex_lock(&mutex);

	size_t count = record_count;

	pthread_mutex_unlock(&mutex);
	return count;
}

// A power cut ---------------------------------------------------------------------------------------------------------

struct image {
	unsigned char *octets; // what is durable
	size_t len, room;
	size_t pending[512], pending_count; // records that are not
};

struct entry {
	char name[64];
	uint32_t file;
};

struct entries {
	struct entry all[64];
	size_t count;
};

static void image_apply(struct image *image, const struct record *record)
{
	size_t end = record->what == WRITTEN ? record->at + record->len : record->len;

	if (end > image->room) {
		image->room = end * 2;
		image->octets = realloc(image->octets, image->room);
		if (!image->octets)
			abort();
	}
	if (end > image->len)
		memset(image->octets + image->len, 0, end - image->len);
	if (record->what == WRITTEN)
		memcpy(image->octets + record->at, record->octets, record->len);
	if (end > image->len || record->what == TRUNCATED)
		image->len = end;
}

static void image_settle(struct image *image, enum disk_loss loss, unsigned *seed)
{
	for (size_t i = 0; i < image->pending_count; i++)
		if (loss == DISK_LOSES_NOTHING || (loss == DISK_LOSES_SOME && rand_r(seed) % 2))
			image_apply(image, &records[image->pending[i]]);
	image->pending_count = 0;
}

static void image_add(struct image *image, size_t number)
{
	if (image->pending_count == sizeof(image->pending) / sizeof(image->pending[0])) {
		image_apply(image, &records[image->pending[0]]); // the kernel writes back what is old
		memmove(image->pending, image->pending + 1, --image->pending_count * sizeof(image->pending[0]));
	}
	image->pending[image->pending_count++] = number;
}

static size_t find_entry(const struct entries *entries, const char *name)
{
	size_t i = 0;

	while (i < entries->count && strcmp(entries->all[i].name, name) != 0)
		i++;
	return i;
}

static void drop_entry(struct entries *entries, const char *name)
{
	size_t i = find_entry(entries, name);

	if (i < entries->count)
		entries->all[i] = entries->all[--entries->count];
}

static void entries_apply(struct entries *entries, const struct record *record)
{
	size_t i;

	switch (record->what) {
	case CREATED:
		drop_entry(entries, record->name);
		entries->all[entries->count].file = record->file;
		strcpy(entries->all[entries->count++].name, record->name);
		break;
	case RENAMED:
		drop_entry(entries, record->to);
		i = find_entry(entries, record->name);
		if (i < entries->count)
			strcpy(entries->all[i].name, record->to);
		break;
	default:
		drop_entry(entries, record->name);
	}
}

static void write_image(const char *folder, const struct entry *entry, const struct image *image)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", folder, entry->name);

	FILE *file = fopen(path, "w");

	if (!file || fwrite(image->octets ? image->octets : (const unsigned char *)"", 1, image->len, file) != image->len ||
	    fclose(file) != 0)
		abort();
}

void disk_restore(const char *folder, size_t at, enum disk_loss loss, unsigned *seed,
                  void (*mark)(void *ctx, uint32_t mark), void *ctx)
{
	struct image *images = calloc(file_count + 1, sizeof(*images));
	struct entries entries = {0};
	size_t synced_to = 0, kept;

	for (size_t i = 0; i < at; i++) {
		const struct record *record = &records[i];

		if (record->what == WRITTEN || record->what == TRUNCATED)
			image_add(&images[record->file], i);
		else if (record->what == SYNCED)
			image_settle(&images[record->file], DISK_LOSES_NOTHING, seed);
		else if (record->what == FOLDER_SYNCED)
			synced_to = i;
		else if (record->what == MARKED && mark)
			mark(ctx, (uint32_t)record->at);
	}
	// Changes of the folder are kept in order: as many as a journal of the file system may have had.
	kept = loss == DISK_LOSES_ALL ? synced_to : loss == DISK_LOSES_NOTHING ? at :
	       synced_to + (size_t)rand_r(seed) % (at - synced_to + 1);
	for (size_t i = 0; i < kept; i++)
		if (records[i].what == CREATED || records[i].what == RENAMED || records[i].what == REMOVED)
			entries_apply(&entries, &records[i]);
	mkdir(folder, 0750);
	for (size_t i = 0; i < entries.count; i++) {
		image_settle(&images[entries.all[i].file], loss, seed);
		write_image(folder, &entries.all[i], &images[entries.all[i].file]);
	}
	for (uint32_t i = 0; i < file_count; i++)
		free(images[i].octets);
	free(images);
}
