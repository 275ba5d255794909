/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Matches and targets of iptables within nftables rules: the kernel's own structures. */
#include "kernel/firewall_vm.h"

#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/xt_addrtype.h>
#include <linux/netfilter/xt_connmark.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_mac.h>
#include <linux/netfilter/xt_mark.h>
#include <linux/netfilter/xt_multiport.h>
#include <linux/netfilter/xt_state.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* The structure of @size bytes, NULL if there is not as much. */
static const void *as(const struct fw_xt *i, size_t size)
{
	return i->len >= size ? i->data : NULL;
}

static enum fw_truth truth(bool yes)
{
	return yes ? FW_YES : FW_NO;
}

static enum fw_truth both(enum fw_truth a, enum fw_truth b)
{
	return a < b ? a : b;
}

static enum fw_truth inverted(enum fw_truth t, bool invert)
{
	if (!invert || t == FW_UNSURE)
		return t;
	return t == FW_YES ? FW_NO : FW_YES;
}

/* ---- matches ---- */

static enum fw_truth match_comment(struct fw_state *s, const struct fw_xt *i)
{
	(void)s, (void)i;
	return FW_YES;
}

static bool same_masked(const struct ip *ip, const union nf_inet_addr *want,
			const union nf_inet_addr *mask)
{
	const uint8_t *w = (const uint8_t *)want, *m = (const uint8_t *)mask;

	for (size_t i = 0; i < ip_size(ip); i++)
		if ((ip->b[i] ^ w[i]) & m[i])
			return false;
	return true;
}

/* What --ctstate means by SNAT and DNAT is of the connection's status. */
static bool has_state(struct fw_state *s, uint32_t mask)
{
	uint32_t known, state = fw_ct_state(s), status = fw_ct_status(s, &known);

	if (status & IPS_SRC_NAT)
		state |= XT_CONNTRACK_STATE_SNAT;
	if (status & IPS_DST_NAT)
		state |= XT_CONNTRACK_STATE_DNAT;
	return state & mask;
}

static enum fw_truth has_status(struct fw_state *s, uint32_t mask)
{
	uint32_t known, status = fw_ct_status(s, &known);

	if (status & mask & known)
		return FW_YES;
	return (mask & ~known) ? FW_UNSURE : FW_NO;
}

static enum fw_truth in_ports(const struct fw_packet *p, uint16_t port, uint16_t low, uint16_t high)
{
	uint16_t least = p->ephemeral ? FW_EPHEMERAL : 0;

	if (!port)
		return low <= least && high == UINT16_MAX ? FW_YES
		       : high < least                     ? FW_NO
							  : FW_UNSURE;
	return truth(low <= port && port <= high);
}

/* The beginning is the same in all revisions; the masks follow at @rest. */
static enum fw_truth match_conntrack(struct fw_state *s, const struct fw_xt *i)
{
	const struct xt_conntrack_mtinfo3 *m = as(i, sizeof(struct xt_conntrack_mtinfo1));
	const struct xt_conntrack_mtinfo1 *one = i->data;
	const struct fw_packet *p = s->p;
	const unsigned known = XT_CONNTRACK_STATE | XT_CONNTRACK_STATUS | XT_CONNTRACK_DIRECTION |
			       XT_CONNTRACK_ORIGSRC | XT_CONNTRACK_ORIGDST |
			       XT_CONNTRACK_ORIGDST_PORT | XT_CONNTRACK_PROTO |
			       XT_CONNTRACK_STATE_ALIAS;
	const struct ip *src = ip_is_set(&p->first_src) ? &p->first_src
			       : p->answer              ? &p->dst
							: &p->src,
			*dst = ip_is_set(&p->first_dst) ? &p->first_dst
			       : p->answer              ? &p->src
							: &p->dst;
	uint16_t dport = p->first_dport ? p->first_dport : p->answer ? p->sport : p->dport;
	enum fw_truth t = FW_YES;
	uint32_t state, status;
	unsigned flags, invert;

