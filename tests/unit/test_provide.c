// Providers as they run: files and programs, good ones and hostile ones; what vanishes, what is stale, and what a reload
// or a restart leaves.
#include "provide/provide.h"

#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/clock.h"
#include "base/err.h"
#include "provide/provider.h"
#include "providing.h"

#define A "a.e.x us-east-1 192.0.2.1"
#define B "b.e.x us-east-1 lb.example.com"
#define HEAD "app,site,address,alias,check-address\n"
#define ROW_A "a.e.x,us-east-1,192.0.2.1,,\n"
#define ROW_B "b.e.x,us-east-1,,LB.Example.COM.,\n"
#define JSON_A "{\\\"app\\\": \\\"a.e.x\\\", \\\"site\\\": \\\"us-east-1\\\", \\\"addresses\\\": \\\"192.0.2.1\\\"}"
#define JSON_B "{\\\"app\\\": \\\"b.e.x\\\", \\\"site\\\": \\\"us-east-1\\\", \\\"alias\\\": \\\"lb.example.com\\\"}"
#define ECHO(json) "echo \"" json "\"\n"
#define LIST(targets) ECHO("{\\\"list\\\": [" targets "]}")
#define STAY "sleep 1000\n"
#define SH "#!/bin/sh\nPATH=/bin:/usr/bin\n"
#define EXEC "  - {plugin: exec, command: [./p]}\n"
#define EXEC_AT_ONCE "  - {plugin: exec, command: [./p], grace: 0s}\n"

// ---- file -----------------------------------------------------------------------------------------------------------

static void test_file(void **unused)
{
	(void)unused;
	providing_write("t.csv", HEAD ROW_A ROW_B);
	providing_load("  - {plugin: file, file: t.csv, grace: 1s}\n", NULL);
	providing_expect(A ";" B ";");
	// A bad one changes nothing, and says so once.
	providing_write("t.csv", HEAD ROW_A "b.e.x,us-east-1\n");
	providing_expect_log("t.csv:3: ");
	providing_turn(2500);
	assert_int_equal(providing_logged("t.csv:3: "), 1);
	providing_expect(A ";" B ";");
	// Neither does one that is gone.
	assert_int_equal(unlink(strcat(strcpy((char[300]){0}, providing_folder), "/t.csv")), 0);
	providing_expect_log("there is no such file");
	providing_expect(A ";" B ";");
	// What is missing in a good one goes after the grace time.
	providing_write("t.csv", HEAD ROW_A);
	providing_expect(A ";");
	// A second after it was written last, and soon then; a busy machine may be late once.
	int64_t least_ms = INT64_MAX;

	for (int i = 0; i < 3; i++) {
		int64_t began_ms = clock_mono_ms(), took_ms;

		providing_write("t.csv", i % 2 ? HEAD ROW_A "b.e.x,us-east-1,192.0.2.22,,\n" : HEAD ROW_A ROW_B);
		providing_expect(i % 2 ? A ";b.e.x us-east-1 192.0.2.22;" : A ";" B ";");
		took_ms = clock_mono_ms() - began_ms;
		assert_true(took_ms >= 950);
		least_ms = took_ms < least_ms ? took_ms : least_ms;
	}
	assert_in_range(least_ms, 950, 1600);
	// JSON, two addresses, another target for the same key.
	providing_write("t.csv", "[{\"app\": \"A.e.x.\", \"site\": \"us-east-1\", \"addresses\": [\"192.0.2.1\", \"2001:db8::1\"], "
	                         "\"ready\": false}]");
	providing_expect("a.e.x us-east-1 192.0.2.1,2001:db8::1 unready;");
	providing_write("t.csv", "{\"targets\": [");
	providing_expect_log("t.csv:1: ");
	providing_expect("a.e.x us-east-1 192.0.2.1,2001:db8::1 unready;");
}

