// Names of the layers; see result.h.
#include "health/result.h"

#include <stddef.h>

#include "base/attr.h"
#include "base/must.h"

const char *health_layer_text(enum health_layer layer)
{
	static const char *const texts[] = {
		[HEALTH_OK] = "ok",         [HEALTH_CONNECT] = "connect", [HEALTH_TIMEOUT] = "timeout",
		[HEALTH_TLS] = "tls",       [HEALTH_HTTP] = "http",       [HEALTH_STATUS] = "status",
		[HEALTH_BODY] = "body",     [HEALTH_LOCAL] = "local",     [HEALTH_PENDING] = "pending",
	};

	must((size_t)layer < ARRAY_LEN(texts));
	return texts[layer];
}
