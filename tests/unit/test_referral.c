// Referrals, compressed: whatever the delegation and however the question got there, ldns reads the records that the zone
// has, and they are small. Oracle: the zone as it was made up, and ldns.
#include "dig.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { CUTS = 24, SERVERS_MAX = 14, ROUNDS = 30, QUESTIONS = 120, TEXT_MAX = 256 * 1024, LINES_MAX = 64, LINE_ROOM = 600 };

static const char config_text[] = "domains: {edge.example: {file: zone}}\n";
static const char head_text[] = "$TTL 300\n@ SOA ns.elsewhere. host 1 2 3 4 60\n@ NS ns.elsewhere.\n";

static uint64_t rng_state = 88172645463325252u;

static unsigned draw(unsigned below)
{
	rng_state ^= rng_state << 13;
	rng_state ^= rng_state >> 7;
	rng_state ^= rng_state << 17;
	return (unsigned)(rng_state % below);
}

struct lines {
	char text[LINES_MAX][LINE_ROOM];
	size_t count;
};

struct cut {
	char name[256];
	struct lines ns, glue, siblings; // what a referral has, as ldns prints it, in lower case
};

static struct cut cuts[CUTS];
static char zone_text[TEXT_MAX];

__attribute__((format(printf, 2, 3))) static void add(struct lines *lines, const char *fmt, ...)
{
	va_list ap;

	assert_true(lines->count < LINES_MAX);
	va_start(ap, fmt);
	vsnprintf(lines->text[lines->count++], LINE_ROOM, fmt, ap);
	va_end(ap);
}

__attribute__((format(printf, 1, 2))) static void write_zone(const char *fmt, ...)
{
	size_t len = strlen(zone_text);
	va_list ap;

	va_start(ap, fmt);
	assert_true((size_t)vsnprintf(zone_text + len, TEXT_MAX - len, fmt, ap) < TEXT_MAX - len);
	va_end(ap);
}

// A name of random labels, from one letter to the longest.
static const char *labels(char *buf)
{
	static const unsigned lens[] = {1, 1, 2, 3, 5, 8, 20, 63};
	size_t at = 0;

	for (unsigned count = 1 + draw(3); count > 0 && at < 20; count--) {
		for (unsigned len = lens[draw(8)]; len > 0; len--)
			buf[at++] = (char)('a' + draw(3));
		buf[at++] = '.';
	}
	buf[at - 1] = '\0';
	return buf;
}

// One name server: below the delegation, elsewhere in the zone, or in another one; by one of a few names, so that they
// share labels with one another.
static void make_server(struct cut *cut, unsigned i)
{
	static const char *const elsewhere[] = {"a.ns.elsewhere.", "b.ns.elsewhere.", "ns.edge.example.org.", "example.", "."};
	char some[256], name[600];
	unsigned kind = draw(4);
	struct lines *addresses = kind == 0 ? &cut->glue : &cut->siblings;

	if (kind == 0)
		snprintf(name, sizeof(name), "ns%u.%.99s.edge.example.", i, cut->name);
	else if (kind == 1)
		snprintf(name, sizeof(name), "n%u.%.99s.%.99s.shared.edge.example.", i, cut->name, labels(some));
	else
		snprintf(name, sizeof(name), "%s%s", draw(2) ? "x." : "", elsewhere[draw(5)]);
	if (strcmp(name, "x..") == 0)
		strcpy(name, ".");
	for (size_t k = 0; k < cut->ns.count; k++) // no record is there twice
		if (strcmp(strstr(cut->ns.text[k], " NS ") + 4, name) == 0)
			return;
	write_zone("%s NS %s\n", cut->name, name);
	add(&cut->ns, "%s.edge.example. NS %s", cut->name, name);
	if (kind > 1)
		return;
	write_zone("%s A 192.0.2.%u\n", name, i);
	add(addresses, "%s A 192.0.2.%u", name, i);
	if (draw(2)) {
		write_zone("%s AAAA 2001:db8::%x\n", name, 0x10 + i);
		add(addresses, "%s AAAA 2001:db8::%x", name, 0x10 + i);
	}
}

// The k-th delegation is of a name of its own; "a<k>" is an alias below it, "c<k>" leads there by three more.
static void make_zone(void)
{
	char some[256];

	strcpy(zone_text, head_text);
	for (unsigned k = 0; k < CUTS; k++) {
		struct cut *cut = &cuts[k];

		memset(cut, 0, sizeof(*cut));
		snprintf(cut->name, sizeof(cut->name), "d%u.%s", k, labels(some));
		for (unsigned i = 1 + draw(SERVERS_MAX); i > 0; i--)
			make_server(cut, i);
		write_zone("a%u CNAME %s.%s\n", k, labels(some), cut->name);
		write_zone("c%u CNAME b%u\nb%u CNAME a.b%u\na.b%u CNAME a%u\n", k, k, k, k, k, k);
	}
}

static int compare(const void *a, const void *b)
{
	return strcmp(a, b);
}

