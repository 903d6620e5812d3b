// Any octets as a database of the mmdb plugin, for both of its options. It must terminate, keep to the plugin interface
// in what it hands over, and fail exactly when it has reported an error.
#include <math.h>
#include <stdint.h>
#include <stdlib.h>

#include "fakehost.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

extern const struct edgesteer_plugin edgesteer_plugin_mmdb;

static void check_added(const struct edgesteer_prefix *prefix, const struct edgesteer_place *place)
{
	(void)prefix;
	if (!place->carrier && !place->country && isnan(place->latitude))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct fakehost_pair options[] = {{"city", FAKEHOST_FILE}, {"isp", FAKEHOST_FILE}, {NULL, NULL}};
	static const struct fakehost_pair map[] = {{"AS1", "one"}, {"x", "two"}, {NULL, NULL}};

	fakehost_fuzz(&edgesteer_plugin_mmdb, options, map, check_added, data, len);
	return 0;
}
