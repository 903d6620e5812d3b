// The verb `learned import` of edgesteerctl: a CSV of prefixes that are to be as if they had been learned.
#pragma once

#include <jansson.h>

struct client_feeding;
struct client_outcome;

// Reads the file of the request ("-": standard input) and has every member check all of it; where nothing is wrong, also
// take it, and waits until it is on disk there. Sets an outcome for each member: the counts of control/bulk.h, and
// "errors", the first ones, in the order of lines.
void client_import(const struct client_feeding *feeding, struct client_outcome *outcomes);
// Prints it for people.
void client_show_imported(const json_t *reply);
