// Reads any octets as a master file: an error or a zone comes of it, and nothing breaks or is lost.
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/err.h"
#include "base/must.h"
#include "base/report.h"
#include "config/config.h"
#include "generation/zones.h"
#include "zone/zone.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

// Touches all that a query could.
static size_t walk(const struct zonedb *db)
{
	size_t octets = 0;

	for (size_t i = 0; i < zonedb_zone_count(db); i++) {
		const struct zone *zone = zonedb_zone(db, i);
		const struct node *apex = zone->apex;

		must(zonedb_find(db, apex->name, apex->name_len, name_hash(apex->name, apex->name_len)) == apex);
		must(zone->soa && zone->ns && zone->negative_soa.ttl_s <= zone->soa->ttl_s);
		for (size_t j = 0; j < apex->rrset_count; j++)
			for (size_t k = 0; k < apex->rrsets[j].wire_len; k++)
				octets += apex->rrsets[j].wire[k];
	}
	return octets;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static char path[32];
	static int fd = -1;

	if (fd < 0) {
		fd = memfd_create("zone", MFD_CLOEXEC);
		must(fd >= 0);
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	}
	must(ftruncate(fd, 0) == 0 && pwrite(fd, data, len, 0) == (ssize_t)len);

	struct config_domain domains[] = {{.name = "example", .file = path}, {.name = "in.example", .file = path}};
	struct config_app app = {.name = "app.example"};
	const struct config config = {.domains = domains, .domain_count = 2, .apps = &app, .app_count = 1};
	struct report *report = report_new();
	struct zonedb *db = NULL;

	must(report);
	if (zones_load(&config, 1, report, &db) == E_OK)
		must(walk(db) > 0 && report_ok(report));
	else
		must(!db && !report_ok(report));
	zonedb_free(db);
	report_free(report);
	return 0;
}
