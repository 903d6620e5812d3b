// Targets as JSON, for plugins: one object for each, as a file has them or a program prints them.
//
//   app            the name to answer
//   site           the site's name
//   alias          the load balancer's host name; or
//   addresses      a list of addresses; one may be written without brackets
//   check-address  what to probe instead: an address or a host's name
//   key            what it is in the source, unique there; "APP SITE" if not given
//   created        Unix time: of two that claim one app and site the older one is used
//   ready          whether any server behind it is
#pragma once

#include <jansson.h>

#include "edgesteer-plugin.h"

enum { GIVEN_WHY_LEN = 192 };

// Puts the target. 0, also when the host refuses it, which has said so then; -1: `json` is no such object, and
// why[GIVEN_WHY_LEN] has what is wrong with it; else what put() returned.
int given_put(const struct edgesteer_host *host, const json_t *json, char *why);
// A whole list: begins, and puts every element. As above; nothing is committed.
int given_put_list(const struct edgesteer_host *host, const json_t *list, char *why);
