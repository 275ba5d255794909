/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Forget tracked connections. step_flows: to the UDP host ports of the attachment, when they come,
 * because a flow that is tracked already is never translated anew; all ports in one walk of the
 * connection table. step_flows_end: of its addresses, when they go. That walk is not the plan's:
 * the addresses stay in quarantine (store.h) until somebody has done it.
 */
#include "plan/step.h"

#include "kernel/conntrack.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

/* Where a task of one family has its ports on every address, the other family's flows stay. */
static struct ip forget_where(const struct attachment *a, const struct ip *host_ip)
{
	bool v4 = attachment_has_family(a, AF_INET), v6 = attachment_has_family(a, AF_INET6);

	if (ip_is_set(host_ip) || v4 == v6)
		return *host_ip;
	return (struct ip){ .family = v4 ? AF_INET : AF_INET6 };
}

/* Those of a joined port are tracked to the attachment that serves it. */
static bool is_meant(const struct port *port)
{
	return port->protocol == IPPROTO_UDP && !port->joined;
}

static int flows_forget(const struct step *s, const struct plan *p, struct plan_io *io,
			struct err *e)
{
	const struct attachment *a = p->a;
	cleanup_free struct conntrack_port *list = calloc(a->n_ports + 1u, sizeof(*list));
	struct conntrack_ports ports = { .protocol = IPPROTO_UDP, .ports = list };
	struct netlink *nl;
	int r;

	(void)s;
	if (!list)
		return err_sys(e, ERR_KERNEL, ENOMEM, "cannot list the ports");
	for (unsigned i = 0; i < a->n_ports; i++)
		if (is_meant(&a->ports[i]))
			list[ports.n++] = (struct conntrack_port){
				.port = (uint16_t)a->ports[i].host_port,
				.ip = forget_where(a, &a->ports[i].host_ip)
			};
	r = plan_io_nft(io, &nl, e);
	return r < 0 ? r : conntrack_forget_ports(nl, &io->host, &ports, io->batch, e);
}

/*
 * It fails where nothing is tracked, and may not be installed. What passes through to somebody
 * else's port has a destination that is not the host's own.
 */
static void print_family(uint32_t port, const struct ip *ip, uint8_t family, bool *more,
			 struct text *t)
{
	const char *version = family == AF_INET ? "4" : "6";
	bool named = family == ip->family && !ip_is_unspecified(ip);
	char buf[IP_TEXT];

	text_add(t, "%s", *more ? "\n" : "");
	*more = true;
	if (!named)
		text_add(t, "ip -%s route show table local type local | while read -r _ own _; do ",
			 version);
	text_add(t,
		 "conntrack -D -f ipv%s -p udp --orig-port-dst %u --orig-dst %s >/dev/null 2>&1 || "
		 ":%s",
		 version, port, named ? ip_text(ip, buf) : "\"$own\"", named ? "" : "; done");
}

static void flows_print(const struct step *s, const struct plan *p, bool undo, struct text *t)
{
	const struct attachment *a = p->a;
	bool more = false;

	(void)s;
	for (unsigned i = 0; i < a->n_ports && !undo; i++) {
		struct ip where = forget_where(a, &a->ports[i].host_ip);

		if (!is_meant(&a->ports[i]))
			continue;
		if (where.family != AF_INET6)
			print_family(a->ports[i].host_port, &where, AF_INET, &more, t);
		if (where.family != AF_INET)
			print_family(a->ports[i].host_port, &where, AF_INET6, &more, t);
	}
}

/* By the initiator's address as sent, and by the responder's, which is the source of the reply. */
static void flows_end_print(const struct step *s, const struct plan *p, bool undo, struct text *t)
{
	static const char *const sides[] = { "--orig-src", "--reply-src" };
	const struct attachment *a = p->a;
	char buf[IP_TEXT];

	(void)s;
	for (unsigned i = 0; i < 2 * a->n_addresses && undo; i++)
		text_add(t, "%sconntrack -D -f ipv%s %s %s >/dev/null 2>&1 || :", i ? "\n" : "",
			 a->addresses[i / 2].cidr.ip.family == AF_INET6 ? "6" : "4", sides[i % 2],
			 ip_text(&a->addresses[i / 2].cidr.ip, buf));
}

const struct step_kind step_flows = {
	.name = "flows",
	.via = VIA_CALL,
	.apply = flows_forget,
	.print = flows_print,
};

const struct step_kind step_flows_end = {
	.name = "flows-end",
	.via = VIA_CALL,
	.print = flows_end_print,
};
