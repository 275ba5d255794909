/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host: its links, asked for once, and how it is connected to the world. */
#include <linux/if.h>
#include <linux/netlink.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>

#include "base/cleanup.h"
#include "kernel/nft.h"
#include "kernel/sysctl.h"
#include "topology.h"

int look_open(struct topology_look *ret, struct err *e)
{
	int r;

	*ret = (struct topology_look){ .host = NETNS_NONE,
				       .route = NETLINK_CLOSED,
				       .nft = NETLINK_CLOSED };
	r = netns_self(&ret->host, e);
	if (r == 0)
		r = netlink_open(NETLINK_ROUTE, &ret->host, &ret->host, &ret->route, e);
	if (r == 0)
		r = netlink_open(NETLINK_NETFILTER, &ret->host, &ret->host, &ret->nft, e);
	if (r == 0)
		r = link_list(&ret->route, &ret->links, &ret->n_links, e);
	if (r == 0)
		r = addr_lasting(&ret->route, 0, ret->addresses, HOST_ADDRESSES, &ret->n_addresses,
				 e);
	return r;
}

void look_close(struct topology_look *look)
{
	free(look->links);
	netlink_close(&look->nft);
	netlink_close(&look->route);
	netns_close(&look->host);
}

const struct link_info *look_named(const struct topology_look *look, const char *name)
{
	for (size_t i = 0; i < look->n_links; i++)
		if (!strcmp(look->links[i].name, name))
			return &look->links[i];
	return NULL;
}

/* The carrier of a bridge is that of its ports, which are told themselves. */
static const char *state_of(const struct link_info *link)
{
	if (!(link->flags & IFF_UP))
		return "down";
	return link->flags & IFF_LOWER_UP || !strcmp(link->kind, "bridge") ? "up" : "no carrier";
}

json *look_link(const struct topology_look *look, const char *name, json *parent, const char *key)
{
	const struct link_info *link = look_named(look, name);
	json *one = json_add_object(parent, key), *list;
	char text[IP_TEXT];

	json_add_string(one, "name", name);
	json_add_string(one, "state", link ? state_of(link) : "gone");
	if (!link)
		return one;
	if (*link->kind)
		json_add_string(one, "kind", link->kind);
	if (mac_is_set(&link->mac))
		json_add_string(one, "mac", mac_text(&link->mac, text));
	list = json_add_array(one, "addresses");
	for (unsigned i = 0; i < look->n_addresses; i++)
		if (look->addresses[i].ifindex == link->ifindex)
			json_add_string(list, NULL, cidr_text(&look->addresses[i].cidr, text));
	return one;
}

/* ---- the default routes ---- */

struct exits {
	struct route_way of[2]; /* IPv4, IPv6; ifindex 0: none */
};

/* Where everything else goes: addresses that nobody has are asked for, as in route_uplink_find. */
static void find_exits(struct topology_look *look, struct exits *ret)
{
	static const char *const far[] = { "240.0.0.1", "2000::1" };
	struct route_ask ask = { .iif = 0 };
	struct err ignored;
	int why;

	for (size_t i = 0; i < ARRAY_SIZE(far); i++) {
		ip_parse(far[i], &ask.dst);
		if (route_way_find(&look->route, &ask, &ret->of[i], &why, &ignored) != 0)
			ret->of[i].ifindex = 0;
	}
}

static bool is_exit(const struct exits *exits, uint32_t ifindex)
{
	return exits->of[0].ifindex == ifindex || exits->of[1].ifindex == ifindex;
}

static void add_gateways(json *link, const struct exits *exits, uint32_t ifindex)
{
	json *list = json_add_array(link, "gateways");
	char text[IP_TEXT];

	for (size_t i = 0; i < ARRAY_SIZE(exits->of); i++)
		if (exits->of[i].ifindex == ifindex)
			json_add_string(list, NULL,
					ip_is_set(&exits->of[i].gw)
						? ip_text(&exits->of[i].gw, text)
						: "on the link");
}

/* ---- the interfaces by which it is known ---- */

static bool has_address(const struct topology_look *look, const struct link_info *link)
{
	for (unsigned i = 0; i < look->n_addresses; i++)
		if (look->addresses[i].ifindex == link->ifindex)
			return true;
	return false;
}

/* Bridges of tasks are drawn with those, masters of macvlans in both places. */
static bool is_joint(const json *doc, const char *name, const char *kind)
{
	for (const json *g = json_first(json_get(doc, "groups")); g; g = json_next(g))
		if (is_kind(g, kind) && !strcmp(live_text(json_get(g, "link"), "name"), name))
			return true;
	return false;
}

static bool is_end(const json *doc, const char *name)
{
	for (const json *g = json_first(json_get(doc, "groups")); g; g = json_next(g))
		for (const json *t = json_first(json_get(g, "tasks")); t; t = json_next(t))
			if (!strcmp(live_text(t, "hostInterface"), name))
				return true;
	return false;
}

static bool is_shown(const struct topology_look *look, const json *doc,
		     const struct link_info *link, bool leads_out)
{
	if (is_joint(doc, link->name, "bridge"))
		return false;
	if (leads_out || is_joint(doc, link->name, "lan"))
		return true;
	return has_address(look, link) && !is_end(doc, link->name);
}

static void add_interfaces(struct topology_look *look, const json *doc, json *host)
{
	json *list = json_add_array(host, "interfaces");
	struct exits exits;

	find_exits(look, &exits);
	for (int leads_out = 1; leads_out >= 0; leads_out--)
		for (size_t i = 0; i < look->n_links; i++) {
			const struct link_info *link = &look->links[i];

			if (is_exit(&exits, link->ifindex) != leads_out ||
			    !is_shown(look, doc, link, leads_out))
				continue;
			add_gateways(look_link(look, link->name, list, NULL), &exits,
				     link->ifindex);
		}
}

static bool is_on(const char *path)
{
	struct err ignored;
	char text[32];

	return sysctl_read(path, text, sizeof(text), &ignored) == 0 && strtol(text, NULL, 10) != 0;
}

void look_host(struct topology_look *look, json *doc)
{
	json *host = json_add_object(doc, "host"), *forwarding;
	struct utsname u;

	if (uname(&u) == 0) {
		json_add_string(host, "name", u.nodename);
		json_add_string(host, "kernel", u.release);
	}
	forwarding = json_add_object(host, "forwarding");
	json_add_bool(forwarding, "ipv4", is_on("net/ipv4/ip_forward"));
	json_add_bool(forwarding, "ipv6", is_on("net/ipv6/conf/all/forwarding"));
	add_interfaces(look, doc, host);
}