static void test_refused(void **unused)
{
	struct provide_status status;
	static struct provider_report report;

	(void)unused;
	providing_write("t.csv", HEAD ROW_A "..,us-east-1,192.0.2.1,,\nc.e.x,\"a b\",192.0.2.1,,\nd.e.x,us-east-1,,,\n"
	                         "f.e.x,us-east-1,192.0.2.1,lb.x,\ng.e.x,us-east-1,0.0.0.0,,\nh.e.x,us-east-1,,h.e.x,\n"
	                         "i.e.x,us-east-1,192.0.2.1,,a_b c\nj.e.x,us-east-1,192.0.2.1 192.0.2.1,,\n" ROW_A);
	providing_load("  - {plugin: file, file: t.csv}\n", NULL);
	providing_expect(A ";");
	providing_expect_log("names the app `..`, which is not a domain name");
	providing_expect_log("names the site `a b`, which is not the name of one");
	providing_expect_log("has neither an alias nor addresses");
	providing_expect_log("has both an alias and addresses");
	providing_expect_log("has the address `0.0.0.0`, which is not that of a host");
	providing_expect_log("is an alias of its own app");
	providing_expect_log("has the check address `a_b c`");
	providing_expect_log("has the address `192.0.2.1` twice");
	providing_expect_log("its list has 1 target with the key of another one");
	provide_status(providing, 0, &status, &report);
	assert_int_equal(report.refused, 8);
	assert_int_equal(status.targets, 1);
	assert_string_equal(status.label, "file t.csv");
	assert_int_equal(report.parts[0].state, EDGESTEER_SOURCE_CURRENT);
}

// ---- exec -----------------------------------------------------------------------------------------------------------

static void test_lists(void **unused)
{
	(void)unused;
	providing_write_script("p", SH LIST(JSON_A ", " JSON_B) "sleep 1\n" LIST(JSON_B) STAY);
	providing_load(EXEC_AT_ONCE, NULL);
	providing_expect(A ";" B ";");
	providing_expect(B ";");
}

static void test_changes(void **unused)
{
	(void)unused;
	providing_write_script("p", SH ECHO("{\\\"add\\\": " JSON_A "}") "sleep 0.3\n" ECHO("{\\\"add\\\": " JSON_B "}")
	                       ECHO("{\\\"commit\\\": true}") "sleep 1\n" ECHO("{\\\"remove\\\": \\\"a.e.x us-east-1\\\"}")
	                       ECHO("{\\\"remove\\\": \\\"nothing\\\"}") "sleep 0.5\n" ECHO("{\\\"commit\\\": true}") STAY);
	providing_load(EXEC_AT_ONCE, NULL);
	providing_expect(A ";" B ";"); // both at once
	assert_int_equal(providing_changes, 0); // they are gathered
	providing_turn(200);
	assert_int_equal(providing_changes, 1);
	providing_expect(B ";");
	providing_turn(200);
	assert_int_equal(providing_changes, 2);
}

static void test_ready(void **unused)
{
#define READY(word) "{\\\"app\\\": \\\"a.e.x\\\", \\\"site\\\": \\\"us-east-1\\\", \\\"addresses\\\": \\\"192.0.2.1\\\", " \
	"\\\"ready\\\": " word "}"
	(void)unused;
	providing_write_script("p", SH LIST(READY("true")) "sleep 0.5\n" LIST(READY("false")) "sleep 0.5\n" LIST(JSON_A) STAY);
	providing_load(EXEC, NULL);
	providing_expect(A " ready;");
	providing_expect(A " unready;");
	assert_int_equal(provide_ready(providing, "a.e.x", "us-east-1"), EDGESTEER_HEALTH_UNREADY);
	assert_int_equal(provide_ready(providing, "b.e.x", "us-east-1"), EDGESTEER_HEALTH_UNKNOWN);
	providing_expect(A ";");
	assert_string_equal(providing_ready, "a.e.x us-east-1 ready;a.e.x us-east-1 unready;a.e.x us-east-1 unknown;");
	assert_int_equal(providing_changes, 1); // readiness is no change of the structure
}

