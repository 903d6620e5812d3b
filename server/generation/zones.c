// The zones of a config; see zones.h.
#include "generation/zones.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/must.h"
#include "base/report.h"
#include "config/config.h"
#include "wire/dns.h"
#include "zone/builder.h"
#include "zone/file.h"
#include "zone/zone.h"

enum { REFRESH_S = 7200, RETRY_S = 3600, EXPIRE_S = 1209600 }; // of a zone without a file

struct wire_name {
	uint8_t wire[NAME_WIRE_MAX];
	size_t len; // 0: none
};

// ---- zones without a file ----

// A mailbox as a domain name (RFC 1035 section 8): the user of user@host becomes one label, including any dots.
static int read_mailbox(const char *text, struct wire_name *ret_name)
{
	const char *at = strchr(text, '@');
	size_t user_len = at ? (size_t)(at - text) : 0;
	struct wire_name host;

	if (!at || memchr(text, '\\', user_len))
		return name_from_text(text, ret_name->wire, &ret_name->len);
	if (user_len == 0 || user_len > NAME_LABEL_MAX || name_from_text(at + 1, host.wire, &host.len) < 0 ||
	    1 + user_len + host.len > NAME_WIRE_MAX)
		return E_INVAL;
	ret_name->wire[0] = (uint8_t)user_len;
	memcpy(ret_name->wire + 1, text, user_len);
	memcpy(ret_name->wire + 1 + user_len, host.wire, host.len);
	ret_name->len = 1 + user_len + host.len;
	return E_OK;
}

static struct zone_origin origin_of(struct mark mark)
{
	return (struct zone_origin){mark.file, mark.line, mark.column};
}

static int refuse(struct report *report, struct mark mark, const char *what, const char *text)
{
	report_error(report, mark.file, mark.line, mark.column, "%.300s: %s", text, what);
	return E_INVAL;
}

static int make_soa(struct zone_builder *builder, const struct wire_name *apex, const struct config_domain *domain,
                    unsigned serial, struct report *report)
{
	const uint32_t numbers[] = {domain->serial ? domain->serial : serial, REFRESH_S, RETRY_S, EXPIRE_S, domain->negative_ttl_s};
	uint8_t rdata[2 * NAME_WIRE_MAX + sizeof(numbers)];
	struct wire_name mname, rname;
	size_t len;

	if (domain->ns_count == 0)
		return refuse(report, domain->mark, "needs a `file` or `ns`", domain->name);
	if (name_from_text(domain->ns[0].name, mname.wire, &mname.len) < 0)
		return E_INVAL; // make_ns() reports it
	if (!domain->hostmaster) {
		static const uint8_t label[] = "\012hostmaster";

		if (sizeof(label) - 1 + apex->len > NAME_WIRE_MAX)
			return refuse(report, domain->mark, "too long for the default hostmaster: set `hostmaster`", domain->name);
		memcpy(rname.wire, label, sizeof(label) - 1);
		memcpy(rname.wire + sizeof(label) - 1, apex->wire, apex->len);
		rname.len = sizeof(label) - 1 + apex->len;
	} else if (read_mailbox(domain->hostmaster, &rname) < 0) {
		return refuse(report, domain->mark, "not a mailbox", domain->hostmaster);
	}
	memcpy(rdata, mname.wire, mname.len);
	memcpy(rdata + mname.len, rname.wire, rname.len);
	len = mname.len + rname.len;
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		for (int shift = 24; shift >= 0; shift -= 8)
			rdata[len++] = (uint8_t)(numbers[i] >> shift);
	must(len <= sizeof(rdata));
	return zone_builder_record(builder, report, origin_of(domain->mark), apex->wire, apex->len, DNS_SOA,
	                           domain->ttl_s, rdata, len);
}

