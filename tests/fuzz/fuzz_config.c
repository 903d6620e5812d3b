// Bytes in, a config or errors out: every refusal must be reported, nothing may crash or leak.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/report.h"
#include "config/config.h"
#include "config/load.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct report *report = report_new();
	struct config *config = NULL;

	if (!report)
		abort();

	int err = config_parse("/fuzz.yaml", (const char *)data, size, report, &config);

	// A refusal comes with an error, and an accepted config without.
	if ((err == E_INVAL) == report_ok(report) || (err == E_OK) != (config != NULL))
		abort();
	config_free(config);
	report_free(report);
	return 0;
}
