// The contract between edgesteerd and its plugins. A plugin includes this header and no other header of edgesteer. It
// exports one `const struct edgesteer_plugin`, named by EDGESTEER_PLUGIN(), whose functions the daemon calls.
//
// A plugin may do any of these jobs:
//   enumerate  list prefixes and what is known of the clients in them (a CSV of ranges, an mmdb)
//   provide    tell which load balancers there are, as they come and go (a cluster, a file, a program)
//   look up    ask a service about one client after the other (since ABI 1.3); and, if that has to know the apps' load
//              balancers, register them with it (since ABI 1.4)
//
// Versions: the daemon refuses a plugin with another major ABI. Fields are only ever appended; `size` tells each side
// how much of the other's structs exists, so a plugin built against an older minor version keeps working.
//
// Threads: the functions of one instance are never called concurrently, and always on a thread of the daemon that may
// block. provide(), look_up() and register_targets() have a thread of their own. No query ever waits for any of them.
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EDGESTEER_PLUGIN_ABI_MAJOR 1
#define EDGESTEER_PLUGIN_ABI_MINOR 7

// What a source knows of the clients in a prefix. Leave fields unknown that it does not know: later sources then fill
// them in. Strings are borrowed only for the duration of the call.
struct edgesteer_place {
	size_t size;         // sizeof(struct edgesteer_place), set by the plugin
	const char *carrier; // the mobile operator's short name, e.g. "verizon"; NULL: unknown. At most 63 bytes
	const char *class_;  // "edge", "roaming", "mvno", "fixed", "vpn", ...; NULL: unknown. At most 63 bytes
	const char *site;    // the best site according to a service or the operator; NULL: none. At most 63 bytes
	double latitude;     // degrees, -90..90; NaN: unknown (longitude is then ignored)
	double longitude;    // degrees, -180..180
	double accuracy_km;  // radius around the coordinates; 0 or NaN: not stated, treated as exact
	const char *country; // ISO 3166-1 alpha-2; NULL: unknown
	// Since ABI 1.6: the best sites, best first, in place of `site`, which is then not looked at; 0: `site` is all there is
	const char *const *sites; // each as `site`
	size_t site_count;   // at most 4
};

struct edgesteer_prefix {
	uint8_t family;      // 4 or 6
	uint8_t length;      // 0..32 or 0..128
	uint8_t address[16]; // network order, IPv4 in the first four bytes; bits past `length` are zero
};

// What a provider says of the servers behind a load balancer.
enum edgesteer_health {
	EDGESTEER_HEALTH_UNKNOWN, // it says nothing
	EDGESTEER_HEALTH_READY,   // at least one is ready
	EDGESTEER_HEALTH_UNREADY, // none is
};

// An app's load balancer at a site, as a provider found it. Strings are borrowed only for the duration of the call.
// Everything is checked by the host: text that is no name, a site that is not known, or a name in none of the configured
// domains is refused with a message, and the other targets stand.
struct edgesteer_target {
	size_t size;                  // sizeof(struct edgesteer_target), set by the plugin
	const char *key;              // what it is in the source, unique there, e.g. "prod/shop/ingress/web shop.example.com";
	                              // printable, stays while the object lives. At most 511 bytes
	const char *app;              // the name to answer, which may start with "*."
	const char *site;             // the site's name
	const char *alias;            // the load balancer's host name; NULL: `addresses`
	const char *const *addresses; // textual IPv4 or IPv6 addresses, at most 32
	size_t address_count;
	const char *check_address;    // what to probe instead, an address or a host name; NULL: each of its addresses
	int64_t created_s;            // Unix time; of two that claim one app and site the older one is used. 0: not known
	enum edgesteer_health health;
};

// How a provider's view of its source stands.
enum edgesteer_source {
	EDGESTEER_SOURCE_CONNECTING, // nothing is known yet
	EDGESTEER_SOURCE_CURRENT,    // what was committed is what the source has now
	EDGESTEER_SOURCE_AWAY,       // it cannot be reached: what was committed goes on serving
};

