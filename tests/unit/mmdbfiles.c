// See mmdbfiles.h.
#include "mmdbfiles.h"

#include <stdio.h>
#include <stdlib.h>

extern const struct edgesteer_plugin edgesteer_plugin_mmdb;

const char *mmdbfiles_path(const char *name, char buf[static MMDBFILES_PATH_LEN])
{
	const char *srcdir = getenv("srcdir");

	snprintf(buf, MMDBFILES_PATH_LEN, "%s/tests/data/mmdb/%s", srcdir ? srcdir : ".", name);
	return buf;
}

int mmdbfiles_run(struct fakehost *host, const char *city, const char *isp, const struct fakehost_pair *carriers)
{
	static struct fakehost_pair options[3];
	size_t count = 0;

	if (city)
		options[count++] = (struct fakehost_pair){"city", city};
	if (isp)
		options[count++] = (struct fakehost_pair){"isp", isp};
	options[count] = (struct fakehost_pair){NULL, NULL};
	fakehost_begin(host, options, carriers);
	return fakehost_run(host, &edgesteer_plugin_mmdb);
}

int mmdbfiles_run_data(struct fakehost *host, const char *city, const char *isp, const struct fakehost_pair *carriers)
{
	char city_buf[MMDBFILES_PATH_LEN], isp_buf[MMDBFILES_PATH_LEN];

	return mmdbfiles_run(host, city ? mmdbfiles_path(city, city_buf) : NULL, isp ? mmdbfiles_path(isp, isp_buf) : NULL,
	                     carriers);
}
