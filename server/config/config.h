// The configuration as the daemon uses it: the YAML file checked and converted to this typed struct. Sites in the
// catalogue have their fields filled in. Everything is owned by the config's arena and immutable once loaded. Slow
// side.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/addr.h"
#include "base/attr.h"
#include "base/digest.h"
#include "base/users.h"
#include "config/check_types.h"
#include "schema/headers.h"
#include "schema/hosts.h"
#include "schema/value.h"
#include "steer/metro.h"
#include "steer/site.h"
#include "steer/steer.h"

struct arena;

enum {
	CONFIG_CHECK_NONE = -1,
	CONFIG_ADDRESSES_MAX = 32, // of one target, to answer or to probe, and of a last resort
	CONFIG_APPS_MAX = 1 << 20,
	CONFIG_HOSTS_MAX = 32768, // different names of hosts that are looked up
	CONFIG_RESOLVERS_MAX = 8,
	CONFIG_CA_BYTES_MAX = 1 << 20, // of a file with certificates or a key
	PROVIDERS_MAX = 64,
	CONFIG_CEILINGS_MAX = 4096,
	CONFIG_HTTP_MAX = 8,       // addresses of the HTTP door
	DISCOVERY_MAX = 16,       // services: a bit for each in 16
};

// Which files are watched for changes. The order counts: each word watches what the one before it does, and more.
enum config_watch { CONFIG_WATCH_OFF, CONFIG_WATCH_FEEDS, CONFIG_WATCH_ON };

// An address of the HTTP door.
struct config_http {
	const char *listen;       // "ADDRESS@PORT", checked
	const char *cert, *key;   // absolute paths of files in PEM; NULL, both: without TLS
	const char *client_ca;    // the same of clients' CA certificates; NULL: clients need none
	const char *tokens;       // absolute path of the file of tokens; NULL: there are none
	struct mark mark;
};

struct config_server {
	const char **listen;      // "ADDRESS@PORT", checked
	size_t listen_count;
	unsigned workers;         // 0: one per CPU
	const char *control;      // path of the control socket
	struct config_http *http;
	size_t http_count;
	const char *state_dir;
	const char *user;         // the user to run as once the sockets are bound; NULL: do not change
	struct mark user_mark, state_dir_mark; // all zero: not in the config
	const char *plugin_dir;   // folder with plugins that are not built in; NULL: none
	const char *nsid;         // text of the NSID option; NULL: none
	uint16_t udp_size;        // octets, 512..4096, default 1232
	unsigned tcp_clients;     // connections per worker
	unsigned tcp_idle_ms;
	bool require_reason;      // of a drain, a force, an adoption or a rollback
	bool rollback;            // the load before the one in use is kept
	unsigned ttl_lead_s;      // before a drain's start; 0: two TTLs
	unsigned probes;          // maximum number of concurrent probes
	int log_level;            // enum log_level
	enum config_watch watch;
	struct prefix *ecs_ignore;
	size_t ecs_ignore_count;
};

struct config_resolver {
	const char **servers;     // "ADDRESS@PORT", checked; none: the system's
	size_t server_count;
	unsigned timeout_ms;      // of the first attempt
	unsigned attempts;
};

struct config_steering {
	struct cost_model model;
	double max_accuracy_km;
	uint32_t tie_us;
	uint8_t hash_v4, hash_v6;
	uint32_t own_tables;      // see struct steering_wants
	enum metro_rule unknown_metro;
};

struct config_domain {
	const char *name;         // presentation form, no final dot
	const char *file;         // absolute path of the master file, or NULL
	struct hosts_host *ns;    // without a file: name servers; at least one. Those inside the zone have addresses, or are
	                          // apps
	size_t ns_count;
	uint32_t serial;          // without a file: of the SOA; 0: the time of the load
	const char *hostmaster;   // without a file: the mailbox as a domain name; never NULL
	uint32_t ttl_s;           // without a file: TTL of SOA and NS
	uint32_t negative_ttl_s;  // without a file: the SOA's MINIMUM
	bool watch, has_watch;    // its files are watched; it says so itself
	struct mark mark;
};

struct config_locate {
	const char *plugin;
	unsigned shrink_limit;       // percent of its prefixes that a reload may take from it
	const struct value *options; // a mapping: the entry's other keys. Checked by discovery against the plugin's rows
	bool watch, has_watch;       // its files are watched; it says so itself
	struct mark mark;
};

// Whose word decides on a provided target: the check's, the provider's, or both.
enum ready_rule { READY_BOTH, READY_PROBE, READY_ENDPOINTS };

