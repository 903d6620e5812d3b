// The verb `learned export` of edgesteerctl: what is learned, as a CSV, a part at a time.
#pragma once

#include <jansson.h>

struct client_feeding;
struct client_outcome;

// Writes it to the file of the request ("-" or none: standard output), which is replaced once all is there, or stays as it was.
// Sets the outcome of the one member, "exported" and "file". Several members, or nothing that is learned, are refused.
void client_export(const struct client_feeding *feeding, struct client_outcome *outcomes);
// Prints it for people, beside standard output where that has the CSV.
void client_show_exported(const json_t *reply);
