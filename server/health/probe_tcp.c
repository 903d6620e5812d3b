// The TCP probe: a connection that is established is a success, and closed at once. See probe.h.
#include "health/probe.h"

#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/must.h"

struct run {
	struct probe *probe;
	struct event event;
	int fd;
	int error; // errno of a connect that failed at once
};

// The event base is all that the probes share.
static void *tcp_open(struct event_base *base)
{
	return base;
}

static void tcp_close(void *engine)
{
	(void)engine;
}

static void tcp_cancel(struct probe *probe)
{
	struct run *run = probe->run;

	must(run && run->probe == probe);
	event_del(&run->event);
	close(run->fd);
	free(run);
	probe->run = NULL;
}

static void on_writable(evutil_socket_t fd, short what, void *ctx)
{
	struct run *run = ctx;
	struct probe *probe = run->probe;
	struct verdict verdict;
	int error = run->error;
	socklen_t len = sizeof(error);

	(void)what;
	if (!error && getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0)
		error = errno;
	if (error)
		probe_verdict_connect(&verdict, probe, error);
	else
		probe_verdict(&verdict, HEALTH_OK, "connected");
	tcp_cancel(probe);
	probe->done(probe, &verdict);
}

static int tcp_start(void *engine, struct probe *probe)
{
	struct sockaddr_storage name;
	socklen_t len = addr_to_sockaddr(&probe->addr, probe->check->conf.port, &name);
	struct run *run = malloc(sizeof(*run));

	if (!run)
		return E_NOMEM;

	int fd = socket(name.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0) {
		free(run); // preserves errno
		return E_IO;
	}
	*run = (struct run){.probe = probe, .fd = fd};
	probe_event_assign(&run->event, engine, fd, EV_WRITE, on_writable, run);
	probe->run = run;
	if (connect(fd, (struct sockaddr *)&name, len) < 0 && errno != EINPROGRESS)
		run->error = errno;
	else if (event_add(&run->event, NULL) < 0)
		run->error = ENOMEM;
	if (run->error)
		event_active(&run->event, EV_WRITE, 0);
	return E_OK;
}

static const char *tcp_stage(const struct probe *probe)
{
	(void)probe;
	return "connecting";
}

const struct probe_type tcp_probe = {
	.open = tcp_open,
	.close = tcp_close,
	.start = tcp_start,
	.cancel = tcp_cancel,
	.stage = tcp_stage,
};