static void lower(char *text)
{
	char *rdata = strstr(text, " NS ");

	for (char *at = text; *at; at++)
		if (*at >= 'A' && *at <= 'Z' && !(rdata && at > rdata && at < rdata + 4) && (rdata || at < strchr(text, ' ')))
			*at |= 0x20;
}

static void expect(const ldns_rr_list *list, struct lines *expected)
{
	struct lines got = {.count = 0};

	for (size_t i = 0; i < ldns_rr_list_rr_count(list); i++) {
		const ldns_rr *rr = ldns_rr_list_rr(list, i);
		char *owner = ldns_rdf2str(ldns_rr_owner(rr)), *type = ldns_rr_type2str(ldns_rr_get_type(rr)),
		     *rdata = ldns_rdf2str(ldns_rr_rdf(rr, 0));

		assert_int_equal(ldns_rr_ttl(rr), 300);
		add(&got, "%s %s %s", owner, type, rdata);
		lower(got.text[i]);
		free(owner);
		free(type);
		free(rdata);
	}
	qsort(got.text, got.count, LINE_ROOM, compare);
	qsort(expected->text, expected->count, LINE_ROOM, compare);
	for (size_t i = 0; i < got.count && i < expected->count; i++)
		assert_string_equal(got.text[i], expected->text[i]);
	assert_int_equal(got.count, expected->count);
}

// The question's case is the client's.
static void mix_case(char *name)
{
	for (; *name; name++)
		if (*name >= 'a' && *name <= 'z' && draw(2))
			*name &= (char)~0x20;
}

static void ask(struct cut *cut, unsigned k)
{
	char name[700], some[256];
	const unsigned how = draw(4);
	struct question question = {name, draw(2) ? "A" : "NS", .transport = TRANSPORT_TCP};
	struct lines additional;

	if (how == 0)
		snprintf(name, sizeof(name), "%s.edge.example", cut->name);
	else if (how == 1)
		snprintf(name, sizeof(name), "%s.%s.edge.example", labels(some), cut->name);
	else
		snprintf(name, sizeof(name), "%c%u.edge.example", how == 2 ? 'a' : 'c', k);
	mix_case(name);

	ldns_pkt *pkt = dig_ask(&question);

	assert_int_equal(ldns_pkt_get_rcode(pkt), 0);
	assert_int_equal(ldns_pkt_aa(pkt), how >= 2); // as the CNAMEs have it
	assert_int_equal(ldns_pkt_ancount(pkt), how < 2 ? 0 : how == 2 ? 1 : 4);
	expect(ldns_pkt_authority(pkt), &cut->ns);
	additional = cut->glue;
	for (size_t i = 0; i < cut->siblings.count; i++)
		add(&additional, "%s", cut->siblings.text[i]);
	expect(ldns_pkt_additional(pkt), &additional);
	ldns_pkt_free(pkt);
}

static void test_any_referral(void **state)
{
	(void)state;
	for (int round = 0; round < ROUNDS; round++) {
		make_zone();
		dig_begin(config_text, zone_text, "");
		for (int i = 0; i < QUESTIONS; i++) {
			unsigned k = draw(CUTS);

			ask(&cuts[k], k);
		}
		dig_end();
	}
}

static void make_twelve(const char *cut, const char *below)
{
	for (int i = 1; i <= 12; i++)
		write_zone("%s NS ns%d.%s\nns%d.%s A 192.0.2.%d\nns%d.%s AAAA 2001:db8::%d\n", cut, i, below, i, below, i, i,
		           below, i);
}

// Twelve name servers with both addresses are within what is sent over UDP: as NSD 4.6, 781 octets without OPT for names
// such as these.
static void test_size(void **state)
{
	static const struct question question = {"www.sub.edge.example", "A", NULL, 1232};
	ldns_pkt *pkt;

	(void)state;
	strcpy(zone_text, head_text);
	make_twelve("sub", "sub");
	dig_begin(config_text, zone_text, "");
	pkt = dig_ask(&question);
	assert_false(ldns_pkt_tc(pkt));
	assert_int_equal(ldns_pkt_nscount(pkt), 12);
	assert_int_equal(ldns_rr_list_rr_count(ldns_pkt_additional(pkt)), 24);
	// Header and question, 12 NS with one label and a pointer, addresses with a pointer, OPT.
	assert_int_equal(dig_reply_len, 12 + 26 + 9 * (12 + 6) + 3 * (12 + 7) + 12 * (12 + 4 + 12 + 16) + 11);
	ldns_pkt_free(pkt);
	dig_end();
}