	if (!m || i->rev < 1)
		return FW_UNSURE;
	flags = m->match_flags;
	invert = m->invert_flags;
	state = i->rev == 1 ? one->state_mask : m->state_mask;
	status = i->rev == 1 ? one->status_mask : m->status_mask;
	if (flags & XT_CONNTRACK_STATE)
		t = both(t, truth(has_state(s, state) != !!(invert & XT_CONNTRACK_STATE)));
	if (flags & XT_CONNTRACK_STATUS)
		t = both(t, inverted(has_status(s, status), invert & XT_CONNTRACK_STATUS));
	if (flags & XT_CONNTRACK_DIRECTION) /* inverted: of the reply direction */
		t = both(t, truth(p->answer == !!(invert & XT_CONNTRACK_DIRECTION)));
	if (flags & XT_CONNTRACK_PROTO)
		t = both(t, truth((p->protocol == m->l4proto) != !!(invert & XT_CONNTRACK_PROTO)));
	if (flags & XT_CONNTRACK_ORIGSRC)
		t = both(t, truth(same_masked(src, &m->origsrc_addr, &m->origsrc_mask) !=
				  !!(invert & XT_CONNTRACK_ORIGSRC)));
	if (flags & XT_CONNTRACK_ORIGDST)
		t = both(t, truth(same_masked(dst, &m->origdst_addr, &m->origdst_mask) !=
				  !!(invert & XT_CONNTRACK_ORIGDST)));
	if (flags & XT_CONNTRACK_ORIGDST_PORT && i->rev == 3)
		t = both(t, inverted(in_ports(p, dport, m->origdst_port, m->origdst_port_high),
				     invert & XT_CONNTRACK_ORIGDST_PORT));
	else if (flags & XT_CONNTRACK_ORIGDST_PORT)
		t = both(t, inverted(in_ports(p, dport, ntohs(m->origdst_port),
					      ntohs(m->origdst_port)),
				     invert & XT_CONNTRACK_ORIGDST_PORT));
	return (flags & ~known) ? both(t, FW_UNSURE) : t;
}

static enum fw_truth match_state(struct fw_state *s, const struct fw_xt *i)
{
	const struct xt_state_info *m = as(i, sizeof(*m));

	return m ? truth(has_state(s, m->statemask)) : FW_UNSURE;
}

static enum fw_truth type_in(struct fw_state *s, const struct ip *ip, uint16_t mask)
{
	int type = mask ? fw_addr_type(s, ip) : 0;

	if (type < 0)
		return FW_UNSURE;
	return truth(!mask || mask & (1U << type));
}

static enum fw_truth match_addrtype(struct fw_state *s, const struct fw_xt *i)
{
	const struct xt_addrtype_info_v1 *m = as(i, sizeof(*m));
	const struct xt_addrtype_info *old = as(i, sizeof(*old));
	bool not_src, not_dst;
	enum fw_truth t;

	if (!m || (i->rev == 0 && !old))
		return FW_UNSURE;
	not_src = i->rev ? m->flags & XT_ADDRTYPE_INVERT_SOURCE : old->invert_source;
	not_dst = i->rev ? m->flags & XT_ADDRTYPE_INVERT_DEST : old->invert_dest;
	t = both(inverted(type_in(s, &s->p->src, m->source), not_src),
		 inverted(type_in(s, &s->p->dst, m->dest), not_dst));
	if (i->rev && m->flags & (XT_ADDRTYPE_LIMIT_IFACE_IN | XT_ADDRTYPE_LIMIT_IFACE_OUT))
		t = both(t, FW_UNSURE);
	return t;
}

static enum fw_truth match_mark(struct fw_state *s, const struct fw_xt *i)
{
	const struct xt_mark_mtinfo1 *m = as(i, sizeof(*m));

	if (!m || i->rev != 1 || s->p->mark_unknown)
		return FW_UNSURE;
	return truth(((s->p->mark & m->mask) == m->mark) != m->invert);
}

static enum fw_truth match_connmark(struct fw_state *s, const struct fw_xt *i)
{
	const struct xt_connmark_mtinfo1 *m = as(i, sizeof(*m));

	if (!m || i->rev != 1 || s->p->ct_mark_unknown)
		return FW_UNSURE;
	return truth(((s->p->ct_mark & m->mask) == m->mark) != m->invert);
}

static enum fw_truth match_tcp(struct fw_state *s, const struct fw_xt *i)
{
	const struct xt_tcp *m = as(i, sizeof(*m));
	uint8_t flags = s->p->answer ? 0x12 : 0x02;
	enum fw_truth t;

	if (!m)
		return FW_UNSURE;
	t = both(inverted(in_ports(s->p, s->p->sport, m->spts[0], m->spts[1]),
			  m->invflags & XT_TCP_INV_SRCPT),
		 inverted(in_ports(s->p, s->p->dport, m->dpts[0], m->dpts[1]),
			  m->invflags & XT_TCP_INV_DSTPT));
	if (m->flg_mask)
		t = both(t, truth(((flags & m->flg_mask) == m->flg_cmp) !=
				  !!(m->invflags & XT_TCP_INV_FLAGS)));
	return m->option ? both(t, FW_UNSURE) : t;
}

