// The `verizon-eds` plugin: asks Verizon's 5G Edge Discovery Service which of its edges is the best for a client. What
// the service wants and says is in message.c; how it is asked, in lib/inquiry.c.
#include "eds.h"

#include <stdlib.h>
#include <string.h>

#include "lib/access.h"
#include "lib/shown.h"
#include "register.h"

enum { PORT_MAX = 10000 };

struct verizon_eds {
	struct eds eds;
	struct inquiry inquiry;
	struct registry_options registry;
};

static int verizon_eds_look_up(void *self)
{
	return inquiry_run(&((struct verizon_eds *)self)->inquiry);
}

static int verizon_eds_register(void *self, const struct edgesteer_registration *registration)
{
	struct verizon_eds *verizon = self;
	const struct edgesteer_host *host = verizon->eds.host;

	if (verizon->registry.profile_id)
		return register_targets(&verizon->eds, &verizon->inquiry, &verizon->registry, registration);
	host->report(host, EDGESTEER_ERROR, NULL, 0, "`service-profile-id` is missing: the service wants it with every endpoint");
	return -1;
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
	if (!eds->platforms && !eds->endpoints_ids && host->option(host, "service-profile-id"))
		host->report(host, EDGESTEER_NOTE, NULL, 0, "without `endpoints-id` no client is asked about: `edgesteerctl discovery "
		             "register --apply` makes the lists of the apps in `register`, and shows their IDs");
	else if (!eds->platforms && !eds->endpoints_ids)
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

// What endpoints are registered with, if they are.
static int read_registry(struct verizon_eds *verizon, const struct edgesteer_host *host)
{
	struct registry_options *registry = &verizon->registry;
	const char *port = host->option(host, "register-port");
	char buf[SHOWN_SIZE], *end;

	registry->base_url = verizon->eds.base_url;
	registry->mark = host->option(host, "register-as");
	registry->profile_id = host->option(host, "service-profile-id");
	registry->port = (int)strtol(port, &end, 10);
	if (strlen(port) > 5 || *end || registry->port < 1 || registry->port > PORT_MAX)
		return fail(host, "`register-port` is '%s', expected 1 to %d, which is the service's limit", shown(buf, port),
		            (int)PORT_MAX);
	if (!registry_is_word(registry->mark, ""))
		return fail(host, "`register-as` is '%s', expected 3 to 32 letters and digits", shown(buf, registry->mark));
	if (registry->profile_id && !perapp_is_good(registry->profile_id))
		return fail(host, "`service-profile-id` is '%s', expected an ID of letters, digits and hyphens",
		            shown(buf, registry->profile_id));
	return 0;
}

#define SESSION_HEADER "VZ-M2M-Token: "

// VZ-M2M-Token: none, one that is given, or one of a session that is begun here.
static int read_session(struct verizon_eds *verizon, const struct edgesteer_host *host)
{
	struct oauth_client *session = &verizon->inquiry.clients.session;
	const char *given = host->option(host, "m2m-token-file");

	verizon->inquiry.peer = (struct https_peer){
		.ca_file = host->option(host, "ca-file"), .token_file = given, .token_header = SESSION_HEADER,
	};
	session->id_file = host->option(host, "m2m-user-file");
	session->secret_file = host->option(host, "m2m-password-file");
	session->ca_file = verizon->inquiry.peer.ca_file;
	if (!session->id_file != !session->secret_file || (given && session->id_file))
		return fail(host, "a session needs either `m2m-token-file`, or both `m2m-user-file` and `m2m-password-file`");
	session->session_header = session->id_file ? SESSION_HEADER : NULL;
	access_check_token(host, "m2m-token-file", given);
	access_check_token(host, "m2m-user-file", session->id_file);
	access_check_token(host, "m2m-password-file", session->secret_file);
	return access_read_url(host, "m2m-url", &session->token_url);
}

static int read_options(struct verizon_eds *verizon, const struct edgesteer_host *host)
{
	struct eds *eds = &verizon->eds;
	struct oauth_client *client = &verizon->inquiry.clients.access;
	int err = access_read(host, &eds->base_url, client);

	client->id_file = host->option(host, "key-file");
	access_check_token(host, "key-file", client->id_file);
	if (read_mode(eds, host) < 0)
		err = -1;
	if (read_take(eds, host) < 0)
		err = -1;
	if (read_registry(verizon, host) < 0)
		err = -1;
	return read_session(verizon, host) < 0 ? -1 : err;
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
	{"m2m-user-file", EDGESTEER_FILE, 0, NULL, "Instead: a file with the user's name by which such a session is begun, not "
	                                           "readable by everybody."},
	{"m2m-password-file", EDGESTEER_FILE, 0, NULL, "And one with the password."},
	{"m2m-url", EDGESTEER_TEXT, 0, "https://thingspace.verizon.com/api/m2m/v1/session/login", "Where sessions are begun."},
	{"ca-file", EDGESTEER_FILE, 0, NULL, "The authorities to trust, as PEM; the system's by default."},
	{"mode", EDGESTEER_TEXT, 0, "endpoints", "`endpoints`: ask which of the registered service endpoints is the best. "
	                                         "`platforms`: which of all platforms of the `region`."},
	{"endpoints-id", EDGESTEER_JSON, 0, NULL, "In the mode `endpoints` the serviceEndpointsId, or a mapping from apps to "
	                                          "theirs, where `*` is all others."},
	{"region", EDGESTEER_TEXT, 0, NULL, "Verizon's name of the region, such as US_EAST_1. `platforms` needs it."},
	{"sites", EDGESTEER_SITES, 0, NULL, "From the service's name of an edge (its `ern`) to the site's. An `ern` that is not "
	                                  "here is taken for the name of a site."},
	{"service-profile-id", EDGESTEER_TEXT, 0, NULL, "The ID of the service profile that endpoints are registered with. "
	                                                "`register` needs it."},
	{"register-as", EDGESTEER_TEXT, 0, "edgesteer", "The description of what is registered, 3 to 32 letters and digits, by which "
	                                                "it is known as ours: nothing that has another is touched."},
	{"register-port", EDGESTEER_TEXT, 0, "443", "The port of the endpoints that are registered, 1 to 10000."},
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
	.register_targets = verizon_eds_register,
};
