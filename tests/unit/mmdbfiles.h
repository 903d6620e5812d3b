// Runs the mmdb plugin in a fake host, on the files in tests/data/mmdb or others; for test_mmdb and test_record.
#pragma once

#include "fakehost.h"

enum { MMDBFILES_PATH_LEN = 512 };

// The path of a file in tests/data/mmdb.
const char *mmdbfiles_path(const char *name, char buf[static MMDBFILES_PATH_LEN]);

// Begins the host, opens, enumerates, closes. Either path, and `carriers`, may be NULL. 0 only when all went well.
int mmdbfiles_run(struct fakehost *host, const char *city, const char *isp, const struct fakehost_pair *carriers);
// The same for files in tests/data/mmdb.
int mmdbfiles_run_data(struct fakehost *host, const char *city, const char *isp, const struct fakehost_pair *carriers);
