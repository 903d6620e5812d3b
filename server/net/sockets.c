// Binds sockets or takes them from systemd; see sockets.h.
#include "net/sockets.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/addr.h"
#include "base/attr.h"
#include "base/err.h"
#include "base/must.h"
#include "base/report.h"

enum {
	UDP_BUFFER = 4 << 20, // octets requested from the kernel, so that a burst is queued rather than dropped
	TCP_BACKLOG = 1024,
	ACTIVATION_FIRST_FD = 3, // sd_listen_fds(3)
};

static void set(int fd, int level, int option, int value)
{
	// Best effort: the server also works on an old kernel without some of these.
	(void)setsockopt(fd, level, option, &value, sizeof(value));
}

static bool is_wildcard(const struct sockaddr_storage *name)
{
	struct addr addr = addr_of_sockaddr(name);
	static const uint8_t zero[16];

	return memcmp(addr.bytes, zero, sizeof(zero)) == 0;
}

static void tune_udp(int fd, int family, bool wildcard)
{
	set(fd, SOL_SOCKET, SO_RCVBUF, UDP_BUFFER);
	set(fd, SOL_SOCKET, SO_SNDBUF, UDP_BUFFER);
	// Path MTU messages can be forged to make us fragment; our replies are small, so they are ignored.
	if (family == AF_INET) {
		set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
		if (wildcard)
			set(fd, IPPROTO_IP, IP_PKTINFO, 1);
	} else {
		set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT);
		if (wildcard)
			set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
	}
}

static void tune_tcp(int fd, int family, bool wildcard)
{
	(void)family;
	(void)wildcard;
	set(fd, IPPROTO_TCP, TCP_NODELAY, 1); // inherited by accepted connections
}

// How each transport's sockets are set up.
static const struct {
	int type;
	bool blocking;   // a UDP worker sleeps in its receive call
	bool reuse_addr; // connections left in TIME_WAIT by a restart do not block the address
	int backlog;     // 0: it does not listen
	void (*tune)(int fd, int family, bool wildcard); // sets further options, also on sockets passed by systemd
} setups[TRANSPORT_COUNT] = {
	[TRANSPORT_UDP] = {SOCK_DGRAM, true, false, 0, tune_udp},
	[TRANSPORT_TCP] = {SOCK_STREAM, false, true, TCP_BACKLOG, tune_tcp},
};

// The transports that each address in `listen` is opened for.
static const enum transport opened[] = {TRANSPORT_UDP, TRANSPORT_TCP};

static int bind_one(const struct sockaddr_storage *name, socklen_t len, enum transport transport)
{
	int flags = SOCK_CLOEXEC | (setups[transport].blocking ? 0 : SOCK_NONBLOCK), backlog = setups[transport].backlog;
	int fd = socket(name->ss_family, setups[transport].type | flags, 0);

	if (fd < 0)
		return -1;
	set(fd, SOL_SOCKET, SO_REUSEADDR, setups[transport].reuse_addr);
	set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	if (name->ss_family == AF_INET6)
		set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1); // "0.0.0.0" and "::" are two sockets
	setups[transport].tune(fd, name->ss_family, is_wildcard(name));
	if (bind(fd, (const struct sockaddr *)name, len) == 0 && (!backlog || listen(fd, backlog) == 0))
		return fd;

	int saved = errno;

	close(fd);
	errno = saved;
	return -1;
}

static bool is_free(const struct sockaddr_storage *name, socklen_t len, enum transport transport)
{
	int fd = socket(name->ss_family, setups[transport].type | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return false;
	set(fd, SOL_SOCKET, SO_REUSEADDR, setups[transport].reuse_addr);
	if (name->ss_family == AF_INET6)
		set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);

	int failed = bind(fd, (const struct sockaddr *)name, len), saved = errno;

	close(fd);
	errno = saved;
	return !failed;
}

static void refuse_address(const char *text, enum transport transport, struct report *report)
{
	const char *help = errno == EACCES          ? ": a port this low needs root or CAP_NET_BIND_SERVICE"
	                   : errno == EADDRNOTAVAIL ? ": not an address of this machine"
	                                            : "";

	report_error(report, NULL, 0, 0, "listen: %s over %s: %s%s", text, transport_rows[transport].name, strerror(errno),
	             help);
}

