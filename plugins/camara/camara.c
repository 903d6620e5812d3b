// The `camara` plugin: asks an operator's edge discovery service, by one of CAMARA's APIs, which of its edges is the best
// for a client. request.c and reply.c have what the service wants and says; lib/inquiry.c how it is asked.
#include "camara.h"

#include <stdlib.h>
#include <string.h>

#include "lib/access.h"
#include "lib/shown.h"

struct plugin {
	struct camara camara;
	struct inquiry inquiry;
};

static int plugin_look_up(void *self)
{
	return inquiry_run(&((struct plugin *)self)->inquiry);
}

static void plugin_close(void *self)
{
	struct plugin *plugin = self;

	perapp_free(plugin->camara.endpoints_ids);
	perapp_free(plugin->camara.app_ids);
	free(plugin);
}

// ---- options --------------------------------------------------------------------------------------------------------

#define fail(host, ...) ((host)->report((host), EDGESTEER_ERROR, NULL, 0, __VA_ARGS__), -1)

static int read_api(struct camara *camara, const struct edgesteer_host *host)
{
	static const char *const names[] = {"simple-edge-discovery", "optimal-edge-discovery",
	                                    "application-endpoint-discovery", NULL};
	static const char *const versions[] = {"v2", "v1", NULL};
	static const enum camara_api apis[] = {CAMARA_SIMPLE, CAMARA_OPTIMAL, CAMARA_ENDPOINTS};
	int api = access_read_word(host, "api", names), version = access_read_word(host, "version", versions);

	if (api < 0 || version < 0)
		return -1;
	camara->api = apis[api] == CAMARA_SIMPLE && version == 1 ? CAMARA_SIMPLE_V1 : apis[api];
	return 0;
}

static int read_switch(const struct edgesteer_host *host, const char *name, bool *ret_on)
{
	static const char *const words[] = {"off", "on", NULL};
	int word = access_read_word(host, name, words);

	*ret_on = word == 1;
	return word < 0 ? -1 : 0;
}

// What the APIs want besides the device.
static int read_ids(struct camara *camara, const struct edgesteer_host *host)
{
	int err = perapp_read(host, "application-endpoints-id", &camara->endpoints_ids);

	if (perapp_read(host, "app-id", &camara->app_ids) < 0 || err < 0)
		return -1;
	if (camara->api == CAMARA_OPTIMAL) {
		camara->profile_id = host->option(host, "application-profile-id");
		camara->region = host->option(host, "region");
		if (!camara->profile_id)
			return fail(host, "`api: optimal-edge-discovery` needs `application-profile-id`");
	}
	if (camara->api == CAMARA_ENDPOINTS && !camara->endpoints_ids == !camara->app_ids)
		return fail(host, "`api: application-endpoint-discovery` needs either `application-endpoints-id` or `app-id`");
	return 0;
}

static int read_client(struct oauth_client *client, const struct edgesteer_host *host)
{
	client->id = host->option(host, "client-id");
	client->key_file = host->option(host, "private-key-file");
	client->key_id = host->option(host, "key-id");
	client->audience = host->option(host, "audience");
	client->escapes = true;
	if (!client->key_file == !client->secret_file)
		return fail(host, "give either `private-key-file` or `secret-file`");
	access_check_key(host, "private-key-file", client->key_file);
	return 0;
}

static int read_options(struct plugin *plugin, const struct edgesteer_host *host)
{
	static const char *const scopes[CAMARA_APIS] = {
		[CAMARA_SIMPLE] = "simple-edge-discovery:read",
		[CAMARA_SIMPLE_V1] = "simple-edge-discovery:edge-cloud-zones:read",
		[CAMARA_OPTIMAL] = "optimal-edge-discovery:edge-zones:read",
		[CAMARA_ENDPOINTS] = "application-endpoint-discovery:app-endpoints:read",
	};
	struct camara *camara = &plugin->camara;
	struct oauth_client *client = &plugin->inquiry.clients.access;
	bool nat = true;
	int err = read_api(camara, host);

	if (access_read(host, &camara->base_url, client) < 0)
		err = -1;
	if (err == 0 && !client->scope)
		client->scope = scopes[camara->api];
	if (read_client(client, host) < 0 || read_ids(camara, host) < 0)
		err = -1;
	if (read_switch(host, "direct", &camara->direct) < 0 || read_switch(host, "nat", &nat) < 0)
		err = -1;
	camara->no_nat = !nat;
	plugin->inquiry.peer.ca_file = client->ca_file;
	if (err == 0 && !camara->direct && nat && camara->api != CAMARA_SIMPLE_V1)
		host->report(host, EDGESTEER_NOTE, NULL, 0, "with `direct: off` and `nat: on` only clients with IPv6 can be asked "
		             "about");
	return err;
}

