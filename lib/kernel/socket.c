/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets that wait for somebody: one dump a family, filtered by the kernel by state. */
#include "kernel/socket.h"

#include "kernel/message.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

struct wanted {
	const struct ip *ip;
	uint16_t port;
	bool found;
};

/* What a socket is bound to: nothing, or just this address. */
static bool takes(const struct inet_diag_msg *m, const struct wanted *w)
{
	static const unsigned char any[16];
	size_t size = m->idiag_family == AF_INET6 ? 16 : 4;

	if (memcmp(m->id.idiag_src, any, size) == 0)
		return true;
	return m->idiag_family == w->ip->family && memcmp(m->id.idiag_src, w->ip->b, size) == 0;
}

static int take_socket(void *ctx, const struct nlmsghdr *h)
{
	struct wanted *w = ctx;
	const struct inet_diag_msg *m = message_data(h);
	struct nlattr *tb[INET_DIAG_MAX + 1];
	bool v6only;

	if (h->nlmsg_type != SOCK_DIAG_BY_FAMILY ||
	    nlmsg_parse((struct nlmsghdr *)(uintptr_t)h, sizeof(*m), tb, INET_DIAG_MAX, NULL) < 0 ||
	    ntohs(m->id.idiag_sport) != w->port)
		return 0;
	v6only = tb[INET_DIAG_SKV6ONLY] && nla_get_u8(tb[INET_DIAG_SKV6ONLY]);
	if (m->idiag_family != w->ip->family && v6only)
		return 0;
	w->found |= takes(m, w);
	return 0;
}

static int ask(struct netlink *nl, uint8_t family, uint8_t protocol, struct wanted *w,
	       struct err *e)
{
	/* An unconnected UDP socket is in the state that TCP calls closed. */
	struct inet_diag_req_v2 header = {
		.sdiag_family = family,
		.sdiag_protocol = protocol,
		.idiag_states = 1U << (protocol == IPPROTO_UDP ? TCP_CLOSE : TCP_LISTEN),
	};
	struct nl_msg *m = message_new(SOCK_DIAG_BY_FAMILY, NLM_F_DUMP, &header, sizeof(header));

	return netlink_ask(nl, m, take_socket, NULL, w, e);
}

int socket_listens(struct netlink *nl, uint8_t protocol, const struct ip *ip, uint16_t port,
		   struct err *e)
{
	struct wanted w = { .ip = ip, .port = port };
	int r = ask(nl, AF_INET6, protocol, &w, e);

	if (r == 0 && ip->family == AF_INET && !w.found)
		r = ask(nl, AF_INET, protocol, &w, e);
	return r < 0 ? r : w.found;
}
