// Files with a token or a key: read anew whenever they are needed, as others replace them. What is kept of them is kept
// in a secret_room.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { SECRET_MAX_LEN = 16 << 10 };

// Why a file with a secret must not be used: "readable by everybody (mode 0644)", or that it cannot be read; NULL: it
// may. `buf` may hold the text.
const char *secret_fault(const char *path, char buf[static 128]);

// Reads a token, without the blanks around it, into `ret_token`. `shared`: the file may be readable by everybody, as
// where its folder is the container's own. NULL when done; else why not, for which `buf` may be used.
const char *secret_read_token(const char *path, bool shared, char ret_token[static SECRET_MAX_LEN + 1],
                              char buf[static 128]);

// Reads all of such a file of at most `size` octets; *ret_len of them. The rest as for secret_read_token().
const char *secret_read(const char *path, bool shared, char *ret_octets, size_t size, size_t *ret_len,
                        char buf[static 128]);

// Why a file has no such secret, or must not be used, as above: it is read, and nothing of it is left in memory. A key is
// one in PEM, by the line that it begins with.
const char *secret_token_fault(const char *path, char buf[static 128]);
const char *secret_key_fault(const char *path, char buf[static 128]);

// Memory for secrets: zeroed, in no core dump. NULL when out of memory. secret_room_free() wipes it; NULL is allowed.
void *secret_room_new(size_t size);
void secret_room_free(void *room, size_t size);

// Has core dumps leave out what this thread allocates from now on, which libraries have their copies in: of TLS records,
// headers, keys. It is the heap of the thread's malloc arena, where the C library is glibc and has given it one of its own
// (threads that share it have their memory left out too); else nothing happens.
void secret_shade_thread(void);

// Overwrites what memcpy() has left of its last copies in this thread's vector registers, which are in core dumps too. For
// before a thread waits.
void secret_wipe_registers(void);

// A number that changes when the file does, or another takes its place; 0: there is none. NULL is allowed.
uint64_t secret_stamp(const char *path);
