/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A route: to a task, from a task, of a gateway that is nobody's address, or into nowhere. */
#include "plan/io.h"

#include <sys/socket.h>

static void route_step_add(const struct step *s, struct plan_io *io, struct batch *b)
{
	(void)io;
	route_add(b, &s->route.spec, s->shared ? TOLERATE_EXISTS : TOLERATE_NOTHING);
}

static void route_step_drop(const struct step *s, struct plan_io *io, struct batch *b)
{
	(void)io;
	route_del(b, &s->route.spec, TOLERATE_ABSENT);
}

static void print_dst(const struct route_spec *r, struct text *t)
{
	char text[IP_TEXT];

	if (r->dst.len == 0)
		text_add(t, "default");
	else if (r->dst.len == ip_bits(&r->dst.ip))
		text_add(t, "%s", ip_text(&r->dst.ip, text));
	else
		text_add(t, "%s", cidr_text(&r->dst, text));
}

/* A later plugin of the chain may have moved the routes of its interface to a table of their own,
 * which a rule leads to: the reference `sbr` does. On the host nobody has to. */
enum route_where plan_route_where(enum side side)
{
	return side == TASK ? ROUTE_OF_INTERFACE : ROUTE_OF_TABLE;
}

static void print_number(const char *word, uint32_t value, struct text *t)
{
	if (value)
		text_add(t, " %s %u", word, value);
}

static void print_command(const struct step *s, const char *verb, struct text *t)
{
	static const char *const types[] = { [ROUTE_UNICAST] = "",
					     [ROUTE_LOCAL] = "local ",
					     [ROUTE_BLACKHOLE] = "blackhole ",
					     [ROUTE_UNREACHABLE] = "unreachable " };
	const struct route_spec *r = &s->route.spec;
	char text[IP_TEXT];

	text_add(t, "ip %sroute %s %s", r->dst.ip.family == AF_INET6 ? "-6 " : "", verb,
		 types[r->type]);
	print_dst(r, t);
	if (ip_is_set(&r->gw))
		text_add(t, " via %s", ip_text(&r->gw, text));
	if (s->route.dev.name) {
		text_add(t, " dev ");
		text_add_shell(t, s->route.dev.name);
	}
	if (ip_is_set(&r->src))
		text_add(t, " src %s", ip_text(&r->src, text));
	text_add(t, " proto static");
	if (r->has_scope)
		text_add(t, " scope %u", r->scope);
	print_number("metric", r->priority, t);
	print_number("table", r->table, t);
	print_number("mtu", r->mtu, t);
	print_number("advmss", r->advmss, t);
}

static void route_print(const struct step *s, const struct plan *p, bool undo, struct text *t)
{
	(void)p;
	print_command(s, undo ? "del" : "add", t);
}

static void tell(const struct step *s, const char *what, struct err *e)
{
	char route[IP_TEXT + IFNAME_TEXT + sizeof(" on ")];
	struct text t;

	text_init(&t, route, sizeof(route));
	print_dst(&s->route.spec, &t);
	if (s->route.dev.name)
		text_add(&t, " on %s", s->route.dev.name);
	err_set(e, ERR_CHECK, 0, "the route %s %s %s", route, what,
		s->side == TASK ? "in the task" : "on the host");
}

static int route_check(const struct step *s, const struct plan *p, struct plan_io *io,
		       struct err *e)
{
	struct route_spec want = s->route.spec;
	struct netlink *nl;
	char line[256];
	struct text t;
	int r = plan_io_route(io, s->side, &nl, e);

	/* As for ADD, which finds it: the host may have the gateway's address on another link. */
	if (s->shared)
		want.ifindex = 0;
	if (r == 0)
		r = route_find(nl, &want,
			       want.table ? ROUTE_OF_TABLE : plan_route_where(s->side), e);
	if (r <= 0)
		return r;
	tell(s, r == ROUTE_CHANGED ? "has changed" : "is gone", e);
	/* Where it is gone, a route of another type may be in its place: that one goes. */
	text_init(&t, line, sizeof(line));
	print_command(s, "replace", &t);
	plan_hint_command(p, s->side, line, e);
	return 1;
}

const struct step_kind step_route = {
	.name = "route",
	.via = VIA_ROUTE,
	.add = route_step_add,
	.drop = route_step_drop,
	.check = route_check,
	.print = route_print,
};

/* Without its interface there is nothing to find. */
static int other_check(const struct step *s, const struct plan *p, struct plan_io *io,
		       struct err *e)
{
	struct link_info link;
	struct netlink *nl;
	int r = plan_io_route(io, s->side, &nl, e);

	if (r == 0)
		r = link_by_index(nl, s->route.dev.ifindex, &link, e);
	if (r != 0)
		return r < 0 ? r : 0;
	return route_check(s, p, io, e);
}

const struct step_kind step_route_of_other = {
	.name = "route of another interface",
	.via = VIA_ROUTE,
	.add = route_step_add,
	.drop = route_step_drop,
	.check = other_check,
	.print = route_print,
};
