/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What rules read of a packet: its interfaces and marks, its connection, its headers, its routes.
 */
#include "kernel/firewall_vm.h"

#include <errno.h>
#include <linux/if_arp.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "kernel/route.h"

int fw_reg(const struct nlattr *number, size_t len)
{
	uint32_t n = number ? ntohl(attr_u32(number)) : 0;
	size_t at = n <= NFT_REG_4 ? (size_t)n * 16 : (size_t)(n - NFT_REG32_00 + 4) * 4;

	if (!number || (n > NFT_REG_4 && n < NFT_REG32_00) || at + len > FW_REGS)
		return -1;
	return (int)at;
}

/* The kernel sets registers of 4 bytes; what a shorter value leaves is zero. */
void fw_put(struct fw_state *s, int reg, const void *data, size_t len)
{
	size_t whole = (len + 3) & ~(size_t)3;

	if (reg < 0)
		return;
	memset(s->v + reg, 0, whole);
	memset(s->k + reg, 0xff, whole);
	memcpy(s->v + reg, data, len);
}

void fw_forget(struct fw_state *s, int reg, size_t len)
{
	if (reg < 0)
		return;
	memset(s->v + reg, 0, len);
	memset(s->k + reg, 0, len);
}

static void put_u32(struct fw_state *s, int reg, uint32_t value)
{
	fw_put(s, reg, &value, sizeof(value));
}

static void put_u8(struct fw_state *s, int reg, uint8_t value)
{
	fw_put(s, reg, &value, 1);
}

static void put_be16(struct fw_state *s, int reg, uint16_t value)
{
	uint16_t be = htons(value);

	fw_put(s, reg, &be, sizeof(be));
}

static void put_name(struct fw_state *s, int reg, const char *name)
{
	char whole[16] = { 0 };

	memcpy(whole, name, strnlen(name, sizeof(whole) - 1));
	fw_put(s, reg, whole, sizeof(whole));
}

static uint8_t l4proto(const struct fw_packet *p)
{
	bool v6 = p->dst.family == AF_INET6;

	return p->protocol == IPPROTO_ICMP && v6 ? IPPROTO_ICMPV6 : p->protocol;
}

/* ---- meta ---- */

static uint16_t type_of(const struct link_info *link)
{
	return !strcmp(link->name, "lo") ? ARPHRD_LOOPBACK : ARPHRD_ETHER;
}

/* There is an interface at this hook, but it is not told which. */
static bool is_untold(const struct fw_state *s, bool out)
{
	enum nft_hook hook = s->at->hook;

	if (out)
		return !s->p->out.ifindex && hook != NFT_PREROUTING && hook != NFT_INPUT &&
		       hook != NFT_INGRESS;
	return !s->p->in.ifindex &&
	       (hook == NFT_PREROUTING || hook == NFT_INPUT || hook == NFT_FORWARD);
}

static void load_link(struct fw_state *s, uint32_t key, bool out, int reg)
{
	const struct link_info *link = out ? &s->p->out : &s->p->in;
	uint16_t type = type_of(link);

	if (is_untold(s, out))
		fw_forget(s, reg, 16);
	else if (key == NFT_META_IIF || key == NFT_META_OIF)
		put_u32(s, reg, link->ifindex);
	else if (key == NFT_META_IIFNAME || key == NFT_META_OIFNAME)
		put_name(s, reg, link->name);
	else if (key == NFT_META_IIFKIND || key == NFT_META_OIFKIND)
		put_name(s, reg, link->kind);
	else
		fw_put(s, reg, &type, sizeof(type));
}

static void load_meta(struct fw_state *s, uint32_t key, int reg)
{
	const struct fw_packet *p = s->p;
	bool v6 = p->dst.family == AF_INET6;

	switch (key) {
	case NFT_META_PROTOCOL:
		put_be16(s, reg, v6 ? ETH_P_IPV6 : ETH_P_IP);
		return;
	case NFT_META_NFPROTO:
		put_u8(s, reg,
		       s->base->family == NFPROTO_BRIDGE   ? NFPROTO_BRIDGE
		       : s->base->family == NFPROTO_NETDEV ? NFPROTO_NETDEV
		       : v6                                ? NFPROTO_IPV6
							   : NFPROTO_IPV4);
		return;
	case NFT_META_L4PROTO:
		put_u8(s, reg, l4proto(p));
		return;
	case NFT_META_IIF:
	case NFT_META_IIFNAME:
	case NFT_META_IIFKIND:
	case NFT_META_IIFTYPE:
		load_link(s, key, false, reg);
		return;
	case NFT_META_OIF:
	case NFT_META_OIFNAME:
	case NFT_META_OIFKIND:
	case NFT_META_OIFTYPE:
		load_link(s, key, true, reg);
		return;
	case NFT_META_MARK:
		put_u32(s, reg, p->mark);
		if (p->mark_unknown)
			fw_forget(s, reg, 4);
		return;
	case NFT_META_PKTTYPE:
		put_u8(s, reg, PACKET_HOST);
		return;
	case NFT_META_SECPATH:
		put_u8(s, reg, 0);
		return;
	default:
		fw_forget(s, reg, 16);
	}
}