// With SO_REUSEPORT a socket shares its address with those of any process of the same user: another daemon there would
// silently take part of the queries. So each address is first bound without it, and closed again. All are checked
// before any is bound for good, as our own wildcard address would fail the check of our other addresses.
static void check_address(const char *text, struct report *report)
{
	struct sockaddr_storage name;
	socklen_t len;

	if (addr_parse_endpoint(text, 53, &name, &len) < 0) {
		report_error(report, NULL, 0, 0, "listen: \"%s\" is not ADDRESS@PORT", text);
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(opened); i++)
		if (!is_free(&name, len, opened[i])) {
			refuse_address(text, opened[i], report);
			return;
		}
}

static void bind_address(struct sockets *sockets, const char *text, struct report *report)
{
	struct sockaddr_storage name;
	socklen_t len;

	if (addr_parse_endpoint(text, 53, &name, &len) < 0)
		return; // reported by check_address()
	for (size_t i = 0; i < sockets->sets * ARRAY_LEN(opened); i++) {
		enum transport transport = opened[i % ARRAY_LEN(opened)];
		unsigned in_set = (unsigned)(i / ARRAY_LEN(opened));
		int fd = bind_one(&name, len, transport);

		if (fd < 0) {
			refuse_address(text, transport, report);
			return;
		}
		sockets->list[sockets->count++] = (struct socket){fd, transport, is_wildcard(&name), in_set, false};
	}
}

// How many sockets systemd passed to this process.
static unsigned passed_count(void)
{
	const char *pid = getenv("LISTEN_PID"), *fds = getenv("LISTEN_FDS");
	unsigned long count = pid && fds && strtol(pid, NULL, 10) == getpid() ? strtoul(fds, NULL, 10) : 0;

	return count <= SOCKETS_LISTEN_MAX ? (unsigned)count : SOCKETS_LISTEN_MAX;
}

size_t sockets_workers_max(size_t listen_count, unsigned sets)
{
	unsigned passed = passed_count();

	return sets * ((passed ? passed : listen_count) + 1);
}

static void take_passed(struct sockets *sockets, int fd, struct report *report)
{
	struct sockaddr_storage name = {0};
	socklen_t len = sizeof(name), type_len = sizeof(int);
	int type = 0;

	if (getsockname(fd, (struct sockaddr *)&name, &len) < 0 ||
	    getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &type_len) < 0 ||
	    (name.ss_family != AF_INET && name.ss_family != AF_INET6) || (type != SOCK_DGRAM && type != SOCK_STREAM)) {
		report_error(report, NULL, 0, 0, "socket %d passed by the service manager is not UDP or TCP over IP", fd);
		return;
	}

	enum transport transport = type == SOCK_STREAM ? TRANSPORT_TCP : TRANSPORT_UDP;
	int flags = fcntl(fd, F_GETFL);

	fcntl(fd, F_SETFD, FD_CLOEXEC);
	fcntl(fd, F_SETFL, setups[transport].blocking ? flags & ~O_NONBLOCK : flags | O_NONBLOCK);
	setups[transport].tune(fd, name.ss_family, is_wildcard(&name));
	sockets->list[sockets->count++] = (struct socket){fd, transport, is_wildcard(&name), 0, true};
}

int sockets_open(const char *const *listen, size_t listen_count, unsigned sets, struct report *report,
                 struct sockets **ret_sockets)
{
	unsigned passed = passed_count();
	size_t max = passed ? passed : listen_count * sets * ARRAY_LEN(opened);
	struct sockets *sockets = calloc(1, sizeof(*sockets));
	size_t errors = report_count(report, REPORT_ERROR);

	must(sets > 0);
	if (!sockets || !(sockets->list = calloc(max ? max : 1, sizeof(*sockets->list)))) {
		sockets_close(sockets);
		return E_NOMEM;
	}
	sockets->sets = sets;
	unsetenv("LISTEN_PID"); // not for child processes
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	for (unsigned i = 0; i < passed; i++)
		take_passed(sockets, ACTIVATION_FIRST_FD + (int)i, report);
	for (size_t i = 0; !passed && i < listen_count; i++)
		check_address(listen[i], report);
	for (size_t i = 0; !passed && i < listen_count && report_count(report, REPORT_ERROR) == errors; i++)
		bind_address(sockets, listen[i], report);
	must(sockets->count <= max);
	if (report_count(report, REPORT_ERROR) != errors) {
		sockets_close(sockets);
		return E_IO;
	}
	*ret_sockets = sockets;
	return E_OK;
}

struct sockets *sockets_close(struct sockets *sockets)
{
	if (!sockets)
		return NULL;
	for (size_t i = 0; i < sockets->count; i++)
		close(sockets->list[i].fd);
	free(sockets->list);
	free(sockets);
	return NULL;
}
