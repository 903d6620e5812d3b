// What options of one health check have to do with each other; called by the schema's walk, as rules.h has it.
#pragma once

struct reader;
struct value;

// `entry`: a struct config_check whose mapping `object` has been read.
void check_rules_entry(struct reader *reader, struct value *object, void *entry);
