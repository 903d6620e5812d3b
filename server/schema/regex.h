// The option type for a regular expression.
#pragma once

struct option_type;

extern const struct option_type regex_text; // const char *: see base/pattern.h
