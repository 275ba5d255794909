/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Layer 2 of a packet's way: out by an interface, over a pair or a LAN, in by the next. */
#include <errno.h>
#include <linux/if.h>
#include <linux/if_link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "way.h"

void way_enter(struct way *w, struct place *place, const struct link_info *link)
{
	w->at = place;
	w->iif = link->ifindex;
}

/* Of a pair the carrier follows the other end, of a bridge its ports, of a macvlan its card: those
 * are told themselves. */
static bool has_carrier(const struct link_info *link)
{
	return link->flags & IFF_LOWER_UP || !strcmp(link->kind, "veth") ||
	       !strcmp(link->kind, "bridge") || !strcmp(link->kind, "macvlan");
}

bool way_is_up(struct way *w, struct place *at, const struct link_info *link)
{
	bool up = link->flags & IFF_UP;
	json *hop;

	if (up && has_carrier(link))
		return true;
	w->at = at;
	hop = way_tell(w, "link", up ? "%s has no carrier" : "%s is down", link->name);
	way_command(hop, "%s link show dev %s", at->ip, link->name);
	way_why(hop, up ? "Nothing is at the other end of the cable."
			: "An interface that is down takes no frames, and its routes are gone.");
	if (up) /* a cable, which no command plugs in */
		way_ends(w, hop, FATE_DIES, "%s", "");
	else
		way_ends(w, hop, FATE_DIES, "%s link set dev %s up", at->ip, link->name);
	return false;
}

#define ARP_IGNORE_ALL 8 /* net.ipv4.conf.*.arp_ignore: no request is answered */

static long arp_ignore(struct way *w, const struct place *at, const struct link_info *link)
{
	long all = way_sysctl(w, at, 0, "net/ipv4/conf/all/arp_ignore");
	long own = way_sysctl(w, at, 0, "net/ipv4/conf/%s/arp_ignore", link->name);

	return own > all ? own : all;
}

static bool told_no_arp(struct way *w, struct place *at, const struct link_info *link)
{
	json *hop;

	if (!(link->flags & IFF_NOARP))
		return false;
	w->at = at;
	hop = way_tell(w, "neighbour", "%s has ARP turned off", link->name);
	way_command(hop, "%s link show dev %s", at->ip, link->name);
	way_why(hop, "An interface with the flag NOARP neither asks for neighbours nor answers.");
	way_ends(w, hop, FATE_DIES, "%s link set dev %s arp on", at->ip, link->name);
	return true;
}

bool way_told_silent(struct way *w, struct place *at, const struct link_info *link,
		     const struct ip *ip)
{
	long all = way_sysctl(w, at, 0, "net/ipv4/conf/all/arp_ignore");
	const char *of = all >= ARP_IGNORE_ALL ? "all" : link->name;
	char text[IP_TEXT];
	json *hop;

	if (ip->family != AF_INET || !way_has_address(at, ip))
		return false;
	if (told_no_arp(w, at, link))
		return true;
	if (way_answers(w, at, link, ip))
		return false;
	w->at = at;
	hop = way_tell(w, "neighbour", "%s does not answer ARP for %s: arp_ignore is %ld",
		       link->name, ip_text(ip, text), arp_ignore(w, at, link));
	way_command(hop, "%ssysctl net/ipv4/conf/%s/arp_ignore", at->run, of);
	way_why(hop, "arp_ignore says for which addresses ARP is answered; the larger value of all "
		     "and of the interface counts.");
	way_ends(w, hop, FATE_DIES, "%ssysctl -w net/ipv4/conf/%s/arp_ignore=0", at->run, of);
	return true;
}

bool way_answers(struct way *w, struct place *at, const struct link_info *link, const struct ip *ip)
{
	struct addr_info addresses[64];
	struct route_way way;
	struct err ignored;
	unsigned n = 0;
	int why;

	if (ip_is_link_local(ip) && ip->family == AF_INET6)
		return true;
	/* ARP is answered for every local address, unless arp_ignore says otherwise; neighbour
	 * discovery for those of the interface. */
	if (ip->family == AF_INET && !arp_ignore(w, at, link))
		return route_way_find(&at->route, &(struct route_ask){ .dst = *ip }, &way, &why,
				      &ignored) == 0 &&
		       way.local;
	if (ip->family == AF_INET &&
	    (arp_ignore(w, at, link) >= ARP_IGNORE_ALL || link->flags & IFF_NOARP))
		return false;
	addr_lasting(&at->route, link->ifindex, addresses, ARRAY_SIZE(addresses), &n, &ignored);
	for (unsigned i = 0; i < n; i++)
		if (ip_equal(&addresses[i].cidr.ip, ip))
			return true;
	return false;
}