struct config_provider {
	const char *plugin;
	unsigned grace_s;            // how long a target whose object has vanished is still answered
	enum ready_rule health;
	const struct value *options; // a mapping: the entry's other keys. Checked by provide/ against the plugin's rows
	struct mark mark;
};

// A service that is asked about clients.
struct config_discovery {
	const char *plugin;
	const char **carriers;       // whose clients it is asked about; at least one
	size_t carrier_count;
	unsigned rate;               // questions a second, at most
	unsigned concurrency;        // under way at a time, at most
	unsigned timeout_ms;
	const char **register_apps;  // that `discovery register` registers with it
	size_t register_count;
	const struct value *options; // a mapping: the entry's other keys. Checked by learn/ against the plugin's rows
	struct mark mark;
};

// How what services say becomes learned prefixes.
struct config_learned {
	unsigned prefix_v4, prefix_v6; // bits
	unsigned max;                // prefixes
	unsigned agree;              // samples
	unsigned agree_for_s;
	unsigned moves;              // a minute
	unsigned tries;              // addresses of a prefix, while the service does not know them
	unsigned max_stale_s;
	struct prefix *notes_from;   // resolvers that are believed; none: all, each within its share
	size_t notes_from_count;
};

// What is learned from measured round trips.
struct config_observe {
	bool is_on;                  // there is such a section
	unsigned samples, hosts;     // that make a round trip believable
	unsigned margin;             // percent that a site must be better by
	unsigned window_s;           // how long a measurement counts
	unsigned max;                // pairs of a prefix and a site
	unsigned explore;            // millionths of learned prefixes
	const char *file;            // absolute path; NULL: none
	const char *socket;          // likewise
	const char *mode;            // of the socket, as written
	unsigned socket_mode;        // the same as a number
	const char *socket_group;    // NULL: the daemon's
};

struct config_check {
	const char *name;
	enum check_type type;
	uint16_t port;            // 0: none, of a type that needs none
	const char *path;         // http(s)
	const char *host;         // Host header, or grpc: authority; NULL: the app's name
	const char *sni;          // https: TLS server name, which the certificate must have; NULL: as `host`
	bool verify;              // https: check the certificate, default true
	const char *ca_file;      // https: CA certificates to use instead of the system's; NULL: the system's
	const char *client_cert, *client_key; // https: files; NULL: none. Both or none
	const char *ca_pem, *client_cert_pem, *client_key_pem; // what was in these when the generation was built
	bool resume;              // https: TLS sessions
	enum check_method method; // http(s)
	bool http2;
	unsigned redirects;       // that are followed, 0..CHECK_REDIRECTS_MAX
	const struct headers_header *headers; // without Host, which is `host`
	size_t header_count;
	uint16_t *expect_status;  // pairs low, high
	size_t expect_status_count; // of pairs
	const char *expect_body;  // substring; NULL: any
	const char *body;         // regular expression; NULL: any
	bool tls;                 // grpc
	const char *service;      // grpc; NULL: the server as a whole
	const char *query_name;   // dns, canonical; NULL: the app's name
	enum check_query query_type;
	enum check_rcode expect_rcode;
	const char *expect;       // dns: text of a record, canonical, see health/dns_reply.h; NULL: any answer
	const char **command;     // exec: path of a program, and its arguments
	size_t command_count;
	unsigned interval_ms, timeout_ms;
	unsigned rise, fall;      // 1..100
	struct mark mark;
};

// What is believed of the word of vantages.
struct config_health {
	unsigned brake_max_ms;    // 0: the brake is off
	unsigned half_life_ms;    // flap damping, see health/damping.h; 0: off
	unsigned suppress, reuse;
	unsigned longest_ms;
};

// What happens to addresses outside of a site's block.
enum block_check {
	BLOCK_CHECK_UNSET, // not given; only until the config has been loaded
	BLOCK_CHECK_NONE,  // not given, and no block is known
	BLOCK_CHECK_OFF,
	BLOCK_CHECK_WARN,
	BLOCK_CHECK_ENFORCE,
};

struct config_site {
	const char *name;
	enum site_kind kind;
	double latitude, longitude; // NaN: not given
	const char *region;       // "" for none
	bool is_public;
	const char **carriers;    // when not public
	size_t carrier_count;
	uint16_t country;         // see base/country.h
	int32_t bias_us;
	uint32_t ceiling;         // answers a second, of all apps; 0: none
	uint32_t load_ceiling;    // of the figure that is pushed; 0: none
	struct prefix *block;     // where its load balancers' addresses are; none: not known. See site_blocks.h
	size_t block_count;
	enum block_check block_check;
	bool from_catalogue;
	struct mark mark;
};