// A client that a service is to be asked about. The host decides who is asked about, when, and how often.
struct edgesteer_question {
	size_t size;             // sizeof(struct edgesteer_question), set by the host
	uint64_t id;             // of this question, for answer()
	uint8_t family;          // 4 or 6
	uint8_t address[16];     // network order, IPv4 in the first four bytes
	uint8_t prefix_length;   // bits of the prefix that the answer will count for
	int is_direct;           // a query came from this very address, without a client subnet. It is the client's own only if
	                         // the operator says that no resolver lies between
	uint16_t port;           // then the source port of that query, if it came by UDP not long ago; else 0
	const char *app;         // a name that is asked for from there; owned by the host until the next take(). NULL: none
	int64_t deadline_ms;     // CLOCK_MONOTONIC; what comes later is not used
};

// What came of a question.
enum edgesteer_outcome {
	EDGESTEER_FOUND,         // `sites`, and what else is known
	EDGESTEER_NOT_FOUND,     // the service does not know this client
	EDGESTEER_BUSY,          // it asks for fewer questions: 429, 503; `retry_s`
	EDGESTEER_DENIED,        // it refuses us: 401, 403, a certificate
	EDGESTEER_TIMEOUT,
	EDGESTEER_BROKEN,        // it cannot be reached, or what it says makes no sense
	EDGESTEER_UNASKED,       // this client cannot be asked about, and nothing was sent; another of the prefix may be. Since
	                         // ABI 1.4
};

// Strings are borrowed only for the duration of the call.
struct edgesteer_finding {
	size_t size;             // sizeof(struct edgesteer_finding), set by the plugin
	enum edgesteer_outcome outcome;
	const char *const *sites; // names of sites, best first; what the host does not know, or the carrier cannot reach, is
	                          // not used and is told
	size_t site_count;       // at most 4
	const char *carrier;     // NULL: the service says nothing
	const char *class_;      // NULL: the service says nothing
	uint32_t lifetime_s;     // how long the service says that this holds; 0: it does not
	uint32_t retry_s;        // of EDGESTEER_BUSY; 0: it does not say
	const char *text;        // why, in a few words, for the operator; NULL
};

// An app's load balancer at a site that the service's clients can reach.
struct edgesteer_endpoint {
	size_t size;                  // sizeof(struct edgesteer_endpoint), set by the host
	const char *app;              // one of the registration's
	const char *site;
	const char *const *addresses; // textual, IPv4 before IPv6
	size_t address_count;         // 0: none is known now; what is registered need not change for that
};

// What is to be registered with a service. Owned by the host until register_targets() returns.
struct edgesteer_registration {
	size_t size;                  // sizeof(struct edgesteer_registration), set by the host
	int apply;                    // 0: only say what would be done
	int64_t deadline_ms;          // CLOCK_MONOTONIC; what is not done by then is not done
	unsigned rate;                // requests a second, at most. Nothing is looked up meanwhile
	const char *const *apps;      // whose endpoints are to be exactly those below. Of other apps nothing is touched
	size_t app_count;
	const struct edgesteer_endpoint *endpoints; // app by app
	size_t endpoint_count;
};

enum edgesteer_action {
	EDGESTEER_KEEP,          // it is registered as it should be
	EDGESTEER_ADD,
	EDGESTEER_CHANGE,
	EDGESTEER_REMOVE,
	EDGESTEER_LEAVE,         // it is not as it should be, and this will not change that; `text` says why
};

enum edgesteer_progress {
	EDGESTEER_PLANNED,       // it would be done; of KEEP and LEAVE always
	EDGESTEER_DONE,
	EDGESTEER_FAILED,        // `text` says why
};

// One step of a registration. Strings are borrowed only for the duration of the call.
struct edgesteer_step {
	size_t size;             // sizeof(struct edgesteer_step), set by the plugin
	enum edgesteer_action action;
	enum edgesteer_progress progress;
	const char *app;         // NULL: of an app that is not known any more
	const char *site;        // or what the service calls it; NULL: all of the app's
	const char *endpoint;    // what the service has it by; NULL: it is not there
	const char *text;        // what changes, or the service's answer, in a few words; NULL
};

enum edgesteer_level { EDGESTEER_ERROR, EDGESTEER_WARNING, EDGESTEER_NOTE };