/* The last address of a subnet that a task has one of: everybody's there, so nobody's. */
static bool is_broadcast(const struct way *w, const struct ip *ip)
{
	struct ip last;
	struct cidr c;

	if (way_owner(w, ip))
		return false;
	for (const json *row = json_first(w->rows); row; row = json_next(row))
		for (const json *a = json_first(json_get(row, "addresses")); a; a = json_next(a)) {
			if (!cidr_parse(live_text(a, "address"), &c) || c.ip.family != AF_INET ||
			    c.len > 30)
				continue;
			last = cidr_last(&c);
			if (ip_equal(&last, ip))
				return true;
		}
	return false;
}

static void told_broadcast(struct way *w, const struct ip *ip)
{
	char text[IP_TEXT];
	json *hop = way_tell(w, "neighbour", "%s is for all of its subnet, and nobody has it",
			     ip_text(ip, text));

	way_why(hop,
		"A broadcast goes no further than its link, and who hears it is not told here.");
	way_ends(w, hop, FATE_DIES, "%s", "");
}

void way_unanswered(struct way *w, const json *row, const struct ip *ip)
{
	char text[IP_TEXT], fix[400];
	json *hop;

	if (is_broadcast(w, ip)) {
		told_broadcast(w, ip);
		return;
	}
	hop = way_tell(w, "neighbour", "nobody there has the address %s", ip_text(ip, text));
	way_why(hop,
		ip->family == AF_INET
			? "An ARP request that nobody answers: the packet is given up."
			: "A neighbour solicitation that nobody answers: the packet is given up.");
	way_ends(w, hop, FATE_DIES, "%s", row ? way_routes(w, row, ip, fix) : "");
}

bool way_told_mistaken(struct way *w, const struct ip *next)
{
	char ip[IP_TEXT], mac[MAC_TEXT];
	json *hop;

	if (!w->next.valid || !w->asker)
		return false;
	w->at = w->asker;
	hop = way_tell(w, "neighbour", "%s is not at %s: nobody on the link has that MAC address",
		       ip_text(next, ip), mac_text(&w->next.mac, mac));
	way_command(hop, "%s neigh show %s dev %s", w->at->ip, ip, w->asker_dev);
	way_why(hop, "An entry that is wrong is used until it is deleted, or asked for again.");
	way_ends(w, hop, FATE_DIES, "%s neigh del %s dev %s", w->at->ip, ip, w->asker_dev);
	return true;
}

static void tell_neighbour(struct way *w, const struct link_info *link, const struct ip *next)
{
	char ip[IP_TEXT], mac[MAC_TEXT];
	json *hop;

	w->asker = w->at;
	memcpy(w->asker_dev, link->name, sizeof(w->asker_dev));
	ip_text(next, ip);
	if (w->next.valid)
		hop = way_tell(w, "neighbour", "%s is at %s (%s)", ip, mac_text(&w->next.mac, mac),
			       w->next.state);
	else
		hop = way_tell(w, "neighbour", "%s is not known on %s: it is asked for", ip,
			       link->name);
	way_command(hop, "%s neigh show %s dev %s", w->at->ip, ip, link->name);
	way_why(hop, w->next.fixed ? "Written when the task was attached, never asked for: nobody "
				     "can forge it."
				   : "Learned from whoever answers ARP or neighbour discovery.");
}

int way_neighbour(struct way *w, const struct link_info *link, const struct ip *next, struct err *e)
{
	int r = neigh_get(&w->at->route, link->ifindex, next, &w->next, e);

	if (r >= 0)
		tell_neighbour(w, link, next);
	return r < 0 ? r : 0;
}

void way_leaves(struct way *w, const struct link_info *link, const struct ip *next)
{
	char ip[IP_TEXT], src[IP_TEXT];
	const json *owner = way_owner(w, &w->p.src);
	json *hop;

	ip_text(next, ip);
	if (!strcmp(w->next.state ? w->next.state : "", "failed")) {
		hop = way_tell(w, "neighbour", "%s was asked for on %s, and did not answer", ip,
			       link->name);
		way_ends(w, hop, FATE_DIES,
			 "is it switched on, and on this LAN? Ask again: ping -c 1 %s", ip);
		return;
	}
	if (way_told_unmasked(w))
		return;
	hop = way_tell(w, "link", "%s leads out of this host, to %s", link->name, ip);
	way_why(hop, owner && !w->answer ? "From here on it is the LAN's business: it must know a "
					   "way back to the task."
					 : "From here on it is the LAN's business.");
	way_ends(w, hop, FATE_LEAVES, "%s", "");
	snprintf(w->reason, sizeof(w->reason), "by %s, with the source %s", link->name,
		 ip_text(&w->p.src, src));
	w->iif = link->ifindex;
}

