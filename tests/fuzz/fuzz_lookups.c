// Any octets as replies about clients: those of Verizon's service, of CAMARA's APIs, of a token endpoint and of a program.
// What plugins make of them must keep to the plugin interface: printable text, at most four sites, different ones, and
// some where one is found.
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <jansson.h>

#include "camara/camara.h"
#include "exec/reply.h"
#include "fakehost.h"
#include "lib/oauth.h"
#include "lib/secret.h"
#include "verizon-eds/eds.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

static void expect(bool good)
{
	if (!good)
		abort();
}

static bool is_printable(const char *text, size_t size)
{
	size_t len = strnlen(text, size);

	for (size_t i = 0; i < len; i++)
		if (text[i] < ' ' || text[i] > '~')
			return false;
	return len < size;
}

static void expect_good(const struct verdict *verdict)
{
	expect(verdict->site_count <= VERDICT_SITES_MAX);
	expect(verdict->outcome != EDGESTEER_FOUND || verdict->site_count > 0);
	expect(is_printable(verdict->text, sizeof(verdict->text)));
	for (size_t i = 0; i < verdict->site_count; i++) {
		expect(*verdict->sites[i] && is_printable(verdict->sites[i], sizeof(verdict->sites[i])));
		for (size_t j = 0; j < i; j++)
			expect(strcmp(verdict->sites[i], verdict->sites[j]) != 0);
	}
}

static void try_services(const struct edgesteer_host *host, const struct https_result *result)
{
	for (int platforms = 0; platforms < 2; platforms++) {
		struct eds eds = {.host = host, .platforms = platforms, .take = VERDICT_SITES_MAX};
		struct verdict verdict = {.outcome = EDGESTEER_BROKEN};

		eds_read(&eds, result, &verdict);
		expect_good(&verdict);
	}
	for (int api = 0; api < CAMARA_APIS; api++) {
		struct camara camara = {.host = host, .api = (enum camara_api)api};
		struct verdict verdict = {.outcome = EDGESTEER_BROKEN};

		camara_read(&camara, result, &verdict);
		expect_good(&verdict);
	}
}

static void try_token(const struct https_result *result)
{
	static const struct oauth_client client = {.token_url = "https://x/", .id = "id", .secret_file = "/nonexistent/secret"};
	struct oauth *oauth = oauth_new(NULL, &client);
	struct verdict verdict = {.outcome = EDGESTEER_BROKEN};
	const char *header;
	unsigned number;

	oauth_take(oauth, result, 1000);
	if (oauth_get(oauth, 1001, &header, &number, &verdict) == OAUTH_READY)
		expect(strncmp(header, "Authorization: Bearer ", 22) == 0 && is_printable(header, SECRET_MAX_LEN + 64));
	else
		expect_good(&verdict);
	oauth_free(oauth);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const struct fakehost_pair sites[] = {{"a", "x"}, {"b/c", "y"}, {NULL, NULL}};
	static const int statuses[] = {404, 400, 200, 401, 503, 200, 422, 429}; // 200 where the last is `}` or `]`
	char *body = malloc(len + 1);
	struct fakehost host;

	if (!body)
		return 0;
	memcpy(body, data, len);
	body[len] = '\0';

	const struct https_result result = {.status = len ? statuses[data[len - 1] % 8] : 200, .body = body, .body_len = len};
	json_t *json = json_loadb(body, len, JSON_DECODE_ANY, NULL);
	char why[REPLY_WHY_SIZE];
	struct verdict verdict;
	json_int_t id;

	fakehost_begin(&host, NULL, sites);
	try_services(&host.lent, &result);
	try_token(&result);
	if (json && reply_read(json, &id, &verdict, why) == 0) {
		expect_good(&verdict);
		expect(strnlen(verdict.carrier, VERDICT_SITE_SIZE) < VERDICT_SITE_SIZE);
	}
	json_decref(json);
	fakehost_end(&host);
	free(body);
	return 0;
}