// Adds the addresses of a name server inside the zone. The config's check refuses them for others.
static int make_addresses(struct zone_builder *builder, const struct wire_name *apex, const struct config_domain *domain,
                          const struct hosts_host *host, const struct wire_name *name, struct report *report)
{
	size_t apex_len = 0;
	int err = E_OK;

	(void)zone_builder_apex(builder, name->wire, name->len, &apex_len);
	if (apex_len != apex->len)
		return E_OK;
	for (size_t i = 0; i < host->address_count && err != E_NOMEM; i++) {
		const bool is_v4 = host->addresses[i].family == ADDR_V4;

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
		struct wire_name ns;

		if (name_from_text(host->name, ns.wire, &ns.len) < 0) {
			err = refuse(report, domain->mark, "not a domain name", host->name);
			continue;
		}
		err = zone_builder_record(builder, report, origin_of(domain->mark), apex->wire, apex->len, DNS_NS,
		                          domain->ttl_s, ns.wire, ns.len);
		if (err == E_OK)
			err = make_addresses(builder, apex, domain, host, &ns, report);
	}
	return err;
}

static int make_zone(struct zone_builder *builder, const struct wire_name *apex, const struct config_domain *domain,
                     unsigned serial, struct report *report)
{
	int soa_err = make_soa(builder, apex, domain, serial, report);
	int ns_err = make_ns(builder, apex, domain, report);

	if (soa_err == E_NOMEM || ns_err == E_NOMEM)
		return E_NOMEM;
	if (soa_err < 0 || ns_err < 0)
		zone_builder_incomplete(builder, apex->wire, apex->len);
	return E_OK;
}

// ---- all zones ----

// Opens the domains' zones; apexes[i].len is 0 for an invalid domain.
static int open_zones(struct zone_builder *builder, const struct config *config, struct report *report,
                      struct wire_name *apexes)
{
	for (size_t i = 0; i < config->domain_count; i++) {
		const struct config_domain *domain = &config->domains[i];
		struct wire_name *apex = &apexes[i];
		int err = name_from_text(domain->name, apex->wire, &apex->len);

		if (err == E_OK) {
			name_fold(apex->wire, apex->len);
			err = zone_builder_zone(builder, apex->wire, apex->len);
		}
		if (err == E_NOMEM)
			return err;
		if (err < 0) {
			refuse(report, domain->mark, err == E_EXISTS ? "the domain is given twice" : "not a domain name",
			       domain->name);
			apex->len = 0;
		}
	}
	return E_OK;
}

static int fill_zones(struct zone_builder *builder, const struct config *config, const struct wire_name *apexes,
                      unsigned serial, struct report *report)
{
	int err = E_OK;

	for (size_t i = 0; i < config->domain_count && err == E_OK; i++) {
		const struct config_domain *domain = &config->domains[i];

		if (apexes[i].len == 0)
			continue;
		err = domain->file ? zone_file_load(builder, apexes[i].wire, apexes[i].len, domain->file, report)
		                   : make_zone(builder, &apexes[i], domain, serial, report);
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
		struct wire_name name;

		if (name_from_text(app->name, name.wire, &name.len) < 0)
			refuse(report, app->mark, "not a domain name", app->name);
		else if (zone_builder_app(builder, report, origin_of(app->mark), name.wire, name.len, (int32_t)i,
		                          hands_out_cname(app)) == E_NOMEM)
			return E_NOMEM;
	}
	return E_OK;
}

int zones_load(const struct config *config, unsigned serial, struct report *report, struct zonedb **ret_zones)
{
	const size_t errors = report_count(report, REPORT_ERROR);
	struct zone_builder *builder = zone_builder_new();
	struct wire_name *apexes = calloc(config->domain_count + 1, sizeof(*apexes));
	struct zonedb *zones = NULL;
	int err = builder && apexes ? open_zones(builder, config, report, apexes) : E_NOMEM;

	if (err == E_OK)
		err = fill_zones(builder, config, apexes, serial, report);
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
	free(apexes);
	zone_builder_free(builder);
	return err;
}
