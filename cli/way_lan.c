/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Layer 2 with more than two ends: bridges of this host, and macvlans beside each other on a card.
 */
#include <errno.h>
#include <linux/if.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "way.h"

/* ---- a bridge ---- */

static bool has_mac(const json *row, const struct mac *mac)
{
	struct mac own;

	return mac_parse(live_text(row, "mac"), &own) && mac_equal(&own, mac);
}

/* The task on @bridge that the frame goes to: by the MAC if it is known, else by who answers. */
static const json *on_bridge(const struct way *w, const char *bridge, const struct ip *next)
{
	const json *owner;

	for (const json *row = json_first(w->rows); row && w->next.valid; row = json_next(row))
		if (!strcmp(live_text(row, "bridge"), bridge) && has_mac(row, &w->next.mac))
			return row;
	owner = w->next.valid && w->next.fixed ? NULL : way_owner(w, next);
	return owner && !strcmp(live_text(owner, "bridge"), bridge) ? owner : NULL;
}

static bool is_for_host(struct way *w, const struct link_info *bridge, const struct ip *next)
{
	if (w->next.valid)
		return mac_equal(&w->next.mac, &bridge->mac);
	return way_answers(w, w->host, bridge, next);
}

static void told_isolated(struct way *w, const struct link_info *from, const struct link_info *to)
{
	json *hop =
		way_tell(w, "bridge", "%s and %s are both isolated ports", from->name, to->name);

	way_command(hop, "bridge -d link show dev %s", from->name);
	way_why(hop, "Isolated ports reach those that are not, as the host, but never each other. "
		     "A network makes its ports so by ingressPolicy isolated, or portIsolation.");
	way_ends(w, hop, FATE_DIES, "bridge link set dev %s isolated off", to->name);
}

/* A port that forwards no frames: disabled by hand, or blocked by spanning tree. */
static bool told_port_state(struct way *w, const struct link_info *bridge,
			    const struct link_info *port)
{
	json *hop;

	if (port->master != bridge->ifindex || !(port->flags & IFF_LOWER_UP) ||
	    (port->port_state != BR_STATE_DISABLED && port->port_state != BR_STATE_BLOCKING))
		return false;
	w->at = w->host;
	hop = way_tell(w, "bridge", "the port %s of %s is %s: it takes and sends no frames",
		       port->name, bridge->name,
		       port->port_state == BR_STATE_DISABLED ? "disabled" : "blocked");
	way_command(hop, "bridge -d link show dev %s", port->name);
	way_why(hop, "A port forwards in the state forwarding alone.");
	way_ends(w, hop, FATE_DIES, "bridge link set dev %s state %d", port->name,
		 BR_STATE_FORWARDING);
	return true;
}

/* With br_netfilter, rules for what is routed see what is bridged as well. */
static int filter_bridged(struct way *w, uint32_t bridge, struct err *e)
{
	bool v6 = w->p.dst.family == AF_INET6;
	int r;

	if (way_sysctl(w, w->host, 0, "net/bridge/bridge-nf-call-ip%stables", v6 ? "6" : "") == 0)
		return 0;
	r = way_filter(w, NFT_PREROUTING, e);
	if (!way_stops(w, r))
		r = way_forward(w, bridge, bridge, e);
	return way_stops(w, r) ? r : way_filter(w, NFT_POSTROUTING, e);
}

/* Rules on the way out of a port. @from: as of way_bridged. */
static int filter_port(struct way *w, const struct link_info *bridge, const struct link_info *from,
		       const struct link_info *to, struct err *e)
{
	int r;

	w->oif = to->ifindex;
	r = from ? way_filter_frames(w, NFT_FORWARD, e) : 0;

	if (!way_stops(w, r) && from)
		r = filter_bridged(w, bridge->ifindex, e);
	if (!way_stops(w, r))
		r = way_filter_frames(w, NFT_POSTROUTING, e);
	return way_stops(w, r) ? r : way_filter_device(w, NFT_EGRESS, to->name, e);
}

/* Rules on the way in by the port @from, or from the host itself. */
static int filter_entry(struct way *w, const struct link_info *from, struct err *e)
{
	int r;

	if (!from)
		return way_filter_frames(w, NFT_OUTPUT, e);
	r = way_filter_device(w, NFT_INGRESS, from->name, e);
	if (!way_stops(w, r))
		r = way_frames(w, from, e);
	return way_stops(w, r) ? r : way_filter_frames(w, NFT_PREROUTING, e);
}

