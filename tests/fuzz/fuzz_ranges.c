// Any octets as a CSV file and as a geofeed of the ranges plugin. It must terminate, keep to the plugin interface in what
// it adds, and fail exactly when it has reported an error.
#include <stdint.h>

#include "fakehost.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

extern const struct edgesteer_plugin edgesteer_plugin_ranges;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct fakehost_pair csv[] = {{"file", FAKEHOST_FILE}, {"format", "csv"}, {NULL, NULL}};
	static const struct fakehost_pair geofeed[] = {{"file", FAKEHOST_FILE}, {"format", "geofeed"}, {NULL, NULL}};

	fakehost_fuzz(&edgesteer_plugin_ranges, csv, NULL, NULL, data, len);
	fakehost_fuzz(&edgesteer_plugin_ranges, geofeed, NULL, NULL, data, len);
	return 0;
}
