/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Building a plan: each call appends one step. A mode's plan() reads like the drawing of its
 * network. */
#include "plan/step.h"

#include <stdarg.h>
#include <stdio.h>

void plan_init(struct plan *p, const struct attachment *a)
{
	p->a = a;
	p->n = 0;
	p->overflow = false;
}

/* Where steps go that no longer fit: apply refuses such a plan. */
static struct step *append(struct plan *p, const struct step_kind *kind, enum side side, int with)
{
	struct step *s;

	if (p->n == PLAN_STEPS) {
		p->overflow = true;
		p->n--;
	}
	s = &p->steps[p->n++];
	*s = (struct step){ .kind = kind, .side = side, .dies_with = with, .tag_with = -1 };
	return s;
}

static int last(const struct plan *p)
{
	return (int)p->n - 1;
}

int plan_netns(struct plan *p)
{
	append(p, &step_netns, HOST, -1)->shared = true;
	return last(p);
}

int plan_veth(struct plan *p, const struct link_end *host, const struct link_end *task,
	      uint32_t mtu)
{
	struct step *s = append(p, &step_veth, HOST, -1);

	s->veth.host = *host;
	s->veth.task = *task;
	s->veth.mtu = mtu;
	return last(p);
}

int plan_macvlan(struct plan *p, enum side side, const struct link_end *end,
		 const struct macvlan_of *of)
{
	struct step *s = append(p, &step_macvlan, HOST, -1);

	s->macvlan.end = *end;
	s->macvlan.in_task = side == TASK;
	s->macvlan.of = *of;
	return last(p);
}

int plan_bridge(struct plan *p, const struct link_end *end, uint32_t mtu)
{
	struct step *s = append(p, &step_bridge, HOST, -1);

	s->shared = true;
	s->bridge.end = *end;
	s->bridge.mtu = mtu;
	return last(p);
}

int plan_ifb(struct plan *p, const struct link_end *end)
{
	struct step *s = append(p, &step_ifb, HOST, -1);

	s->ifb.end = *end;
	return last(p);
}

int plan_flows(struct plan *p)
{
	append(p, &step_flows, HOST, -1);
	return last(p);
}

int plan_flows_end(struct plan *p)
{
	append(p, &step_flows_end, HOST, -1);
	return last(p);
}

bool plan_is_tracked(const struct plan *p)
{
	for (unsigned i = 0; i < p->n; i++)
		if (p->steps[i].kind == &step_flows_end)
			return true;
	return false;
}

int plan_tbf(struct plan *p, int with, const struct ifref *dev, uint64_t rate, uint64_t burst)
{
	struct step *s = append(p, &step_qdisc, HOST, with);

	s->qdisc.dev = *dev;
	s->qdisc.rate = rate;
	s->qdisc.burst = burst;
	return last(p);
}

int plan_ingress(struct plan *p, int with, const struct ifref *dev)
{
	struct step *s = append(p, &step_qdisc, HOST, with);

	s->qdisc.dev = *dev;
	s->qdisc.ingress = true;
	return last(p);
}

int plan_redirect(struct plan *p, int with, const struct ifref *dev, const struct ifref *to)
{
	struct step *s = append(p, &step_redirect, HOST, with);

	s->redirect.dev = *dev;
	s->redirect.to = *to;
	return last(p);
}

int plan_bpf(struct plan *p, int with, const struct ifref *dev)
{
	struct step *s = append(p, &step_bpf, HOST, with);

	s->bpf.dev = *dev;
	return last(p);
}

int plan_link(struct plan *p, int with, enum side side, const struct ifref *dev,
	      const struct link_settings *set)
{
	struct step *s = append(p, &step_link, side, with);

	s->link.dev = *dev;
	s->link.set = *set;
	return last(p);
}

int plan_addr(struct plan *p, int with, enum side side, const struct ifref *dev,
	      const struct cidr *c, struct addr_how how)
{
	struct step *s = append(p, &step_addr, side, with);

	s->addr.dev = *dev;
	s->addr.cidr = *c;
	s->addr.how = how;
	return last(p);
}

int plan_settle(struct plan *p, int with, enum side side, const struct ifref *dev,
		const struct cidr *c)
{
	struct step *s = append(p, &step_settle, side, with);

	s->addr.dev = *dev;
	s->addr.cidr = *c;
	return last(p);
}