// Each is ended with a line that says why, and what was committed before goes on serving.
static void test_hostile(void **unused)
{
	static const struct {
		const char *then, *said;
	} cases[] = {
		{"echo 'not json'\n" STAY, "line 2 of its output: not JSON: column "},
		{"printf 'a\\0b\\n'\n" STAY, "line 2 of its output: not JSON"},
		{"echo '[]'\n" STAY, "line 2 of its output: not an object with one member"},
		{"echo '{\"list\": 7}'\n" STAY, "line 2 of its output: not a list of targets"},
		{"echo '{\"list\": [7]}'\n" STAY, "line 2 of its output: a target is an object, such as"},
		{"echo '{\"add\": {\"app\": \"a.e.x\", \"site\": \"s\", \"colour\": 1}}'\n" STAY, "unknown key `colour`"},
		{"echo '{\"add\": {\"app\": \"a.e.x\"}}'\n" STAY, "a target without `site`"},
		{"echo '{\"adds\": {}}'\n" STAY, "expected {\"list\": [...]}"},
		{"head -c 17000000 /dev/zero | tr '\\0' x\n" STAY, "line 2 of its output: longer than 16 MiB"},
		{"while :; do echo '{\"add\": {\"app\": \"a.e.x\", \"site\": \"s\", \"alias\": \"lb.x\"}}'; done\n",
		 "over the limit of 65536 targets"},
		{"echo '{\"remove\": \"a.e.x us-east-1\"}'\n" STAY, "has committed nothing within its deadline of 1 s"},
		{"echo '{\"remove\": \"a.e.x us-east-1\"}'\n", "has ended: exit status 0, in the middle of a change"},
		{"exit 3\n", "has ended: exit status 3: its last targets serve on"},
		{"kill -9 $$\n", "has ended: signal 9"},
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		char script[1024], entry[256];

		snprintf(script, sizeof(script), SH LIST(JSON_A) "%s", cases[i].then);
		providing_write_script("p", script);
		snprintf(entry, sizeof(entry), "  - {plugin: exec, command: [./p, '%zu'], deadline: %s, grace: 0s}\n", i,
		         strstr(cases[i].said, "deadline") ? "1s" : "1m");
		providing_load(entry, NULL);
		providing_expect_log(cases[i].said);
		providing_expect(A ";");
	}

	struct rusage used;

	getrusage(RUSAGE_SELF, &used);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
	assert_in_range(used.ru_maxrss, 0, 200 << 10); // KiB
#endif
}

static void test_again(void **unused)
{
	(void)unused;
	// One that fails is started again after 1 s, 2 s, ...; one that ends well after its interval.
	providing_write_script("p", SH "echo x >>n\n[ $(wc -l <n) -gt 2 ] || exit 1\n" LIST(JSON_A));
	providing_write_script("p2", "#!/bin/sh\necho \"$PATH/$HOME/$X/$#/$1\" >&2\nexec 3>&- ; ls /proc/$$/fd 2>/dev/null\n");
	providing_write_script("p", SH "cd ${0%/*} || exit\necho x >>n\n[ $(wc -l <n) -gt 2 ] || exit 1\n" LIST(JSON_A));

	int64_t began_ms = clock_mono_ms();

	providing_load("  - {plugin: exec, command: [./p], interval: 1s}\n"
	               "  - {plugin: exec, command: [./p2, 'a b'], env: {X: y}}\n", NULL);
	providing_expect(A ";");
	assert_in_range(clock_mono_ms() - began_ms, 2900, 20000);
	assert_true(providing_logged("exec: says: /bin:/usr/bin//y/1/a b") + providing_logged("says: ///y/1/a b") +
	            providing_logged("says: ") >= 1);
	providing_expect_log("/y/1/a b");
	assert_int_equal(providing_logged("HOME"), 0);
}

static void test_noise(void **unused)
{
	(void)unused;
	providing_write_script("p", SH LIST(JSON_A) "i=0\nwhile [ $i -lt 1000 ]; do echo line $i >&2; i=$((i+1)); done\n"
	                       "printf 'bell \\007 and %2000d\\n' 1 >&2\n" STAY);
	providing_load(EXEC, NULL);
	providing_expect(A ";");
	providing_expect_log("says: line 19");
	providing_turn(500);
	assert_int_equal(providing_logged("says: "), 20);
}

// ---- lifecycle ------------------------------------------------------------------------------------------------------

