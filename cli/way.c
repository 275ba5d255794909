/* SPDX-License-Identifier: GPL-2.0-or-later */
/* explain SRC DST: the order of the stations, there and back, and what it comes to. */
#include "way.h"

#include <errno.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "kernel/socket.h"
#include "output.h"

#define STATIONS_MAX 16 /* namespaces that a packet may pass: no way of ours has more than 5 */

/* ---- taken ---- */

/* Return: 1, 0, or a negative errno. A kernel without sock_diag cannot tell: then somebody does. */
int way_listens(struct way *w, struct err *e)
{
	struct netlink nl = NETLINK_CLOSED;
	int r = netlink_open(NETLINK_SOCK_DIAG, &w->at->ns, &w->host->ns, &nl, e);

	if (r == 0)
		r = socket_listens(&nl, w->p.protocol, &w->p.dst, w->p.port, e);
	netlink_close(&nl);
	return r == -ENOENT ? 1 : r;
}

/* A ping that the kernel is told not to answer. Return: is it told? */
static bool told_ignored(struct way *w)
{
	bool v6 = w->p.dst.family == AF_INET6;
	const char *path = v6 ? "net.ipv6.icmp.echo_ignore_all" : "net.ipv4.icmp_echo_ignore_all";
	json *hop;

	if (w->answer || w->p.protocol != IPPROTO_ICMP ||
	    way_sysctl(w, w->at, 0,
		       v6 ? "net/ipv6/icmp/echo_ignore_all" : "net/ipv4/icmp_echo_ignore_all") == 0)
		return false;
	hop = way_tell(w, "socket", "the kernel there does not answer pings: %s is 1", path);
	way_command(hop, "%ssysctl %s", w->at->run, path);
	way_why(hop, "All else is taken as ever: ask with a port, as SRC DST:80.");
	way_ends(w, hop, FATE_DIES, "%ssysctl -w %s=0", w->at->run, path);
	return true;
}

static int deliver(struct way *w, struct err *e)
{
	bool asks = !w->answer && (w->p.protocol == IPPROTO_TCP || w->p.protocol == IPPROTO_UDP);
	char dst[IP_TEXT];
	json *hop;
	int r = asks ? way_listens(w, e) : 1;

	if (r < 0 || told_ignored(w))
		return r < 0 ? r : 0;
	ip_text(&w->p.dst, dst);
	if (r == 0) {
		hop = way_tell(w, "socket", "nobody listens on %s port %u", dst, w->p.port);
		way_why(hop,
			"The packet arrived; the kernel there answers that the port is closed.");
		way_ends(w, hop, FATE_REFUSED, "%s",
			 w->at->path ? "start the server, on all addresses (0.0.0.0)"
				     : "is the port published? taskvpc ports; run -p "
				       "HOST:CONTAINER publishes one");
	} else {
		hop = way_tell(w, "socket", asks ? "somebody listens on %s port %u" : "%s takes it",
			       dst, w->p.port);
		way_ends(w, hop, FATE_ARRIVES, "%s", "");
		if (!w->answer && w->p.protocol == IPPROTO_SCTP)
			way_doubts(w, hop, "whether anybody listens for SCTP is not looked at");
	}
	if (asks)
		way_command(hop, "%sss -Hln%c 'sport = %u'", w->at->run,
			    w->p.protocol == IPPROTO_UDP ? 'u' : 't', w->p.port);
	return 0;
}

/* ---- connection tracking, for the answer ---- */

static void restore_client(struct way *w)
{
	char ip[IP_TEXT];
	json *hop;

	if (!w->answer || !ip_is_set(&w->nat.as) || !ip_equal(&w->p.dst, &w->nat.as))
		return;
	w->p.dst = w->nat.client;
	hop = way_tell(w, "conntrack", "the destination is %s again", ip_text(&w->p.dst, ip));
	way_why(hop,
		"Connection tracking remembers what it translated, and undoes it in the answer.");
}

static void restore_server(struct way *w)
{
	char ip[IP_TEXT];
	json *hop;

	if (!w->answer || !ip_is_set(&w->nat.to) || !ip_equal(&w->p.src, &w->nat.to))
		return;
	w->p.src = w->nat.server;
	hop = way_tell(w, "conntrack", "the source is %s again", ip_text(&w->p.src, ip));
	way_why(hop, "The client must see the answer come from where it sent the question.");
}

/* ---- stations ---- */

/* In by an interface: a device may have rules of its own, before all others. */
static int came_in(struct way *w, struct err *e)
{
	struct link_info in;
	int r = link_by_index(&w->at->route, w->iif, &in, e);

	if (r)
		return r < 0 ? r : 0; /* it has gone: the route will say so */
	if (way_told_deaf(w, &in))
		return 0;
	r = way_filter_device(w, NFT_INGRESS, in.name, e);
	return way_stops(w, r) || w->at->path ? r : way_guard(w, e);
}

