/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Host ports as values: when two of them cannot both be held, and how they are written in messages.
 * One on every address conflicts with all others of its number and protocol.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>

#include "store/store.h"

bool store_port_conflict(const struct store_port *a, const struct store_port *b)
{
	const struct ip *x = &a->host_ip, *y = &b->host_ip;

	if (a->protocol != b->protocol || a->port != b->port)
		return false;
	if (!x->family || !y->family)
		return true;
	if (x->family != y->family)
		return false;
	return ip_is_unspecified(x) || ip_is_unspecified(y) || ip_equal(x, y);
}

static const char *protocol_word(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_UDP:
		return "udp";
	default:
		return "sctp";
	}
}

const char *store_port_text(const struct store_port *p, char buf[static STORE_PORT_TEXT])
{
	bool v6 = p->host_ip.family == AF_INET6;
	char ip[IP_TEXT] = "";

	if (ip_is_set(&p->host_ip))
		ip_text(&p->host_ip, ip);
	snprintf(buf, STORE_PORT_TEXT, "%s%s%s%s%u/%s", v6 ? "[" : "", ip, v6 ? "]" : "",
		 *ip ? ":" : "", p->port, protocol_word(p->protocol));
	return buf;
}
