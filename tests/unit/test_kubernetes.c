// The kubernetes plugin's options, and what its objects stand for: a table of manifests with the targets and the
// remarks they lead to. Watching a cluster is tests/flow/kubewatch.py.
#include "fakehost.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <jansson.h>

#include "kubernetes/claims.h"

extern const struct edgesteer_plugin edgesteer_plugin_kubernetes;

#define ARRAY_LEN(array) (sizeof(array) / sizeof(*(array)))

// ---- options --------------------------------------------------------------------------------------------------------

#define FILES "\"ca-file\": \"/dev/null\", \"token-file\": \"/nowhere/token\""
#define PROD "{\"prod\": {\"server\": \"https://k8s:6443\", " FILES "}}"
#define NO_TOKEN "warning: `clusters.prod`: /nowhere/token: No such file or directory\n"
#define NO_NAME \
	"warning: neither `namespaces` nor `apps` is given: no namespace may have a name, so there will be no target\n"

static const struct {
	const char *name, *value; // of another option than clusters
	const char *clusters, *reports;
} options[] = {
	{"apps", "{}", PROD, NO_TOKEN},
	{NULL, NULL, PROD, NO_TOKEN NO_NAME},
	{"apps", "[]", PROD, "error: `apps` is not a mapping\n" NO_TOKEN},
	{"apps", "{\"a\": \"b\"}", PROD, "error: `apps.a` is not a list of names\n" NO_TOKEN},
	{"apps", "{\"a\": [{}]}", PROD, "error: `apps.a` has an item that is not text\n" NO_TOKEN},
	{"annotations", "maybe", PROD, "error: `annotations` is 'maybe', expected on or off\n" NO_TOKEN},
	{NULL, NULL, "{}", "error: `clusters` has 0, expected 1 to 64\n"},
	{NULL, NULL, "7", "error: `clusters` is not a mapping\n"},
	{NULL, NULL, "{\"a/b\": {}}",
	 "error: `clusters.a/b`: a name has up to 63 letters, digits, hyphens, dots and underscores\n"},
	{NULL, NULL, "{\"prod\": {}}", "error: `clusters.prod`: give `in-cluster: true`, or `server`\n"},
	{NULL, NULL, "{\"prod\": {\"in-cluster\": \"true\"}}",
	 "error: `clusters.prod.in-cluster`: this is not a container of a cluster: KUBERNETES_SERVICE_HOST and "
	 "KUBERNETES_SERVICE_PORT are not set\n"},
	{NULL, NULL, "{\"prod\": {\"server\": \"http://k8s\", " FILES "}}",
	 "error: `clusters.prod.server` is 'http://k8s': expected https://NAME:PORT\n"},
	{NULL, NULL, "{\"prod\": {\"server\": \"https://a:b@k8s\", " FILES "}}",
	 "error: `clusters.prod.server` is 'https://a:b@k8s': expected https://NAME:PORT\n"},
	{NULL, NULL, "{\"prod\": {\"server\": \"https://k8s\", \"ca\": \"x\", " FILES "}}",
	 "error: `clusters.prod`: unknown key `ca`; the keys are in-cluster, server, ca-file, token-file, "
	 "client-cert-file and client-key-file\n"},
	{NULL, NULL, "{\"prod\": {\"server\": \"https://k8s\"}}",
	 "error: `clusters.prod`: give `token-file`, or `client-cert-file` and `client-key-file`\n"},
	{NULL, NULL, "{\"prod\": {\"server\": \"https://k8s\", \"client-cert-file\": \"/c\"}}",
	 "error: `clusters.prod` has only one of `client-cert-file` and `client-key-file`\n"},
	{NULL, NULL, "{\"prod\": {\"server\": \"https://k8s\", \"client-cert-file\": \"/c\", \"client-key-file\": \"/k\", " FILES "}}",
	 "error: `clusters.prod` has both `token-file` and `client-cert-file`\n"},
};

static void test_options(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		const struct fakehost_pair pairs[] = {{"clusters", options[i].clusters}, {options[i].name, options[i].value},
		                                      {NULL, NULL}};
		struct fakehost host;
		void *instance = NULL;

		fakehost_begin(&host, pairs, NULL);

		int err = edgesteer_plugin_kubernetes.open(&host.lent, &instance);

		assert_string_equal(host.reports, options[i].reports);
		assert_int_equal(err < 0, host.errors > 0);
		if (err == 0)
			edgesteer_plugin_kubernetes.close(instance);
		fakehost_end(&host);
	}
}

