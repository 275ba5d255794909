/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Would the kernel take the plan, as the host is now? For STATUS, which may change nothing and has
 * no task. Only what stands in the way of every task is asked for, and only on the host.
 */
#include "plan/io.h"

#include "kernel/sysctl.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/* The link that must have IPv6 for the step, NULL: none. */
static const char *ipv6_link(const struct step *s)
{
	if (s->kind == &step_addr && s->addr.cidr.ip.family == AF_INET6 && !s->addr.how.gone)
		return s->addr.dev.name;
	if (s->kind == &step_route && s->route.spec.dst.ip.family == AF_INET6)
		return s->route.dev.name;
	if (s->kind == &step_neigh && s->neigh.ip.family == AF_INET6)
		return s->neigh.dev.name;
	return NULL;
}

/* Return: 0, 1 if the host has no such link, or a negative errno. */
static int read_disabled(const char *link, char ret[static 8], struct err *e)
{
	char path[80];

	snprintf(path, sizeof(path), "net/ipv6/conf/%s/disable_ipv6", link);
	return sysctl_read(path, ret, 8, e);
}

/* A link that is still to be made will have what is the default. */
static int judge_ipv6(const struct step *s, const char *link, struct err *e)
{
	char value[8] = "1";
	int r = read_disabled(link, value, e);

	if (r == 1)
		r = read_disabled("default", value, e);
	if (r < 0 || strcmp(value, "1") != 0)
		return r;
	return err_set(e, ERR_KERNEL, s->kind == &step_neigh ? EINVAL : EACCES,
		       "IPv6 is disabled on this device");
}

/* Its first addresses, which are in whatever contains it. */
static struct nft_element corner(struct nft_element el)
{
	for (unsigned i = 0; i < el.n_key; i++)
		if (el.key[i].type == NFT_TYPE_NET)
			el.key[i] = (struct nft_atom){ .type = NFT_TYPE_IP,
						       .net.ip = cidr_first(&el.key[i].net) };
	return el;
}

static int judge_interval(const struct step *s, struct plan_io *io, struct err *e)
{
	const struct nft_element *el = &s->element.element, at = corner(*el);
	struct netlink *nl;
	int r = plan_io_nft(io, &nl, e);

	if (r == 0)
		r = nft_element_find(nl, s->element.table, &at, e);
	if (r == 0)
		r = nft_element_find(nl, s->element.table, el, e) == 1;
	else if (r == 1)
		return 0;
	return r == 1 ? err_set(e, ERR_KERNEL, EEXIST, "it lies within another") : r;
}

/* The kind of link that the step makes, NULL: none. */
static const char *link_kind(const struct step *s)
{
	return s->kind == &step_veth	  ? "veth"
	       : s->kind == &step_bridge  ? "bridge"
	       : s->kind == &step_macvlan ? "macvlan"
	       : s->kind == &step_ifb	  ? "ifb"
					  : NULL;
}

static int judge_kind(const char *kind, struct plan_io *io, struct err *e)
{
	struct netlink *nl;
	int r = plan_io_route(io, HOST, &nl, e);

	if (r == 0)
		r = link_kind_known(nl, kind, e);
	if (r == 0)
		return err_set(e, ERR_KERNEL, EOPNOTSUPP, "the kernel has no links of kind %s",
			       kind);
	return r < 0 && r != -EPERM ? r : 0;
}

static int judge_step(const struct step *s, struct plan_io *io, struct err *e)
{
	const char *link = ipv6_link(s);

	if (link_kind(s))
		return judge_kind(link_kind(s), io, e);

	if (link)
		return judge_ipv6(s, link, e);
	/* Of the sets only those of intervals have no time-outs. */
	if (s->kind == &step_element && s->element.element.lasting)
		return judge_interval(s, io, e);
	return 0;
}

int plan_fits(const struct plan *p, struct plan_io *io, struct err *e)
{
	for (unsigned i = 0; i < p->n; i++) {
		int r = p->steps[i].side == HOST ? judge_step(&p->steps[i], io, e) : 0;

		if (r == 0)
			continue;
		plan_blame(p, i, e);
		return r;
	}
	return 0;
}
