// Follows a file; see tail.h.
#include "learn/tail.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/infile.h"
#include "base/log.h"

void tail_begin(struct tail *tail, const char *path)
{
	*tail = (struct tail){.path = path, .fd = -1};
}

void tail_end(struct tail *tail)
{
	if (tail->fd >= 0)
		close(tail->fd);
	tail->fd = -1;
}

static void open_file(struct tail *tail)
{
	char why[INFILE_WHY_LEN];
	struct stat st;

	if (lstat(tail->path, &st) < 0 && errno == ENOENT) {
		tail->is_known = true; // whatever is written into it is new
		return;
	}
	if (infile_open(tail->path, &tail->fd, why) < 0) {
		if (!tail->is_told)
			log_error("observe: file %s %s", tail->path, why);
		tail->is_told = true;
		tail->fd = -1;
		return;
	}
	tail->is_told = false;
	tail->offset = tail->is_known ? 0 : lseek(tail->fd, 0, SEEK_END);
	tail->is_known = true;
	if (tail->offset < 0)
		tail->offset = 0;
}

// Closes a file that has been replaced, and starts anew with one that became shorter.
static void look_again(struct tail *tail)
{
	struct stat named, open;

	if (fstat(tail->fd, &open) == 0 && open.st_size < tail->offset)
		tail->offset = 0;
	if (stat(tail->path, &named) < 0 || (named.st_dev == open.st_dev && named.st_ino == open.st_ino))
		return;
	tail_end(tail);
	open_file(tail);
}

static ssize_t read_part(const struct tail *tail, char *buf)
{
	ssize_t len;

	do
		len = pread(tail->fd, buf, TAIL_PART, tail->offset);
	while (len < 0 && errno == EINTR);
	return len;
}

bool tail_read(struct tail *tail, size_t (*read)(void *ctx, const char *text, size_t len), void *ctx)
{
	char buf[TAIL_PART];
	ssize_t len;
	const char *end;

	if (tail->fd < 0)
		open_file(tail);
	len = tail->fd < 0 ? 0 : read_part(tail, buf);
	end = len > 0 ? memrchr(buf, '\n', (size_t)len) : NULL;
	if (tail->fd >= 0 && !end && len < TAIL_PART) { // nothing more: a last line without its end waits for it
		look_again(tail);
		return false;
	}
	if (len <= 0)
		return false;
	len = end ? end + 1 - buf : len;

	size_t used = read(ctx, buf, (size_t)len);

	tail->offset += (off_t)used;
	return used == (size_t)len && len > 0;
}