/* Ours translate at an earlier priority than most others filter. */
static int rules_in(struct way *w, struct err *e)
{
	int r = w->iif ? came_in(w, e) : 0;

	if (!way_stops(w, r) && w->iif)
		r = way_filter_early(w, e);
	if (!way_stops(w, r) && !w->at->path) {
		restore_client(w);
		r = way_publish(w, e);
	}
	return way_stops(w, r) || !w->iif ? r : way_filter_late(w, e);
}

/* What a namespace sends to itself leaves it as all else does, and comes in again by lo. */
static int rules_here(struct way *w, struct err *e)
{
	static const enum nft_hook hooks[] = { NFT_POSTROUTING, NFT_PREROUTING, NFT_INPUT };
	int r = 0;

	for (size_t i = w->iif ? 2 : 0; i < ARRAY_SIZE(hooks) && !way_stops(w, r); i++)
		r = way_filter(w, hooks[i], e);
	return r;
}

static int rules_out(struct way *w, uint32_t oif, const struct ip *next, struct err *e)
{
	int r = w->iif ? way_forward(w, w->iif, oif, e) : 0;

	if (!way_stops(w, r))
		r = way_filter(w, NFT_POSTROUTING, e);
	if (way_stops(w, r) || w->at->path)
		return r;
	restore_server(w);
	r = way_masquerade(w, oif, next, e);
	if (r == 0)
		way_masquerade_others(w, oif, next);
	return r;
}

/* @rules: they are not passed by. */
static int take(struct way *w, bool rules, struct err *e)
{
	int r = rules ? rules_here(w, e) : 0;

	return way_stops(w, r) ? r : deliver(w, e);
}

#define TTL_USUAL 64

static void begin_ttl(struct way *w)
{
	struct link_info out = { .name = "all" };
	bool v6 = w->p.dst.family == AF_INET6;
	struct err ignored;

	w->sender = w->at;
	if (!w->answer)
		w->client = w->at;
	link_by_index(&w->at->route, w->oif, &out, &ignored);
	snprintf(w->ttl_key, sizeof(w->ttl_key),
		 v6 ? "net/ipv6/conf/%s/hop_limit" : "net/ipv4/ip_default_ttl", out.name);
	w->p.ttl = way_sysctl(w, w->at, TTL_USUAL, "%s", w->ttl_key);
}

/* Who forwards a packet counts its TTL down. Return: is it told that there is none left? */
static bool told_expired(struct way *w)
{
	const char *key = w->ttl_key;
	json *hop;

	if (!w->iif || --w->p.ttl > 0)
		return false;
	hop = way_tell(w, "forwarding", "the TTL of the packet is used up");
	way_command(hop, "%ssysctl %s", w->sender ? w->sender->run : "", key);
	way_why(hop, "Each router counts the TTL down by one; the sender's sysctl says where it "
		     "begins.");
	way_ends(w, hop, FATE_DIES, "%ssysctl -w %s=%d", w->sender ? w->sender->run : "", key,
		 TTL_USUAL);
	return true;
}

static int send_on(struct way *w, const struct route_way *way, bool rules, struct err *e)
{
	struct ip next = ip_is_set(&way->gw) ? way->gw : w->p.dst;
	int r;

	if (told_expired(w))
		return 0;
	r = rules ? rules_out(w, way->ifindex, &next, e) : 0;

	return way_stops(w, r) ? r : way_cross(w, way->ifindex, &next, e);
}

static int station(struct way *w, struct err *e)
{
	struct route_way way;
	struct ip before;
	int r = w->at->path ? 0 : way_past_stack(w, e);
	bool rules = r == 0;

	if (rules)
		r = rules_in(w, e);
	if (way_stops(w, r))
		return r;
	w->oif = 0;
	r = way_routed(w, &way, e);
	if (way_stops(w, r))
		return r;
	w->oif = way.ifindex;
	before = w->p.dst;
	if (!w->iif)
		begin_ttl(w);
	if (rules && !w->iif)
		r = way_filter(w, NFT_OUTPUT, e);
	if (!way_stops(w, r) && !ip_equal(&before, &w->p.dst)) /* translated: routed again */
		r = way_routed(w, &way, e);
	if (way_stops(w, r))
		return r;
	return way.local ? take(w, rules, e) : send_on(w, &way, rules, e);
}

int way_follow(struct way *w, struct err *e)
{
	int r = 0;

	for (unsigned i = 0; i < STATIONS_MAX && r == 0 && !w->fate; i++)
		r = station(w, e);
	if (r == 0 && !w->fate)
		way_ends(w, way_tell(w, "route", "the packet goes round in circles"), FATE_DIES,
			 "%s", "");
	return r;
}

/* ---- where it begins ---- */

/* Of a card with macvlans the LAN reaches the task past the host. */
static int begin_at_macvlan(struct way *w, const json *row, struct err *e)
{
	json *hop;
	int r;

	w->at = w->host;
	hop = way_tell(w, "link", "the LAN of %s hands it to the task's macvlan",
		       live_text(row, "master"));
	way_why(hop, "A macvlan is a card of its own on the LAN: the host is not on the way.");
	r = way_filter_device(w, NFT_INGRESS, live_text(row, "master"), e);
	if (!way_stops(w, r))
		r = way_place(w, row, &w->at, e);
	return way_stops(w, r) ? r : way_to_task(w, row, &w->p.dst, e);
}

