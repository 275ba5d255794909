/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Why a step is there, in a sentence for who reads the plan. In one place, so that they speak with
 * one voice; a step that is told by the one before it (raising what was just made) says nothing.
 */
#include "plan/step.h"

#include <netinet/in.h>
#include <string.h>

/* Sentences by the name that a step bears: a set, a sysctl, a ruleset. Ends with name NULL. */
struct reason {
	const char *name, *why;
};

static const char *lookup(const struct reason *rows, const char *name)
{
	while (rows->name && strcmp(rows->name, name) != 0)
		rows++;
	return rows->why;
}

static const char *why_ruleset(const struct step *s)
{
	static const struct reason rows[] = {
		{ "source guard",
		  "The source guard: what a task sends must bear its own MAC and address, or it is "
		  "dropped, before connection tracking. The rules never change; tasks are elements "
		  "of the sets." },
		{ "second line",
		  "The last chain before routing marks what the guard has let through, so that a "
		  "rule of policy routing can refuse the rest." },
		{ "shared NAT",
		  "Masquerading: what leaves for elsewhere has the host's address as its source, "
		  "because nobody there has a route to the task's. Its source port lies in a range "
		  "where nothing listens, and a task's live flows are bounded." },
		{ "published ports", "Published ports: what is addressed to a port of the host is "
				     "redirected to a task, "
				     "by one lookup in a map, however many there are." },
		{ NULL, "Rules between bridges, or for what enters one; tasks are elements of the "
			"sets." },
	};

	return lookup(rows, s->ruleset.rules->name);
}

static const char *why_element(const struct step *s)
{
	static const struct reason rows[] = {
		{ "tasks", "This interface is a task's: the guard looks at all that it sends. The "
			   "number is its index, chosen beforehand: the guard stands before the "
			   "interface does." },
		{ "own4", "Who the task is: interface, MAC and address belong together." },
		{ "own6", "Who the task is: interface, MAC and address belong together." },
		{ "home4",
		  "This address enters by the task's own interface only, and what is sent to it is "
		  "marked for the second line." },
		{ "home6",
		  "This address enters by the task's own interface only, and what is sent to it is "
		  "marked for the second line." },
		{ "no_publish4", "The subnet's router publishes no ports of the host." },
		{ "no_publish6", "The subnet's router publishes no ports of the host." },
		{ "bridge_links", "What this bridge sends is counted for its tasks." },
		{ "protected", "protectedPorts: no flow of a task takes this port of the host." },
		{ "pub4", "No flow of a task takes this published port." },
		{ "pub6", "No flow of a task takes this published port." },
		{ "host_pub4", "No flow of a task takes this published port." },
		{ "host_pub6", "No flow of a task takes this published port." },
		{ "no_imds", "The task must not reach the instance's metadata." },
		{ "vpc4",
		  "Between these networks nothing is masqueraded: tasks see each other's own "
		  "addresses." },
		{ "vpc6",
		  "Between these networks nothing is masqueraded: tasks see each other's own "
		  "addresses." },
		{ "masq4", "What this address sends elsewhere is masqueraded." },
		{ "masq6", "What this address sends elsewhere is masqueraded." },
		{ "hairpin4",
		  "What was redirected within the subnet must come back by the host, so "
		  "the host becomes its source." },
		{ "hairpin6",
		  "What was redirected within the subnet must come back by the host, so "
		  "the host becomes its source." },
		{ "masq_all4",
		  "masqAll: who comes by a published port bears the bridge's address." },
		{ "masq_all6",
		  "masqAll: who comes by a published port bears the bridge's address." },
		{ "no_snat4", "snat is false: the task sees every client's own address." },
		{ "no_snat6", "snat is false: the task sees every client's own address." },
		{ "ports4",
		  "A published port: protocol and port of the host, address and port of the "
		  "task." },
		{ "ports6",
		  "A published port: protocol and port of the host, address and port of the "
		  "task." },
		{ "host_ports4", "A port that is published on this address of the host only." },
		{ "host_ports6", "A port that is published on this address of the host only." },
		{ "bridges",
		  "The bridge has a policy: it takes from other bridges nothing, or only "
		  "what is said below." },
		{ "bridge_pairs", "Tasks of the bridge itself may talk." },
		{ NULL, "The bridge port takes frames of the task's own MAC alone." },
	};

	return lookup(rows, s->element.element.set);
}

