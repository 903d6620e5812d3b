// Blocks by site, of AWS's file or the extract; see site_blocks.h.
#include "config/site_blocks.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/infile.h"
#include "base/inputs.h"
#include "base/must.h"
#include "base/report.h"
#include "config/config.h"
#include "schema/reader.h"

enum { FILE_BYTES_MAX = 64 << 20, ROWS_MAX = 1 << 20, BLOCK_MAX = 4096 };

// ---- tables ---------------------------------------------------------------------------------------------------------

// Rows sorted by site; of a file's, the texts are in `json`.
struct table {
	const struct site_blocks_row *rows;
	size_t count;
	struct site_blocks_row *own;
	json_t *json;
};

static int by_site(const void *a, const void *b)
{
	const struct site_blocks_row *left = a, *right = b;

	return strcmp(left->site, right->site);
}

static bool is_ec2(const json_t *entry, const char *key, struct site_blocks_row *row)
{
	const char *service = json_string_value(json_object_get(entry, "service"));

	row->site = json_string_value(json_object_get(entry, "network_border_group"));
	row->prefix = json_string_value(json_object_get(entry, key));
	return service && row->site && row->prefix && strcmp(service, "EC2") == 0;
}

static void take_rows(struct table *table, const char *list, const char *key)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(table->json, list), i, entry)
		table->count += is_ec2(entry, key, &table->own[table->count]);
}

// Reads AWS's file. False after an error, which is reported.
static bool read_file(struct reader *reader, const char *path, struct table *table)
{
	char why[INFILE_WHY_LEN], *text = NULL;
	json_error_t error;
	size_t len = 0, room;

	if (infile_read(path, FILE_BYTES_MAX, &text, &len, why) < 0) {
		reader_error(reader, "aws-ranges: %s %s", path, why);
		return false;
	}
	table->json = json_loadb(text, len, 0, &error);
	free(text);
	room = json_array_size(json_object_get(table->json, "prefixes")) +
	       json_array_size(json_object_get(table->json, "ipv6_prefixes"));
	if (room == 0 || room > ROWS_MAX) {
		reader_error(reader, "aws-ranges: %s is not AWS's ip-ranges.json, expected JSON with `prefixes`", path);
		return false;
	}
	table->own = reader_take(reader, room, sizeof(*table->own));
	if (!table->own)
		return false;
	take_rows(table, "prefixes", "ip_prefix");
	take_rows(table, "ipv6_prefixes", "ipv6_prefix");
	qsort(table->own, table->count, sizeof(*table->own), by_site);
	table->rows = table->own;
	return true;
}

// The first row of a name; its number in *ret_count.
static const struct site_blocks_row *find_rows(const struct table *table, const char *name, size_t *ret_count)
{
	const struct site_blocks_row wanted = {.site = name}, *end = table->rows + table->count, *first, *last;

	first = table->count ? bsearch(&wanted, table->rows, table->count, sizeof(wanted), by_site) : NULL;
	*ret_count = 0;
	if (!first)
		return NULL;
	while (first > table->rows && by_site(first - 1, &wanted) == 0)
		first--;
	for (last = first; last < end && by_site(last, &wanted) == 0; last++)
		++*ret_count;
	return first;
}

// A zone in a Region or a Local Zone is in the border group without its last letter.
static const struct site_blocks_row *find_site(struct reader *reader, const struct table *table, const char *name,
                                               size_t *ret_count)
{
	const struct site_blocks_row *rows = find_rows(table, name, ret_count);
	size_t len = strlen(name);

	if (rows || len < 2 || name[len - 1] < 'a' || name[len - 1] > 'z' || name[len - 2] < '0' || name[len - 2] > '9')
		return rows;

	char *group = reader_strdup(reader, name);

	if (!group)
		return NULL;
	group[len - 1] = '\0';
	return find_rows(table, group, ret_count);
}

// ---- sites ----------------------------------------------------------------------------------------------------------

static void fill_block(struct reader *reader, const struct table *table, struct config_site *site)
{
	size_t count = 0;
	const struct site_blocks_row *rows = find_site(reader, table, site->name, &count);

	// A file without the group (an old one, part of one) must not take away what keeps clients from a black hole.
	if (count == 0 && table->own)
		rows = find_site(reader, &(struct table){site_blocks_rows, site_blocks_count, NULL, NULL}, site->name, &count);
	if (count == 0)
		return;
	site->block = reader_take(reader, count, sizeof(*site->block));
	for (size_t i = 0; site->block && i < count && site->block_count < BLOCK_MAX; i++)
		if (prefix_parse(rows[i].prefix, &site->block[site->block_count], NULL) == E_OK)
			site->block_count++;
}