// ---- claims ---------------------------------------------------------------------------------------------------------

#define META(space, name, more) "\"metadata\":{\"namespace\":\"" space "\",\"name\":\"" name "\"" more "}"
#define ANNOTATED(key, value) ",\"annotations\":{\"" key "\":\"" value "\"}"
#define LOAD ",\"status\":{\"loadBalancer\":{\"ingress\":[{\"hostname\":\"lb\"}]}}"
#define RULE(host) ",\"spec\":{\"rules\":[{\"host\":\"" host "\"}]}"
#define SERVED(host, service) \
	",\"spec\":{\"rules\":[{\"host\":\"" host "\",\"http\":{\"paths\":[{\"backend\":{\"service\":{\"name\":\"" service \
	"\"}}}]}}]}"
#define SLICE(space, name, service, endpoints) \
	"{" META(space, name, ",\"labels\":{\"kubernetes.io/service-name\":\"" service "\"}") ",\"endpoints\":[" endpoints "]}"
#define SUBNETS "alb.ingress.kubernetes.io/subnets"

#define I KOBJECT_INGRESS
#define S KOBJECT_SERVICE
#define E KOBJECT_SLICE
#define G KOBJECT_GATEWAY
#define R KOBJECT_ROUTE

static const struct {
	const char *title;
	struct {
		enum kobject_kind kind;
		const char *json;
	} objects[3];
	const char *claims, *reports;
} manifests[] = {
	{"by namespace", {{I, "{" META("bos-1", "web", "") RULE("A.example.com.") LOAD "}"}},
	 "c/bos-1/ingress/web a.example.com @bos lb unknown\n", ""},
	{"no load balancer yet", {{I, "{" META("bos-1", "web", "") RULE("a.example.com") "}"}}, "", ""},
	{"the first pattern that matches", {{I, "{" META("bos-special", "web", "") RULE("a.example.com") LOAD "}"}},
	 "c/bos-special/ingress/web a.example.com @special lb unknown\n", ""},
	{"an annotation comes before the namespace",
	 {{I, "{" META("bos-1", "web", ANNOTATED("edgesteer.io/site", "nyc")) RULE("a.example.com") LOAD "}"}},
	 "c/bos-1/ingress/web a.example.com @nyc lb unknown\n", ""},
	{"by subnets; unknown ones do not count",
	 {{I, "{" META("free", "web", ANNOTATED(SUBNETS, "subnet-9, subnet-1")) RULE("a.example.com") LOAD "}"}},
	 "c/free/ingress/web a.example.com @one lb unknown\n", ""},
	{"by subnets that differ",
	 {{I, "{" META("free", "web", ANNOTATED(SUBNETS, "subnet-1,subnet-2")) RULE("a.example.com") LOAD "}"}}, "",
	 "warning: cluster c: ingress free/web: its subnets are in two sites, one and two: they do not tell its site\n"
	 "warning: cluster c: ingress free/web: nothing tells the site of a.example.com: neither its annotation, "
	 "`namespaces`, `subnets`, nor the zone of its endpoints\n"},
	{"by the zone of the endpoints",
	 {{I, "{" META("free", "web", "") SERVED("a.example.com", "s") LOAD "}"},
	  {E, SLICE("free", "s-1", "s", "{\"zone\":\"z\",\"conditions\":{\"ready\":false}},{\"conditions\":{\"ready\":false}}")},
	  {E, SLICE("free", "s-2", "s", "{\"zone\":\"z\",\"conditions\":{\"ready\":false}}")}},
	 "c/free/ingress/web a.example.com @z lb unready\n", ""},
	{"a Service without slices hides that the other is not ready",
	 {{I, "{" META("bos-1", "web", "") ",\"spec\":{\"rules\":[{\"host\":\"a.example.com\",\"http\":{\"paths\":["
	      "{\"backend\":{\"service\":{\"name\":\"s\"}}},{\"backend\":{\"service\":{\"name\":\"gone\"}}}]}}]}" LOAD "}"},
	  {E, SLICE("bos-1", "s-1", "s", "")}},
	 "c/bos-1/ingress/web a.example.com @bos lb unknown\n", ""},
	{"a host without paths is the default backend's",
	 {{I, "{" META("bos-1", "web", "") ",\"spec\":{\"rules\":[{\"host\":\"a.example.com\"}],\"defaultBackend\":"
	      "{\"service\":{\"name\":\"s\"}}}" LOAD "}"},
	  {E, SLICE("bos-1", "s-1", "s", "{}")}},
	 "c/bos-1/ingress/web a.example.com @bos lb ready\n", ""},
	{"an app's annotation in place of the rules",
	 {{I, "{" META("bos-1", "web", ANNOTATED("edgesteer.io/app", "b.example.com c.example.com")) RULE("a.example.com")
	      LOAD "}"}},
	 "c/bos-1/ingress/web b.example.com @bos lb unknown\nc/bos-1/ingress/web c.example.com @bos lb unknown\n", ""},
	{"a name that the namespace may not have", {{I, "{" META("bos-1", "web", "") RULE("www.bank.com") LOAD "}"}}, "",
	 "warning: cluster c: ingress bos-1/web: namespace bos-1 may not have the name www.bank.com: it is not in its "
	 "`apps`\n"},
	{"a namespace that may have none", {{I, "{" META("x", "web", "") RULE("a.example.com") LOAD "}"}}, "", ""},
	{"and that asks for one",
	 {{I, "{" META("x", "web", ANNOTATED("edgesteer.io/app", "a.example.com")) LOAD "}"}}, "",
	 "warning: cluster c: ingress x/web: namespace x may have no name, not a.example.com: it is not in `apps`\n"},
	{"what is no name", {{I, "{" META("bos-1", "web", "") RULE("a\\u001b[31m b") LOAD "}"}}, "",
	 "warning: cluster c: ingress bos-1/web: 'a?[31m b' is no name\n"},
	{"a route into a Gateway of another namespace needs that one's consent",
	 {{G, "{" META("bos-1", "gate", "") ",\"spec\":{\"listeners\":[{\"name\":\"l\"}]},\"status\":{\"addresses\":"
	      "[{\"value\":\"192.0.2.1\"}]}}"},
	  {R, "{" META("free", "in", "") ",\"spec\":{\"hostnames\":[\"a.example.com\"]},\"status\":{\"parents\":[{\"parentRef\":"
	      "{\"namespace\":\"bos-1\",\"name\":\"gate\"},\"conditions\":[{\"type\":\"Accepted\",\"status\":\"True\"}]}]}}"},
	  {R, "{" META("free", "out", "") ",\"spec\":{\"hostnames\":[\"b.example.com\"]},\"status\":{\"parents\":[{\"parentRef\":"
	      "{\"namespace\":\"bos-1\",\"name\":\"gate\"},\"conditions\":[]}]}}"}},
	 "c/bos-1/gateway/gate a.example.com @bos 192.0.2.1 unknown\n", ""},
	{"listeners bound the hostnames of routes",
	 {{G, "{" META("bos-1", "gate", "") ",\"spec\":{\"listeners\":[{\"name\":\"l\",\"hostname\":\"*.b.example.com\"},"
	      "{\"name\":\"m\",\"hostname\":\"c.example.com\"}]},\"status\":{\"addresses\":[{\"value\":\"192.0.2.1\"}]}}"},
	  {R, "{" META("bos-1", "in", "") ",\"spec\":{\"hostnames\":[\"a.example.com\",\"a.b.example.com\",\"*.example.com\"]},"
	      "\"status\":{\"parents\":[{\"parentRef\":{\"name\":\"gate\",\"sectionName\":\"l\"},\"conditions\":"
	      "[{\"type\":\"Accepted\",\"status\":\"True\"}]}]}}"}},
	 "c/bos-1/gateway/gate *.b.example.com @bos 192.0.2.1 unknown\n"
	 "c/bos-1/gateway/gate a.b.example.com @bos 192.0.2.1 unknown\n", ""},
	{"a Service", {{S, "{" META("bos-1", "web", ANNOTATED("edgesteer.io/app", "a.example.com"))
	                   ",\"spec\":{\"type\":\"LoadBalancer\"}" LOAD "}"}},
	 "c/bos-1/service/web a.example.com @bos lb unknown\n", ""},
};

