/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An address of a link; IPv6 without duplicate address detection: the pool knows who has it. */
#include "plan/step.h"

#include <sys/socket.h>

static void addr_step_add(const struct step *s, struct plan_io *io, struct batch *b)
{
	const struct addr_how *how = &s->addr.how;
	unsigned options = (how->no_prefix_route ? ADDR_NO_PREFIX_ROUTE : 0) |
			   (how->detect ? ADDR_DETECT : 0) | (s->shared ? ADDR_MARK : 0);

	(void)io;
	if (how->gone)
		addr_del(b, s->addr.dev.ifindex, &s->addr.cidr, TOLERATE_ABSENT);
	else
		addr_add(b, s->addr.dev.ifindex, &s->addr.cidr, options,
			 s->shared ? TOLERATE_EXISTS : TOLERATE_NOTHING);
}

static void addr_step_drop(const struct step *s, struct plan_io *io, struct batch *b)
{
	(void)io;
	if (!s->addr.how.gone && !s->addr.how.stays)
		addr_del(b, s->addr.dev.ifindex, &s->addr.cidr, TOLERATE_ABSENT);
}

static int addr_check(const struct step *s, const struct plan *p, struct plan_io *io, struct err *e)
{
	char text[IP_TEXT];
	struct netlink *nl;
	int r = plan_io_route(io, s->side, &nl, e);

	(void)p;
	if (s->addr.how.gone)
		return 0;
	if (r == 0)
		r = addr_find(nl, s->addr.dev.ifindex, &s->addr.cidr, e);
	if (r == 1)
		err_set(e, ERR_CHECK, 0, "the interface %s has lost the address %s",
			s->addr.dev.name, cidr_text(&s->addr.cidr, text));
	return r;
}

static void addr_print(const struct step *s, const struct plan *p, bool undo, struct text *t)
{
	const struct addr_how *how = &s->addr.how;
	char text[IP_TEXT];

	(void)p;
	if (undo && (how->gone || how->stays))
		return;
	text_add(t, "ip addr %s %s dev ", undo || how->gone ? "del" : "add",
		 cidr_text(&s->addr.cidr, text));
	text_add_shell(t, s->addr.dev.name);
	if (undo || how->gone)
		return;
	text_add(t, "%s%s", s->addr.cidr.ip.family == AF_INET6 && !how->detect ? " nodad" : "",
		 how->no_prefix_route ? " noprefixroute" : "");
}

const struct step_kind step_addr = {
	.name = "addr",
	.via = VIA_ROUTE,
	.add = addr_step_add,
	.drop = addr_step_drop,
	.check = addr_check,
	.print = addr_print,
};
