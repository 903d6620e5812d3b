// Findings written, for people and for machines. Called by online.c.
#pragma once

#include <jansson.h>
#include <stddef.h>
#include <stdio.h>

#include "base/attr.h"

struct say_counts {
	size_t apps, silent; // those with targets by host name; those without an address
	size_t domains, agree, broken;
};

// For people: a provider of providers_check(). E_IO.
int say_provider(const json_t *provider, FILE *out) MUST_USE;
// For people: an app of resolved_check(). E_IO.
int say_app(const json_t *app, FILE *out) MUST_USE;
void say_count(const json_t *findings, struct say_counts *counts);
// For people, with what to put at the parent where it is not as it should be. E_NOMEM; E_IO.
int say_text(const json_t *findings, FILE *out) MUST_USE;
// One line. E_IO.
int say_json(const json_t *findings, FILE *out) MUST_USE;
void say_summary(const struct say_counts *counts, FILE *out);
