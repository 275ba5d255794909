/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * runtimeConfig.portMappings as host ports that the store leases: for modes with leases_ports. They
 * are read from the attachment, because a mode may have given a blank one a meaning.
 */
#include <errno.h>

#include "cni/prepare.h"

static struct store_port host_port(const struct attachment *a, unsigned i)
{
	const struct port *p = &a->ports[i];

	return (struct store_port){ .port = (uint16_t)p->host_port,
				    .protocol = (uint8_t)p->protocol,
				    .host_ip = p->host_ip };
}

static int judge_port(const struct attachment *a, unsigned i, struct err *e)
{
	const struct store_port mine = host_port(a, i);
	char text[STORE_PORT_TEXT];

	for (unsigned k = 0; mine.port && k < i; k++) {
		const struct store_port other = host_port(a, k);

		if (!store_port_conflict(&mine, &other))
			continue;
		err_set(e, ERR_CONFIG, 0,
			"runtimeConfig.portMappings[%u] and [%u]: both want host port %s", k, i,
			store_port_text(&mine, text));
		err_hint(e, "a host port leads to one port of a container: leave one of them out");
		return -EINVAL;
	}
	return 0;
}

int ports_judge(const struct attachment *a, struct err *e)
{
	int r = 0;

	for (unsigned i = 0; i < a->n_ports && !r; i++)
		r = judge_port(a, i, e);
	return r;
}

int ports_wish(const struct add *add, struct store_port ret[static STORE_PORTS],
	       struct lease_wish *wish, struct err *e)
{
	const struct attachment *a = &add->a;
	bool dynamic = false;

	for (unsigned i = 0; i < a->n_ports; i++) {
		ret[i] = host_port(a, i);
		dynamic |= !ret[i].port;
	}
	wish->ports = ret;
	wish->n_ports = a->n_ports;
	if (!dynamic || !add->mode->dynamic_ports)
		return 0;
	return add->mode->dynamic_ports(&add->conf, &wish->dynamic_first, &wish->dynamic_last, e);
}
