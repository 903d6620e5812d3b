// What opens the HTTP door: for each address of a config its TLS context and its tokens, from the files that the config
// names. Made where files are read, at the start and on the builder's thread, and then used by the main thread.
#pragma once

#include <openssl/types.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/attr.h"

struct config_server;
struct keys;
struct report;
struct tokens;

// Of one address.
struct key {
	char *listen;          // as in the config
	SSL_CTX *tls;          // NULL: without
	struct tokens *tokens; // NULL: none
	bool has_client_ca;
};

// Reads the files; they are added to the report's inputs. E_INVAL: what is wrong is reported; E_NOMEM.
int keys_read(const struct config_server *server, struct report *report, struct keys **ret_keys) MUST_USE;
// Takes NULL; returns NULL. Connections keep the context that they use.
struct keys *keys_free(struct keys *keys);
// Swaps `key` for the one of that address, of the last config read. False: the config does not have the address.
bool keys_swap(struct keys *keys, const char *listen, struct key *key);
// Frees what the key has.
void keys_wipe(struct key *key);