static void test_entries(void **unused)
{
	char *reported;

	(void)unused;
	providing_write("t.csv", HEAD ROW_A);
	assert_int_equal(providing_load("  - {plugin: ranges, file: t.csv}\n  - {plugin: fil}\n  - {plugin: file, fil: x}\n"
	                                "  - {plugin: exec, command: x}\n  - {plugin: exec, command: [./none], deadline: 7}\n"
	                                "  - {plugin: exec, command: [/usr]}\n",
	                                &reported), E_INVAL);
	assert_string_equal(reported,
	                    "DIR/c.yaml:4:5: providers: plugin `ranges` has no provide(), which `providers` needs\n"
	                    "DIR/c.yaml:5:5: providers: no plugin `fil`, did you mean `file`?\n"
	                    "DIR/c.yaml:6:20: providers: file: unknown key `fil`, did you mean `file`?\n"
	                    "DIR/c.yaml:6:5: providers: file: `file` is missing: A CSV file with a header row that names its "
	                    "columns: app, site, address (or several, with blanks between) or alias, and check-address; or JSON "
	                    "likewise.\n"
	                    "DIR/c.yaml:7:5: providers: exec: `command` is not a list of 1 to 64 texts, such as "
	                    "[/usr/local/bin/list-targets, --all]\n"
	                    "DIR/./none: cannot be run: No such file or directory\n"
	                    "DIR/c.yaml:8:5: providers: exec: `deadline` cannot be `7`, expected a duration such as 30s or 5m, 1s to "
	                    "1440m\n"
	                    "/usr: cannot be run: Is a directory\n");
	free(reported);
	assert_int_equal(providing_load("  - {plugin: file, file: t.csv}\n  - {plugin: file, file: t.csv, grace: 1s}\n",
	                                &reported), E_INVAL);
	assert_string_equal(reported,
	                    "DIR/c.yaml:5:5: providers: file: is given twice with the same options, expected once\n");
	free(reported);
}

static void test_reload(void **unused)
{
	(void)unused;
	providing_write_script("p", SH "cd ${0%/*} || exit\necho x >>n\n" LIST(JSON_A) STAY);
	providing_write("t.csv", HEAD ROW_B);
	providing_load(EXEC "  - {plugin: file, file: t.csv}\n", NULL);
	providing_expect(A ";" B ";");
	// An entry that stays goes on, whatever is around it, with another grace time.
	providing_load("  - {plugin: exec, command: [./p], grace: 1s, health: probe}\n", NULL);
	providing_expect(A ";");
	providing_load("  - {plugin: file, file: t.csv}\n" EXEC, NULL);
	providing_expect(A ";" B ";");
	providing_load(EXEC, NULL);
	providing_expect(A ";");
	// Another rule of whose word counts is another use of the same targets.
	providing_turn(200);

	unsigned changes = providing_changes;

	providing_load("  - {plugin: exec, command: [./p], health: endpoints}\n", NULL);
	providing_turn(200);
	assert_int_equal(providing_changes, changes + 1);
	providing_load("  - {plugin: exec, command: [./p], health: endpoints, grace: 9s}\n", NULL);
	providing_turn(200);
	assert_int_equal(providing_changes, changes + 1);
	// One whose options change serves on until it knows better, and so does one that fails to load.
	char *reported;

	assert_int_equal(providing_load("  - {plugin: exec, command: [./none]}\n", &reported), E_INVAL);
	free(reported);
	providing_write_script("q", SH "sleep 1\n" LIST(JSON_B) STAY);
	providing_load("  - {plugin: exec, command: [./q], grace: 0s}\n", NULL);
	providing_expect(A " stale;");
	providing_expect(B ";");

	FILE *starts = fopen(strcat(strcpy((char[300]){0}, providing_folder), "/n"), "r");
	char lines[64];

	assert_non_null(starts);
	assert_int_equal(fread(lines, 1, sizeof(lines), starts), 2); // one start
	fclose(starts);
}

static void test_restart(void **unused)
{
	(void)unused;
	providing_write("t.csv", HEAD ROW_A ROW_B);
	providing_load("  - {plugin: file, file: t.csv}\n", NULL);
	providing_expect(A ";" B ";");
	assert_true(providing_close());
	assert_int_equal(unlink(strcat(strcpy((char[300]){0}, providing_folder), "/t.csv")), 0);
	providing_load("  - {plugin: file, file: t.csv, grace: 0s}\n", NULL);
	providing_expect(A " stale;" B " stale;");
	providing_turn(1500);
	providing_expect(A " stale;" B " stale;"); // the source is away
	providing_write("t.csv", HEAD ROW_B);
	providing_expect(B ";");
	assert_true(providing_close());
	// What has gone is gone; an entry with other options takes over.
	providing_write_script("p", SH STAY);
	providing_load("  - {plugin: file, file: u.csv}\n" EXEC, NULL);
	providing_expect(B " stale;");
	assert_true(providing_close());
	providing_load(EXEC, NULL);
	providing_expect("");
	assert_true(providing_close());
	providing_load("  - {plugin: file, file: u.csv}\n", NULL);
	providing_expect("");
}