static int begin_outside(struct way *w, struct err *e)
{
	const json *row = way_owner(w, &w->p.dst);
	char src[IP_TEXT];
	struct link_info link;
	struct route_way way;
	json *hop;
	int why, r;

	if (row && *live_text(row, "master"))
		return begin_at_macvlan(w, row, e);
	w->at = w->host;
	r = route_way_find(&w->host->route, &(struct route_ask){ .dst = w->p.src }, &way, &why, e);
	if (r == 0)
		r = link_by_index(&w->host->route, way.ifindex, &link, e);
	if (r < 0)
		return r;
	ip_text(&w->p.src, src);
	if (r == 1) {
		hop = way_tell(w, "route",
			       "the host has no route to %s, so nothing from there gets here", src);
		way_ends(w, hop, FATE_DIES, "ip%s route add default via ROUTER",
			 w->p.src.family == AF_INET6 ? " -6" : "");
		return 0;
	}
	if (!way_is_up(w, w->host, &link))
		return 0;
	hop = way_tell(w, "link", "%s is thought to come in by %s", src, link.name);
	way_command(hop, "ip route get %s", src);
	way_why(hop, "By the interface that the host itself would use to get there.");
	w->iif = link.ifindex;
	return 0;
}

static int begin(struct way *w, const struct way_end *src, bool named, struct err *e)
{
	w->any_source = named;
	w->p.ttl = TTL_USUAL;
	if (src->kind == END_OUTSIDE)
		return begin_outside(w, e);
	return way_place(w, src->kind == END_TASK ? src->row : NULL, &w->at, e);
}

/* ---- the answer ---- */

static int follow_back(struct way *w, struct err *e)
{
	struct ip src = w->p.dst;

	w->answer = true;
	if (w->fate == FATE_ARRIVES)
		w->iif = 0;
	w->p.dst = w->p.src;
	w->p.src = src;
	w->p.mac = (struct mac){ .b = { 0 } };
	w->fate = FATE_NONE;
	w->sender = NULL;
	w->p.ttl = TTL_USUAL;
	w->next = (struct neigh_info){ .state = "none" };
	return way_follow(w, e);
}

static bool got_through(enum fate fate)
{
	return fate == FATE_ARRIVES || fate == FATE_LEAVES;
}

/* There and back: what fails on the way back fails the whole. */
static int follow_both(struct way *w, json *doc, struct err *e)
{
	enum fate there;
	char reason[sizeof(w->reason)];
	int r;

	r = w->fate ? 0 : way_follow(w, e);
	there = w->fate;
	memcpy(reason, w->reason, sizeof(reason));
	w->hops = json_add_array(doc, "answer");
	if (r < 0 || !got_through(there))
		return r;
	r = follow_back(w, e);
	if (r < 0 || !got_through(w->fate)) {
		snprintf(reason, sizeof(reason), "the answer: %.480s", w->reason);
		there = w->fate;
	}
	memcpy(w->reason, reason, sizeof(reason));
	w->fate = there;
	return r;
}

static void add_end(json *doc, const char *key, const char *word, const struct ip *ip)
{
	json *end = json_add_object(doc, key);
	char text[IP_TEXT];

	json_add_string(end, "name", word);
	json_add_string(end, "address", ip_text(ip, text));
}

static const char *protocol_name(uint8_t protocol)
{
	return protocol == IPPROTO_TCP    ? "tcp"
	       : protocol == IPPROTO_UDP  ? "udp"
	       : protocol == IPPROTO_SCTP ? "sctp"
					  : "icmp";
}

static int explain(struct way *w, const char *from, const char *to, json *doc, struct err *e)
{
	struct way_end src, dst;
	struct ip said;
	int r = way_words(w, from, to, &src, &dst, e);

	if (r < 0)
		return r;
	w->p.src = src.ip;
	w->p.dst = dst.ip;
	add_end(doc, "source", from, &src.ip);
	add_end(doc, "destination", to, &dst.ip);
	json_add_string(doc, "protocol", protocol_name(w->p.protocol));
	if (w->p.port)
		json_add_integer(doc, "port", w->p.port);
	w->hops = json_add_array(doc, "request");
	r = begin(w, &src, src.kind != END_OUTSIDE && !ip_parse(from, &said), e);
	return r < 0 ? r : follow_both(w, doc, e);
}

int way_explain(const struct cli *c, const json *rows, const char *src, const char *dst,
		struct err *e)
{
	cleanup_json json *doc = json_object();
	struct way w;
	int r = way_open(&w, rows, e);

	if (r == 0)
		r = explain(&w, src, dst, doc, e);
	if (r == 0) {
		way_settle(&w);
		json_add_string(doc, "verdict", way_fate_name(w.fate));
		json_add_string(doc, "reason", w.reason);
		if (*w.fix)
			json_add_string(doc, "fix", w.fix);
		way_show(c, doc);
	}
	way_close(&w);
	return r < 0 ? r : got_through(w.fate) ? EXIT_DONE : EXIT_NO;
}
