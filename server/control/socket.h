// The control socket's file: bound, replaced when stale, removed; and who is at the other end. For control.c.
#pragma once

#include <sys/stat.h>

#include "base/attr.h"

enum { SOCKET_PEER_LEN = 128 };

// Listens at `path`, mode 0660, non-blocking, close-on-exec; its folder is made when it is missing. *ret_made is what
// it is on disk. E_EXISTS when somebody serves it or it is not a socket, E_INVAL when the path is too long, E_IO. Logged.
int socket_listen(const char *path, int *ret_fd, struct stat *ret_made) MUST_USE;
// Removes it if it still is the one made: another daemon's is left alone.
void socket_remove(const char *path, const struct stat *made);
// "uid 1000 (alice), pid 4711" into buf[SOCKET_PEER_LEN], which it returns.
const char *socket_peer(int fd, char *buf);
