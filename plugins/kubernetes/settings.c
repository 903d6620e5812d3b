// The options of a `plugin: kubernetes` entry; see settings.h.
#include "settings.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib/secret.h"
#include "lib/shown.h"

#define SERVICE_ACCOUNT "/var/run/secrets/kubernetes.io/serviceaccount/"

enum { CLUSTERS_MAX = 64, ROWS_MAX = 100000, NAME_MAX_LEN = 63 };

const struct edgesteer_option settings_options[] = {
	{"clusters", EDGESTEER_JSON, 1, NULL, "From a name of yours to how that cluster's API server is reached: `in-cluster: "
	                                      "true`, or `server`, `ca-file`, and `token-file` or `client-cert-file` with "
	                                      "`client-key-file`."},
	{"namespaces", EDGESTEER_SITES, 0, NULL, "From a namespace, or a pattern with `*`, to the site of its load balancers. "
	                                       "The first that matches counts."},
	{"subnets", EDGESTEER_SITES, 0, NULL, "From a subnet, as the load balancer controller's annotation names it, to its site."},
	{"apps", EDGESTEER_JSON, 0, NULL, "From a pattern of namespaces to the patterns of names that these may have. Without "
	                                  "it, every namespace in `namespaces` may have any name."},
	{"ingress-class", EDGESTEER_TEXT, 0, NULL, "Only Ingresses of this class."},
	{"label-selector", EDGESTEER_TEXT, 0, NULL, "Only Ingresses, Services and Gateways with these labels, as kubectl's "
	                                            "`-l` selects them."},
	{"annotations", EDGESTEER_TEXT, 0, "on", "`off`: the annotations edgesteer.io/site and edgesteer.io/app do not count."},
	{NULL, EDGESTEER_TEXT, 0, NULL, NULL},
};

#define settings_error(host, ...) ((host)->report((host), EDGESTEER_ERROR, NULL, 0, __VA_ARGS__), -1)

static int out_of_memory(const struct edgesteer_host *host)
{
	return settings_error(host, "out of memory");
}

// ---- mappings -------------------------------------------------------------------------------------------------------

static int add_row(struct settings_rows *rows, const char *key, const char *value)
{
	if (rows->count == ROWS_MAX)
		return -1;
	if (rows->count == rows->cap) {
		size_t cap = rows->cap ? rows->cap * 2 : 16;
		struct settings_row *grown = realloc(rows->rows, cap * sizeof(*grown));

		if (!grown)
			return -1;
		rows->rows = grown;
		rows->cap = cap;
	}
	rows->rows[rows->count++] = (struct settings_row){key, value};
	return 0;
}

static int on_pair(void *ctx, const char *key, const char *value)
{
	return add_row(ctx, key, value);
}

static int read_map(struct settings_rows *rows, const struct edgesteer_host *host, const char *name)
{
	return host->option_map(host, name, on_pair, rows) == 0
	           ? 0 : settings_error(host, "`%s`: out of memory, or more than %d rows", name, (int)ROWS_MAX);
}

// Parses an option of type EDGESTEER_JSON, which must be a mapping; NULL: it is not given, or wrong (reported).
static json_t *read_json(const struct edgesteer_host *host, const char *name, int *ret_err)
{
	const char *text = host->option(host, name);
	json_error_t error;
	json_t *json = text ? json_loads(text, JSON_REJECT_DUPLICATES, &error) : NULL;

	*ret_err = 0;
	if (text && !json_is_object(json)) {
		*ret_err = settings_error(host, "`%s` is not a mapping", name);
		json_decref(json);
		return NULL;
	}
	return json;
}

static int read_patterns(struct settings *settings, const struct edgesteer_host *host, const char *key, json_t *list)
{
	const char *namespaces = pool_text(&settings->pool, key);
	char buf[SHOWN_SIZE];
	json_t *item;
	size_t i;

	if (!namespaces)
		return out_of_memory(host);
	if (!json_is_array(list))
		return settings_error(host, "`apps.%s` is not a list of names", shown(buf, key));
	json_array_foreach(list, i, item) {
		if (!json_is_string(item))
			return settings_error(host, "`apps.%s` has an item that is not text", shown(buf, key));

		const char *pattern = pool_text(&settings->pool, json_string_value(item));

		if (!pattern || add_row(&settings->apps, namespaces, pattern) < 0)
			return settings_error(host, "`apps`: out of memory, or more than %d rows", (int)ROWS_MAX);
	}
	return 0;
}

