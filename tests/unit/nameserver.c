// The scripted resolver; see nameserver.h. ldns makes the messages.
#include "nameserver.h"

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <ldns/ldns.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "base/attr.h"
#include "base/must.h"

enum { MESSAGE_MAX = 65535 };

static struct nameserver_row *find(const struct nameserver *server, const char *name)
{
	for (size_t i = 0; i < server->row_count; i++)
		if (strcasecmp(server->rows[i].name, name) == 0)
			return &server->rows[i];
	return NULL;
}

static void push(ldns_pkt *reply, const char *name, uint32_t ttl_s, const char *type, const char *data)
{
	char line[1024];
	ldns_rr *rr = NULL;

	snprintf(line, sizeof(line), "%s. %u IN %s %s", name, ttl_s, type, data);
	must(ldns_rr_new_frm_str(&rr, line, 0, NULL, NULL) == LDNS_STATUS_OK);
	must(ldns_pkt_push_rr(reply, LDNS_SECTION_ANSWER, rr));
}

static void push_all(ldns_pkt *reply, const char *name, uint32_t ttl_s, const char *type, const char *list)
{
	char copy[1024], *rest = copy, *word;

	snprintf(copy, sizeof(copy), "%s", list ? list : "");
	while ((word = strsep(&rest, " ")))
		if (*word)
			push(reply, name, ttl_s, type, word);
}

static void push_cname(ldns_pkt *reply, const struct nameserver_row *row)
{
	char data[300];

	snprintf(data, sizeof(data), "%s.", row->cname);
	push(reply, row->name, row->ttl_s, "CNAME", data);
}

// Follows CNAMEs from row to row; a circle ends after a few rounds.
static void push_rows(const struct nameserver *server, ldns_pkt *reply, const struct nameserver_row *row, bool is_a)
{
	for (int depth = 0; row && depth < 20; depth++) {
		char text[32];

		if (row->cname && !row->is_cname_last)
			push_cname(reply, row);
		push_all(reply, row->name, row->ttl_s, is_a ? "A" : "AAAA", is_a ? row->a : row->aaaa);
		for (unsigned i = 0; is_a && i < row->many; i++) {
			snprintf(text, sizeof(text), "10.0.%u.%u", 255 - i / 250, 255 - i % 250);
			push(reply, row->name, row->ttl_s, "A", text);
		}
		const struct nameserver_row *next = row->cname ? find(server, row->cname) : NULL;

		if (row->is_cname_last) {
			push_all(reply, row->cname, row->ttl_s, is_a ? "A" : "AAAA", next && is_a ? next->a : next ? next->aaaa : NULL);
			push_cname(reply, row);
			break;
		}
		row = next;
	}
}

// Writes the reply into out[MESSAGE_MAX]; returns its length, 0: none. `forged`: a forged reply of this length at first.
static size_t answer(struct nameserver *server, const uint8_t *octets, size_t len, bool is_tcp, uint8_t *out)
{
	ldns_pkt *query = NULL, *reply = ldns_pkt_new();
	uint8_t *wire = NULL;
	size_t wire_len = 0;

	must(ldns_wire2pkt(&query, octets, len) == LDNS_STATUS_OK);

	ldns_rr *question = ldns_rr_list_rr(ldns_pkt_question(query), 0);
	char *name = ldns_rdf2str(ldns_rr_owner(question));
	bool is_a = ldns_rr_get_type(question) == LDNS_RR_TYPE_A;

	name[strlen(name) - 1] = '\0';

	struct nameserver_row *row = find(server, name);
	enum nameserver_mode mode = row ? row->mode : NAMESERVER_NXDOMAIN;

	if (row && is_a)
		row->asked++;
	ldns_pkt_set_id(reply, ldns_pkt_id(query));
	ldns_pkt_set_qr(reply, true);
	ldns_pkt_set_rd(reply, true);
	ldns_pkt_set_ra(reply, true);
	ldns_pkt_push_rr(reply, LDNS_SECTION_QUESTION, ldns_rr_clone(question));
	if (mode == NAMESERVER_NXDOMAIN)
		ldns_pkt_set_rcode(reply, LDNS_RCODE_NXDOMAIN);
	else if (mode == NAMESERVER_SERVFAIL)
		ldns_pkt_set_rcode(reply, LDNS_RCODE_SERVFAIL);
	else if (mode == NAMESERVER_TRUNCATED && !is_tcp)
		ldns_pkt_set_tc(reply, true);
	else
		push_rows(server, reply, row, is_a);
	must(ldns_pkt2wire(&wire, reply, &wire_len) == LDNS_STATUS_OK && wire_len <= MESSAGE_MAX);
	memcpy(out, wire, wire_len);
	if (mode == NAMESERVER_GARBAGE)
		memset(out + 12, 0xff, wire_len - 12);
	if (mode == NAMESERVER_CUT)
		wire_len -= 3;
	if (mode == NAMESERVER_SILENT || (row && row->is_aaaa_silent && !is_a))
		wire_len = 0;
	LDNS_FREE(name);
	LDNS_FREE(wire);
	ldns_pkt_free(query);
	ldns_pkt_free(reply);
	return wire_len;
}

