// What the rows of options.c cannot check alone: an entry's name, what in it belongs together, what contradicts. Called
// by the schema's walk. What needs the whole config stands in crosscheck.c.
#pragma once

#include "schema/schema.h"

void rules_domain_name(struct reader *reader, const char *name, void *entry);
void rules_domain(struct reader *reader, json_t *object, void *entry);
void rules_locate(struct reader *reader, json_t *object, void *entry);
void rules_check_name(struct reader *reader, const char *name, void *entry);
void rules_check(struct reader *reader, json_t *object, void *entry);
void rules_site_name(struct reader *reader, const char *name, void *entry);
void rules_site(struct reader *reader, json_t *object, void *entry);
void rules_target_name(struct reader *reader, const char *name, void *entry);
void rules_target(struct reader *reader, json_t *object, void *entry);
void rules_app_name(struct reader *reader, const char *name, void *entry);
void rules_app(struct reader *reader, json_t *object, void *entry);
