// Files with a token or a key; see secret.h.
#include "secret.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "regular.h"

static const char *mode_fault(mode_t mode, char buf[static 128])
{
	if (!(mode & S_IRWXO))
		return NULL;
	snprintf(buf, 128, "open to everybody on this machine (mode %04o): chmod o= it", (unsigned)(mode & 07777));
	return buf;
}

const char *secret_fault(const char *path, char buf[static 128])
{
	struct stat status;

	if (stat(path, &status) < 0)
		return strerror(errno);
	if (!S_ISREG(status.st_mode)) // whatever its mode
		return regular_fault(status.st_mode);
	if (access(path, R_OK) < 0)
		return strerror(errno);
	return mode_fault(status.st_mode, buf);
}

static const char *trim(char *token, size_t len)
{
	size_t start = strspn(token, " \t\r\n");

	while (len > start && strchr(" \t\r\n", token[len - 1]))
		len--;
	memmove(token, token + start, len - start);
	token[len - start] = '\0';
	if (!*token)
		return "empty";
	for (const char *c = token; *c; c++)
		if (*c <= ' ' || *c > '~')
			return "not a token: it has blanks or control characters";
	return NULL;
}

const char *secret_read(const char *path, bool shared, char *ret_octets, size_t size, size_t *ret_len,
                        char buf[static 128])
{
	int fd;
	off_t file_len;
	struct stat status;
	const char *why = regular_open(path, &fd, &file_len);

	if (why)
		return why;
	// The mode of what is open: the path may lead to another file by now.
	if (!shared && fstat(fd, &status) == 0)
		why = mode_fault(status.st_mode, buf);

	ssize_t len = why ? 0 : read(fd, ret_octets, size);
	char more;

	if (len < 0)
		why = strerror(errno);
	else if ((size_t)len == size && read(fd, &more, 1) == 1)
		why = "too long";
	close(fd);
	if (!why)
		*ret_len = (size_t)len;
	return why;
}

const char *secret_read_token(const char *path, bool shared, char ret_token[static SECRET_MAX_LEN + 1],
                              char buf[static 128])
{
	size_t len = 0;
	const char *why = secret_read(path, shared, ret_token, SECRET_MAX_LEN, &len, buf);

	ret_token[len] = '\0';
	return why ? why : trim(ret_token, len);
}

static bool has_key(const char *octets, size_t len)
{
	static const char *const lines[] = {"-----BEGIN PRIVATE KEY-----", "-----BEGIN RSA PRIVATE KEY-----",
	                                    "-----BEGIN EC PRIVATE KEY-----"};
	static const char encrypted[] = "Proc-Type: 4,ENCRYPTED"; // RFC 1421 section 4.6.1.1
	bool found = false;

	for (size_t i = 0; i < sizeof(lines) / sizeof(*lines); i++)
		found = found || memmem(octets, len, lines[i], strlen(lines[i]));
	return found && !memmem(octets, len, encrypted, strlen(encrypted));
}

static const char *contents_fault(const char *path, bool is_key, char buf[static 128])
{
	char *room = secret_room_new(SECRET_MAX_LEN + 1);
	const char *why = NULL;
	size_t len = 0;

	if (!room)
		return secret_fault(path, buf); // it is read when it is needed
	if (is_key)
		why = secret_read(path, false, room, SECRET_MAX_LEN, &len, buf);
	else
		why = secret_read_token(path, false, room, buf);
	if (!why && is_key && !has_key(room, len))
		why = "has no private key in PEM, or an encrypted one";
	secret_room_free(room, SECRET_MAX_LEN + 1);
	secret_wipe_registers();
	return why;
}

const char *secret_token_fault(const char *path, char buf[static 128])
{
	return contents_fault(path, false, buf);
}

const char *secret_key_fault(const char *path, char buf[static 128])
{
	return contents_fault(path, true, buf);
}

void *secret_room_new(size_t size)
{
	void *room = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (room == MAP_FAILED)
		return NULL;
	(void)madvise(room, size, MADV_DONTDUMP); // nor does a kernel that lacks it keep the service from being asked
	return room;
}

void secret_room_free(void *room, size_t size)
{
	if (!room)
		return;
	explicit_bzero(room, size);
	munmap(room, size);
}

// A line of /proc/self/maps.
struct mapping {
	uintptr_t begin, end;
	char mode[5];
	bool is_named;
};

static bool read_mapping(FILE *maps, struct mapping *ret_mapping)
{
	struct mapping mapping = {0};
	char line[PATH_MAX + 256];
	int at = 0;

	if (!fgets(line, sizeof(line), maps) ||
	    sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %4s %*s %*s %*s %n", &mapping.begin, &mapping.end, mapping.mode, &at) != 3)
		return false;
	mapping.is_named = at > 0 && line[at] && line[at] != '\n';
	*ret_mapping = mapping;
	return true;
}

// A heap of glibc's is two mappings without a name: what is in use, and behind it what is reserved for more.
void secret_shade_thread(void)
{
	struct mapping used = {0}, reserved = {0};
	void *volatile sample = malloc(1);
	FILE *maps = fopen("/proc/self/maps", "re");
	bool found = false;

	while (maps && sample && !found && read_mapping(maps, &used))
		found = (uintptr_t)sample >= used.begin && (uintptr_t)sample < used.end;
	if (found && !used.is_named && read_mapping(maps, &reserved) && reserved.begin == used.end && !reserved.is_named &&
	    strcmp(reserved.mode, "---p") == 0)
		(void)madvise((void *)used.begin, reserved.end - used.begin, MADV_DONTDUMP);
	if (maps)
		fclose(maps);
	free(sample);
}

void secret_wipe_registers(void)
{
	char from[1024] = {0}, to[1024];
	volatile size_t size = sizeof(from); // so that it is the library's memcpy() that is called

	for (; size >= 8; size /= 2) // each size uses registers of its own
		memcpy(to, from, size);
	explicit_bzero(to, sizeof(to));
}

uint64_t secret_stamp(const char *path)
{
	struct stat status;

	if (!path || stat(path, &status) < 0)
		return 0;

	const uint64_t parts[] = {(uint64_t)status.st_dev, (uint64_t)status.st_ino, (uint64_t)status.st_size,
	                          (uint64_t)status.st_mtim.tv_sec, (uint64_t)status.st_mtim.tv_nsec};
	uint64_t stamp = 1;

	for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
		stamp = (stamp ^ parts[i]) * UINT64_C(0x9e3779b97f4a7c15);
	return stamp;
}
