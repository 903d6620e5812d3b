// The `template` plugin: a working plugin that does almost nothing: it gives the carrier of one prefix, or one app's load
// balancer at one site. Copy it to start your own:
//
//   1. Copy this file to NAME.c. NAME is what operators will write after `plugin:`: lower-case letters, digits and
//      hyphens (underscores in C identifiers).
//   2. Replace `template` by NAME in the code below: the functions, `.name`, and the argument of EDGESTEER_PLUGIN().
//   3. List your options in template_options: the daemon checks them, fills in defaults and makes paths absolute.
//      edgesteer-plugin.h describes the types.
//   4. template_open(): read the options, open what you need, keep your state in a struct of your own. Report all
//      errors, not only the first, by host->report(), with file and line where there is one.
//   5. Keep the job that yours does, and remove the other with its options:
//      template_enumerate(), for `locate:`: call host->add() for every prefix. When it returns a negative value, return
//      that. A field you do not know is NULL or NaN: a later source then fills it in.
//      template_provide(), for `providers:`: tell of load balancers as they come and go, until host->stop_fd() is readable.
//      Strings need to live only for the call.
//   6. template_close(): release everything. It is called once for each open that returned 0, also after a failed
//      enumerate.
//   7. Build it against the installed header; it links to nothing of the daemon:
//          cc -std=c11 -Wall -shared -fPIC $(pkg-config --cflags edgesteer-plugin) -o NAME.so NAME.c
//   8. Copy NAME.so into the folder given by `server: plugin-dir:`, add `- plugin: NAME` to `locate:` or `providers:`, and
//      test it with `edgesteerd -t -c FILE`.
//   9. Or contribute it: put the file into plugins/, add it to Makefile.am and one row to the list in
//      server/plugin/plugin.c. Plugins in the tree include only what others can include.
#include "edgesteer-plugin.h"

#include <math.h>
#include <poll.h>
#include <stdlib.h>

struct template {
	const struct edgesteer_host *host;
};

static int template_open(const struct edgesteer_host *host, void **ret_self)
{
	struct template *self = calloc(1, sizeof(*self));

	if (!self) {
		host->report(host, EDGESTEER_ERROR, NULL, 0, "out of memory");
		return -1;
	}
	self->host = host;
	*ret_self = self;
	return 0;
}

static int template_enumerate(void *instance)
{
	struct template *self = instance;
	const struct edgesteer_host *host = self->host;
	const struct edgesteer_prefix prefix = {.family = 4, .length = 24, .address = {192, 0, 2}};
	const struct edgesteer_place place = {
		.size = sizeof(place),
		.carrier = host->option(host, "carrier"),
		.latitude = NAN,
	};

	return host->add(host, &prefix, &place);
}

static int template_provide(void *instance)
{
	struct template *self = instance;
	const struct edgesteer_host *host = self->host;
	struct pollfd wait = {.fd = host->stop_fd(host), .events = POLLIN};
	const char *const addresses[] = {host->option(host, "address")};
	const struct edgesteer_target target = {
		.size = sizeof(target),
		.key = "the only one",
		.app = host->option(host, "app"),
		.site = host->option(host, "site"),
		.addresses = addresses,
		.address_count = 1,
	};

	if (host->begin(host) < 0) // a whole list
		return -1;
	if (host->put(host, &target) < 0) // a refused target has been reported; with others, go on
		return -1;
	if (host->commit(host) < 0)
		return -1;
	host->source(host, NULL, EDGESTEER_SOURCE_CURRENT, NULL);
	while (poll(&wait, 1, -1) <= 0) // wait for the source along with it; then put(), drop() and commit() what has changed
		;
	return 0;
}

static void template_close(void *instance)
{
	free(instance);
}

static const struct edgesteer_option template_options[] = {
	{"carrier", EDGESTEER_TEXT, 0, "example", "The carrier of 192.0.2.0/24."},
	{"app", EDGESTEER_TEXT, 0, "app.example.com", "The name to answer."},
	{"site", EDGESTEER_TEXT, 0, "us-east-1", "The site of its load balancer."},
	{"address", EDGESTEER_TEXT, 0, "192.0.2.1", "Its address."},
	{NULL, EDGESTEER_TEXT, 0, NULL, NULL},
};

EDGESTEER_PLUGIN(template) = {
	.abi_major = EDGESTEER_PLUGIN_ABI_MAJOR,
	.abi_minor = EDGESTEER_PLUGIN_ABI_MINOR,
	.size = sizeof(struct edgesteer_plugin),
	.name = "template",
	.summary = "a plugin to copy",
	.options = template_options,
	.open = template_open,
	.enumerate = template_enumerate,
	.close = template_close,
	.provide = template_provide,
};