static int plugin_open(const struct edgesteer_host *host, void **ret_self)
{
	struct plugin *plugin = calloc(1, sizeof(*plugin));

	if (!plugin)
		return fail(host, "out of memory");
	plugin->camara.host = host;
	plugin->inquiry = (struct inquiry){.host = host, .write = camara_write, .read = camara_read, .ctx = &plugin->camara};
	if (read_options(plugin, host) < 0) {
		plugin_close(plugin);
		return -1;
	}
	*ret_self = plugin;
	return 0;
}

static const struct edgesteer_option options[] = {
	{"api", EDGESTEER_TEXT, 0, "simple-edge-discovery", "Which API the service has: `simple-edge-discovery`, "
	                                                    "`optimal-edge-discovery` or `application-endpoint-discovery`."},
	{"version", EDGESTEER_TEXT, 0, "v2", "Of simple-edge-discovery: `v2`, or `v1`, which has the device in headers."},
	{"base-url", EDGESTEER_TEXT, 1, NULL, "Where the API is, its name and version included, such as "
	                                      "https://api.example.com/simple-edge-discovery/v2."},
	{"token-url", EDGESTEER_TEXT, 1, NULL, "Where tokens are given."},
	{"client-id", EDGESTEER_TEXT, 1, NULL, "The ID that the operator has given you."},
	{"private-key-file", EDGESTEER_FILE, 0, NULL, "The private key whose public half the operator has (private_key_jwt): "
	                                              "RSA of 2048 bits or more, or P-256; PEM, not readable by everybody."},
	{"key-id", EDGESTEER_TEXT, 0, NULL, "The key's `kid` among those that the operator has of you."},
	{"audience", EDGESTEER_TEXT, 0, NULL, "The `aud` of what the key signs; the `token-url` by default."},
	{"secret-file", EDGESTEER_FILE, 0, NULL, "Instead of the key a secret, not readable by everybody. CAMARA's profile "
	                                         "does not have it, but gateways of operators are said to."},
	{"scope", EDGESTEER_TEXT, 0, NULL, "The scope that tokens are asked for; that of the API by default."},
	{"ca-file", EDGESTEER_FILE, 0, NULL, "The authorities to trust, as PEM; the system's by default."},
	{"application-profile-id", EDGESTEER_TEXT, 0, NULL, "Of optimal-edge-discovery, which needs it."},
	{"region", EDGESTEER_TEXT, 0, NULL, "Of optimal-edge-discovery: only edges of this region."},
	{"application-endpoints-id", EDGESTEER_JSON, 0, NULL, "Of application-endpoint-discovery: the ID of the registered "
	                                                      "endpoints, or a mapping from apps to theirs, where `*` is all "
	                                                      "others."},
	{"app-id", EDGESTEER_JSON, 0, NULL, "Of application-endpoint-discovery, instead: the ID of the application, or a "
	                                    "mapping."},
	{"sites", EDGESTEER_SITES, 0, NULL, "From PROVIDER/ZONE, where the zone is its name or its ID, to the site's name. A zone "
	                                  "that is not here is taken for the name of a site. Of application-endpoint-discovery "
	                                  "also from an endpoint's host name or address."},
	{"direct", EDGESTEER_TEXT, 0, "off", "`on`: queries without a client subnet come from the devices themselves, not from "
	                                     "a resolver, so that their source address and port identify an IPv4 device."},
	{"nat", EDGESTEER_TEXT, 0, "on", "`off`: the operator gives its devices public IPv4 addresses, without NAT, so that the "
	                                 "address alone identifies one."},
	{NULL, EDGESTEER_TEXT, 0, NULL, NULL},
};

EDGESTEER_PLUGIN(camara) = {
	.abi_major = EDGESTEER_PLUGIN_ABI_MAJOR,
	.abi_minor = EDGESTEER_PLUGIN_ABI_MINOR,
	.size = sizeof(struct edgesteer_plugin),
	.name = "camara",
	.summary = "asks an operator's edge discovery service (CAMARA) where a client is",
	.options = options,
	.open = plugin_open,
	.close = plugin_close,
	.look_up = plugin_look_up,
};
