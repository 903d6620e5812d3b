// Any octets as a location database of the asn plugin. It must terminate, keep to the plugin interface in what it adds,
// and fail exactly when it has reported an error.
#include <stdint.h>
#include <stdlib.h>

#include "fakehost.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

extern const struct edgesteer_plugin edgesteer_plugin_asn;

static void check_added(const struct edgesteer_prefix *prefix, const struct edgesteer_place *place)
{
	(void)prefix;
	if (!place->carrier != !place->class_)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct fakehost_pair options[] = {{"database", FAKEHOST_FILE}, {NULL, NULL}};

	fakehost_fuzz(&edgesteer_plugin_asn, options, NULL, check_added, data, len);
	return 0;
}
