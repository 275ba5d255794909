/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Rules of others on a packet's way: at each hook that it comes to, in each namespace, all chains
 * must let it pass. They are evaluated for this very packet (kernel/firewall.h); where a match
 * cannot be computed, the whole is unsure.
 */
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"
#include "mode/ruleset.h"
#include "way.h"

static const char *what_is(enum nft_hook hook)
{
	static const char *const words[] = {
		[NFT_PREROUTING] = "comes in",  [NFT_INPUT] = "is for this namespace itself",
		[NFT_FORWARD] = "is forwarded", [NFT_OUTPUT] = "is sent from here",
		[NFT_POSTROUTING] = "goes out", [NFT_INGRESS] = "comes in by",
		[NFT_EGRESS] = "goes out by",
	};

	return words[hook];
}

/* ---- the packet, as the rules see it ---- */

static void take_link(struct way *w, uint32_t ifindex, struct link_info *ret)
{
	struct err ignored;

	if (!ifindex || link_by_index(&w->at->route, ifindex, ret, &ignored) != 0)
		*ret = (struct link_info){ .ifindex = 0 };
}

static void take_links(struct way *w, const struct nft_crossing *at, struct fw_packet *p)
{
	bool in = at->hook != NFT_OUTPUT && at->hook != NFT_EGRESS;
	bool out = at->hook == NFT_FORWARD || at->hook == NFT_OUTPUT || at->hook == NFT_POSTROUTING;
	uint32_t iif = w->iif;
	struct err ignored;

	/* What a namespace sends to itself comes in by lo. */
	if (!iif && (at->hook == NFT_PREROUTING || at->hook == NFT_INPUT))
		iif = LOOPBACK_INDEX;
	if (in)
		take_link(w, iif, &p->in);
	if (out)
		take_link(w, w->oif, &p->out);
	if (at->dev)
		link_by_name(&w->at->route, at->dev, at->hook == NFT_EGRESS ? &p->out : &p->in,
			     &ignored);
}

static struct fw_packet packet_of(struct way *w, const struct nft_crossing *at)
{
	struct fw_packet p = { .src = w->p.src,
			       .dst = w->p.dst,
			       .protocol = w->p.protocol,
			       .smac = w->p.mac,
			       .mark = w->p.mark,
			       .answer = w->answer };

	/* Of a client outside it is the packet of an ordinary one. */
	p.ephemeral = !w->client ||
		      way_sysctl(w, w->client, 0, "net/ipv4/ip_local_port_range") >= FW_EPHEMERAL;
	if (w->answer)
		p.sport = w->p.port;
	else
		p.dport = w->p.port;
	if (!w->at->path) { /* connections are translated in the host's namespace alone */
		p.dnat = ip_is_set(&w->nat.to);
		p.snat = ip_is_set(&w->nat.as);
		if (p.dnat) {
			p.first_dst = w->nat.server;
			p.first_dport = w->nat.port;
		}
		if (p.snat)
			p.first_src = w->nat.client;
	}
	take_links(w, at, &p);
	return p;
}

/* ---- what is told ---- */

/* Where neighbours are asked for, their questions must pass as well. */
static bool asks_neighbours(const struct way *w, const struct nft_crossing *at)
{
	return at->dev || at->family == NFT_BRIDGE ||
	       (w->p.dst.family == AF_INET6 && at->hook != NFT_FORWARD);
}

/* Docker leaves the chain DOCKER-USER to others, and puts its own rules before all of FORWARD. */
static const char *chain_for(struct way *w, const struct fw_rule *r)
{
	bool docker = r->iptables && !strcmp(r->base, "FORWARD") && !strcmp(r->table, "filter") &&
		      fw_has_chain(w->at->fw, r, "DOCKER-USER");

	return docker ? "DOCKER-USER" : r->base;
}

/* firewalld makes its table anew at each reload. */
static void trust(const struct way *w, struct text *t)
{
	const json *owner = way_owner(w, &w->p.src);
	char src[IP_TEXT];
	struct cidr c = cidr_host(&w->p.src);

	for (const json *a = json_first(json_get(owner, "addresses")); a; a = json_next(a)) {
		struct cidr one;

		if (cidr_parse(live_text(a, "address"), &one) && ip_equal(&one.ip, &w->p.src))
			c = (struct cidr){ cidr_first(&one), one.len };
	}
	text_add(t,
		 "firewall-cmd --permanent --zone=trusted --add-source=%s; firewall-cmd --reload",
		 cidr_text(&c, src));
}

