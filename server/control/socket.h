// The control socket in the file system: binding, replacing a stale one, removing it; and the peer's credentials. For
// control.c.
#pragma once

#include <sys/stat.h>

#include "base/attr.h"

enum { SOCKET_PEER_LEN = 256 };

// Listens at `path`, mode 0660, non-blocking, close-on-exec; its folder is made when missing. *ret_made identifies the
// file for socket_remove(). E_EXISTS: another process serves it, or it is not a socket; E_INVAL: the path is too long;
// E_IO. All are logged.
int socket_listen(const char *path, int *ret_fd, struct stat *ret_made) MUST_USE;
// Removes the file if it is still the one made; another daemon's is left alone.
void socket_remove(const char *path, const struct stat *made);
// The peer as "uid 1000 (alice), pid 4711", into buf[SOCKET_PEER_LEN], which it returns.
const char *socket_peer(int fd, char *buf);
