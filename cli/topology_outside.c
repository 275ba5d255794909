/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A task from the host's side: the end of its link, the bridge, the routes and ports that lead to
 * it. */
#include <linux/if.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "mode/ruleset.h"
#include "portmap.h"
#include "topology_subject.h"

static const struct link_info *judge_host_end(struct subject *s)
{
	const char *name = live_text(s->row, "hostInterface");
	const struct link_info *end = look_named(s->look, name);
	char fix[128], mac[MAC_TEXT];

	if (!end) {
		s->wire = "gone";
		if (s->has_link)
			subject_complain(s, "start the task anew", "the host's end %s is gone",
					 name);
		return NULL;
	}
	if (mac_is_set(&end->mac))
		json_add_string(s->task, "hostMac", mac_text(&end->mac, mac));
	if (!(end->flags & IFF_UP)) {
		s->wire = "down";
		snprintf(fix, sizeof(fix), "ip link set %s up && taskvpc check %.63s", name,
			 s->name);
		subject_complain(s, fix, "the host's end %s is down", name);
	} else if (s->has_link && end->link != s->link.ifindex) {
		s->wire = "gone";
		subject_complain(s, "start the task anew", "%s is not the other end of its %s",
				 name, s->ifname);
	}
	return end;
}

/* As the plan has it: from the gateway's address, because the host may have no other. */
static void miss_route(struct subject *s, const json *address, const struct ip *to, const char *dev)
{
	const char *gateway = live_text(address, "gateway");
	bool from = to->family == AF_INET && *gateway;
	char ip[IP_TEXT], fix[200];

	ip_text(to, ip);
	snprintf(fix, sizeof(fix), "ip%s route add %s dev %s%s%s proto static",
		 to->family == AF_INET6 ? " -6" : "", ip, dev, from ? " src " : "",
		 from ? gateway : "");
	subject_complain(s, fix, "the host has no route to %s", ip);
}

/* The host must know the way to each address. */
static void judge_routes(struct subject *s, const struct link_info *end)
{
	struct err ignored;

	for (const json *a = json_first(json_get(s->row, "addresses")); a; a = json_next(a)) {
		struct route_spec to = { .ifindex = end->ifindex };
		struct cidr c;

		if (!cidr_parse(live_text(a, "address"), &c))
			continue;
		to.dst = cidr_host(&c.ip);
		if (route_find(&s->look->route, &to, ROUTE_OF_TABLE, &ignored) > 0)
			miss_route(s, a, &c.ip, end->name);
	}
}

/* Of a bridge that is gone or down, or a master, the group itself tells. */
static void judge_joint(struct subject *s, const struct link_info *end, const char *bridge)
{
	const struct link_info *joint = look_named(s->look, bridge);
	char fix[200], name[LOOK_SHELL];

	if (!joint || !(joint->flags & IFF_UP)) {
		s->wire = joint ? "down" : "gone";
		s->broken = true;
	} else if (end && end->master != joint->ifindex) {
		s->wire = "gone";
		snprintf(fix, sizeof(fix), "ip link set %s master %s", end->name,
			 look_shell(bridge, name));
		subject_complain(s, fix, "%s is no port of the bridge %s", end->name, bridge);
	}
}

static bool leads_to(struct topology_look *look, struct nft_element *el, const struct ip *to,
		     int64_t port)
{
	struct err ignored;

	return nft_map_get(&look->nft, TASKVPC_TABLE, el, &ignored) == 0 &&
	       ip_equal(&el->data[0].net.ip, to) && el->data[1].number == port;
}

static uint8_t protocol_of(const json *port)
{
	const char *name = live_text(port, "protocol");

	return !strcmp(name, "udp")    ? IPPROTO_UDP
	       : !strcmp(name, "sctp") ? IPPROTO_SCTP
				       : IPPROTO_TCP;
}

/* Does a published port lead to this address, where it should? */
static void judge_port(struct subject *s, const json *port, const struct ip *to)
{
	int64_t host = 0, own = 0;
	struct ip ip = { .family = 0 };
	bool one = ip_parse(live_text(port, "hostIP"), &ip) && !ip_is_unspecified(&ip);
	struct nft_element el;

	if (ip_is_set(&ip) && ip.family != to->family)
		return;
	ip.family = to->family;
	json_integer(json_get(port, "hostPort"), &host);
	json_integer(json_get(port, "containerPort"), &own);
	el = portmap_element(&ip, one, protocol_of(port), (uint16_t)host);
	if (!leads_to(s->look, &el, to, own))
		subject_complain(s, "taskvpc gc", "port %u/%s of the host does not lead to it",
				 (unsigned)host, live_text(port, "protocol"));
}

static void judge_ports(struct subject *s)
{
	bool seen[2] = { false, false };

	for (const json *a = json_first(json_get(s->row, "addresses")); a; a = json_next(a)) {
		struct cidr c;

		/* A port leads to the first address of each family. */
		if (!cidr_parse(live_text(a, "address"), &c) || seen[c.ip.family == AF_INET6])
			continue;
		seen[c.ip.family == AF_INET6] = true;
		for (const json *p = json_first(json_get(s->row, "held")); p; p = json_next(p))
			judge_port(s, p, &c.ip);
	}
}

void subject_outside(struct subject *s)
{
	const char *bridge = live_text(s->row, "bridge"), *master = live_text(s->row, "master");
	const struct link_info *end = *live_text(s->row, "hostInterface") ? judge_host_end(s)
									  : NULL;

	if (*bridge || *master)
		judge_joint(s, end, *bridge ? bridge : master);
	else if (end && end->flags & IFF_UP && subject_is_routed(s->row))
		judge_routes(s, end);
	if (*bridge)
		judge_ports(s);
}

const char *subject_far_wire(const struct subject *s)
{
	const struct link_info *end = look_named(s->look, live_text(s->row, "hostInterface"));

	return !end ? "gone" : end->flags & IFF_UP ? "up" : "down";
}

void subject_find_end(struct subject *s)
{
	if (json_get(s->row, "hostInterface") || !s->has_link || strcmp(s->link.kind, "veth") != 0)
		return;
	for (size_t i = 0; i < s->look->n_links; i++)
		if (s->look->links[i].ifindex == s->link.link &&
		    s->look->links[i].link == s->link.ifindex)
			json_add_string(s->task, "hostInterface", s->look->links[i].name);
}