static const char *why_sysctl(const struct step *s)
{
	static const struct reason rows[] = {
		{ "ip_forward", "The host is the router of its tasks, so it forwards." },
		{ "forwarding", "The host is the router of its tasks, so it forwards." },
		{ "disable_ipv6",
		  "No IPv6 here: an address nobody uses would only make every later "
		  "attachment slower." },
		{ "accept_ra", "Nobody may change routes by router advertisements." },
		{ "accept_dad", "No waiting for duplicates: the pool gives an address only once." },
		{ "arp_notify", "It tells the LAN of its address when it comes up, so that nobody "
				"sends to an old MAC." },
		{ "arp_ignore", "Each interface of the task answers ARP for its own addresses "
				"only, even if two are on one link." },
		{ "ndisc_notify", "It tells IPv6 neighbours too." },
		{ NULL, NULL },
	};
	const char *name = strrchr(s->sysctl.path, '/');

	if (name && !strcmp(name, "/disable_ipv6") && !strcmp(s->sysctl.value, "0"))
		return "The task has an IPv6 address, even if its new interfaces have IPv6 off.";
	if (name && !strcmp(name, "/accept_ra") && !strcmp(s->sysctl.value, "2"))
		return "The host's default route came by router advertisement; once it forwards, "
		       "it would hear no more of them.";
	return lookup(rows, name ? name + 1 : s->sysctl.path);
}

static const char *why_link(const struct step *s)
{
	if (!strcmp(s->link.dev.name, "lo"))
		return s->side == TASK ? "A new namespace has its loopback down." : NULL;
	if (s->link.set.hairpin || s->link.set.isolated)
		return "How the bridge port behaves: hairpin sends back to where it came from, "
		       "isolated keeps tasks of the bridge apart.";
	if (s->link.set.alias)
		return "It bears the id of the ENI, so that one finds what belongs together.";
	return NULL;
}

static const char *why_addr(const struct step *s)
{
	if (s->addr.how.gone)
		return "forceAddress: an address that overlaps with the gateway's subnet goes.";
	if (s->addr.how.again)
		return NULL;
	if (s->side == HOST)
		return "The bridge has the gateway's address: it is the tasks' next hop.";
	if (s->addr.how.no_prefix_route)
		return "The task's address, without a connected route: its subnet too is reached "
		       "by the gateway, so every packet passes the host.";
	return "The task's address; the rest of its subnet is on the same link.";
}

static const char *why_route(const struct step *s)
{
	const struct route_spec *r = &s->route.spec;

	if (r->type == ROUTE_LOCAL)
		return "The gateway's address is answered by the host, although no interface has "
		       "it.";
	if (r->type == ROUTE_BLACKHOLE)
		return "What is sent there is refused at once.";
	if (r->type == ROUTE_UNREACHABLE)
		return "An address of the VPC that no task has is unreachable: the host must not "
		       "send to it by another route.";
	if (s->side == HOST)
		return "The way to the task: one route for its one address.";
	if (r->table >= 0x80000000U)
		return "What the first interface's addresses send goes on leaving by it.";
	if (r->table && s->route.dev.ifindex == r->table)
		return "The routes of this interface, in a table of its own.";
	if (!ip_is_set(&r->gw))
		return "The gateway is behind this interface.";
	return r->dst.len ? "A route of `ipam.routes`." : "All else goes by the gateway.";
}

static const char *why_rule(const struct step *s)
{
	if (s->rule.action != RULE_LOOKUP)
		return "The second line: after a flush of nftables nothing is marked, and no packet "
		       "from or to a subnet of tasks is routed, but for the host's own.";
	return s->side == HOST
		       ? "Packets that this rule selects take the routes that it names, or none."
		       : "What this address sends leaves by its own interface, whatever others "
			 "there are.";
}

static const char *why_neigh(const struct step *s)
{
	return s->side == HOST
		       ? "Written, not asked: there is no ARP here, so nobody can lie."
		       : "The gateway's MAC is the host's end of the link: written, not asked.";
}

static const char *why_veth(const struct step *s)
{
	return s->veth.host.master
		       ? "A link of two ends in one message: the task's is born in its namespace, "
			 "the host's as a port of the bridge."
		       : "A link of two ends in one message: the task's is born in its namespace, "
			 "the host's stays here. Names, indexes and MACs are chosen beforehand.";
}

