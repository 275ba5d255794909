/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Forget the tracked connections to a host port, both when it comes and when it goes: a flow that
 * is tracked already is never translated anew. Two kinds, because each has its place on another
 * side of the port's elements: forgotten too early, a client that does not pause is tracked to the
 * old destination again.
 */
#include "plan/step.h"

#include "kernel/conntrack.h"

#include <netinet/in.h>

static int flows_forget(const struct step *s, const struct plan *p, struct plan_io *io,
			struct err *e)
{
	struct conntrack_match match = { .protocol = s->flows.protocol,
					 .port = s->flows.port,
					 .ip = s->flows.host_ip };
	struct netlink *nl;
	int r = plan_io_nft(io, &nl, e);

	(void)p;
	return r < 0 ? r : conntrack_forget(nl, &io->host, &match, io->batch, e);
}

static int flows_end_forget(const struct step *s, const struct plan *p, struct plan_io *io,
			    struct err *e)
{
	if (io->expiring)
		nft_wait_expired();
	io->expiring = false;
	return flows_forget(s, p, io, e);
}

static const char *protocol_name(uint8_t protocol)
{
	switch (protocol) {
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_SCTP:
		return "sctp";
	default:
		return "udp";
	}
}

/*
 * It fails where nothing is tracked, and may not be installed. What passes through to somebody
 * else's port has a destination that is not the host's own.
 */
static void print_family(const struct step *s, uint8_t family, struct text *t)
{
	const struct ip *ip = &s->flows.host_ip;
	const char *version = family == AF_INET ? "4" : "6";
	bool named = family == ip->family && !ip_is_unspecified(ip);
	char buf[IP_TEXT];

	if (!named)
		text_add(t, "ip -%s route show table local type local | while read -r _ own _; do ",
			 version);
	text_add(t,
		 "conntrack -D -f ipv%s -p %s --orig-port-dst %u --orig-dst %s >/dev/null 2>&1 || "
		 ":%s",
		 version, protocol_name(s->flows.protocol), s->flows.port,
		 named ? ip_text(ip, buf) : "\"$own\"", named ? "" : "; done");
}

static void print_forget(const struct step *s, struct text *t)
{
	uint8_t family = s->flows.host_ip.family;

	print_family(s, family == AF_INET6 ? AF_INET6 : AF_INET, t);
	if (family)
		return;
	text_add(t, "\n");
	print_family(s, AF_INET6, t);
}

static void flows_print(const struct step *s, const struct plan *p, bool undo, struct text *t)
{
	(void)p;
	if (!undo)
		print_forget(s, t);
}

static void flows_end_print(const struct step *s, const struct plan *p, bool undo, struct text *t)
{
	(void)p;
	if (undo)
		print_forget(s, t);
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
	.undo = flows_end_forget,
	.print = flows_end_print,
};