// The functions available to an instance from open to close. Owned by the daemon. No pointer in it is NULL.
struct edgesteer_host {
	size_t size;

	// The configured value of one of the plugin's options, checked against its row, with paths made absolute; else the
	// row's default; NULL when there is neither. Owned by the host until close.
	const char *(*option)(const struct edgesteer_host *host, const char *name);

	// For EDGESTEER_MAP and EDGESTEER_SITES options: calls each(ctx, key, value) for every pair in the order of the config;
	// key and value are owned by the host until close. Stops when each() returns other than 0, and returns that; otherwise 0.
	int (*option_map)(const struct edgesteer_host *host, const char *name,
	                  int (*each)(void *ctx, const char *key, const char *value), void *ctx);

	// Reports a message to the operator, at a line of a file when `file` is not NULL (line 0: no line). An
	// EDGESTEER_ERROR makes the load fail, and the daemon keeps serving the previous generation. During provide() it is
	// a line in the log, of that level.
	void (*report)(const struct edgesteer_host *host, enum edgesteer_level level, const char *file, size_t line,
	               const char *fmt, ...)
#ifdef __GNUC__
	    __attribute__((format(printf, 5, 6)))
#endif
	    ;

	// Adds one prefix; only during enumerate. In any order: the longest prefix that contains a client gives all fields,
	// and of two equal prefixes the later one does. Returns 0, or negative: stop enumerating and return this value (out
	// of memory, over a limit or invalid; the host has reported it).
	int (*add)(const struct edgesteer_host *host, const struct edgesteer_prefix *prefix,
	           const struct edgesteer_place *place);

	// ---- since ABI 1.2 ----

	// The path that `written` means: relative ones start in the folder of the config file. For paths inside
	// EDGESTEER_JSON options. Owned by the host until close; NULL when out of memory.
	const char *(*path)(const struct edgesteer_host *host, const char *written);

	// Says that the instance reads the file at this absolute path, or would if it were there, besides those of
	// its EDGESTEER_FILE options; before it opens it, during open or enumerate. The daemon watches it for changes. The path
	// is copied.
	void (*reads)(const struct edgesteer_host *host, const char *path);

	// The following are for provide(), on its thread. What was put and dropped takes effect together at commit(): until
	// then, and if provide() returns before, it is as if it had not been said. They return 0, or negative: out of memory
	// or over a limit (reported); what was committed before goes on serving.

	// A whole list follows: at commit(), targets that were not put since are dropped.
	int (*begin)(const struct edgesteer_host *host);
	// Adds a target, or replaces the one with the same key. EDGESTEER_REFUSED: it is not valid (reported once for each
	// key and reason), and one with the same key is dropped.
	int (*put)(const struct edgesteer_host *host, const struct edgesteer_target *target);
	// Drops a target; 0 also when there is none with this key. Its load balancer is answered for the `grace` time.
	int (*drop)(const struct edgesteer_host *host, const char *key);
	int (*commit)(const struct edgesteer_host *host);
	// Tells how the source stands, for the operator; `text` says why in a few words, e.g. "401 Unauthorized", and may be
	// NULL. `part` names one of several (a cluster), NULL: the source as a whole.
	void (*source)(const struct edgesteer_host *host, const char *part, enum edgesteer_source state, const char *text);
	// A file descriptor that becomes readable, and stays so, when provide() is to return. Wait for it along with
	// everything else. Owned by the host.
	int (*stop_fd)(const struct edgesteer_host *host);

	// ---- since ABI 1.3 ----

	// The following are for look_up(), on its thread. stop_fd() is for it too.

	// A file descriptor that is readable while take() has a question. Owned by the host.
	int (*question_fd)(const struct edgesteer_host *host);
	// The next question. 1: *ret_question is set. 0: there is none now. The host hands out no more at a time than the
	// entry's `concurrency`, and no faster than its `rate`.
	int (*take)(const struct edgesteer_host *host, struct edgesteer_question *ret_question);
	// What came of a question, in any order. Of an id that is not known, or whose deadline has passed, it is ignored.
	void (*answer)(const struct edgesteer_host *host, uint64_t id, const struct edgesteer_finding *finding);

