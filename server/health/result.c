// Names of the layers; see result.h.
#include "health/result.h"

const char *health_layer_text(enum health_layer layer)
{
	static const char *const texts[] = {
		[HEALTH_OK] = "ok",         [HEALTH_CONNECT] = "connect", [HEALTH_TIMEOUT] = "timeout",
		[HEALTH_TLS] = "tls",       [HEALTH_HTTP] = "http",       [HEALTH_STATUS] = "status",
		[HEALTH_BODY] = "body",     [HEALTH_LOCAL] = "local",     [HEALTH_PENDING] = "pending",
	};

	return texts[layer];
}
