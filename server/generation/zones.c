// The zones of a config; see zones.h.
#include "generation/zones.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/inputs.h"
#include "base/must.h"
#include "base/report.h"
#include "config/config.h"
#include "wire/dns.h"
#include "wire/name.h"
#include "wire/put.h"
#include "zone/builder.h"
#include "zone/file.h"
#include "zone/overlay.h"
#include "zone/zone.h"

enum { REFRESH_S = 7200, RETRY_S = 3600, EXPIRE_S = 1209600 }; // of a zone without a file

// The config has been checked: its names are domain names in lower case, and no domain is given twice.
static struct wire_name read_name(const char *text)
{
	struct wire_name name;

	must(name_from_text(text, name.wire, &name.len) == E_OK);
	return name;
}

// ---- zones without a file ----

static struct zone_origin origin_of(struct mark mark)
{
	return (struct zone_origin){mark.file, mark.line, mark.column};
}

static int make_soa(struct zone_builder *builder, const struct wire_name *apex, const struct config_domain *domain,
                    unsigned serial, struct report *report)
{
	const uint32_t numbers[] = {domain->serial ? domain->serial : serial, REFRESH_S, RETRY_S, EXPIRE_S,
	                            domain->negative_ttl_s};
	struct wire_name mname = read_name(domain->ns[0].name), rname = read_name(domain->hostmaster);
	uint8_t rdata[2 * NAME_WIRE_MAX + sizeof(numbers)], *at = rdata;

	memcpy(at, mname.wire, mname.len);
	at += mname.len;
	memcpy(at, rname.wire, rname.len);
	at += rname.len;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		at = put32(at, numbers[i]);
	return zone_builder_record(builder, report, origin_of(domain->mark), apex->wire, apex->len, DNS_SOA,
	                           domain->ttl_s, rdata, (size_t)(at - rdata));
}

// Adds the addresses of a name server inside the zone; the config's check refuses them for others.
static int make_addresses(struct zone_builder *builder, const struct config_domain *domain, const struct hosts_host *host,
                          const struct wire_name *name, struct report *report)
{
	int err = E_OK;

	for (size_t i = 0; i < host->address_count && err != E_NOMEM; i++) {
		bool is_v4 = host->addresses[i].family == ADDR_V4;

		err = zone_builder_record(builder, report, origin_of(host->mark), name->wire, name->len,
		                          is_v4 ? DNS_A : DNS_AAAA, domain->ttl_s, host->addresses[i].bytes, is_v4 ? 4 : 16);
	}
	return err;
}

static int make_ns(struct zone_builder *builder, const struct wire_name *apex, const struct config_domain *domain,
                   struct report *report)
{
	int err = E_OK;

	for (size_t i = 0; i < domain->ns_count && err != E_NOMEM; i++) {
		const struct hosts_host *host = &domain->ns[i];
		struct wire_name ns = read_name(host->name);
		size_t apex_len = 0;

		err = zone_builder_record(builder, report, origin_of(domain->mark), apex->wire, apex->len, DNS_NS,
		                          domain->ttl_s, ns.wire, ns.len);
		(void)zone_builder_apex(builder, ns.wire, ns.len, &apex_len);
		if (err == E_OK && apex_len == apex->len)
			err = make_addresses(builder, domain, host, &ns, report);
	}
	return err;
}

static int make_zone(struct zone_builder *builder, const struct wire_name *apex, const struct config_domain *domain,
                     unsigned serial, struct report *report)
{
	must(domain->ns_count > 0 && domain->hostmaster);

	int err = make_soa(builder, apex, domain, serial, report);

	return err < 0 ? err : make_ns(builder, apex, domain, report);
}

// ---- all zones ----

static int open_zones(struct zone_builder *builder, const struct config *config)
{
	int err = E_OK;

	for (size_t i = 0; i < config->domain_count && err == E_OK; i++) {
		struct wire_name apex = read_name(config->domains[i].name);

		err = zone_builder_zone(builder, apex.wire, apex.len);
		must(err == E_OK || err == E_NOMEM);
	}
	return err;
}

static int fill_zones(struct zone_builder *builder, const struct config *config, unsigned serial,
                      struct report *report)
{
	int err = E_OK;

	for (size_t i = 0; i < config->domain_count && err == E_OK; i++) {
		const struct config_domain *domain = &config->domains[i];
		struct wire_name apex = read_name(domain->name);

		inputs_section(report_inputs(report), INPUT_ZONE, domain->watch);
		err = domain->file ? zone_file_load(builder, apex.wire, apex.len, domain->file, report)
		                   : make_zone(builder, &apex, domain, serial, report);
	}
	return err;
}

static bool hands_out_cname(const struct config_app *app)
{
	bool cname = false;

	for (size_t i = 0; i < app->target_count; i++)
		cname = cname || app->targets[i].cname;
	return cname;
}

static int add_apps(struct zone_builder *builder, const struct config *config, struct report *report)
{
	for (size_t i = 0; i < config->app_count; i++) {
		const struct config_app *app = &config->apps[i];
		struct wire_name name = read_name(app->name);

		if (zone_builder_app(builder, report, origin_of(app->mark), name.wire, name.len, (int32_t)i,
		                     hands_out_cname(app)) == E_NOMEM)
			return E_NOMEM;
	}
	return E_OK;
}

int zones_load(const struct config *config, unsigned serial, struct report *report, struct zonedb **ret_zones)
{
	const size_t errors = report_count(report, REPORT_ERROR);
	struct zone_builder *builder = zone_builder_new();
	struct zonedb *zones = NULL;
	int err = builder ? open_zones(builder, config) : E_NOMEM;

	if (err == E_OK)
		err = fill_zones(builder, config, serial, report);
	if (err == E_OK)
		err = add_apps(builder, config, report);
	if (err == E_OK)
		err = zone_builder_finish(builder, report, &zones);
	if (err == E_OK && report_count(report, REPORT_ERROR) > errors) {
		zones = zonedb_free(zones);
		err = E_INVAL;
	}
	if (err == E_OK)
		*ret_zones = zones;
	zone_builder_free(builder);
	return err;
}

int zones_lay_over(const struct config *config, const struct zonedb *zones, struct zonedb **ret_over)
{
	size_t known = config->base ? config->base->app_count : config->app_count;
	size_t count = config->app_count - known;
	struct overlay_app *apps;
	int err;

	*ret_over = NULL;
	if (count == 0)
		return E_OK;
	apps = calloc(count, sizeof(*apps));
	if (!apps)
		return E_NOMEM;
	for (size_t i = 0; i < count; i++)
		apps[i] = (struct overlay_app){read_name(config->apps[known + i].name), (int32_t)(known + i)};
	err = overlay_new(zones, apps, count, ret_over);
	free(apps);
	return err;
}
