// The lists of service endpoints that are registered with Verizon's service for the account, as far as they are this
// daemon's: a list has an ID, the serviceEndpointsId, and up to 100 entries, one for each app and edge. Who has made a list
// is in the `serviceDescription` of its entries: one in which any entry has another is somebody else's.
//
// What Verizon's documentation says: entries, their fields with limits, and the requests. What it does not, and is
// inferred: that PUT replaces the whole list (it is read again afterwards, and what is not as wanted has failed), and that
// entries of one app may share an `applicationId`.
#pragma once

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "lib/visit.h"

enum {
	REGISTRY_LIST_MAX = 100,  // entries of a list
	REGISTRY_LISTS_MAX = 200, // lists of an account that are looked at
	REGISTRY_ID_SIZE = 65, REGISTRY_WORD_SIZE = 33,
};

// As read from the options.
struct registry_options {
	const char *base_url;
	const char *mark;         // the `serviceDescription` of what is ours
	const char *profile_id;   // the `serviceProfileID`
	int port;                 // of all endpoints
};

// The `applicationId` of an app: letters and digits, as the service wants, and different for different names.
void registry_app_id(const char *app, char ret_id[static REGISTRY_WORD_SIZE]);

// Whether a text has 3 to 32 letters and digits, and such of `also`.
bool registry_is_word(const char *text, const char *also);

// An entry for an endpoint, which may keep what the entry `had` (NULL: none) has registered: its address, as long as it is
// one of the endpoint's. NULL when out of memory. `ern` fits.
json_t *registry_make_entry(const struct registry_options *options, const struct edgesteer_endpoint *endpoint,
                            const char *ern, const json_t *had);
// Whether two entries say the same, and, if not, the first difference: "IPv4Address 192.0.2.1 instead of 192.0.2.7".
enum { REGISTRY_WHY_SIZE = 160 };
bool registry_is_same(const json_t *wanted, const json_t *had, char ret_why[static REGISTRY_WHY_SIZE]);

// Whether all entries of a list have the mark.
bool registry_is_ours(const struct registry_options *options, const json_t *list);

// The entries of a list, the caller's. NULL: *ret_verdict says why; NOT_FOUND: there is no such list.
json_t *registry_read(struct visit *visit, const struct registry_options *options, const char *id,
                      struct verdict *ret_verdict);
// Writes a list of one entry or more: a new one where `id` is "", which is set then, else in the place of what is there.
// With an empty list removes it. False: *ret_verdict says why not.
bool registry_write(struct visit *visit, const struct registry_options *options, const json_t *list,
                    char id[static REGISTRY_ID_SIZE], struct verdict *ret_verdict);
// The IDs of all lists of the account, a JSON list of texts that are IDs, the caller's. NULL: *ret_verdict says why.
json_t *registry_list_all(struct visit *visit, const struct registry_options *options, struct verdict *ret_verdict);