static void fill_sites(struct reader *reader, const struct table *table, struct config_site *sites, size_t count,
                       const struct config *config)
{
	for (size_t i = 0; i < count; i++) {
		struct config_site *site = &sites[i];
		bool is_given = site->block_count > 0;

		if (!site->name)
			continue;
		if (!is_given)
			fill_block(reader, table, site);
		if (site->block_check == BLOCK_CHECK_UNSET)
			site->block_check = is_given || (site->block_count > 0 && site->kind == SITE_WAVELENGTH) ? BLOCK_CHECK_ENFORCE
			                                                                                         : BLOCK_CHECK_NONE;
		if (site->block_check >= BLOCK_CHECK_WARN && site->block_count == 0)
			report_error(reader->report, site->mark.file, site->mark.line, site->mark.column,
			             "sites.%s.block-check: the site's block is not known, expected a `block`%s", site->name,
			             config->aws_ranges ? "" : " or `aws-ranges`");
	}
}

void site_blocks_fill(struct reader *reader, struct config *config)
{
	struct table table = {site_blocks_rows, site_blocks_count, NULL, NULL};
	bool good = true;

	if (config->aws_ranges) {
		// The last file of the config's own; whoever reads others begins a section for them.
		inputs_section(report_inputs(reader->report), INPUT_FEED, config->server.watch != CONFIG_WATCH_OFF);
		inputs_add(report_inputs(reader->report), config->aws_ranges);
		table = (struct table){0};
		good = read_file(reader, config->aws_ranges, &table);
	}
	if (good)
		fill_sites(reader, &table, config->sites, config->site_count, config);
	if (good && config->provider_count > 0) // targets may come at any of them
		fill_sites(reader, &table, (struct config_site *)config->known_sites, config->known_site_count, config);
	json_decref(table.json);
}

// ---- addresses ------------------------------------------------------------------------------------------------------

static bool is_in(const struct addr *addr, const struct prefix *prefix)
{
	struct addr cut;

	if (addr->family != prefix->addr.family)
		return false;
	cut = addr_cut(addr, prefix->len);
	return addr_equal(&cut, &prefix->addr);
}

// The kind of an address in a table of prefixes; NULL: in none.
struct special {
	const char *prefix, *why;
};

static const char *find_special(const struct special *rows, size_t count, const struct addr *addr)
{
	for (size_t i = 0; i < count; i++) {
		struct prefix prefix;

		must(prefix_parse(rows[i].prefix, &prefix, NULL) == E_OK);
		if (is_in(addr, &prefix))
			return rows[i].why;
	}
	return NULL;
}

static const struct special never[] = {
	{"0.0.0.0/8", "it is unspecified"}, {"169.254.0.0/16", "it is link-local"},
	{"224.0.0.0/3", "it is multicast or reserved"}, {"::/128", "it is unspecified"},
	{"::ffff:0:0/96", "it is an IPv4 address in IPv6"}, {"fe80::/10", "it is link-local"}, {"ff00::/8", "it is multicast"},
};

static const struct special inner[] = {
	{"127.0.0.0/8", "it is a loopback address, and no `block` of the site has it"},
	{"10.0.0.0/8", "it is private, and no `block` of the site has it"},
	{"172.16.0.0/12", "it is private, and no `block` of the site has it"},
	{"192.168.0.0/16", "it is private, and no `block` of the site has it"},
	{"::1/128", "it is a loopback address, and no `block` of the site has it"},
	{"fc00::/7", "it is private, and no `block` of the site has it"},
};

enum site_blocks_verdict site_blocks_check(const struct config_site *site, const struct addr *addr, const char **ret_why)
{
	*ret_why = find_special(never, ARRAY_LEN(never), addr);
	if (*ret_why)
		return SITE_BLOCKS_REFUSE;
	for (size_t i = 0; i < site->block_count; i++)
		if (is_in(addr, &site->block[i]))
			return SITE_BLOCKS_GOOD;
	if (site->block_check == BLOCK_CHECK_OFF)
		return SITE_BLOCKS_GOOD;
	if (site->block_check == BLOCK_CHECK_NONE) {
		*ret_why = find_special(inner, ARRAY_LEN(inner), addr);
		return *ret_why ? SITE_BLOCKS_REFUSE : SITE_BLOCKS_GOOD;
	}
	*ret_why = "it is outside of the site's block";
	return site->block_check == BLOCK_CHECK_WARN ? SITE_BLOCKS_WARN : SITE_BLOCKS_REFUSE;
}
