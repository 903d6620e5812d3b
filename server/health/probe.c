// Verdict texts and event priority, shared by the probe types; see probe.h.
#include "health/probe.h"

#include <errno.h>
#include <event2/event_struct.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void probe_event_assign(struct event *event, struct event_base *base, evutil_socket_t fd, short what,
                        event_callback_fn callback, void *ctx)
{
	event_assign(event, base, fd, what, callback, ctx);
	event_priority_set(event, event_base_get_npriorities(base) - 1);
}

void probe_verdict(struct verdict *verdict, enum health_layer layer, const char *fmt, ...)
{
	va_list ap;

	verdict->layer = layer;
	va_start(ap, fmt);
	vsnprintf(verdict->text, sizeof(verdict->text), fmt, ap);
	va_end(ap);
	for (char *at = verdict->text; *at; at++)
		if (*at < 0x20 || *at > 0x7e)
			*at = '?';
}

bool probe_is_local(int error)
{
	return error == EMFILE || error == ENFILE || error == ENOBUFS || error == ENOMEM || error == EADDRNOTAVAIL ||
	       error == EAGAIN; // no port is left for UDP
}

void probe_verdict_connect(struct verdict *verdict, const struct probe *probe, int error)
{
	struct sockaddr_storage name;
	char text[ADDR_TEXT_LEN];

	addr_to_sockaddr(&probe->addr, probe->check->conf.port, &name);
	probe_verdict(verdict, probe_is_local(error) ? HEALTH_LOCAL : HEALTH_CONNECT, "connect to %s: %s",
	              addr_format_endpoint(&name, text), strerror(error));
}