/* ---- pairs ---- */

static const json *row_of_link(const struct way *w, const char *name)
{
	for (const json *row = json_first(w->rows); row; row = json_next(row))
		if (!strcmp(live_text(row, "hostInterface"), name) &&
		    !strcmp(live_text(row, "state"), "up"))
			return row;
	return NULL;
}

/* The end in the host of a link of a task. Return: 0, 1 if there is none, or a negative errno. */
static int peer_in_host(struct way *w, const struct link_info *link, struct link_info *ret,
			struct err *e)
{
	int r = link_by_index(&w->host->route, link->link, ret, e);

	if (r == 0 && (strcmp(ret->kind, "veth") != 0 || ret->link != link->ifindex))
		return 1;
	return r;
}

/* The task's end of a link of the host. */
static int peer_in_task(struct way *w, const struct link_info *link, struct place **place,
			struct link_info *ret, struct err *e)
{
	const json *row = row_of_link(w, link->name);
	int r = row ? way_place(w, row, place, e) : 1;

	if (r == 0)
		r = link_by_name(&(*place)->route, live_text(row, "interface"), ret, e);
	if (r == 0 && ret->link != link->ifindex)
		return 1;
	return r;
}

static void tell_pair(struct way *w, const struct link_info *link, const struct place *place,
		      const struct link_info *peer)
{
	json *hop = way_tell(w, "link", "%s is one end of a pair, %s (%s) is the other", link->name,
			     peer->name, place->name);

	way_command(hop, "%s -d link show dev %s", w->at->ip, link->name);
	way_why(hop, "A veth pair is a cable: what goes in at one end comes out of the other.");
}

/*
 * The host's end of awsvpc does no ARP, and neither end has an IPv6 address that could ask or
 * answer: the entry must be there. One of state noarp the kernel makes of the link's own MAC.
 */
static bool nobody_asks(const struct way *w, const struct link_info *link,
			const struct link_info *peer, const struct ip *next)
{
	bool written = w->next.valid && strcmp(w->next.state, "noarp") != 0;

	return !written && !peer->master &&
	       (next->family == AF_INET6 || (link->flags | peer->flags) & IFF_NOARP);
}

/* Of a link that is given another MAC the kernel forgets the neighbours. Return: is it told? */
static bool told_other_mac(struct way *w, const struct link_info *link,
			   const struct link_info *peer, const struct ip *next)
{
	const char *key = w->at->path ? "mac" : "hostMac";
	const json *row = w->at->path ? w->at->row : row_of_link(w, link->name);
	char ip[IP_TEXT], mac[MAC_TEXT], own[MAC_TEXT];
	struct mac given;
	json *hop;

	if (!mac_parse(live_text(row, key), &given) || mac_equal(&given, &link->mac) ||
	    (w->at->path && strcmp(live_text(row, "interface"), link->name) != 0))
		return false;
	hop = way_tell(w, "link", "%s has the MAC address %s instead of %s", link->name,
		       mac_text(&link->mac, own), live_text(row, key));
	way_command(hop, "%s link show dev %s", w->at->ip, link->name);
	way_why(hop, "Somebody changed it after the task was attached; the kernel then forgets the "
		     "neighbours of the link.");
	way_ends(
		w, hop, FATE_DIES,
		"%s link set dev %s address %s; %s neigh replace %s lladdr %s dev %s nud permanent",
		w->at->ip, link->name, live_text(row, key), w->at->ip, ip_text(next, ip),
		mac_text(&peer->mac, mac), link->name);
	return true;
}

static void told_unwritten(struct way *w, const struct link_info *link,
			   const struct link_info *peer, const struct ip *next)
{
	char ip[IP_TEXT], mac[MAC_TEXT];
	json *hop;

	if (is_broadcast(w, next)) {
		told_broadcast(w, next);
		return;
	}
	if (told_other_mac(w, link, peer, next))
		return;
	hop = way_tell(w, "neighbour", "the entry of %s is gone, and nobody can be asked for it",
		       ip_text(next, ip));
	way_command(hop, "%s neigh show %s dev %s", w->at->ip, ip, link->name);
	way_why(hop, "These two ends do not ask, and do not answer: their neighbours were written "
		     "when the task was attached.");
	way_ends(w, hop, FATE_DIES, "%s neigh replace %s lladdr %s dev %s nud permanent", w->at->ip,
		 ip, mac_text(&peer->mac, mac), link->name);
}