int plan_route(struct plan *p, int with, enum side side, const struct ifref *dev,
	       const struct route_spec *spec)
{
	struct step *s = append(p, &step_route, side, with);

	s->route.dev = *dev;
	s->route.spec = *spec;
	s->route.spec.ifindex = dev->ifindex;
	return last(p);
}

int plan_route_of_other(struct plan *p, enum side side, const struct ifref *dev,
			const struct route_spec *spec)
{
	int step = plan_route(p, -1, side, dev, spec);

	p->steps[step].kind = &step_route_of_other;
	return step;
}

int plan_rule(struct plan *p, enum side side, const struct rule_spec *spec)
{
	append(p, &step_rule, side, -1)->rule = *spec;
	return last(p);
}

int plan_rules_end(struct plan *p, enum side side, const struct rule_spec *spec)
{
	append(p, &step_rules_end, side, -1)->rule = *spec;
	return last(p);
}

int plan_neigh(struct plan *p, int with, enum side side, const struct ifref *dev,
	       const struct ip *ip, const struct mac *mac)
{
	struct step *s = append(p, &step_neigh, side, with);

	s->neigh.dev = *dev;
	s->neigh.ip = *ip;
	s->neigh.mac = *mac;
	return last(p);
}

int plan_announce(struct plan *p, int with, const struct ifref *dev, const struct mac *mac)
{
	struct step *s = append(p, &step_announce, TASK, with);

	s->neigh.dev = *dev;
	s->neigh.mac = *mac;
	return last(p);
}

int plan_sysctl(struct plan *p, int with, enum side side, const char *value, const char *path_fmt,
		...)
{
	struct step *s = append(p, &step_sysctl, side, with);
	va_list ap;

	va_start(ap, path_fmt);
	vsnprintf(s->sysctl.path, sizeof(s->sysctl.path), path_fmt, ap);
	va_end(ap);
	snprintf(s->sysctl.value, sizeof(s->sysctl.value), "%s", value);
	return last(p);
}

static struct step *append_toggle(struct plan *p, const char *loss)
{
	struct step *s = append(p, &step_toggle, HOST, -1);

	s->shared = true;
	s->toggle.loss = loss;
	return s;
}

int plan_localnet(struct plan *p, const struct ifref *dev)
{
	struct step *s = append_toggle(p, "127.0.0.1 reaches no published port");

	snprintf(s->toggle.path, sizeof(s->toggle.path), "net/ipv4/conf/%s/route_localnet",
		 dev->name);
	return last(p);
}

int plan_valid_mark(struct plan *p)
{
	struct step *s = append_toggle(p, "rp_filter drops packets to and from tasks");

	snprintf(s->toggle.path, sizeof(s->toggle.path), "net/ipv4/conf/all/src_valid_mark");
	return last(p);
}

int plan_ruleset(struct plan *p, const struct nft_ruleset *r)
{
	struct step *s = append(p, &step_ruleset, HOST, -1);

	s->shared = true;
	s->ruleset.rules = r;
	return last(p);
}

int plan_ruleset_values(struct plan *p, const struct nft_ruleset *r,
			const struct nft_values *values)
{
	int step = plan_ruleset(p, r);

	p->steps[step].ruleset.values = *values;
	return step;
}

int plan_marker(struct plan *p, const char *table, uint32_t id)
{
	struct step *s = append(p, &step_marker, HOST, -1);

	s->shared = true;
	s->element.table = table;
	s->element.element = (struct nft_element){
		.set = "stores", .key = { { .type = NFT_TYPE_IFACE, .ifindex = id } }, .n_key = 1
	};
	return last(p);
}

int plan_element(struct plan *p, const char *table, const struct nft_element *el)
{
	struct step *s = append(p, &step_element, HOST, -1);

	s->element.table = table;
	s->element.element = *el;
	return last(p);
}

int plan_join(struct plan *p, const char *table, const struct nft_element *el)
{
	int step = plan_element(p, table, el);

	p->steps[step].kind = &step_join;
	return step;
}

void plan_share(struct plan *p, int step)
{
	p->steps[step].shared = true;
}

void plan_share_with(struct plan *p, int step, int lead)
{
	plan_share(p, step);
	p->steps[step].tag_with = lead;
}
