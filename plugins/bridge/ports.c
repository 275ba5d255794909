/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Published ports: what they may be, and where a host port of 0 comes from. */
#include "bridge.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#define FIRST_UNPRIVILEGED  1024
#define LAST_PORT           65535
#define DYNAMIC_PORTS_LEAST 1000

static const char local_range[] = "net.ipv4.ip_local_port_range";

/* ---- dynamic ports ---- */

/* Behind the kernel's range, where services are rare; in front if there is no room. */
static int choose_range(const struct port_range *local, struct port_range *ret, struct err *e)
{
	if (local->last < LAST_PORT - DYNAMIC_PORTS_LEAST)
		*ret = (struct port_range){ local->last + 1, LAST_PORT };
	else
		*ret = (struct port_range){ FIRST_UNPRIVILEGED, local->first - 1 };
	if (local->first > 1 && ret->first <= ret->last)
		return 0;
	err_set(e, ERR_CONFIG, 0,
		"dynamicPortRange: %s is %lu-%lu and leaves no ports for a hostPort of 0",
		local_range, local->first, local->last);
	err_hint(e, "give each port a hostPort, or make that range smaller");
	return -EINVAL;
}

/* The configured one, which must keep clear of the kernel's. */
static int read_range(const char *text, const struct port_range *local, struct port_range *ret,
		      struct err *e)
{
	if (!port_range_parse(text, "-", ret)) {
		err_set(e, ERR_CONFIG, 0, "dynamicPortRange: \"%s\" is no range of ports", text);
		err_hint(e, "allowed: \"FIRST-LAST\" within 1-65535, such as \"61000-65535\"");
		return -EINVAL;
	}
	if (ret->last < local->first || local->last < ret->first)
		return 0;
	err_set(e, ERR_CONFIG, 0,
		"dynamicPortRange: \"%s\" overlaps with %lu-%lu, the ports of outgoing connections",
		text, local->first, local->last);
	err_hint(e, "choose ports outside %s", local_range);
	return -EINVAL;
}

int bridge_dynamic_ports(const struct netconf *c, uint16_t *first, uint16_t *last, struct err *e)
{
	const char *configured = bridge_conf(c)->dynamic_ports;
	struct port_range local, range;
	int r = port_range_local(&local, e);

	if (r == 0)
		r = *configured ? read_range(configured, &local, &range, e)
				: choose_range(&local, &range, e);
	if (r < 0)
		return r;
	*first = (uint16_t)range.first;
	*last = (uint16_t)range.last;
	return 0;
}

/* Of a network that publishes ports as the kernel gives them, nothing can overlap. */
int bridge_judge_ranges(const struct netconf *c, const struct nat *nat, struct err *e)
{
	uint16_t first = 0, last = 0;
	int r = nat->first ? bridge_dynamic_ports(c, &first, &last, e) : 0;

	if (r < 0 && !bridge_conf(c)->dynamic_ports[0])
		return 0; /* told by the first dynamic port */
	if (r < 0 || !nat->first || last < nat->first || nat->last < first)
		return r;
	err_set(e, ERR_CONFIG, 0,
		"dynamicPortRange: %u-%u overlaps with %u-%u, the ports of masqueraded flows", first,
		last, nat->first, nat->last);
	err_hint(e, "choose ports outside of masqueradePortRange, or change that (it is one for all "
		    "networks of the host)");
	return -EINVAL;
}

/* ---- port mappings ---- */

/* Addresses that no packet for a host bears. */
static bool of_no_host(const struct ip *ip)
{
	static const char *const blocks[] = { "0.0.0.0/8", "224.0.0.0/4", "240.0.0.0/4",
					      "ff00::/8" };
	struct cidr block;

	for (size_t i = 0; i < ARRAY_SIZE(blocks); i++)
		if (cidr_parse(blocks[i], &block) && cidr_contains(&block, ip))
			return true;
	return false;
}

/* Return: why nobody would ever reach a port at this address, NULL if somebody may. */
static const char *why_dead(const struct ip *ip, const struct bridge_conf *own)
{
	if (!ip_is_set(ip) || ip_is_unspecified(ip))
		return NULL;
	if (of_no_host(ip))
		return "it can be no address of a host";
	if (ip->family == AF_INET6 && ip_is_loopback(ip))
		return "Linux takes nothing from there to a task";
	if (ip->family == AF_INET6 && ip_is_link_local(ip))
		return "a link-local address says nothing without its interface";
	if (ip_is_loopback(ip) && !own->snat)
		return "with snat: false, 127.0.0.0/8 reaches no task";
	return NULL;
}

/* A dynamic port needs a container port to lead to; a port of the container needs a number. */
static int judge_port(const struct netconf *c, unsigned i, struct err *e)
{
	const struct port *port = &c->ports[i];
	const char *why = why_dead(&port->host_ip, bridge_conf(c));
	char text[IP_TEXT];

	if (why) {
		err_set(e, ERR_CONFIG, 0, "runtimeConfig.portMappings[%u].hostIP: \"%s\": %s", i,
			ip_text(&port->host_ip, text), why);
		err_hint(e, "allowed: an address that the host has, now or later; 0.0.0.0, ::, or "
			    "none");
		return -EINVAL;
	}
	if (port->container_port)
		return 0;
	err_set(e, ERR_CONFIG, 0, "runtimeConfig.portMappings[%u].containerPort: missing", i);
	err_hint(e, "allowed: 1 to 65535");
	return -EINVAL;
}

int bridge_judge_ports(const struct netconf *c, struct err *e)
{
	uint16_t first, last;
	int r = 0;

	/* A range that cannot be is told at the first ADD, not with the first dynamic port. */
	if (bridge_conf(c)->dynamic_ports[0])
		r = bridge_dynamic_ports(c, &first, &last, e);
	for (unsigned i = 0; i < c->n_ports && r == 0; i++)
		r = judge_port(c, i, e);
	return r;
}

static int accept_port(const struct attachment *a, unsigned i, struct err *e)
{
	const struct ip *host_ip = &a->ports[i].host_ip;
	char text[IP_TEXT];

	if (ip_is_set(host_ip) ? attachment_has_family(a, host_ip->family) : a->n_addresses > 0)
		return 0;
	if (ip_is_set(host_ip))
		err_set(e, ERR_CONFIG, 0,
			"runtimeConfig.portMappings[%u].hostIP: \"%s\": the task has no address of "
			"this family",
			i, ip_text(host_ip, text));
	else
		err_set(e, ERR_CONFIG, 0,
			"runtimeConfig.portMappings[%u]: the task has no address that the port "
			"could lead to",
			i);
	err_hint(e, "a port is published on addresses of the families that the task has from ipam");
	return -EINVAL;
}

int bridge_accept_ports(const struct attachment *a, struct err *e)
{
	int r = 0;

	for (unsigned i = 0; i < a->n_ports && r == 0; i++)
		r = accept_port(a, i, e);
	return r;
}
