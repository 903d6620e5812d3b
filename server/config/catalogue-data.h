// conf/catalogue.yaml as bytes; the build generates catalogue-data.c from it.
#pragma once

#include <stddef.h>

extern const unsigned char catalogue_data[];
extern const size_t catalogue_data_len;