static enum fw_truth match_udp(struct fw_state *s, const struct fw_xt *i)
{
	const struct xt_udp *m = as(i, sizeof(*m));

	if (!m)
		return FW_UNSURE;
	return both(inverted(in_ports(s->p, s->p->sport, m->spts[0], m->spts[1]),
			     m->invflags & XT_UDP_INV_SRCPT),
		    inverted(in_ports(s->p, s->p->dport, m->dpts[0], m->dpts[1]),
			     m->invflags & XT_UDP_INV_DSTPT));
}

static enum fw_truth one_of(const struct fw_packet *p, const struct xt_multiport_v1 *m,
			    uint16_t port)
{
	enum fw_truth t = FW_NO, one;

	for (unsigned i = 0; i < m->count && i < XT_MULTI_PORTS; i++) {
		uint16_t low = m->ports[i], high = low;

		if (m->pflags[i] && i + 1 < XT_MULTI_PORTS)
			high = m->ports[++i];
		one = in_ports(p, port, low, high);
		t = one > t ? one : t;
	}
	return t;
}

static enum fw_truth match_multiport(struct fw_state *s, const struct fw_xt *i)
{
	const struct xt_multiport_v1 *m = as(i, sizeof(*m));
	enum fw_truth src, dst, t;

	if (!m || i->rev != 1)
		return FW_UNSURE;
	src = one_of(s->p, m, s->p->sport);
	dst = one_of(s->p, m, s->p->dport);
	t = m->flags == XT_MULTIPORT_SOURCE        ? src
	    : m->flags == XT_MULTIPORT_DESTINATION ? dst
	    : src > dst                            ? src
						   : dst;
	return inverted(t, m->invert);
}

static enum fw_truth match_mac(struct fw_state *s, const struct fw_xt *i)
{
	const struct xt_mac_info *m = as(i, sizeof(*m));

	if (!m || !mac_is_set(&s->p->smac))
		return FW_UNSURE;
	return truth((memcmp(m->srcaddr, s->p->smac.b, sizeof(s->p->smac.b)) == 0) != !!m->invert);
}

/* ipt_icmp and ip6t_icmp: type, two codes, flags. */
static enum fw_truth match_icmp(struct fw_state *s, const struct fw_xt *i)
{
	const uint8_t *m = as(i, 4);
	bool v6 = s->p->dst.family == AF_INET6;
	uint8_t type = v6 ? (s->p->answer ? 129 : 128) : (s->p->answer ? 0 : 8);

	if (!m)
		return FW_UNSURE;
	return truth(((m[0] == 0xff || m[0] == type) && m[1] == 0) != (m[3] & 1));
}

static bool read_info(const struct nlattr *data, int name_at, char name[static 32],
		      struct fw_xt *ret)
{
	struct nlattr *tb[4];

	/* NFTA_MATCH_* and NFTA_TARGET_* are the same: name, revision, structure. */
	if (!nft_nested(tb, 3, data) || !nft_text(tb[name_at], name, 32) || !tb[NFTA_MATCH_INFO])
		return false;
	*ret = (struct fw_xt){ .data = nla_data(tb[NFTA_MATCH_INFO]),
			       .len = (size_t)nla_len(tb[NFTA_MATCH_INFO]),
			       .rev = tb[NFTA_MATCH_REV] ? ntohl(attr_u32(tb[NFTA_MATCH_REV]))
							 : 0 };
	return true;
}

enum fw_truth fw_xt_match(struct fw_state *s, const char *name, const struct fw_xt *info)
{
	static const struct {
		const char *name;
		enum fw_truth (*match)(struct fw_state *s, const struct fw_xt *i);
	} rows[] = {
		{ "comment", match_comment },
		{ "conntrack", match_conntrack },
		{ "state", match_state },
		{ "addrtype", match_addrtype },
		{ "mark", match_mark },
		{ "connmark", match_connmark },
		{ "tcp", match_tcp },
		{ "udp", match_udp },
		{ "multiport", match_multiport },
		{ "mac", match_mac },
		{ "icmp", match_icmp },
		{ "icmp6", match_icmp },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strcmp(name, rows[i].name))
			return rows[i].match(s, info);
	return FW_UNSURE;
}

enum fw_truth fw_match(struct fw_state *s, const struct nlattr *data)
{
	struct fw_xt info;
	char name[32];

	return read_info(data, NFTA_MATCH_NAME, name, &info) ? fw_xt_match(s, name, &info)
							     : FW_UNSURE;
}