struct config_target {
	unsigned site;            // index in config->sites
	struct addr *addresses;
	size_t address_count;
	size_t refused_count;     // of a provided one: behind these, addresses that its site may not have
	const char *cname;        // instead of addresses, else NULL
	const char *alias;        // instead of addresses: the host's name that has them, else NULL
	const char **check_hosts; // as written: what the next three are from
	size_t check_host_count;
	const char *check_name;   // the name of the host that is probed instead of `addresses`, else NULL
	struct addr *check_addresses; // what is probed instead of `addresses`: the target stands or falls as a whole by them
	size_t check_address_count;   // 0: each of `addresses` is probed, and answered while it is up
	int check;                // index in config->checks, CONFIG_CHECK_NONE: always up
	uint32_t weight;
	uint32_t ceiling;         // answers a second; 0: none
	uint32_t load_ceiling;    // as the site's
	bool has_weight;
	const char *from;         // the provider's object that gave it, for people; NULL: the config did
	enum ready_rule ready;    // of a provided one
	struct mark mark;         // of a provided one: of its entry in `providers`
};

enum { CONFIG_ADOPT_ALL = 1000000 };

struct config_app {
	const char *name;         // presentation form, no final dot; may start with "*."
	uint32_t ttl_s;
	uint32_t tie_us;
	int check;                // of targets without one of their own, where it is stored too; as in struct config_target
	enum last_resort last_resort;
	struct addr *last_addresses;
	size_t last_address_count;
	struct config_target *targets;
	size_t target_count;
	enum metro_rule unknown_metro;
	unsigned quorum;          // fresh vantages that must say down, see health/column.h
	unsigned panic_percent;   // with fewer targets up, health is ignored; 0: never
	unsigned adopt;           // the share of its clients that are steered, of CONFIG_ADOPT_ALL
	unsigned slow_start_ms;   // from when a target is up again until it takes its whole share
	bool weighted;            // some target has a weight; the others then have 1
	bool lacks_targets;       // it names none: all come from providers
	bool is_provided;         // it is not in the config: every target has a `from`
	struct mark mark;
};

// What a provider gave and a joined config does not use.
struct config_refused {
	const char *from, *provider, *app, *site;
	const char *why;          // a sentence without its full stop
};

struct config {
	struct users users;       // config_load() makes the first one
	char digest[DIGEST_TEXT_LEN];       // of what it says, see config_digest.h; of a joined one see its base
	char feeds_digest[DIGEST_TEXT_LEN]; // of the files it names, set where it is built; "": not known
	struct arena *arena;
	struct config *base;      // held; the config that this one shares all with but its apps and sites; NULL: none
	const char *file;         // absolute path of the file it was read from, the first one where there are more
	const char **include;     // that file's patterns for more files, as written
	size_t include_count;
	struct config_server server;
	struct config_steering steering;
	struct config_resolver resolver;
	unsigned alias_max_age_s; // of addresses that a look-up no longer confirms
	int alias_expired;        // 1: then the target counts as down; 0: they are served
	const char *aws_ranges;   // absolute path of AWS's ip-ranges.json; NULL: the built-in extract
	const char *latency;      // absolute path of the measured latency table; NULL
	unsigned latency_shrink_limit; // percent of its rows that a reload may take from it
	unsigned max_drained;     // percent of a carrier's sites that drains may take; 0: any number
	unsigned guard;           // percent of the recent queries that a reload may move; 100: all
	const char *metros;       // absolute path of the table of carriers' metros; NULL
	const char *catalogue;    // absolute path of the file used instead of the built-in catalogue; NULL
	const struct config_site *known_sites; // those of the catalogue, of which `sites` has what is used
	size_t known_site_count;
	struct config_domain *domains;
	size_t domain_count;
	struct config_locate *locates;
	size_t locate_count;
	struct config_provider *providers;
	size_t provider_count;
	struct config_discovery *discoveries;
	size_t discovery_count;
	struct config_learned learned;
	struct config_health health;
	struct config_observe observe;
	struct config_app defaults; // of apps that only providers name: what an app has besides its name and targets
	struct config_check *checks;
	size_t check_count;
	struct config_site *sites;
	size_t site_count;
	struct config_app *apps;
	size_t app_count;
	const struct config_refused *refused; // of a joined one
	size_t refused_count;
};

// Frees it once nobody holds it. Takes NULL; returns NULL. Any thread.
struct config *config_free(struct config *config);
// One more config_free() is needed. Any thread.
struct config *config_hold(struct config *config);

// Its share of its group; used only where the app is weighted.
uint32_t config_target_weight(const struct config_target *target) PURE;

// Makes a path from the config absolute: relative ones start in the folder of the file that `node` is in. In the
// config's arena; NULL when out of memory.
const char *config_path(const struct config *config, const struct value *node, const char *written);