static void put(struct kobjects *objects, enum kobject_kind kind, const char *text)
{
	json_error_t error;
	json_t *json = json_loads(text, 0, &error);
	const char *why;

	if (!json)
		fail_msg("%s at %d of %s", error.text, error.position, text);

	struct kobject *object = kobject_decode(kind, json, NULL, &why);

	assert_non_null(object);
	assert_int_equal(kobjects_put(&objects[kind], object), KOBJECTS_CHANGED);
	// The same once more is no change.
	assert_int_equal(kobjects_put(&objects[kind], kobject_decode(kind, json, NULL, &why)), KOBJECTS_SAME);
	json_decref(json);
}

static char *list(const struct claims *claims)
{
	static const char *const words[] = {"unknown", "ready", "unready"};
	char *text;
	size_t len;
	FILE *file = open_memstream(&text, &len);

	for (size_t i = 0; i < claims->count; i++) {
		const struct claim *claim = &claims->list[i];

		fprintf(file, "%s @%s %s %s\n", claim->key, claim->site, claim->balancer, words[claim->health]);
	}
	fclose(file);
	return text;
}

static void claim(size_t row, const struct settings *settings)
{
	struct kobjects objects[KOBJECT_KINDS];
	const struct kobjects *pointers[KOBJECT_KINDS];
	struct claims claims = {.list = NULL};
	struct remarks remarks;
	struct fakehost host;

	fakehost_begin(&host, NULL, NULL);
	remarks_begin(&remarks, &host.lent);
	for (int kind = 0; kind < KOBJECT_KINDS; kind++) {
		kobjects_begin(&objects[kind]);
		pointers[kind] = &objects[kind];
	}
	for (size_t i = 0; i < ARRAY_LEN(manifests[row].objects) && manifests[row].objects[i].json; i++)
		put(objects, manifests[row].objects[i].kind, manifests[row].objects[i].json);
	remarks_begin_round(&remarks, 0);
	claims_add(&claims, settings, "c", pointers, &remarks);
	claims_unite(&claims);

	char *text = list(&claims);

	if (strcmp(text, manifests[row].claims) != 0 || strcmp(host.reports, manifests[row].reports) != 0)
		fail_msg("%s:\n%s%s", manifests[row].title, text, host.reports);
	free(text);
	claims_free(&claims);
	remarks_free(&remarks);
	for (int kind = 0; kind < KOBJECT_KINDS; kind++)
		kobjects_free(&objects[kind]);
	fakehost_end(&host);
}