/* ---- targets ---- */

static void target_mark(struct fw_state *s, const struct fw_xt *i)
{
	const struct xt_mark_tginfo2 *m = as(i, sizeof(*m));

	if (m && i->rev == 2)
		s->p->mark = (s->p->mark & ~m->mask) ^ m->mark;
	else
		s->p->mark_unknown = true;
}

static void target_connmark(struct fw_state *s, const struct fw_xt *i)
{
	const struct xt_connmark_tginfo1 *m = as(i, sizeof(*m));
	struct fw_packet *p = s->p;

	if (!m || i->rev != 1) {
		p->mark_unknown = p->ct_mark_unknown = true;
		return;
	}
	if (m->mode == XT_CONNMARK_SET) {
		p->ct_mark = (p->ct_mark & ~m->ctmask) ^ m->ctmark;
	} else if (m->mode == XT_CONNMARK_SAVE) {
		p->ct_mark = (p->ct_mark & ~m->ctmask) ^ (p->mark & m->nfmask);
		p->ct_mark_unknown |= p->mark_unknown;
	} else {
		p->mark = (p->mark & ~m->nfmask) ^ (p->ct_mark & m->ctmask);
		p->mark_unknown |= p->ct_mark_unknown;
	}
}

/* Revision 0 of IPv4 has a structure of its own. */
static void target_nat(struct fw_state *s, const struct fw_at *at, const struct fw_xt *i,
		       bool source)
{
	const struct nf_nat_ipv4_multi_range_compat *old = as(i, sizeof(*old));
	const struct nf_nat_range *range = as(i, sizeof(*range));
	struct fw_nat nat = { .what = source ? FW_NAT_SOURCE : FW_NAT_DESTINATION };
	bool v6 = s->p->dst.family == AF_INET6, compat = i->rev == 0 && !v6;
	unsigned flags;

	if (compat ? !old : !range)
		return;
	flags = compat ? old->range[0].flags : range->flags;
	if (flags & NF_NAT_RANGE_MAP_IPS) {
		nat.to.family = s->p->dst.family;
		memcpy(nat.to.b,
		       compat ? (const void *)&old->range[0].min_ip
			      : (const void *)&range->min_addr,
		       ip_size(&nat.to));
	}
	if (flags & NF_NAT_RANGE_PROTO_SPECIFIED)
		nat.port = ntohs(compat ? old->range[0].min.all : range->min_proto.all);
	fw_nat_by(s, at, &nat);
}

static bool is_among(const char *name, const char *const *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(name, list[i]))
			return true;
	return false;
}

enum fw_truth fw_target(struct fw_state *s, const struct fw_at *at, const struct nlattr *data,
			struct fw_step *step)
{
	struct fw_xt info;
	char name[32];

	return read_info(data, NFTA_TARGET_NAME, name, &info)
		       ? fw_xt_target(s, at, name, &info, step)
		       : FW_UNSURE;
}

enum fw_truth fw_xt_target(struct fw_state *s, const struct fw_at *at, const char *name,
			   const struct fw_xt *info, struct fw_step *step)
{
	static const char *const harmless[] = {
		"AUDIT",       "CHECKSUM", "CLASSIFY", "CONNSECMARK", "CT",      "DSCP",
		"ECN",         "HL",       "HMARK",    "IDLETIMER",   "LED",     "LOG",
		"NFLOG",       "NOTRACK",  "SET",      "RATEEST",     "SECMARK", "TCPMSS",
		"TCPOPTSTRIP", "TEE",      "TOS",      "TRACE",       "TTL",
	};

	if (is_among(name, harmless, ARRAY_SIZE(harmless)))
		return FW_YES;
	if (!strcmp(name, "MARK")) {
		target_mark(s, info);
		return FW_YES;
	}
	if (!strcmp(name, "CONNMARK")) {
		target_connmark(s, info);
		return FW_YES;
	}
	step->code = NF_ACCEPT;
	if (!strcmp(name, "DNAT") || !strcmp(name, "SNAT"))
		target_nat(s, at, info, *name == 'S');
	else if (!strcmp(name, "MASQUERADE"))
		fw_nat_by(s, at, &(struct fw_nat){ .what = FW_NAT_MASQUERADE });
	else if (!strcmp(name, "REDIRECT"))
		fw_nat_by(s, at, &(struct fw_nat){ .what = FW_NAT_REDIRECT, .unsure = true });
	else
		step->code = !strcmp(name, "REJECT") ? NF_DROP : NF_QUEUE;
	return FW_YES;
}
