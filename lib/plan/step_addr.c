/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An address of a link; IPv6 without duplicate address detection: the pool knows who has it. */
#include "plan/io.h"

#include <linux/if.h>
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

/* Undo has nothing to do. */
static bool left_alone(const struct addr_how *how)
{
	return how->gone || how->stays || how->again;
}

static void addr_step_drop(const struct step *s, struct plan_io *io, struct batch *b)
{
	(void)io;
	if (!left_alone(&s->addr.how))
		addr_del(b, s->addr.dev.ifindex, &s->addr.cidr, TOLERATE_ABSENT);
}

/*
 * The route to the address's own subnet: the kernel makes it along with the address, so no step of
 * its own asks for it. That of somebody else's address is their matter; and there is none while the
 * link is down, of which the step of the link tells.
 */
static bool has_subnet_route(const struct step *s)
{
	const struct addr_how *how = &s->addr.how;
	const struct cidr *c = &s->addr.cidr;

	return !how->no_prefix_route && !how->stays && c->len < ip_bits(&c->ip);
}

/* Return: 0, 1 if it is gone, or a negative errno. */
static int find_subnet_route(const struct step *s, struct netlink *nl, struct err *e)
{
	const struct cidr *c = &s->addr.cidr;
	const struct route_spec route = { .dst = { cidr_first(c), c->len },
					  .ifindex = s->addr.dev.ifindex };
	struct link_info link = { .flags = 0 };
	int r = route_find(nl, &route, plan_route_where(s->side), e);

	if (r <= 0)
		return r;
	r = link_by_index(nl, s->addr.dev.ifindex, &link, e);
	return r < 0 ? r : (link.flags & IFF_UP) != 0;
}

static void tell_subnet_route(const struct step *s, const struct plan *p, struct err *e)
{
	const struct cidr subnet = { cidr_first(&s->addr.cidr), s->addr.cidr.len };
	bool v6 = subnet.ip.family == AF_INET6;
	char dst[IP_TEXT], src[IP_TEXT], line[256];
	struct text t;

	cidr_text(&subnet, dst);
	err_set(e, ERR_CHECK, 0, "the interface %s has lost the route to its subnet %s",
		s->addr.dev.name, dst);
	text_init(&t, line, sizeof(line));
	text_add(&t, "ip %sroute add %s dev ", v6 ? "-6 " : "", dst);
	text_add_shell(&t, s->addr.dev.name);
	/* As the kernel has made it, so that it goes with the address. */
	text_add(&t, " proto kernel %s%s", v6 ? "metric 256" : "scope link src ",
		 v6 ? "" : ip_text(&s->addr.cidr.ip, src));
	plan_hint_command(p, s->side, line, e);
}

static int addr_check(const struct step *s, const struct plan *p, struct plan_io *io, struct err *e)
{
	char text[IP_TEXT];
	struct netlink *nl;
	int r = plan_io_route(io, s->side, &nl, e);

	if (s->addr.how.gone)
		return 0;
	if (r == 0)
		r = addr_find(nl, s->addr.dev.ifindex, &s->addr.cidr, e);
	if (r == 1)
		err_set(e, ERR_CHECK, 0, "the interface %s has lost the address %s",
			s->addr.dev.name, cidr_text(&s->addr.cidr, text));
	if (r != 0 || !has_subnet_route(s))
		return r;
	r = find_subnet_route(s, nl, e);
	if (r == 1)
		tell_subnet_route(s, p, e);
	return r;
}

static void print_add(const struct step *s, struct text *t)
{
	const struct addr_how *how = &s->addr.how;
	char text[IP_TEXT];

	text_add(t, "ip addr %s %s dev ", how->again ? "replace" : "add",
		 cidr_text(&s->addr.cidr, text));
	text_add_shell(t, s->addr.dev.name);
	text_add(t, "%s%s", s->addr.cidr.ip.family == AF_INET6 && !how->detect ? " nodad" : "",
		 how->no_prefix_route ? " noprefixroute" : "");
}

/* The mark first; then without it, since iproute2 knows `proto` from 6.3 on only. */
static void print_marked(const struct step *s, struct text *t)
{
	print_add(s, t);
	text_add(t, " proto 0x%x 2>/dev/null ||\n\t", ADDR_PROTO);
	print_add(s, t);
}

static void addr_print(const struct step *s, const struct plan *p, bool undo, struct text *t)
{
	const struct addr_how *how = &s->addr.how;
	char text[IP_TEXT];

	(void)p;
	if (undo && left_alone(how))
		return;
	if (undo || how->gone) {
		text_add(t, "ip addr del %s dev ", cidr_text(&s->addr.cidr, text));
		text_add_shell(t, s->addr.dev.name);
	} else if (s->shared) {
		print_marked(s, t);
	} else {
		print_add(s, t);
	}
}

const struct step_kind step_addr = {
	.name = "addr",
	.via = VIA_ROUTE,
	.add = addr_step_add,
	.drop = addr_step_drop,
	.check = addr_check,
	.print = addr_print,
};
