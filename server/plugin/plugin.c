// Finding, loading and checking plugins; see plugin.h.
#include "plugin/plugin.h"

#include <dlfcn.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/infile.h"
#include "base/nearest.h"
#include "base/report.h"
#include "schema/value.h"

extern const struct edgesteer_plugin edgesteer_plugin_asn, edgesteer_plugin_camara, edgesteer_plugin_exec,
	edgesteer_plugin_file, edgesteer_plugin_kubernetes, edgesteer_plugin_mmdb, edgesteer_plugin_ranges,
	edgesteer_plugin_verizon_eds;

const struct edgesteer_plugin *const plugin_built_in[] = {
	&edgesteer_plugin_asn,
	&edgesteer_plugin_camara,
	&edgesteer_plugin_exec,
	&edgesteer_plugin_file,
	&edgesteer_plugin_kubernetes,
	&edgesteer_plugin_mmdb,
	&edgesteer_plugin_ranges,
	&edgesteer_plugin_verizon_eds,
};
const size_t plugin_built_in_count = ARRAY_LEN(plugin_built_in);

enum { PLUGIN_NAME_MAX_LEN = 63, MESSAGE_MAX_LEN = 768 };

// The part of struct edgesteer_plugin that every version of this major ABI has.
#define PLUGIN_SIZE_MIN (offsetof(struct edgesteer_plugin, close) + sizeof(((struct edgesteer_plugin *)0)->close))

static const char *const list_texts[PLUGIN_LISTS] = {[PLUGIN_LOCATE] = "locate", [PLUGIN_PROVIDERS] = "providers",
                                                     [PLUGIN_DISCOVERY] = "discovery"};

const char *plugin_list_text(enum plugin_list list)
{
	return list_texts[list];
}

void plugin_say(struct report *report, enum report_level level, const struct plugin_entry *entry,
                const struct value *node, const char *fmt, ...)
{
	struct mark mark = node ? value_key_mark(node) : entry->mark;
	char text[MESSAGE_MAX_LEN];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	report_add(report, level, mark.file, mark.line, mark.column, "%s: %s: %s", list_texts[entry->list], entry->plugin,
	           text);
}

#define plugin_error(report, entry, fmt, ...) \
	report_error(report, (entry)->mark.file, (entry)->mark.line, (entry)->mark.column, "%s: " fmt, \
	             list_texts[(entry)->list], __VA_ARGS__)

// The name becomes part of a path and of a symbol, so only lower-case letters, digits and hyphens.
static bool name_is_good(const char *name)
{
	size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return len > 0 && len <= PLUGIN_NAME_MAX_LEN && name[len] == '\0';
}

static const struct edgesteer_plugin *find_built_in(const char *name)
{
	for (size_t i = 0; i < plugin_built_in_count; i++)
		if (strcmp(plugin_built_in[i]->name, name) == 0)
			return plugin_built_in[i];
	return NULL;
}

static int refuse_unknown(const char *folder, const struct plugin_entry *entry, struct report *report)
{
	struct nearest nearest = nearest_begin(entry->plugin);
	char meant[NEAREST_MEANT_MAX];

	for (size_t i = 0; i < plugin_built_in_count; i++)
		nearest_offer(&nearest, plugin_built_in[i]->name);
	if (nearest.word)
		plugin_error(report, entry, "no plugin `%s`%s", entry->plugin, nearest_meant(&nearest, '`', meant));
	else if (folder)
		plugin_error(report, entry, "no plugin `%s`: it is neither built in nor in plugin-dir %s", entry->plugin,
		             folder);
	else
		plugin_error(report, entry, "no plugin `%s` is built in, and no plugin-dir is set",
		             entry->plugin);
	return E_INVAL;
}