/* Is the frame for who is at the other end? A bridge port takes all. */
static bool is_for(struct way *w, struct place *place, const struct link_info *link,
		   const struct link_info *peer, const struct ip *next)
{
	char ip[IP_TEXT], mac[MAC_TEXT], own[MAC_TEXT];
	json *hop;

	if (peer->master)
		return true;
	if (nobody_asks(w, link, peer, next)) {
		told_unwritten(w, link, peer, next);
		return false;
	}
	if (!w->next.valid && way_answers(w, place, peer, next))
		return true;
	if (w->next.valid && mac_equal(&w->next.mac, &peer->mac))
		return true;
	if (!w->next.valid) {
		way_unanswered(w, place->row ? place->row : w->at->row, next);
		return false;
	}
	hop = way_tell(w, "neighbour", "%s is not the MAC address of %s, which is %s",
		       mac_text(&w->next.mac, mac), peer->name, mac_text(&peer->mac, own));
	way_why(hop, "A frame for somebody else is thrown away on arrival.");
	way_ends(w, hop, FATE_DIES, "%s neigh replace %s lladdr %s dev %s nud permanent", w->at->ip,
		 ip_text(next, ip), own, link->name);
	return false;
}

static int cross_pair(struct way *w, const struct link_info *link, const struct ip *next,
		      struct err *e)
{
	struct place *place = w->host;
	struct link_info peer, bridge;
	int r = w->at->path ? peer_in_host(w, link, &peer, e)
			    : peer_in_task(w, link, &place, &peer, e);

	if (r)
		return r < 0 ? r : way_macvlan(w, link, next, e);
	r = neigh_get(&w->at->route, link->ifindex, next, &w->next, e);
	if (r < 0)
		return r;
	if (!nobody_asks(w, link, &peer, next))
		tell_neighbour(w, link, next);
	tell_pair(w, link, place, &peer);
	w->p.mac = link->mac;
	if (!way_is_up(w, place, &peer) || !is_for(w, place, link, &peer, next))
		return 0;
	way_enter(w, place, &peer);
	if (!peer.master)
		return 0;
	r = link_by_index(&place->route, peer.master, &bridge, e);
	if (r)
		return r < 0 ? r
			     : err_set(e, ERR_KERNEL, ENODEV, "the bridge of %s is gone",
				       peer.name);
	return way_bridged(w, &bridge, &peer, next, e);
}

/* The neighbours of a veth task are written; those on a bridge or a LAN are asked for. */
static bool asks_by_arp(const struct way *w, const struct link_info *link, const struct ip *next)
{
	const json *row = w->at->row;

	return next->family == AF_INET && w->at->path && row &&
	       strcmp(live_text(row, "mode"), "awsvpc-veth") != 0 &&
	       !strcmp(live_text(row, "interface"), link->name);
}

int way_cross(struct way *w, uint32_t oif, const struct ip *next, struct err *e)
{
	struct link_info link;
	int r = link_by_index(&w->at->route, oif, &link, e);

	if (r)
		return r < 0 ? r : err_set(e, ERR_KERNEL, ENODEV, "the interface %u is gone", oif);
	if (!way_is_up(w, w->at, &link))
		return 0;
	if (asks_by_arp(w, &link, next) && told_no_arp(w, w->at, &link))
		return 0;
	r = way_filter_device(w, NFT_EGRESS, link.name, e);
	if (way_stops(w, r))
		return r;
	if (!strcmp(link.kind, "veth"))
		return cross_pair(w, &link, next, e);
	if (strcmp(link.kind, "bridge") != 0)
		return way_macvlan(w, &link, next, e);
	r = way_neighbour(w, &link, next, e);
	w->p.mac = link.mac;
	return r < 0 ? r : way_bridged(w, &link, NULL, next, e);
}

/* ---- into a task ---- */

int way_to_task(struct way *w, const json *row, const struct ip *next, struct err *e)
{
	struct place *place;
	struct link_info link;
	int r = way_place(w, row, &place, e);

	if (r == 0)
		r = link_by_name(&place->route, live_text(row, "interface"), &link, e);
	if (r)
		return r < 0 ? r
			     : err_set(e, ERR_KERNEL, ENODEV, "task %s has no %s any more",
				       place->name, live_text(row, "interface"));
	if (!way_is_up(w, place, &link))
		return 0;
	if (!w->next.valid && way_told_silent(w, place, &link, next))
		return 0;
	if (!w->next.valid && !way_answers(w, place, &link, next)) {
		w->at = place;
		way_unanswered(w, row, next);
		return 0;
	}
	way_enter(w, place, &link);
	return 0;
}