enum fw_truth fw_meta(struct fw_state *s, const struct nlattr *data)
{
	struct nlattr *tb[NFTA_META_MAX + 1];
	uint32_t key, mark;
	int reg;

	if (!nft_nested(tb, NFTA_META_MAX, data) || !tb[NFTA_META_KEY])
		return FW_UNSURE;
	key = ntohl(attr_u32(tb[NFTA_META_KEY]));
	if (tb[NFTA_META_DREG]) {
		load_meta(s, key, fw_reg(tb[NFTA_META_DREG], 16));
		return FW_YES;
	}
	reg = fw_reg(tb[NFTA_META_SREG], 4);
	if (key != NFT_META_MARK || reg < 0)
		return FW_YES;
	memcpy(&mark, s->v + reg, sizeof(mark));
	s->p->mark = mark;
	s->p->mark_unknown = memcmp(s->k + reg, "\xff\xff\xff\xff", 4) != 0;
	return FW_YES;
}

/* ---- ct ---- */

/* Connections are looked up at priority -200 of prerouting and output. */
static bool is_before_tracking(const struct fw_state *s)
{
	return s->base->family == NFPROTO_NETDEV ||
	       ((s->at->hook == NFT_PREROUTING || s->at->hook == NFT_OUTPUT) &&
		s->base->priority <= -200);
}

uint32_t fw_ct_state(const struct fw_state *s)
{
	if (is_before_tracking(s))
		return 1; /* NF_CT_STATE_INVALID_BIT: there is no connection yet */
	return s->p->answer ? 1U << 1 : 1U << 3; /* established, new */
}

uint32_t fw_ct_status(const struct fw_state *s, uint32_t *ret_known)
{
	uint32_t status = 0;

	*ret_known = IPS_EXPECTED | IPS_SRC_NAT | IPS_DST_NAT | IPS_SEEN_REPLY;
	if (s->p->dnat)
		status |= IPS_DST_NAT;
	if (s->p->snat)
		status |= IPS_SRC_NAT;
	if (s->p->answer)
		status |= IPS_SEEN_REPLY | IPS_CONFIRMED;
	return status;
}

static void put_ip(struct fw_state *s, int reg, const struct ip *ip)
{
	fw_put(s, reg, ip->b, ip_size(ip));
}

/* Of the original direction: the first packet's, before translation. */
static void load_tuple(struct fw_state *s, uint32_t key, bool reply, int reg)
{
	const struct fw_packet *p = s->p;
	const struct ip *src = ip_is_set(&p->first_src) ? &p->first_src
							: (p->answer ? &p->dst : &p->src),
			*dst = ip_is_set(&p->first_dst) ? &p->first_dst
							: (p->answer ? &p->src : &p->dst);
	uint16_t dport = p->first_dport ? p->first_dport : (p->answer ? p->sport : p->dport);

	if (reply) {
		fw_forget(s, reg, 16);
		return;
	}
	if (key == NFT_CT_SRC || key == NFT_CT_SRC_IP || key == NFT_CT_SRC_IP6)
		put_ip(s, reg, src);
	else if (key == NFT_CT_DST || key == NFT_CT_DST_IP || key == NFT_CT_DST_IP6)
		put_ip(s, reg, dst);
	else if (key == NFT_CT_PROTO_DST && dport)
		put_be16(s, reg, dport);
	else
		fw_forget(s, reg, 16);
}