static const char *iptables_name(const struct fw_rule *r)
{
	return !strcmp(r->family, "ip6") ? "ip6tables" : "iptables";
}

static void add_legacy(const struct way *w, const struct fw_rule *r, const char *src,
		       const char *dst, struct text *t)
{
	text_add(t, "%s%s-legacy -t %s -I %s -s %s -d %s -j ACCEPT; ", w->at->run, iptables_name(r),
		 r->table, r->base, src, dst);
	text_add(t, "%s%s-legacy -t %s -I %s -s %s -d %s -j ACCEPT", w->at->run, iptables_name(r),
		 r->table, r->base, dst, src);
}

/* The commands that let these two speak with each other: all of them, or none. */
static void let_through(struct way *w, const struct nft_crossing *at, const struct fw_rule *r,
			char *ret, size_t size)
{
	bool v6 = w->p.dst.family == AF_INET6;
	const char *ip = v6 ? "ip6" : "ip", *run = w->at->run;
	char src[IP_TEXT], dst[IP_TEXT], chain[600];
	struct fw_rule to = *r;
	struct text t;

	text_init(&t, ret, size);
	snprintf(to.chain, sizeof(to.chain), "%s", chain_for(w, r));
	if (!fw_rule_text(&to, chain))
		return;
	if (!strcmp(r->table, "firewalld")) {
		trust(w, &t);
		return;
	}
	ip_text(&w->p.src, src);
	ip_text(&w->p.dst, dst);
	if (r->legacy) {
		add_legacy(w, r, src, dst, &t);
		return;
	}
	text_add(&t, "%snft insert rule %s %s saddr %s %s daddr %s accept; ", run, chain, ip, src,
		 ip, dst);
	text_add(&t, "%snft insert rule %s %s saddr %s %s daddr %s accept", run, chain, ip, dst, ip,
		 src);
	if (asks_neighbours(w, at))
		text_add(&t, "; %snft insert rule %s %s accept", run, chain,
			 v6 ? "icmpv6 type '{ nd-neighbor-solicit, nd-neighbor-advert }'"
			    : "ether type arp");
	if (t.overflow)
		*ret = '\0';
}

static json *tell(struct way *w, const struct nft_crossing *at, const struct fw_rule *r, bool drops,
		  const char *chain)
{
	char rule[48] = "";

	if (r->handle)
		snprintf(rule, sizeof(rule), ", by its rule with handle %" PRIu64, r->handle);
	return way_tell(w, "firewall", "the chain %s %s what %s%s%s%s%s", chain,
			drops ? "drops" : "may drop", what_is(at->hook), at->dev ? " " : "",
			at->dev ? at->dev : "", rule,
			drops ? "" : ": a condition of its rules cannot be computed");
}

static void told(struct way *w, const struct nft_crossing *at, const struct fw_rule *r, bool drops)
{
	char chain[600], commands[800] = "", list[800];
	bool plain = fw_rule_text(r, chain) != NULL;
	json *hop = tell(w, at, r, drops, chain);

	if (r->legacy)
		snprintf(list, sizeof(list), "%s%s-legacy -t %s -S", w->at->run, iptables_name(r),
			 r->table);
	else
		snprintf(list, sizeof(list), "%snft -a list chain %s", w->at->run, chain);
	if (plain) {
		way_command(hop, "%s", list);
		let_through(w, at, r, commands, sizeof(commands));
	}
	way_why(hop, "All chains at a hook must accept a packet: no rule of ours can outvote one "
		     "of others.");
	if (drops)
		way_ends(w, hop, FATE_DIES, "%s", commands);
	else
		way_doubts(w, hop, commands);
}

/* ---- translations by others ---- */

static bool is_of_host(const struct way *w)
{
	return !w->at->path;
}

static void doubt_nat(struct way *w, const struct fw_nat *nat)
{
	char chain[600];
	bool plain = fw_rule_text(&nat->by, chain) != NULL;
	json *hop = way_tell(w, "firewall",
			     "the chain %s translates the packet in a way that cannot be computed",
			     chain);

	if (plain)
		way_command(hop, "%snft -a list chain %s", w->at->run, chain);
	if (nat->what == FW_NAT_DESTINATION || nat->what == FW_NAT_REDIRECT)
		way_ends(w, hop, FATE_UNSURE, "%s", ""); /* where it goes is not known */
	else
		way_doubts(w, hop, "");
}

