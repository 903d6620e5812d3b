// conf/catalogue.yaml as bytes; catalogue-data.c is made from it by the build.
#pragma once

#include <stddef.h>

extern const unsigned char catalogue_data[];
extern const size_t catalogue_data_len;
