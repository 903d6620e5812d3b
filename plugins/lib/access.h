// The options by which a plugin reaches a service and shows who it is; those of OAuth2 and TLS, which several have.
#pragma once

#include "edgesteer-plugin.h"
#include "oauth.h"

// Reads `base-url` and `token-url`, which must be https://...; `ca-file`, `secret-file` and `scope`, into what is zeroed
// except for what the caller has set. Files may come later and their contents change, so that what is wrong with them is a
// warning. Returns 0, or negative (reported). All text is the host's.
int access_read(const struct edgesteer_host *host, const char **ret_base_url, struct oauth_client *client);
// Warns of a file with a token, or a private key, that cannot be used now. `option` names it; `path` NULL: nothing is checked.
void access_check_token(const struct edgesteer_host *host, const char *option, const char *path);
void access_check_key(const struct edgesteer_host *host, const char *option, const char *path);
// Reads an option that is a URL of that form. 0, or negative (reported).
int access_read_url(const struct edgesteer_host *host, const char *option, const char **ret_url);
// Reads an option that is one of a few words, of which the last one is NULL. Its number, or negative (reported).
int access_read_word(const struct edgesteer_host *host, const char *option, const char *const *words);
