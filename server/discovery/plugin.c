// Finding, loading and checking plugins; see plugin.h.
#include "discovery/plugin.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/infile.h"
#include "base/nearest.h"
#include "base/report.h"
#include "config/config.h"

extern const struct edgesteer_plugin edgesteer_plugin_asn, edgesteer_plugin_mmdb, edgesteer_plugin_ranges;

const struct edgesteer_plugin *const plugin_built_in[] = {
	&edgesteer_plugin_asn,
	&edgesteer_plugin_mmdb,
	&edgesteer_plugin_ranges,
};
const size_t plugin_built_in_count = ARRAY_LEN(plugin_built_in);

enum { PLUGIN_NAME_MAX_LEN = 63 };

// The part of struct edgesteer_plugin that every version of this major ABI has.
#define PLUGIN_SIZE_MIN (offsetof(struct edgesteer_plugin, close) + sizeof(((struct edgesteer_plugin *)0)->close))

#define plugin_error(report, locate, ...) \
	report_error(report, (locate)->mark.file, (locate)->mark.line, (locate)->mark.column, "locate: " __VA_ARGS__)

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

static int refuse_unknown(const struct config *config, const struct config_locate *locate, struct report *report)
{
	const char *folder = config->server.plugin_dir;
	struct nearest nearest = nearest_begin(locate->plugin);
	char meant[NEAREST_MEANT_MAX];

	for (size_t i = 0; i < plugin_built_in_count; i++)
		nearest_offer(&nearest, plugin_built_in[i]->name);
	if (nearest.word)
		plugin_error(report, locate, "no plugin `%s`%s", locate->plugin, nearest_meant(&nearest, '`', meant));
	else if (folder)
		plugin_error(report, locate, "no plugin `%s`: it is neither built in nor in plugin-dir %s", locate->plugin,
		             folder);
	else
		plugin_error(report, locate, "no plugin `%s` is built in, and no plugin-dir is set",
		             locate->plugin);
	return E_INVAL;
}

// Why a plugin from outside cannot be used; NULL when it can.
static const char *find_fault(const struct edgesteer_plugin *methods, const char *name)
{
	if (methods->abi_major != EDGESTEER_PLUGIN_ABI_MAJOR)
		return "was built for another major version of the plugin contract";
	if (methods->size < PLUGIN_SIZE_MIN)
		return "states a size too small for its version";
	if (!methods->name || strcmp(methods->name, name) != 0)
		return "has another name than its file";
	if (!methods->open)
		return "has no open()";
	if (!methods->enumerate)
		return "has no enumerate(), which `locate` needs";
	return NULL;
}

static int load_library(const char *path, const struct config_locate *locate, struct report *report,
                        struct plugin *ret_plugin)
{
	char symbol[sizeof("edgesteer_plugin_") + PLUGIN_NAME_MAX_LEN], why[INFILE_WHY_LEN];
	struct plugin plugin = {0};
	int fd;

	if (infile_open(path, &fd, why) < 0) { // dlopen() would wait for the writer of a FIFO
		plugin_error(report, locate, "plugin `%s`: %s %s", locate->plugin, path, why);
		return E_INVAL;
	}
	close(fd);
	plugin.library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!plugin.library) {
		plugin_error(report, locate, "plugin `%s` cannot be loaded: %s", locate->plugin, dlerror());
		return E_INVAL;
	}
	snprintf(symbol, sizeof(symbol), "edgesteer_plugin_%s", locate->plugin);
	for (char *at = symbol; (at = strchr(at, '-'));)
		*at = '_';
	plugin.methods = dlsym(plugin.library, symbol);

	const char *fault = plugin.methods ? find_fault(plugin.methods, locate->plugin) : NULL;

	if (!plugin.methods)
		plugin_error(report, locate, "plugin `%s`: %s has no symbol %s", locate->plugin, path, symbol);
	else if (fault)
		plugin_error(report, locate, "plugin `%s`: %s %s", locate->plugin, path, fault);
	if (!plugin.methods || fault) {
		plugin_unload(&plugin);
		return E_INVAL;
	}
	*ret_plugin = plugin;
	return E_OK;
}

int plugin_load(const struct config *config, const struct config_locate *locate, struct report *report,
                struct plugin *ret_plugin)
{
	const char *folder = config->server.plugin_dir;
	struct plugin plugin = {.methods = find_built_in(locate->plugin)};
	char *path;

	if (plugin.methods) {
		*ret_plugin = plugin;
		return E_OK;
	}
	if (!name_is_good(locate->plugin)) {
		plugin_error(report, locate, "`%s` is not a plugin name, expected lower-case letters, digits and hyphens",
		             locate->plugin);
		return E_INVAL;
	}
	if (!folder || asprintf(&path, "%s/%s.so", folder, locate->plugin) < 0)
		return refuse_unknown(config, locate, report);

	int err = access(path, F_OK) == 0 ? load_library(path, locate, report, ret_plugin)
	                                  : refuse_unknown(config, locate, report);

	free(path);
	return err;
}

void plugin_unload(struct plugin *plugin)
{
	if (plugin->library)
		dlclose(plugin->library);
	*plugin = (struct plugin){0};
}
