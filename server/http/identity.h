// The certificate that a client shows, with those between it and its CA, and its key. Made from texts, so that no file is
// read here. Called when a config is read, to see that they fit, and by ca_stores.c.
#pragma once

#include "base/attr.h"

struct identity;
struct ssl_ctx_st;

// E_INVAL: one is no PEM, or they are no pair; E_NOMEM.
int identity_new(const char *cert_pem, const char *key_pem, struct identity **ret_identity) MUST_USE;
// Takes NULL; returns NULL.
struct identity *identity_free(struct identity *identity);
// Makes connections of the context show it, to a server that asks. E_NOMEM.
int identity_use(const struct identity *identity, struct ssl_ctx_st *context) MUST_USE;