static void test_claims(void **state)
{
	struct settings_row namespaces[] = {{"bos-special", "special"}, {"bos-*", "bos"}};
	struct settings_row subnets[] = {{"subnet-1", "one"}, {"subnet-2", "two"}};
	struct settings_row apps[] = {{"bos-*", "*.example.com"}, {"free", "?.example.com"}};
	const struct settings settings = {
		.namespaces = {namespaces, ARRAY_LEN(namespaces), 0},
		.subnets = {subnets, ARRAY_LEN(subnets), 0},
		.apps = {apps, ARRAY_LEN(apps), 0},
		.apps_given = true,
		.annotations = true,
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(manifests); i++)
		claim(i, &settings);
}

// ---- remarks --------------------------------------------------------------------------------------------------------

static void test_remarks(void **state)
{
	struct fakehost host;
	struct remarks remarks;

	(void)state;
	fakehost_begin(&host, NULL, NULL);
	remarks_begin(&remarks, &host.lent);
	for (int round = 0; round < 3; round++) { // told once for as long as it holds
		remarks_begin_round(&remarks, 1000);
		remark(&remarks, "a");
		remarks_end_round(&remarks);
	}
	assert_string_equal(host.reports, "warning: a\n");
	remarks_begin_round(&remarks, 1000); // it holds no more
	remarks_end_round(&remarks);
	remarks_begin_round(&remarks, 1000);
	remark(&remarks, "a");
	for (int i = 0; i < 2 * REMARKS_PER_MINUTE; i++)
		remark(&remarks, "number %d", i);
	remarks_end_round(&remarks);
	assert_null(strstr(host.reports, "number 98\n")); // with the two of `a` and 98 more that is a minute's worth
	assert_non_null(strstr(host.reports, "number 97\nwarning: more objects cannot be used; for now no more of them are "
	                                     "listed\n"));
	remarks_begin_round(&remarks, 62000);
	remark(&remarks, "number 150");
	remarks_end_round(&remarks);
	assert_non_null(strstr(host.reports, "number 150\n"));
	remarks_free(&remarks);
	fakehost_end(&host);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_options),
		cmocka_unit_test(test_claims),
		cmocka_unit_test(test_remarks),
	};

	unsetenv("KUBERNETES_SERVICE_HOST");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
