// Request lines into the control socket's verbs, with the played daemon of the unit tests behind them: each gets one
// reply, an object that says whether it was done.
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/err.h"
#include "base/log.h"
#include "base/must.h"
#include "base/publish.h"
#include "fake_daemon.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static struct fake_daemon fake;

static void close_fake(void)
{
	fake_daemon_close(&fake);
	publish_unregister_reader();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static bool opened;

	if (!opened) {
		publish_register_reader();
		log_set_level((enum log_level)0);
		fake_daemon_open(&fake, 0, true);
		opened = atexit(close_fake) == 0;
		must(opened);
	}
	fake.reload_err = len % 2 ? E_OK : E_INVAL;

	json_t *reply = fake_daemon_ask(&fake, (const char *)data, len);
	const json_t *ok = json_object_get(reply, "ok");

	must(json_is_true(ok) || (json_is_false(ok) && json_is_string(json_object_get(reply, "error"))));
	json_decref(reply);
	return 0;
}
