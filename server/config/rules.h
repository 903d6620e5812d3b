// Checks of single entries that rows of options.c cannot make: of an entry's name, and of options that depend on or
// contradict each other. Called by the schema's walk. Checks that need the complete config are in crosscheck.c.
//
// The *_name() functions check the name of an entry and store it; the others are called when the entry's mapping
// `object` has been read. `entry` is the struct of the entry. Errors go into the report.
#pragma once

#include "schema/schema.h"

void rules_domain_name(struct reader *reader, const char *name, void *entry);
void rules_server(struct reader *reader, struct value *object, void *entry);
void rules_http(struct reader *reader, struct value *object, void *entry);
void rules_domain(struct reader *reader, struct value *object, void *entry);
void rules_locate(struct reader *reader, struct value *object, void *entry);
void rules_provider(struct reader *reader, struct value *object, void *entry);
void rules_discovery(struct reader *reader, struct value *object, void *entry);
void rules_damping(struct reader *reader, struct value *object, void *entry);
void rules_observe(struct reader *reader, struct value *object, void *entry);
void rules_check_name(struct reader *reader, const char *name, void *entry);
void rules_site_name(struct reader *reader, const char *name, void *entry);
void rules_site(struct reader *reader, struct value *object, void *entry);
void rules_target_name(struct reader *reader, const char *name, void *entry);
void rules_target(struct reader *reader, struct value *object, void *entry);
void rules_app_name(struct reader *reader, const char *name, void *entry);
void rules_app(struct reader *reader, struct value *object, void *entry);
