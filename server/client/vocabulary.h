// What edgesteerctl knows: its verbs and options. A new verb is one row of client_verbs.
#pragma once

#include <stddef.h>

#include "client/verb.h"

extern const struct client_option client_options[CLIENT_OPTIONS];

extern const struct verb client_verbs[];
extern const size_t client_verb_count;