	// ---- since ABI 1.4 ----

	// Tells a step of a registration, in the order of what is done; only during register_targets(). stop_fd() is for it too.
	void (*step)(const struct edgesteer_host *host, const struct edgesteer_step *step);

	// ---- since ABI 1.5 ----

	// For look_up(), on its thread: leave to send the service one request. 0: it may be sent now, and is counted; else for how
	// many milliseconds to wait before asking again. take() keeps to the entry's `rate`, but not what is sent later than it
	// was taken, as it had to wait for a token, nor what is sent once more.
	int (*pace)(const struct edgesteer_host *host);
};

// The result of put() for a target that is not valid. Other negative results mean that the host cannot go on.
#define EDGESTEER_REFUSED (-1000)

enum edgesteer_option_type {
	EDGESTEER_TEXT,
	EDGESTEER_FILE, // a path of a file to read, which the daemon watches for changes (a plugin that writes one takes
	                // its path as text); relative ones start in the folder of the config file
	EDGESTEER_MAP,  // a mapping of text to text
	EDGESTEER_JSON, // any value; option() returns it as JSON text. Since ABI 1.2
	EDGESTEER_SITES, // as EDGESTEER_MAP, to names of sites: of providers and services, one that no site has is warned of. Since
	                 // ABI 1.7
};

struct edgesteer_option {
	const char *name; // as written in the config, lower case with hyphens; none of the keys that every entry has:
	                  // `plugin`, `shrink-limit`, `watch`, `grace`, `health`, `carriers`, `rate`, `concurrency`, `timeout`,
	                  // `register`
	enum edgesteer_option_type type;
	int required;
	const char *fallback; // the default; NULL: none
	const char *help;     // one sentence for the manual
};

struct edgesteer_plugin {
	uint16_t abi_major, abi_minor; // EDGESTEER_PLUGIN_ABI_*
	size_t size;                   // sizeof(struct edgesteer_plugin)
	const char *name;              // as in the config
	const char *summary;           // one line
	const struct edgesteer_option *options; // ends with a row whose name is NULL; NULL: no options

	// Makes an instance for one entry of `locate:` or `providers:`. Returns 0 with *ret_self set, or negative after
	// reporting the reason by host->report(). `host` stays valid until close. There is no deadline, but the reload
	// waits.
	int (*open)(const struct edgesteer_host *host, void **ret_self);

	// Passes all prefixes to host->add(). Returns 0, or negative (reported). NULL: the plugin does not enumerate.
	int (*enumerate)(void *self);

	// Releases the instance. Called once for each successful open. NULL: nothing to release.
	void (*close)(void *self);

	// ---- since ABI 1.2 ----

	// Tells the host of targets as they come and go, until host->stop_fd() is readable; then returns within a second or
	// so. Returning earlier is a failure of the provider (any result; it reports why): it is called again after a while,
	// and what was committed goes on serving. NULL: the plugin provides no targets. Instances outlive reloads that do not
	// change their entry.
	int (*provide)(void *self);

	// ---- since ABI 1.3 ----

	// Asks the service the questions that host->take() gives, many at a time, until host->stop_fd() is readable; then
	// returns within a second or so. Returning earlier is a failure, as of provide(). NULL: the plugin looks nothing up.
	int (*look_up)(void *self);

	// ---- since ABI 1.4 ----

	// Brings what is registered with the service in step with `registration`, when an operator asks for it; on an instance
	// of its own, so that look_up() goes on meanwhile. May block, until the registration's deadline, or stop_fd() is
	// readable; returns within a second or so then. Touches nothing that it has not registered itself. Each thing that is
	// to be registered, and each that is and should not be, is one host->step(). Returns 0, or negative when it could not
	// find out what is registered (reported; what steps were told stand). NULL: there is nothing to register.
	int (*register_targets)(void *self, const struct edgesteer_registration *registration);
};

// Defines the plugin's only exported symbol. A plugin loaded from a file NAME.so must use the name NAME, with an
// underscore for every hyphen.
#define EDGESTEER_PLUGIN(NAME) const struct edgesteer_plugin edgesteer_plugin_##NAME

#ifdef __cplusplus
}
#endif