static int read_apps(struct settings *settings, const struct edgesteer_host *host)
{
	int err, all;
	json_t *apps = read_json(host, "apps", &err), *list;
	const char *key;

	all = err;
	settings->apps_given = apps != NULL;
	json_object_foreach(apps, key, list)
		all |= read_patterns(settings, host, key, list);
	json_decref(apps);
	return all;
}

// ---- clusters -------------------------------------------------------------------------------------------------------

// One cluster as it is written.
struct written {
	const struct edgesteer_host *host;
	const char *name; // shown
	json_t *json;
};

static const char *const cluster_keys[] = {"in-cluster", "server", "ca-file", "token-file", "client-cert-file",
                                           "client-key-file"};

static int check_keys(const struct written *written)
{
	const size_t known = sizeof(cluster_keys) / sizeof(*cluster_keys);
	const char *key;
	json_t *value;
	char buf[SHOWN_SIZE];
	int err = 0;

	json_object_foreach(written->json, key, value) {
		size_t i = 0;

		while (i < known && strcmp(cluster_keys[i], key) != 0)
			i++;
		if (i == known)
			err = settings_error(written->host, "`clusters.%s`: unknown key `%s`; the keys are in-cluster, server, "
			                     "ca-file, token-file, client-cert-file and client-key-file", written->name,
			                     shown(buf, key));
		else if (i > 0 && !json_string_length(value))
			err = settings_error(written->host, "`clusters.%s.%s` is not text", written->name, key);
	}
	return err;
}

// A boolean of YAML comes as one, or as text.
static bool is_true(const json_t *json)
{
	const char *text = json_string_value(json);

	return json_is_true(json) || (text && (strcmp(text, "true") == 0 || strcmp(text, "on") == 0 || strcmp(text, "yes") == 0));
}

static const char *read_path(struct settings *settings, const struct written *written, const char *key)
{
	const char *text = json_string_value(json_object_get(written->json, key));
	const char *path = text ? written->host->path(written->host, text) : NULL;

	return path ? pool_text(&settings->pool, path) : NULL;
}

static int read_in_cluster(struct settings *settings, const struct written *written, struct settings_cluster *cluster)
{
	const char *address = getenv("KUBERNETES_SERVICE_HOST"), *port = getenv("KUBERNETES_SERVICE_PORT");

	if (json_object_get(written->json, "server"))
		return settings_error(written->host, "`clusters.%s` has both `in-cluster` and `server`", written->name);
	if (!address || !*address || !port || !*port)
		return settings_error(written->host, "`clusters.%s.in-cluster`: this is not a container of a cluster: "
		                      "KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set", written->name);
	cluster->url = pool_printf(&settings->pool, strchr(address, ':') ? "https://[%s]:%s" : "https://%s:%s", address, port);
	if (!cluster->peer.ca_file)
		cluster->peer.ca_file = SERVICE_ACCOUNT "ca.crt";
	if (!cluster->peer.token_file && !cluster->peer.cert_file) {
		cluster->peer.token_file = SERVICE_ACCOUNT "token";
		cluster->peer.token_shared = true; // by default kubelet makes it 0644, in a folder of the container's own
	}
	return cluster->url ? 0 : out_of_memory(written->host);
}

static int read_server(struct settings *settings, const struct written *written, struct settings_cluster *cluster)
{
	const char *server = json_string_value(json_object_get(written->json, "server"));
	char buf[SHOWN_SIZE];

	if (!server)
		return settings_error(written->host, "`clusters.%s`: give `in-cluster: true`, or `server`", written->name);
	if (!https_url_is_good(server))
		return settings_error(written->host, "`clusters.%s.server` is '%s': expected https://NAME:PORT", written->name,
		                      shown(buf, server));

	char *url = (char *)pool_text(&settings->pool, server);

	if (!url)
		return out_of_memory(written->host);
	for (size_t len = strlen(url); url[len - 1] == '/'; len--)
		url[len - 1] = '\0';
	cluster->url = url;
	return 0;
}

