// The `verizon-eds` plugin: asks Verizon's 5G Edge Discovery Service which of its edges is the best for a client. What
// the service wants and says is in message.c; how it is asked, in lib/inquiry.c.
#include "eds.h"

#include <stdlib.h>
#include <string.h>

#include "lib/access.h"
#include "lib/shown.h"

struct verizon_eds {
	struct eds eds;
	struct inquiry inquiry;
};

static int verizon_eds_look_up(void *self)
{
	return inquiry_run(&((struct verizon_eds *)self)->inquiry);
}

static void verizon_eds_close(void *self)
{
	struct verizon_eds *verizon = self;

	perapp_free(verizon->eds.endpoints_ids);
	free(verizon);
}

// ---- options --------------------------------------------------------------------------------------------------------

static const char *const modes[] = {"endpoints", "platforms", NULL};

#define fail(host, ...) ((host)->report((host), EDGESTEER_ERROR, NULL, 0, __VA_ARGS__), -1)

static int read_region(struct eds *eds, const struct edgesteer_host *host)
{
	const char *region = host->option(host, "region");
	char buf[SHOWN_SIZE];

	if (region && (!*region || strspn(region, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") != strlen(region)))
		return fail(host, "`region` is '%s', expected Verizon's name of it, such as US_EAST_1", shown(buf, region));
	if (eds->platforms && !region)
		return fail(host, "`mode: platforms` needs `region`, such as US_EAST_1");
	eds->region = region;
	return 0;
}

static int read_mode(struct eds *eds, const struct edgesteer_host *host)
{
	int mode = access_read_word(host, "mode", modes), err = perapp_read(host, "endpoints-id", &eds->endpoints_ids);

	if (mode < 0 || err < 0)
		return -1;
	eds->platforms = mode == 1;
	if (!eds->platforms && !eds->endpoints_ids)
		err = fail(host, "`mode: endpoints` needs `endpoints-id`: the serviceEndpointsId that registering them has given");
	return read_region(eds, host) < 0 ? -1 : err;
}

static int read_take(struct eds *eds, const struct edgesteer_host *host)
{
	const char *take = host->option(host, "take");
	char buf[SHOWN_SIZE];

	if (strlen(take) != 1 || *take < '1' || *take > '0' + VERDICT_SITES_MAX)
		return fail(host, "`take` is '%s', expected 1 to %d", shown(buf, take), (int)VERDICT_SITES_MAX);
	eds->take = (size_t)(*take - '0');
	return 0;
}

static int read_options(struct verizon_eds *verizon, const struct edgesteer_host *host)
{
	struct eds *eds = &verizon->eds;
	struct oauth_client *client = &verizon->inquiry.client;
	int err = access_read(host, &eds->base_url, client);

	client->id_file = host->option(host, "key-file");
	access_check_secret(host, "key-file", client->id_file);
	if (read_mode(eds, host) < 0)
		err = -1;
	if (read_take(eds, host) < 0)
		err = -1;
	verizon->inquiry.peer = (struct https_peer){
		.ca_file = client->ca_file,
		.token_file = host->option(host, "m2m-token-file"),
		.token_header = "VZ-M2M-Token: ",
	};
	access_check_secret(host, "m2m-token-file", verizon->inquiry.peer.token_file);
	return err;
}

static int verizon_eds_open(const struct edgesteer_host *host, void **ret_self)
{
	struct verizon_eds *verizon = calloc(1, sizeof(*verizon));

	if (!verizon)
		return fail(host, "out of memory");
	verizon->eds.host = host;
	verizon->inquiry = (struct inquiry){.host = host, .write = eds_write, .read = eds_read, .ctx = &verizon->eds};
	if (read_options(verizon, host) < 0) {
		verizon_eds_close(verizon);
		return -1;
	}
	*ret_self = verizon;
	return 0;
}

static const struct edgesteer_option verizon_eds_options[] = {
	{"base-url", EDGESTEER_TEXT, 0, "https://5gedge.verizon.com/api/mec/eds", "Where the service is."},
	{"token-url", EDGESTEER_TEXT, 0, "https://5gedge.verizon.com/api/ts/v1/oauth2/token",
	 "Where tokens are given. Some accounts have https://thingspace.verizon.com/api/ts/v1/oauth2/token."},
	{"key-file", EDGESTEER_FILE, 1, NULL, "A file with the app key, not readable by everybody."},
	{"secret-file", EDGESTEER_FILE, 1, NULL, "A file with the secret key, not readable by everybody."},
	{"scope", EDGESTEER_TEXT, 0, NULL, "The scopes that tokens are asked for, separated by blanks; none by default."},
	{"m2m-token-file", EDGESTEER_FILE, 0, NULL,
	 "A file with a session token that is sent as VZ-M2M-Token, for accounts that need one. Replacing it is up to you."},
	{"ca-file", EDGESTEER_FILE, 0, NULL, "The authorities to trust, as PEM; the system's by default."},
	{"mode", EDGESTEER_TEXT, 0, "endpoints", "`endpoints`: ask which of the registered service endpoints is the best. "
	                                         "`platforms`: which of all platforms of the `region`."},
	{"endpoints-id", EDGESTEER_JSON, 0, NULL, "In the mode `endpoints` the serviceEndpointsId, or a mapping from apps to "
	                                          "theirs, where `*` is all others."},
	{"region", EDGESTEER_TEXT, 0, NULL, "Verizon's name of the region, such as US_EAST_1. `platforms` needs it."},
	{"sites", EDGESTEER_MAP, 0, NULL, "From the service's name of an edge (its `ern`) to the site's. An `ern` that is not "
	                                  "here is taken for the name of a site."},
	{"take", EDGESTEER_TEXT, 0, "4", "How many of the edges in a reply count, 1 to 4. That the first is the best is not "
	                                 "documented, but what Verizon's examples take for granted."},
	{NULL, EDGESTEER_TEXT, 0, NULL, NULL},
};

EDGESTEER_PLUGIN(verizon_eds) = {
	.abi_major = EDGESTEER_PLUGIN_ABI_MAJOR,
	.abi_minor = EDGESTEER_PLUGIN_ABI_MINOR,
	.size = sizeof(struct edgesteer_plugin),
	.name = "verizon-eds",
	.summary = "asks Verizon's 5G Edge Discovery Service where a client is",
	.options = verizon_eds_options,
	.open = verizon_eds_open,
	.close = verizon_eds_close,
	.look_up = verizon_eds_look_up,
};
