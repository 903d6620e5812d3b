// Master files loaded for tests; see zoneload.h.
#include "zoneload.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "draftzone.h"
#include "generation/zones.h"
#include "tempdir.h"

static char folder[TEMPDIR_LEN];

int zoneload_setup(void **state)
{
	(void)state;
	return tempdir_make(folder);
}

int zoneload_teardown(void **state)
{
	static const char *const files[] = {"t.zone", "outer.zone"};
	char path[ZONELOAD_PATH_MAX];

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		unlink(zoneload_path(files[i], path));
	return rmdir(folder);
}

const char *zoneload_data(const char *name, char *buf)
{
	const char *srcdir = getenv("srcdir");

	snprintf(buf, ZONELOAD_PATH_MAX, "%s/tests/data/zones/%s", srcdir ? srcdir : ".", name);
	return buf;
}

const char *zoneload_path(const char *name, char *buf)
{
	snprintf(buf, ZONELOAD_PATH_MAX, "%s/%s", folder, name);
	return buf;
}

void zoneload_write(const char *name, const char *text, size_t len)
{
	char path[ZONELOAD_PATH_MAX];
	FILE *file = fopen(zoneload_path(name, path), "wb");

	assert_non_null(file);
	assert_int_equal(fwrite(text, 1, len, file), len);
	assert_int_equal(fclose(file), 0);
}

struct config_domain zoneload_domain(const char *name, const char *file)
{
	return (struct config_domain){.name = name, .file = file, .mark = {"conf", 3, 5}};
}

int zoneload(struct config_domain *domains, size_t count, struct report *report, struct zonedb **ret_db)
{
	const struct config config = {.domains = domains, .domain_count = count};

	return zones_load(&config, ZONELOAD_SERIAL, report, ret_db);
}

int zoneload_text(const char *text, size_t len, struct report *report, struct zonedb **ret_db)
{
	char path[ZONELOAD_PATH_MAX];
	struct config_domain domain = zoneload_domain("example", zoneload_path("t.zone", path));

	zoneload_write("t.zone", text, len);
	return zoneload(&domain, 1, report, ret_db);
}

void zoneload_expect(const struct report *report, const char *expected)
{
	char prefix[TEMPDIR_LEN + 1];

	snprintf(prefix, sizeof(prefix), "%s/", folder);
	draftzone_expect(report, prefix, expected);
}