// Files may come later, and tokens do: the cluster is then away, with the same words.
static void warn_of_files(const struct written *written, const struct https_peer *peer)
{
	const char *const secret = peer->token_file && !peer->token_shared ? peer->token_file : peer->key_file;
	const struct edgesteer_host *host = written->host;
	char buf[128];
	const char *why = secret ? secret_fault(secret, buf) : NULL;

	if (why)
		host->report(host, EDGESTEER_WARNING, NULL, 0, "`clusters.%s`: %s: %s", written->name, secret, why);
	if (peer->ca_file && access(peer->ca_file, R_OK) < 0)
		host->report(host, EDGESTEER_WARNING, NULL, 0, "`clusters.%s`: %s cannot be read", written->name, peer->ca_file);
}

static int read_cluster(struct settings *settings, const struct written *written, struct settings_cluster *cluster)
{
	int err = check_keys(written);

	if (err < 0)
		return err;
	cluster->peer.ca_file = read_path(settings, written, "ca-file");
	cluster->peer.token_file = read_path(settings, written, "token-file");
	cluster->peer.cert_file = read_path(settings, written, "client-cert-file");
	cluster->peer.key_file = read_path(settings, written, "client-key-file");
	if (!cluster->peer.cert_file != !cluster->peer.key_file)
		return settings_error(written->host, "`clusters.%s` has only one of `client-cert-file` and `client-key-file`",
		                      written->name);
	if (cluster->peer.cert_file && cluster->peer.token_file)
		return settings_error(written->host, "`clusters.%s` has both `token-file` and `client-cert-file`", written->name);
	err = is_true(json_object_get(written->json, "in-cluster")) ? read_in_cluster(settings, written, cluster)
	                                                            : read_server(settings, written, cluster);
	if (err == 0 && !cluster->peer.cert_file && !cluster->peer.token_file)
		err = settings_error(written->host, "`clusters.%s`: give `token-file`, or `client-cert-file` and "
		                     "`client-key-file`", written->name);
	if (err == 0)
		warn_of_files(written, &cluster->peer);
	return err;
}

static bool name_is_good(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_.");

	return len > 0 && len <= NAME_MAX_LEN && !name[len];
}

static int read_clusters(struct settings *settings, const struct edgesteer_host *host)
{
	int err, all;
	json_t *clusters = read_json(host, "clusters", &err), *json;
	size_t count = json_object_size(clusters);
	const char *name;

	all = err;
	if (err == 0 && (count == 0 || count > CLUSTERS_MAX))
		all = settings_error(host, "`clusters` has %zu, expected 1 to %d", count, (int)CLUSTERS_MAX);
	settings->clusters = all == 0 ? pool_alloc(&settings->pool, count * sizeof(*settings->clusters)) : NULL;
	if (all == 0 && !settings->clusters)
		all = out_of_memory(host);
	if (all < 0) {
		json_decref(clusters);
		return all;
	}
	json_object_foreach(clusters, name, json) {
		struct settings_cluster *cluster = &settings->clusters[settings->cluster_count++];
		char buf[SHOWN_SIZE];
		const struct written written = {host, shown(buf, name), json};

		if (!name_is_good(name))
			all = settings_error(host, "`clusters.%s`: a name has up to %d letters, digits, hyphens, dots and "
			                     "underscores", written.name, (int)NAME_MAX_LEN);
		else if (!(cluster->name = pool_text(&settings->pool, name)))
			all = out_of_memory(host);
		else
			all |= read_cluster(settings, &written, cluster);
	}
	json_decref(clusters);
	return all;
}

int settings_read(struct settings *settings, const struct edgesteer_host *host)
{
	const char *annotations = host->option(host, "annotations");
	char buf[SHOWN_SIZE];
	int err = 0;

	*settings = (struct settings){
		.ingress_class = host->option(host, "ingress-class"),
		.label_selector = host->option(host, "label-selector"),
		.annotations = !annotations || strcmp(annotations, "off") != 0,
	};
	if (annotations && settings->annotations && strcmp(annotations, "on") != 0)
		err = settings_error(host, "`annotations` is '%s', expected on or off", shown(buf, annotations));
	err |= read_map(&settings->namespaces, host, "namespaces");
	err |= read_map(&settings->subnets, host, "subnets");
	err |= read_apps(settings, host);
	err |= read_clusters(settings, host);
	if (err == 0 && !settings->apps_given && !settings->namespaces.count)
		host->report(host, EDGESTEER_WARNING, NULL, 0, "neither `namespaces` nor `apps` is given: no namespace may have "
		             "a name, so there will be no target");
	return err;
}

void settings_free(struct settings *settings)
{
	free(settings->namespaces.rows);
	free(settings->subnets.rows);
	free(settings->apps.rows);
	pool_free(&settings->pool);
}