static const char *why_macvlan(const struct step *s)
{
	return s->macvlan.in_task ? "An interface on the host's LAN with a MAC of its own, born in "
				    "the task's namespace."
				  : "A macvlan cannot talk to its own master, so the host gets one "
				    "too.";
}

static const char *why_qdisc(const struct step *s)
{
	return s->qdisc.ingress ? "The hook for what the task sends."
				: "A token bucket: no more "
				  "than this rate passes.";
}

static const char *why_netns(const struct step *s)
{
	(void)s;
	return "The task's network namespace: interfaces, addresses and routes of its own.";
}

static const char *why_bridge(const struct step *s)
{
	(void)s;
	return "The bridge, shared by all its tasks, with a MAC that stays as ports come and go.";
}

static const char *why_ifb(const struct step *s)
{
	(void)s;
	return "A device to shape what the task sends: only what leaves an interface can wait.";
}

static const char *why_redirect(const struct step *s)
{
	(void)s;
	return "All that the task sends takes the detour by that device.";
}

static const char *why_bpf(const struct step *s)
{
	(void)s;
	return "A program takes what the task sends to other tasks straight there: it judges the "
	       "source as the guard does, and asks the kernel for the route. No rule of the host "
	       "sees these packets.";
}

static const char *why_settle(const struct step *s)
{
	(void)s;
	return "Wait until the LAN was asked for duplicates.";
}

static const char *why_marker(const struct step *s)
{
	(void)s;
	return "The store marker: while it stands, nobody has flushed what this store has written.";
}

static const char *why_announce(const struct step *s)
{
	(void)s;
	return "A link that is given a MAC, be it the one it has, tells its neighbours: who knows "
	       "that of the task that had the address before goes on sending there otherwise.";
}

static const char *why_toggle(const struct step *s)
{
	if (strstr(s->toggle.path, "src_valid_mark"))
		return "Where rp_filter is on, the way back is asked for with the packet's mark: else "
		       "the second line refuses it.";
	return "So that the host reaches published ports by 127.0.0.1; a rule keeps others from using it.";
}

static const char *why_join(const struct step *s)
{
	(void)s;
	return "A published port that another network of the container serves already: this one "
	       "serves it while no other does.";
}

static const char *why_flows(const struct step *s)
{
	return s->kind == &step_flows
		       ? "A tracked UDP flow is never translated anew, so the old ones are forgotten."
		       : "Whoever gets the address next must not get what was meant for the task.";
}

/* What is not named dies with what is. */
static const char *why_undo(const struct step *s)
{
	if (s->kind == &step_veth || s->kind == &step_macvlan)
		return "The link goes, and with it all that is on it: addresses, routes, "
		       "neighbours.";
	if (s->kind == &step_flows_end)
		return why_flows(s);
	if (s->kind == &step_element)
		return "Its elements leave the sets; the rules stay for others.";
	return s->kind == &step_netns ? "The namespace was made for the task, and goes with it."
				      : NULL;
}

const char *plan_why(const struct step *s, bool undo)
{
	static const struct {
		const struct step_kind *kind;
		const char *(*why)(const struct step *s);
	} rows[] = {
		{ &step_netns, why_netns },       { &step_veth, why_veth },
		{ &step_macvlan, why_macvlan },   { &step_link, why_link },
		{ &step_addr, why_addr },         { &step_route, why_route },
		{ &step_route_of_other, why_route },
		{ &step_rule, why_rule },         { &step_neigh, why_neigh },
		{ &step_sysctl, why_sysctl },     { &step_ruleset, why_ruleset },
		{ &step_element, why_element },   { &step_bridge, why_bridge },
		{ &step_ifb, why_ifb },           { &step_qdisc, why_qdisc },
		{ &step_redirect, why_redirect }, { &step_flows, why_flows },
		{ &step_flows_end, why_flows },   { &step_bpf, why_bpf },
		{ &step_settle, why_settle },     { &step_toggle, why_toggle },
		{ &step_announce, why_announce }, { &step_marker, why_marker },
		{ &step_join, why_join },
	};

	if (undo)
		return why_undo(s);
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].kind == s->kind)
			return rows[i].why(s);
	return NULL;
}