static void on_udp(evutil_socket_t fd, short what, void *arg)
{
	static uint8_t in[MESSAGE_MAX], out[MESSAGE_MAX];
	struct nameserver *server = arg;
	struct sockaddr_in from;
	socklen_t from_len = sizeof(from);
	ssize_t len = recvfrom(fd, in, sizeof(in), 0, (struct sockaddr *)&from, &from_len);

	(void)what;
	if (len <= 0)
		return;
	server->udp++;

	size_t out_len = answer(server, in, (size_t)len, false, out);
	bool is_forged = false;

	for (size_t i = 0; i < server->row_count; i++)
		is_forged |= server->rows[i].mode == NAMESERVER_WRONG_ID;
	if (is_forged && out_len > 4) {
		uint8_t last = out[out_len - 1];

		out[0] ^= 0x55;
		out[out_len - 1] = 66; // the address in it
		sendto(fd, out, out_len, 0, (struct sockaddr *)&from, from_len);
		out[0] ^= 0x55;
		out[out_len - 1] = last;
	}
	if (out_len)
		sendto(fd, out, out_len, 0, (struct sockaddr *)&from, from_len);
}

static void on_tcp(struct bufferevent *bev, void *arg)
{
	static uint8_t out[MESSAGE_MAX];
	struct nameserver *server = arg;
	struct evbuffer *input = bufferevent_get_input(bev);
	uint8_t *octets = evbuffer_pullup(input, -1);
	size_t have = evbuffer_get_length(input);

	while (have >= 2 && have >= 2u + (size_t)(octets[0] << 8 | octets[1])) {
		size_t len = (size_t)(octets[0] << 8 | octets[1]);
		size_t out_len = answer(server, octets + 2, len, true, out);
		uint8_t prefix[2] = {(uint8_t)(out_len >> 8), (uint8_t)out_len};

		server->tcp++;
		bufferevent_write(bev, prefix, 2);
		bufferevent_write(bev, out, out_len);
		evbuffer_drain(input, 2 + len);
		octets = evbuffer_pullup(input, -1);
		have = evbuffer_get_length(input);
	}
}

static void on_end(struct bufferevent *bev, short what, void *arg)
{
	struct nameserver *server = arg;

	(void)what;
	for (size_t i = 0; i < ARRAY_LEN(server->open); i++)
		if (server->open[i] == bev)
			server->open[i] = NULL;
	bufferevent_free(bev);
}

static void on_accept(struct evconnlistener *listener, evutil_socket_t fd, struct sockaddr *from, int len, void *arg)
{
	struct nameserver *server = arg;
	struct bufferevent *bev = bufferevent_socket_new(server->base, fd, BEV_OPT_CLOSE_ON_FREE);

	(void)listener;
	(void)from;
	(void)len;
	for (size_t i = 0; i < ARRAY_LEN(server->open); i++)
		if (!server->open[i]) {
			server->open[i] = bev;
			break;
		}
	bufferevent_setcb(bev, on_tcp, NULL, on_end, server);
	bufferevent_enable(bev, EV_READ | EV_WRITE);
}

// A port of its own for UDP and TCP; false: somebody else has it for TCP.
static bool try_port(struct nameserver *server)
{
	struct sockaddr_in name = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t len = sizeof(name);

	server->fd = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	must(server->fd >= 0 && bind(server->fd, (struct sockaddr *)&name, len) == 0);
	must(getsockname(server->fd, (struct sockaddr *)&name, &len) == 0);
	server->port = ntohs(name.sin_port);
	server->listener = evconnlistener_new_bind(server->base, on_accept, server, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_REUSEABLE,
	                                           -1, (struct sockaddr *)&name, sizeof(name));
	if (!server->listener)
		close(server->fd);
	return server->listener != NULL;
}

void nameserver_open(struct nameserver *server, struct event_base *base)
{
	server->base = base;
	while (!try_port(server))
		;
	server->event = event_new(base, server->fd, EV_READ | EV_PERSIST, on_udp, server);
	must(server->event && event_add(server->event, NULL) == 0);
}

void nameserver_close(struct nameserver *server)
{
	for (size_t i = 0; i < ARRAY_LEN(server->open); i++)
		if (server->open[i])
			bufferevent_free(server->open[i]);
	event_free(server->event);
	close(server->fd);
	evconnlistener_free(server->listener);
}
