// The manual page edgesteer.yaml(5), made from the rows of options*.c.
#pragma once

#include <stdio.h>

// Writes it in mdoc(7).
void manual_print(FILE *out);