static int to_port(struct way *w, const struct link_info *bridge, const struct link_info *from,
		   const json *row, const struct ip *next, struct err *e)
{
	struct link_info port;
	json *hop;
	int r = link_by_name(&w->host->route, live_text(row, "hostInterface"), &port, e);

	if (r)
		return r < 0 ? r
			     : err_set(e, ERR_KERNEL, ENODEV, "%s is gone",
				       live_text(row, "hostInterface"));
	if (!way_is_up(w, w->host, &port))
		return 0;
	if ((from && told_port_state(w, bridge, from)) || told_port_state(w, bridge, &port))
		return 0;
	if (from && from->isolated && port.isolated) {
		told_isolated(w, from, &port);
		return 0;
	}
	if (port.master != bridge->ifindex) {
		hop = way_tell(w, "bridge", "%s of task %s is no port of %s", port.name,
			       live_text(row, "task"), bridge->name);
		way_ends(w, hop, FATE_DIES, "ip link set dev %s master %s", port.name,
			 bridge->name);
		return 0;
	}
	hop = way_tell(w, "bridge", "%s sends the frame out of its port %s", bridge->name,
		       port.name);
	way_command(hop, "bridge fdb show br %s", bridge->name);
	way_why(hop, "A bridge is a switch: it looks at MAC addresses alone.");
	r = filter_port(w, bridge, from, &port, e);
	return way_stops(w, r) ? r : way_to_task(w, row, next, e);
}

/* A task on the bridge whose gateway has that address: then the host has lost it. */
static const json *of_gateway(const struct way *w, const char *bridge, const struct ip *ip)
{
	struct ip gw;

	for (const json *row = json_first(w->rows); row; row = json_next(row))
		for (const json *a = json_first(json_get(row, "addresses")); a; a = json_next(a))
			if (!strcmp(live_text(row, "bridge"), bridge) &&
			    ip_parse(live_text(a, "gateway"), &gw) && ip_equal(&gw, ip))
				return row;
	return NULL;
}

/* Nobody of ours: a port of others may lead to who it is for. */
static int to_others(struct way *w, const struct link_info *bridge, const struct link_info *from,
		     const struct ip *next, struct err *e)
{
	cleanup_free struct link_info *links = NULL;
	size_t n = 0;
	int r = link_list(&w->host->route, &links, &n, e);

	for (size_t i = 0; i < n && r == 0; i++) {
		bool ours = !strncmp(links[i].alias, "eni-", 4);

		if (links[i].master != bridge->ifindex || ours || !(links[i].flags & IFF_UP))
			continue;
		r = filter_port(w, bridge, from, &links[i], e);
		if (way_stops(w, r))
			return r;
		way_leaves(w, &links[i], next);
		w->iif = bridge->ifindex; /* the answer comes in by the bridge */
		return 0;
	}
	if (r == 0 && !way_told_mistaken(w, next))
		way_unanswered(w, of_gateway(w, bridge->name, next), next);
	return r;
}

int way_bridged(struct way *w, const struct link_info *bridge, const struct link_info *from,
		const struct ip *next, struct err *e)
{
	const json *row;
	json *hop;
	int r = filter_entry(w, from, e);

	if (way_stops(w, r) || !way_is_up(w, w->host, bridge))
		return r;
	if (from && told_port_state(w, bridge, from))
		return 0;
	if (from && !w->next.valid && way_told_silent(w, w->host, bridge, next))
		return 0;
	if (from && is_for_host(w, bridge, next)) {
		hop = way_tell(w, "bridge", "the frame is for %s itself: up to the host",
			       bridge->name);
		way_why(hop, "A bridge has an interface of its own in the host: the gateway of its "
			     "tasks.");
		r = way_filter_frames(w, NFT_INPUT, e);
		way_enter(w, w->host, bridge);
		return r;
	}
	row = on_bridge(w, bridge->name, next);
	return row ? to_port(w, bridge, from, row, next, e) : to_others(w, bridge, from, next, e);
}

/* ---- macvlan ---- */

/* The host's own macvlan of the card, if it has one: the only way between it and the tasks. */
static int find_shim(struct way *w, uint32_t master, struct link_info *ret, struct err *e)
{
	cleanup_free struct link_info *links = NULL;
	size_t n = 0;
	int r = link_list(&w->host->route, &links, &n, e);

	for (size_t i = 0; i < n && r == 0; i++) {
		if (strcmp(links[i].kind, "macvlan") == 0 && links[i].link == master) {
			*ret = links[i];
			return 0;
		}
	}
	return r < 0 ? r : 1;
}

static void told_apart(struct way *w, const struct link_info *master)
{
	json *hop =
		way_tell(w, "macvlan", "%s and its macvlans do not reach each other", master->name);

	way_command(hop, "%s -d link show type macvlan", w->at->ip);
	way_why(hop, "What a macvlan sends goes to the cable, not to the card's owner; only a "
		     "macvlan of the host's own hears it.");
	way_ends(w, hop, FATE_DIES,
		 "give the network \"hostAccess\": true, and attach the task again");
}