// Grace: what vanishes is answered for so long, and is as it was when it comes back.
static void test_grace(void **unused)
{
	(void)unused;
	providing_write_script("p", SH LIST(JSON_A ", " JSON_B) "sleep 0.5\n" LIST("") "sleep 1\n" LIST(JSON_B) STAY);
	providing_load("  - {plugin: exec, command: [./p], grace: 3s}\n", NULL);
	providing_expect(A ";" B ";");

	int64_t began_ms = clock_mono_ms();

	providing_turn(2000);
	providing_expect(A ";" B ";");
	providing_expect(B ";");
	assert_in_range(clock_mono_ms() - began_ms, 3000, 4500);
	providing_turn(200);
	assert_int_equal(providing_changes, 2);
	// Said at once, and then together: what vanishes, comes back and goes.
	assert_int_equal(providing_logged("providers: exec: targets: 2 added: a.e.x at us-east-1 and 1 more"), 1);
	assert_int_equal(providing_logged("targets: "), 1);
	providing_expect_log("providers: exec: targets: 2 vanished from the source, 1 back in the source, 1 removed: a.e.x at us-east-1 "
	                     "and 3 more");
}

// A target whose servers are not ready has none just because its balancer is another one.
static void test_ready_stays(void **unused)
{
	(void)unused;
	providing_write("t.csv", "[{\"app\": \"a.e.x\", \"site\": \"us-east-1\", \"alias\": \"one.y\", \"ready\": false}]");
	providing_load("  - {plugin: file, file: t.csv}\n", NULL);
	providing_expect("a.e.x us-east-1 one.y unready;");
	providing_write("t.csv", "[{\"app\": \"a.e.x\", \"site\": \"us-east-1\", \"alias\": \"two.y\", \"ready\": false}]");
	providing_expect("a.e.x us-east-1 two.y unready;");
	assert_string_equal(providing_ready, "a.e.x us-east-1 unready;");
	providing_write("t.csv", "[{\"app\": \"a.e.x\", \"site\": \"us-east-1\", \"alias\": \"two.y\", \"ready\": true}]");
	providing_expect("a.e.x us-east-1 two.y ready;");
	assert_string_equal(providing_ready, "a.e.x us-east-1 unready;a.e.x us-east-1 ready;");
}

static void test_conflicts(void **unused)
{
	(void)unused;
	// Of two, the older; those with one load balancer are one; what has vanished gives way.
	providing_write("t.csv", "[{\"key\": \"k1\", \"app\": \"a.e.x\", \"site\": \"s\", \"alias\": \"new.x\", \"created\": 200},\n"
	                         "{\"key\": \"k2\", \"app\": \"a.e.x\", \"site\": \"s\", \"alias\": \"old.x\", \"created\": 100, "
	                         "\"ready\": false},\n"
	                         "{\"key\": \"k3\", \"app\": \"a.e.x\", \"site\": \"s\", \"alias\": \"old.x\", \"ready\": true}]\n");
	providing_write("u.csv", HEAD "a.e.x,s,192.0.2.9,,\n");
	providing_load("  - {plugin: file, file: t.csv}\n  - {plugin: file, file: u.csv}\n", NULL);
	providing_expect("a.e.x s old.x ready;");
	providing_expect_log("file t.csv: k1 is not used for a.e.x at s: k2 of file t.csv is, which is older");
	providing_expect_log("file u.csv: a.e.x s is not used for a.e.x at s: k2 of file t.csv is, which is older");
	providing_turn(1000);
	assert_int_equal(providing_logged("is not used"), 2);
	providing_write("t.csv", "[]");
	providing_expect("a.e.x s 192.0.2.9;");
}

