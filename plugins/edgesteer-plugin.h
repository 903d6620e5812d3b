// The contract between edgesteerd and its plugins. A plugin includes this header and standard headers, nothing else of
// edgesteer. It exports one `const struct edgesteer_plugin`, named by EDGESTEER_PLUGIN(), whose slots the daemon calls.
//
// A plugin may do any of three jobs:
//   enumerate  list prefixes and what is known of the clients in them (a CSV of ranges, an mmdb)
//   look up    learn the place of one address from a service, asynchronously (reserved: ABI minor 1)
//   targets    provide the addresses of load balancers (reserved: ABI minor 2)
//
// Versions: the daemon refuses a plugin whose major ABI differs. Fields are only ever appended; `size` tells each side
// how much of the other's structs exists, so a plugin built against an older minor goes on working.
//
// Threads: open, enumerate and close of one instance are called one after another, never at the same time, on a
// thread of the daemon's that may wait (files may be read). They are never called while a query waits for them.
#pragma once

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define EDGESTEER_PLUGIN_ABI_MAJOR 1
#define EDGESTEER_PLUGIN_ABI_MINOR 0

// What a source knows of the clients in a prefix. Leave unknown what is unknown: later sources then fill it in.
// Strings are borrowed by the daemon for the time of the call only.
struct edgesteer_place {
	size_t size;         // sizeof(struct edgesteer_place), set by the plugin
	const char *carrier; // mobile operator's short name, e.g. "verizon"; NULL: unknown. At most 63 bytes
	const char *class_;  // "edge", "roaming", "mvno", "fixed", "vpn", ...; NULL: unknown. At most 63 bytes
	const char *site;    // the site a service or the operator named as the best one; NULL: none
	double latitude;     // degrees, -90..90; NaN: unknown (longitude is then ignored)
	double longitude;    // degrees, -180..180
	double accuracy_km;  // radius around the coordinates; 0 or NaN: not stated, taken as exact
};

struct edgesteer_prefix {
	uint8_t family;      // 4 or 6
	uint8_t length;      // 0..32 or 0..128
	uint8_t address[16]; // network order, IPv4 in the first four bytes; bits past `length` zero
};

enum edgesteer_level { EDGESTEER_ERROR, EDGESTEER_WARNING, EDGESTEER_NOTE };

// What the daemon lends an instance from open to close. Owned by the daemon. Never NULL, no slot is NULL.
struct edgesteer_host {
	size_t size;

	// The value the operator gave for one of the plugin's options, checked against its row, paths made absolute; the
	// row's default when the operator gave none; NULL when there is neither. Owned by the host until close.
	const char *(*option)(const struct edgesteer_host *host, const char *name);

	// For EDGESTEER_MAP options: calls each(ctx, key, value) for every pair in the order written, both owned by the
	// host until close; stops early and returns what each returns when that is not 0; otherwise 0.
	int (*option_map)(const struct edgesteer_host *host, const char *name,
	                  int (*each)(void *ctx, const char *key, const char *value), void *ctx);

	// Tells the operator something, at a place in a file when file is not NULL (line 0: no line). An EDGESTEER_ERROR
	// makes the whole load fail, the old state goes on serving.
	void (*report)(const struct edgesteer_host *host, enum edgesteer_level level, const char *file, size_t line,
	               const char *fmt, ...)
#ifdef __GNUC__
	    __attribute__((format(printf, 5, 6)))
#endif
	    ;

	// During enumerate only: hands over one prefix. In any order; of nested prefixes the longest one containing a
	// client counts, whole. Given twice with equal length, the later one counts. 0, or negative: stop enumerating and
	// return this value (out of memory or over a cap; the host has reported it).
	int (*add)(const struct edgesteer_host *host, const struct edgesteer_prefix *prefix,
	           const struct edgesteer_place *place);
};

enum edgesteer_option_type {
	EDGESTEER_TEXT,
	EDGESTEER_FILE, // a path; relative ones are taken from the folder of the config file
	EDGESTEER_MAP,  // a mapping of text to text
};

struct edgesteer_option {
	const char *name; // as written in the config, lower case with hyphens
	enum edgesteer_option_type type;
	int required;
	const char *fallback; // used when not given; NULL: none
	const char *help;     // one sentence for the manual
};

struct edgesteer_plugin {
	uint16_t abi_major, abi_minor; // EDGESTEER_PLUGIN_ABI_*
	size_t size;                   // sizeof(struct edgesteer_plugin)
	const char *name;              // as the config names it
	const char *summary;           // one line
	const struct edgesteer_option *options; // ends with a row whose name is NULL; NULL: no options

	// Makes an instance for one `locate:` entry. 0 and *ret_self, or negative after host->report() said why.
	// `host` stays valid until close. Deadline: none, but it delays the reload that asked.
	int (*open)(const struct edgesteer_host *host, void **ret_self);

	// Lists everything by host->add(). 0 or negative (reported). NULL: the plugin does not enumerate.
	int (*enumerate)(void *self);

	// Releases the instance. Called once for each successful open. NULL: nothing to release.
	void (*close)(void *self);
};

// Defines the plugin's one exported symbol. A plugin loaded from a file NAME.so must use the name NAME, an underscore
// for every hyphen.
#define EDGESTEER_PLUGIN(NAME) const struct edgesteer_plugin edgesteer_plugin_##NAME

#ifdef __cplusplus
}
#endif