/* From a macvlan (of a task, or the host's shim) to one beside it. */
static int to_beside(struct way *w, const struct link_info *link, const json *row,
		     const struct ip *next, struct err *e)
{
	bool meets = link->macvlan_mode == MACVLAN_MODE_BRIDGE;
	json *hop;

	if (meets && w->next.valid && !has_mac(row, &w->next.mac) && way_told_mistaken(w, next))
		return 0;
	hop = way_tell(w, "macvlan",
		       meets ? "%s hands the frame to the macvlan of task %s"
			     : "%s is not in bridge mode: it keeps off task %s",
		       link->name, live_text(row, "task"));

	way_command(hop, "%s -d link show dev %s", w->at->ip, link->name);
	way_why(hop, "Macvlans of one card in bridge mode switch among themselves.");
	if (meets)
		return way_to_task(w, row, next, e);
	way_ends(w, hop, FATE_DIES, "give the network \"mode\": \"bridge\"");
	return 0;
}

static int out_of_macvlan(struct way *w, const struct link_info *link,
			  const struct link_info *master, const struct ip *next, struct err *e)
{
	const json *row = way_owner(w, next);
	struct link_info shim;
	int r;

	w->p.mac = link->mac;
	if (row && !strcmp(live_text(row, "master"), master->name))
		return to_beside(w, link, row, next, e);
	if (!w->at->path || !way_answers(w, w->host, master, next)) {
		way_leaves(w, link, next);
		return 0;
	}
	r = find_shim(w, master->ifindex, &shim, e);
	if (r == 1)
		told_apart(w, master);
	if (r || !way_is_up(w, w->host, &shim))
		return r < 0 ? r : 0;
	way_tell(w, "macvlan", "%s, a macvlan of the host, takes the frame", shim.name);
	way_enter(w, w->host, &shim);
	return 0;
}

/* The host's macvlan asks for nobody: the neighbours of its tasks are written. */
static void add_written(struct way *w, const struct link_info *shim, const struct ip *next,
			struct text *fix)
{
	const json *row = way_owner(w, next);
	char ip[IP_TEXT];

	if (shim->flags & IFF_NOARP && row && *live_text(row, "mac"))
		text_add(fix, "%sip neigh replace %s lladdr %s dev %s nud permanent",
			 fix->len ? "; " : "", ip_text(next, ip), live_text(row, "mac"),
			 shim->name);
}

static bool told_unwritten(struct way *w, const struct link_info *link, const struct ip *next)
{
	char ip[IP_TEXT], commands[200];
	struct text fix;
	json *hop;

	if (w->at->path || !(link->flags & IFF_NOARP) || !way_owner(w, next) ||
	    (w->next.valid && strcmp(w->next.state, "noarp") != 0))
		return false;
	hop = way_tell(w, "neighbour", "the entry of %s is gone, and nobody can be asked for it",
		       ip_text(next, ip));
	way_command(hop, "ip neigh show %s dev %s", ip, link->name);
	text_init(&fix, commands, sizeof(commands));
	add_written(w, link, next, &fix);
	way_ends(w, hop, FATE_DIES, "%s", commands);
	return true;
}

/* The host sends by the card itself: it has no macvlan of its own, or no route by it. */
static int past_shim(struct way *w, const struct link_info *card, const struct ip *next,
		     struct err *e)
{
	struct link_info shim;
	char ip[IP_TEXT], src[IP_TEXT], commands[300];
	struct text fix;
	struct ip own;
	json *hop;
	int r = find_shim(w, card->ifindex, &shim, e);

	if (r == 1)
		told_apart(w, card);
	if (r != 0 || !way_is_up(w, w->host, &shim))
		return r < 0 ? r : 0;
	hop = way_tell(w, "route", "the route to %s by %s is gone", ip_text(next, ip), shim.name);
	way_command(hop, "ip route get %s", ip);
	way_why(hop, "The host reaches the tasks of its card by a macvlan of its own alone.");
	text_init(&fix, commands, sizeof(commands));
	text_add(&fix, "ip%s route replace %s dev %s", next->family == AF_INET6 ? " -6" : "", ip,
		 shim.name);
	if (addr_first(&w->host->route, card->ifindex, next->family, &own, e) == 0)
		text_add(&fix, " src %s", ip_text(&own, src));
	text_add(&fix, " proto static");
	add_written(w, &shim, next, &fix);
	way_ends(w, hop, FATE_DIES, "%s", commands);
	return 0;
}

int way_macvlan(struct way *w, const struct link_info *link, const struct ip *next, struct err *e)
{
	bool macvlan = !strcmp(link->kind, "macvlan");
	const json *row = way_owner(w, next);
	struct link_info master;
	int r = way_neighbour(w, link, next, e);

	if (r == 0 && macvlan)
		r = link_by_index(&w->host->route, link->link, &master, e);
	if (r)
		return r < 0 ? r
			     : err_set(e, ERR_KERNEL, ENODEV, "the card of %s is gone", link->name);
	if (macvlan && told_unwritten(w, link, next))
		return 0;
	if (macvlan)
		return way_is_up(w, w->host, &master) ? out_of_macvlan(w, link, &master, next, e)
						      : 0;
	if (!w->at->path && row && !strcmp(live_text(row, "master"), link->name))
		return past_shim(w, link, next, e);
	else
		way_leaves(w, link, next);
	return 0;
}