static void test_many(void **unused)
{
	char *text = malloc(4 << 20), *at = text;
	struct provide_status status;
	static struct provider_report report;

	(void)unused;
	assert_non_null(text);
	at += sprintf(at, HEAD);
	for (int i = 0; i < 60000; i++)
		at += sprintf(at, "a%d.e.x,us-east-1,192.0.2.1,,\n", i);
	providing_write("t.csv", text);
	providing_load("  - {plugin: file, file: t.csv}\n", NULL);
	for (int i = 0; i < 1000; i++) {
		provide_status(providing, 0, &status, &report);
		if (status.targets == 60000)
			break;
		providing_turn(10);
	}
	assert_int_equal(status.targets, 60000);
	for (int i = 0; i < 10000; i++)
		at += sprintf(at, "b%d.e.x,us-east-1,192.0.2.1,,\n", i);
	providing_write("t.csv", text);
	providing_expect_log("over the limit of 65536 targets");
	provide_status(providing, 0, &status, &report);
	assert_int_equal(status.targets, 60000);
	free(text);
}

// ---- plugins that keep to the contract badly --------------------------------------------------------------------------

static void link_face(const char *name)
{
	const char *builddir = getenv("builddir");
	char built[PATH_MAX], link[600], relative[PATH_MAX];

	snprintf(relative, sizeof(relative), "%s/tests/plugins/faces.so", builddir ? builddir : ".");
	assert_non_null(realpath(relative, built));
	snprintf(link, sizeof(link), "%s/%s.so", providing_folder, name);
	assert_int_equal(symlink(built, link), 0);
}

static void test_hasty(void **unused)
{
	(void)unused;
	link_face("hasty");
	providing_load("  - {plugin: hasty, grace: 0s}\n", NULL);
	providing_expect(A ";");
	providing_expect_log("providers: hasty: has stopped by itself: it is called again in 1 s");
	providing_expect_log("it is called again in 2 s");
	providing_expect(A ";");
}

static void test_wrong(void **unused)
{
	struct provide_status status;
	static struct provider_report report;

	(void)unused;
	link_face("wrong");
	providing_load("  - {plugin: wrong}\n", NULL);
	providing_expect(A ";");
	providing_expect_log("breaks the plugin contract: put() without a complete target");
	providing_expect_log("providers: wrong: a target has no key: it is not used");
	providing_expect_log("two has 33 addresses, expected at most 32");
	providing_expect_log("two has the address ``, which is not that of a host");
	providing_expect_log("breaks the plugin contract: add() outside of enumerate()");
	providing_expect_log("breaks the plugin contract: source() with a state there is none of");
	providing_expect_log("a ?[31mpart: the source cannot be reached, its last targets serve on: why ? not");
	providing_turn(100);
	provide_status(providing, 0, &status, &report);
	assert_int_equal(report.part_count, PROVIDER_PARTS_MAX);
	assert_int_equal(status.targets, 1);
	providing_load("  - {plugin: file, file: none.csv}\n", NULL); // and it stops
	providing_turn(200);
	assert_int_equal(provide_count(providing), 1);
}

// One that does not stop is left running: what it tells is ignored, and nothing waits for it. Last: its thread stays.
static void test_stubborn(void **unused)
{
	int64_t began_ms;

	(void)unused;
	link_face("stubborn");
	providing_stop_ms = 300;
	providing_load("  - {plugin: stubborn}\n", NULL);
	providing_expect(A ";");
	began_ms = clock_mono_ms();
	providing_load("  - {plugin: file, file: none.csv}\n", NULL);
	assert_in_range(clock_mono_ms() - began_ms, 0, 200);
	providing_expect_log("providers: stubborn: has not stopped within 300 ms: it is left running");
	providing_turn(1500);
	providing_expect("");
	assert_int_equal(provide_count(providing), 2);
	began_ms = clock_mono_ms();
	assert_false(providing_close());
	assert_in_range(clock_mono_ms() - began_ms, 0, 2000);
}

int main(void)
{
#define ROW(name) cmocka_unit_test_setup_teardown(name, providing_setup, providing_teardown)
	const struct CMUnitTest tests[] = {
		ROW(test_file),    ROW(test_refused), ROW(test_lists),   ROW(test_changes),   ROW(test_ready),
		ROW(test_hostile), ROW(test_again),   ROW(test_noise),   ROW(test_entries),   ROW(test_reload),
		ROW(test_restart), ROW(test_grace),   ROW(test_ready_stays), ROW(test_conflicts), ROW(test_many),
		ROW(test_hasty),   ROW(test_wrong),   ROW(test_stubborn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