static void load_ct(struct fw_state *s, uint32_t key, bool reply, int reg)
{
	uint32_t known, status;

	switch (key) {
	case NFT_CT_STATE:
		put_u32(s, reg, fw_ct_state(s));
		return;
	case NFT_CT_DIRECTION:
		put_u8(s, reg, s->p->answer);
		return;
	case NFT_CT_STATUS:
		status = fw_ct_status(s, &known);
		put_u32(s, reg, status);
		memcpy(s->k + reg, &known, sizeof(known));
		return;
	case NFT_CT_MARK:
		put_u32(s, reg, s->p->ct_mark);
		if (s->p->ct_mark_unknown)
			fw_forget(s, reg, 4);
		return;
	case NFT_CT_PROTOCOL:
		put_u8(s, reg, l4proto(s->p));
		return;
	case NFT_CT_L3PROTOCOL:
		put_u8(s, reg, s->p->dst.family == AF_INET6 ? NFPROTO_IPV6 : NFPROTO_IPV4);
		return;
	default:
		load_tuple(s, key, reply, reg);
	}
}

enum fw_truth fw_ct(struct fw_state *s, const struct nlattr *data)
{
	struct nlattr *tb[NFTA_CT_MAX + 1];
	uint32_t key;
	int reg;

	if (!nft_nested(tb, NFTA_CT_MAX, data) || !tb[NFTA_CT_KEY])
		return FW_UNSURE;
	key = ntohl(attr_u32(tb[NFTA_CT_KEY]));
	if (tb[NFTA_CT_DREG]) {
		reg = fw_reg(tb[NFTA_CT_DREG], 16);
		if (key != NFT_CT_STATE && is_before_tracking(s))
			return FW_NO; /* NFT_BREAK: there is no connection to read of */
		if (reg >= 0)
			load_ct(s, key, tb[NFTA_CT_DIRECTION] && nla_get_u8(tb[NFTA_CT_DIRECTION]),
				reg);
		return FW_YES;
	}
	reg = fw_reg(tb[NFTA_CT_SREG], 4);
	if (key == NFT_CT_MARK && reg >= 0) {
		memcpy(&s->p->ct_mark, s->v + reg, sizeof(s->p->ct_mark));
		s->p->ct_mark_unknown = memcmp(s->k + reg, "\xff\xff\xff\xff", 4) != 0;
	}
	return FW_YES;
}

/* ---- headers ---- */

#define HEADER 64

struct header {
	uint8_t v[HEADER], k[HEADER];
};

static void know(struct header *h, size_t at, const void *data, size_t len)
{
	memcpy(h->v + at, data, len);
	memset(h->k + at, 0xff, len);
}

static void know_be16(struct header *h, size_t at, uint16_t value)
{
	uint16_t be = htons(value);

	know(h, at, &be, sizeof(be));
}

static void link_header(const struct fw_packet *p, struct header *h)
{
	if (mac_is_set(&p->smac))
		know(h, 6, p->smac.b, sizeof(p->smac.b));
	know_be16(h, 12, p->dst.family == AF_INET6 ? ETH_P_IPV6 : ETH_P_IP);
}

static void network_header(const struct fw_packet *p, struct header *h)
{
	uint8_t proto = l4proto(p), first = p->dst.family == AF_INET6 ? 0x60 : 0x45;

	if (p->dst.family == AF_INET6) {
		h->v[0] = first;
		h->k[0] = 0xf0;
		know(h, 6, &proto, 1);
		if (!p->src_unknown)
			know(h, 8, p->src.b, 16);
		if (!p->dst_unknown)
			know(h, 24, p->dst.b, 16);
		return;
	}
	know(h, 0, &first, 1);
	h->k[6] = 0xbf; /* no fragment; DF may be set */
	h->k[7] = 0xff;
	know(h, 9, &proto, 1);
	if (!p->src_unknown)
		know(h, 12, p->src.b, 4);
	if (!p->dst_unknown)
		know(h, 16, p->dst.b, 4);
}

#define TCP_SYN 0x02
#define TCP_ACK 0x10

/* Of a port that is not known: its highest bit. */
static void know_ephemeral(struct header *h, size_t at)
{
	h->v[at] = h->k[at] = FW_EPHEMERAL >> 8;
}

static void transport_header(const struct fw_packet *p, struct header *h)
{
	uint8_t flags = p->answer ? TCP_SYN | TCP_ACK : TCP_SYN, echo[2];

	if (p->protocol == IPPROTO_ICMP) {
		echo[0] = p->dst.family == AF_INET6 ? (p->answer ? 129 : 128) : (p->answer ? 0 : 8);
		echo[1] = 0;
		know(h, 0, echo, sizeof(echo));
		return;
	}
	if (p->sport)
		know_be16(h, 0, p->sport);
	else if (p->ephemeral)
		know_ephemeral(h, 0);
	if (p->dport)
		know_be16(h, 2, p->dport);
	else if (p->ephemeral)
		know_ephemeral(h, 2);
	if (p->protocol == IPPROTO_TCP)
		know(h, 13, &flags, 1);
}