/* Into another destination, before it is routed. */
static void follow_nat(struct way *w, const struct fw_nat *nat)
{
	char chain[600], ip[IP_TEXT];
	struct ip local = { .family = 0 };
	json *hop;

	if (nat->what != FW_NAT_DESTINATION && nat->what != FW_NAT_REDIRECT)
		return;
	if (ip_is_set(&w->nat.to))
		return; /* a published port of ours came first */
	if (nat->what == FW_NAT_REDIRECT)
		way_masquerade_address(w, w->iif, &w->p.src, &local);
	if (nat->unsure || !is_of_host(w) || (nat->what == FW_NAT_REDIRECT && !local.family)) {
		doubt_nat(w, nat);
		return;
	}
	w->nat.server = w->p.dst;
	w->nat.port = w->p.port;
	w->nat.to = nat->what == FW_NAT_REDIRECT ? local : ip_is_set(&nat->to) ? nat->to : w->p.dst;
	w->p.dst = w->nat.to;
	w->p.port = nat->port ? nat->port : w->p.port;
	fw_rule_text(&nat->by, chain);
	hop = way_tell(w, "nat", "the chain %s sends it to %s port %u", chain,
		       ip_text(&w->p.dst, ip), w->p.port);
	way_command(hop, "nft -a list chain %s", chain);
	way_why(hop, "Another program publishes this address and port.");
}

void way_masquerade_others(struct way *w, uint32_t oif, const struct ip *next)
{
	const struct fw_nat *nat = &w->others;
	char chain[600], now[IP_TEXT];
	struct ip as = nat->to;
	json *hop;

	if (w->answer || ip_is_set(&w->nat.as) ||
	    (nat->what != FW_NAT_SOURCE && nat->what != FW_NAT_MASQUERADE))
		return;
	if (nat->what == FW_NAT_MASQUERADE && !way_masquerade_address(w, oif, next, &as))
		return;
	if (nat->unsure || !ip_is_set(&as)) {
		doubt_nat(w, nat);
		return;
	}
	fw_rule_text(&nat->by, chain);
	hop = way_tell(w, "nat", "the chain %s makes the source %s", chain, ip_text(&as, now));
	way_command(hop, "nft -a list chain %s", chain);
	w->nat.client = w->p.src;
	w->nat.as = w->p.src = as;
}

/* ---- the hooks ---- */

static int read_rules(struct way *w, struct err *e)
{
	int r = fw_open(&w->at->nft, &w->at->route, TASKVPC_TABLE, &w->at->fw, e);

	if (r < 0 || netns_enter(&w->at->ns, e) < 0)
		return r;
	fw_read_legacy(w->at->fw);
	if (netns_enter(&w->host->ns, e) < 0)
		abort(); /* nothing that follows would be about the host */
	return 0;
}

static int filter(struct way *w, const struct nft_crossing *at, struct err *e)
{
	struct fw_packet p = packet_of(w, at);
	struct fw_nat nat;
	struct fw_rule by;
	int fate = 0;

	if (!w->at->fw)
		fate = read_rules(w, e);
	if (fate == 0)
		fate = fw_pass(w->at->fw, at, &p, &by, &nat, e);
	if (fate < 0)
		return fate;
	w->p.mark = p.mark;
	w->others = nat;
	if (fate != FW_PASSES)
		told(w, at, &by, fate == FW_DROPS);
	if (!w->fate && at->hook != NFT_POSTROUTING)
		follow_nat(w, &nat);
	return 0;
}

int way_filter(struct way *w, enum nft_hook hook, struct err *e)
{
	struct nft_crossing at = { .hook = hook };

	return filter(w, &at, e);
}

int way_filter_early(struct way *w, struct err *e)
{
	struct nft_crossing at = { .hook = NFT_PREROUTING, .early = true };

	return filter(w, &at, e);
}

int way_filter_late(struct way *w, struct err *e)
{
	struct nft_crossing at = { .hook = NFT_PREROUTING, .late = true };

	return filter(w, &at, e);
}

int way_filter_frames(struct way *w, enum nft_hook hook, struct err *e)
{
	struct nft_crossing at = { .hook = hook, .family = NFT_BRIDGE };

	return filter(w, &at, e);
}

int way_filter_device(struct way *w, enum nft_hook hook, const char *dev, struct err *e)
{
	struct nft_crossing at = { .hook = hook, .dev = dev };

	return filter(w, &at, e);
}