// The job of the list that a plugin cannot do, as the end of a sentence; NULL: it can. Plugins of ABI 1.0 and 1.1 end
// before provide(), those of 1.2 before look_up().
static const char *find_missing_job(const struct edgesteer_plugin *methods, enum plugin_list list)
{
	const size_t end_of_look_up = offsetof(struct edgesteer_plugin, look_up) + sizeof(methods->look_up);
	const size_t end_of_provide = offsetof(struct edgesteer_plugin, provide) + sizeof(methods->provide);

	if (list == PLUGIN_LOCATE && !methods->enumerate)
		return "has no enumerate(), which `locate` needs";
	if (list == PLUGIN_PROVIDERS && (methods->size < end_of_provide || !methods->provide))
		return "has no provide(), which `providers` needs";
	if (list == PLUGIN_DISCOVERY && (methods->size < end_of_look_up || !methods->look_up))
		return "has no look_up(), which `discovery` needs";
	return NULL;
}

// Why a plugin from outside cannot be used; NULL when it can.
static const char *find_fault(const struct edgesteer_plugin *methods, const struct plugin_entry *entry)
{
	if (methods->abi_major != EDGESTEER_PLUGIN_ABI_MAJOR)
		return "was built for another major version of the plugin contract";
	if (methods->size < PLUGIN_SIZE_MIN)
		return "states a size too small for its version";
	if (!methods->name || strcmp(methods->name, entry->plugin) != 0)
		return "has another name than its file";
	if (!methods->open)
		return "has no open()";
	return find_missing_job(methods, entry->list);
}

static int load_library(const char *path, const struct plugin_entry *entry, struct report *report,
                        struct plugin *ret_plugin)
{
	char symbol[sizeof("edgesteer_plugin_") + PLUGIN_NAME_MAX_LEN], why[INFILE_WHY_LEN];
	struct plugin plugin = {0};
	int fd;

	if (infile_open(path, &fd, why) < 0) { // dlopen() would wait for the writer of a FIFO
		plugin_error(report, entry, "plugin `%s`: %s %s", entry->plugin, path, why);
		return E_INVAL;
	}
	close(fd);
	plugin.library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!plugin.library) {
		plugin_error(report, entry, "plugin `%s` cannot be loaded: %s", entry->plugin, dlerror());
		return E_INVAL;
	}
	snprintf(symbol, sizeof(symbol), "edgesteer_plugin_%s", entry->plugin);
	for (char *at = symbol; (at = strchr(at, '-'));)
		*at = '_';
	plugin.methods = dlsym(plugin.library, symbol);

	const char *fault = plugin.methods ? find_fault(plugin.methods, entry) : NULL;

	if (!plugin.methods)
		plugin_error(report, entry, "plugin `%s`: %s has no symbol %s", entry->plugin, path, symbol);
	else if (fault)
		plugin_error(report, entry, "plugin `%s`: %s %s", entry->plugin, path, fault);
	if (!plugin.methods || fault) {
		plugin_unload(&plugin);
		return E_INVAL;
	}
	*ret_plugin = plugin;
	return E_OK;
}

int plugin_load(const char *folder, const struct plugin_entry *entry, struct report *report,
                struct plugin *ret_plugin)
{
	struct plugin plugin = {.methods = find_built_in(entry->plugin)};
	char *path;

	if (plugin.methods) {
		const char *missing = find_missing_job(plugin.methods, entry->list);

		if (missing) {
			plugin_error(report, entry, "plugin `%s` %s", entry->plugin, missing);
			return E_INVAL;
		}
		*ret_plugin = plugin;
		return E_OK;
	}
	if (!name_is_good(entry->plugin)) {
		plugin_error(report, entry, "`%s` is not a plugin name, expected lower-case letters, digits and hyphens",
		             entry->plugin);
		return E_INVAL;
	}
	if (!folder || asprintf(&path, "%s/%s.so", folder, entry->plugin) < 0)
		return refuse_unknown(folder, entry, report);

	int err = access(path, F_OK) == 0 ? load_library(path, entry, report, ret_plugin)
	                                  : refuse_unknown(folder, entry, report);

	free(path);
	return err;
}

void plugin_unload(struct plugin *plugin)
{
	if (plugin->library)
		dlclose(plugin->library);
	*plugin = (struct plugin){0};
}