enum fw_truth fw_payload(struct fw_state *s, const struct nlattr *data)
{
	struct nlattr *tb[NFTA_PAYLOAD_MAX + 1];
	struct header h = { .k = { 0 } };
	uint32_t base, offset, len;
	int reg;

	if (!nft_nested(tb, NFTA_PAYLOAD_MAX, data) || !tb[NFTA_PAYLOAD_DREG])
		return FW_YES; /* it writes */
	base = ntohl(attr_u32(tb[NFTA_PAYLOAD_BASE]));
	offset = ntohl(attr_u32(tb[NFTA_PAYLOAD_OFFSET]));
	len = ntohl(attr_u32(tb[NFTA_PAYLOAD_LEN]));
	reg = len && len <= 16 ? fw_reg(tb[NFTA_PAYLOAD_DREG], len) : -1;
	if (reg < 0)
		return FW_UNSURE;
	if (base == NFT_PAYLOAD_LL_HEADER)
		link_header(s->p, &h);
	else if (base == NFT_PAYLOAD_NETWORK_HEADER)
		network_header(s->p, &h);
	else if (base == NFT_PAYLOAD_TRANSPORT_HEADER)
		transport_header(s->p, &h);
	if (offset > HEADER || offset + len > HEADER) {
		fw_forget(s, reg, len);
		return FW_YES;
	}
	fw_put(s, reg, h.v + offset, len);
	memcpy(s->k + reg, h.k + offset, len);
	return FW_YES;
}

/* ---- fib ---- */

int fw_addr_type(struct fw_state *s, const struct ip *ip)
{
	struct route_way way;
	int why, r;

	if (ip_is_multicast(ip))
		return RTN_MULTICAST;
	r = route_way_find(s->fw->route, &(struct route_ask){ .dst = *ip }, &way, &why, s->e);
	if (r < 0)
		return r;
	return r == 1 ? RTN_UNREACHABLE : way.local ? RTN_LOCAL : RTN_UNICAST;
}

/* Which interface leads there, or back? */
static void load_oif(struct fw_state *s, const struct ip *ip, uint32_t flags, uint32_t result,
		     int reg)
{
	const struct fw_packet *p = s->p;
	uint32_t only = flags & NFTA_FIB_F_IIF   ? p->in.ifindex
			: flags & NFTA_FIB_F_OIF ? p->out.ifindex
						 : 0;
	struct route_ask ask = { .dst = *ip, .mark = flags & NFTA_FIB_F_MARK ? p->mark : 0 };
	struct route_way way = { .ifindex = 0 };
	int why, r = route_way_find(s->fw->route, &ask, &way, &why, s->e);
	uint32_t found = r == 0 && (!only || way.ifindex == only) ? way.ifindex : 0;

	if (r < 0)
		s->error = r;
	if (flags & NFTA_FIB_F_PRESENT)
		put_u8(s, reg, found != 0);
	else if (result == NFT_FIB_RESULT_OIF)
		put_u32(s, reg, found);
	else
		fw_forget(s, reg, 16);
}

enum fw_truth fw_fib(struct fw_state *s, const struct nlattr *data)
{
	struct nlattr *tb[NFTA_FIB_MAX + 1];
	const struct ip *ip;
	uint32_t flags, result;
	int reg, type;

	if (!nft_nested(tb, NFTA_FIB_MAX, data))
		return FW_UNSURE;
	flags = ntohl(attr_u32(tb[NFTA_FIB_FLAGS]));
	result = ntohl(attr_u32(tb[NFTA_FIB_RESULT]));
	reg = fw_reg(tb[NFTA_FIB_DREG], 16);
	if (reg < 0)
		return FW_UNSURE;
	ip = flags & NFTA_FIB_F_SADDR ? &s->p->src : &s->p->dst;
	if (result != NFT_FIB_RESULT_ADDRTYPE) {
		load_oif(s, ip, flags, result, reg);
		return FW_YES;
	}
	type = fw_addr_type(s, ip);
	if (type < 0)
		s->error = type;
	else
		put_u32(s, reg, (uint32_t)type);
	if (type == RTN_LOCAL && flags & (NFTA_FIB_F_IIF | NFTA_FIB_F_OIF))
		fw_forget(s, reg, 4); /* of that interface, or of another? */
	return FW_YES;
}