// With their addresses, they are more than 512 octets; without the addresses they are not. RFC 9471 section 3.
static void test_glue(void **state)
{
	static const struct {
		struct question question;
		bool truncated;
		int authority, additional;
	} rows[] = {
		{{"kin.edge.example", "A"}, false, 12, 0}, // sibling glue may be left out
		{{"kin.edge.example", "A", NULL, 1232}, false, 12, 24},
		{{"kid.edge.example", "A"}, true, 0, 0}, // in-domain glue may not
		{{"kid.edge.example", "A", NULL, 1232}, false, 12, 24},
	};

	(void)state;
	strcpy(zone_text, head_text);
	make_twelve("kin", "sib");
	make_twelve("kid", "kid");
	dig_begin(config_text, zone_text, "");
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ldns_pkt *pkt = dig_ask(&rows[i].question);

		print_message("   row %zu\n", i);
		assert_int_equal(ldns_pkt_tc(pkt), rows[i].truncated);
		assert_int_equal(ldns_pkt_nscount(pkt), rows[i].authority);
		assert_int_equal(ldns_rr_list_rr_count(ldns_pkt_additional(pkt)), rows[i].additional);
		ldns_pkt_free(pkt);
	}
	dig_end();
}

// Long names with nothing in common but the end: the last of those that are remembered would be further into the message
// than a pointer reaches, so that their addresses have them in full.
static void test_reach(void **state)
{
	static const struct question question = {"www.sub.edge.example", "A", .transport = TRANSPORT_TCP};
	enum { LONG = 60 };
	ldns_pkt *pkt;

	(void)state;
	strcpy(zone_text, head_text);
	for (int i = 1; i <= LONG; i++)
		write_zone("sub NS %1$055d.%2$055d.%3$055d.%4$055d.sub\n%1$055d.%2$055d.%3$055d.%4$055d.sub A 10.0.0.%1$d\n", i, i + 100,
		           i + 200, i + 300);
	dig_begin(config_text, zone_text, "");
	pkt = dig_ask(&question);
	assert_int_equal(ldns_pkt_nscount(pkt), LONG);
	assert_int_equal(ldns_rr_list_rr_count(ldns_pkt_additional(pkt)), LONG);
	for (size_t i = 0; i < LONG; i++) {
		const ldns_rr *ns = ldns_rr_list_rr(ldns_pkt_authority(pkt), i), *a = ldns_rr_list_rr(ldns_pkt_additional(pkt), i);
		char *address = ldns_rdf2str(ldns_rr_rdf(a, 0)), *target = ldns_rdf2str(ldns_rr_rdf(ns, 0)), expected[300];

		snprintf(expected, sizeof(expected), "%055zu.%055zu.%055zu.%055zu.sub.edge.example.", i + 1, i + 101, i + 201, i + 301);
		assert_string_equal(target, expected);
		assert_int_equal(ldns_dname_compare(ldns_rr_owner(a), ldns_rr_rdf(ns, 0)), 0);
		snprintf(expected, sizeof(expected), "10.0.0.%zu", i + 1);
		assert_string_equal(address, expected);
		free(address);
		free(target);
	}
	// Each name once among the NS records. Were the others pointers all, the addresses would take 16 octets each.
	assert_true(dig_reply_len > LONG * (4 * 56 + 14) + LONG * 16 + 4 * 56);
	ldns_pkt_free(pkt);
	dig_end();
}

// More names than are remembered, and records further than a pointer reaches.
static void test_large(void **state)
{
	static const struct question question = {"www.sub.edge.example", "A", .transport = TRANSPORT_TCP};
	enum { MANY = 900 };
	ldns_pkt *pkt;

	(void)state;
	strcpy(zone_text, head_text);
	for (int i = 1; i <= MANY; i++)
		write_zone("sub NS a-name-server-%d.of.%d.sub\na-name-server-%d.of.%d.sub A 10.0.%d.%d\n", i, i % 7, i, i % 7,
		           i / 256, i % 256);
	dig_begin(config_text, zone_text, "");
	pkt = dig_ask(&question);
	assert_int_equal(ldns_pkt_nscount(pkt), MANY);
	assert_int_equal(ldns_rr_list_rr_count(ldns_pkt_additional(pkt)), MANY);
	for (size_t i = 0; i < MANY; i++) {
		const ldns_rr *ns = ldns_rr_list_rr(ldns_pkt_authority(pkt), i), *a = ldns_rr_list_rr(ldns_pkt_additional(pkt), i);
		char *address = ldns_rdf2str(ldns_rr_rdf(a, 0)), expected[64], *target = ldns_rdf2str(ldns_rr_rdf(ns, 0));

		snprintf(expected, sizeof(expected), "a-name-server-%zu.of.%zu.sub.edge.example.", i + 1, (i + 1) % 7);
		assert_string_equal(target, expected);
		assert_int_equal(ldns_dname_compare(ldns_rr_owner(a), ldns_rr_rdf(ns, 0)), 0);
		snprintf(expected, sizeof(expected), "10.0.%zu.%zu", (i + 1) / 256, (i + 1) % 256);
		assert_string_equal(address, expected);
		free(address);
		free(target);
	}
	ldns_pkt_free(pkt);
	dig_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_any_referral),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_glue),
		cmocka_unit_test(test_reach),
		cmocka_unit_test(test_large),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
