/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables of iptables-legacy: the kernel hands them out as one block of entries (getsockopt,
 * linux/netfilter_ipv4/ip_tables.h). Asking for a table makes it, so only those are asked for that
 * are there (/proc/net/ip_tables_names).
 */
#include "kernel/firewall_vm.h"

#include <errno.h>
#include <linux/netfilter/x_tables.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <linux/netfilter_ipv6/ip6_tables.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/io.h"

#define SIZE_MAX_BYTES (64u << 20) /* of a table */
#define DEPTH_MAX      16

struct fw_legacy {
	struct fw_legacy *next;
	bool v6;
	char table[XT_TABLE_MAXNAMELEN];
	size_t size;
	unsigned char entries[];
};

/* ---- reading ---- */

/* Of both families the structures have the same members in the same places. */
_Static_assert(sizeof(struct ipt_getinfo) == sizeof(struct ip6t_getinfo), "getinfo");
_Static_assert(sizeof(struct ipt_get_entries) == sizeof(struct ip6t_get_entries), "get_entries");

static struct fw_legacy *fetch(int fd, bool v6, const char *table, struct ipt_getinfo *info)
{
	int level = v6 ? IPPROTO_IPV6 : IPPROTO_IP;
	cleanup_free struct ipt_get_entries *get = NULL;
	struct fw_legacy *legacy;
	socklen_t len = sizeof(*info);

	*info = (struct ipt_getinfo){ .valid_hooks = 0 };
	snprintf(info->name, sizeof(info->name), "%s", table);
	if (getsockopt(fd, level, v6 ? IP6T_SO_GET_INFO : IPT_SO_GET_INFO, info, &len) < 0 ||
	    info->size > SIZE_MAX_BYTES)
		return NULL;
	get = calloc(1, sizeof(*get) + info->size);
	legacy = calloc(1, sizeof(*legacy) + info->size);
	len = (socklen_t)(sizeof(*get) + info->size);
	if (get && legacy) {
		memcpy(get->name, info->name, sizeof(get->name));
		get->size = info->size;
	}
	if (!get || !legacy ||
	    getsockopt(fd, level, v6 ? IP6T_SO_GET_ENTRIES : IPT_SO_GET_ENTRIES, get, &len) < 0) {
		free(legacy);
		return NULL;
	}
	legacy->v6 = v6;
	legacy->size = info->size;
	snprintf(legacy->table, sizeof(legacy->table), "%s", table);
	memcpy(legacy->entries, get->entrytable, info->size);
	return legacy;
}

static const struct {
	const char *name;
	int priority;
	bool nat;
} tables[] = {
	{ "raw", -300, false }, { "mangle", -150, false }, { "nat", -100, true },
	{ "filter", 0, false }, { "security", 50, false },
};

/* A base chain for each hook of the table. */
static void add_chains(struct fw *fw, const struct fw_legacy *legacy,
		       const struct ipt_getinfo *info, size_t which)
{
	static const char *const names[] = { "PREROUTING", "INPUT", "FORWARD", "OUTPUT",
					     "POSTROUTING" };

	for (unsigned hook = 0; hook < ARRAY_SIZE(names); hook++) {
		struct fw_chain c = { .family = legacy->v6 ? NFPROTO_IPV6 : NFPROTO_IPV4,
				      .base = true,
				      .nat = tables[which].nat,
				      .priority = tables[which].priority,
				      .hook = hook,
				      .legacy = legacy,
				      .entry = info->hook_entry[hook] };

		if (!(info->valid_hooks & (1u << hook)))
			continue;
		if (c.nat && (hook == NFT_POSTROUTING || hook == NFT_INPUT))
			c.priority = 100;
		snprintf(c.table, sizeof(c.table), "%s", legacy->table);
		snprintf(c.name, sizeof(c.name), "%s", names[hook]);
		fw_add_chain(fw, &c);
	}
}

static void read_family(struct fw *fw, bool v6)
{
	const char *path = v6 ? "/proc/thread-self/net/ip6_tables_names"
			      : "/proc/thread-self/net/ip_tables_names";
	cleanup_close int fd = -1;
	char names[256], *save = NULL;

	if (io_read_text(path, names, sizeof(names)) < 0 || !*names)
		return;
	fd = socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	for (char *name = strtok_r(names, "\n", &save); name && fd >= 0;
	     name = strtok_r(NULL, "\n", &save)) {
		struct ipt_getinfo info;
		struct fw_legacy *legacy = NULL;
		size_t i = 0;

		while (i < ARRAY_SIZE(tables) && strcmp(tables[i].name, name) != 0)
			i++;
		if (i < ARRAY_SIZE(tables))
			legacy = fetch(fd, v6, name, &info);
		if (!legacy)
			continue;
		legacy->next = fw->legacy;
		fw->legacy = legacy;
		add_chains(fw, legacy, &info, i);
	}
}

void fw_read_legacy(struct fw *fw)
{
	read_family(fw, false);
	read_family(fw, true);
}

void fw_forget_legacy(struct fw *fw)
{
	while (fw->legacy) {
		struct fw_legacy *next = fw->legacy->next;

		free(fw->legacy);
		fw->legacy = next;
	}
}

/* ---- one entry ---- */

/* What both families have. */
struct entry {
	const unsigned char *at;
	size_t head, target, next; /* offsets of matches, of the target, of the next entry */
	bool goes;                 /* the jump is a goto */
};

static bool read_entry(const struct fw_legacy *l, size_t offset, struct entry *ret)
{
	size_t head = l->v6 ? sizeof(struct ip6t_entry) : sizeof(struct ipt_entry);
	const struct ipt_entry *four = (const void *)(l->entries + offset);
	const struct ip6t_entry *six = (const void *)(l->entries + offset);

	if (offset > l->size || l->size - offset < head)
		return false;
	*ret = (struct entry){ .at = l->entries + offset,
			       .head = head,
			       .target = l->v6 ? six->target_offset : four->target_offset,
			       .next = l->v6 ? six->next_offset : four->next_offset,
			       .goes = l->v6 ? six->ipv6.flags & IP6T_F_GOTO
					     : four->ip.flags & IPT_F_GOTO };
	return ret->target >= head && ret->next >= ret->target + sizeof(struct xt_entry_target) &&
	       ret->next <= l->size - offset;
}

static bool same_masked(const uint8_t *a, const void *b, const void *mask, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if ((a[i] ^ ((const uint8_t *)b)[i]) & ((const uint8_t *)mask)[i])
			return false;
	return true;
}

static bool same_device(const struct link_info *link, const char *name, const unsigned char *mask)
{
	return same_masked((const uint8_t *)link->name, name, mask, IFNAMSIZ);
}

static enum fw_truth truth(bool yes, bool unknown, bool any)
{
	return any ? FW_YES : unknown ? FW_UNSURE : yes ? FW_YES : FW_NO;
}

static bool is_zero(const void *mask, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (((const uint8_t *)mask)[i])
			return false;
	return true;
}

/* Addresses, interfaces and protocol; flags of inversion are the same in both families. */
static enum fw_truth match_head(const struct fw_state *s, const struct fw_legacy *l,
				const unsigned char *at)
{
	const struct ipt_ip *f = (const void *)at;
	const struct ip6t_ip6 *x = (const void *)at;
	const struct fw_packet *p = s->p;
	const void *src = l->v6 ? (const void *)&x->src : &f->src,
		   *dst = l->v6 ? (const void *)&x->dst : &f->dst,
		   *smsk = l->v6 ? (const void *)&x->smsk : &f->smsk,
		   *dmsk = l->v6 ? (const void *)&x->dmsk : &f->dmsk;
	const char *in = l->v6 ? x->iniface : f->iniface, *out = l->v6 ? x->outiface : f->outiface;
	const unsigned char *imsk = l->v6 ? x->iniface_mask : f->iniface_mask,
			    *omsk = l->v6 ? x->outiface_mask : f->outiface_mask;
	unsigned proto = l->v6 ? x->proto : f->proto, inv = l->v6 ? x->invflags : f->invflags;
	size_t len = ip_size(&p->dst);
	uint8_t own = p->protocol == IPPROTO_ICMP && l->v6 ? IPPROTO_ICMPV6 : p->protocol;
	enum fw_truth t[4] = {
		truth(same_masked(p->src.b, src, smsk, len) != !!(inv & IPT_INV_SRCIP),
		      p->src_unknown, is_zero(smsk, len)),
		truth(same_masked(p->dst.b, dst, dmsk, len) != !!(inv & IPT_INV_DSTIP),
		      p->dst_unknown, is_zero(dmsk, len)),
		truth(same_device(&p->in, in, imsk) != !!(inv & IPT_INV_VIA_IN), false,
		      is_zero(imsk, IFNAMSIZ)),
		truth(same_device(&p->out, out, omsk) != !!(inv & IPT_INV_VIA_OUT), false,
		      is_zero(omsk, IFNAMSIZ)),
	};
	enum fw_truth all = truth((own == proto) != !!(inv & XT_INV_PROTO), false, !proto);

	for (size_t i = 0; i < ARRAY_SIZE(t); i++)
		all = t[i] < all ? t[i] : all;
	if (!l->v6 && f->flags & IPT_F_FRAG)
		all = inv & IPT_INV_FRAG ? all : FW_NO;
	return all;
}

static enum fw_truth match_entry(struct fw_state *s, const struct fw_legacy *l,
				 const struct entry *en)
{
	enum fw_truth t = match_head(s, l, en->at), one;

	for (size_t at = en->head;
	     at + sizeof(struct xt_entry_match) <= en->target && t != FW_NO;) {
		const struct xt_entry_match *m = (const void *)(en->at + at);
		char name[XT_EXTENSION_MAXNAMELEN + 1] = "";

		if (m->u.user.match_size < sizeof(*m) || at + m->u.user.match_size > en->target)
			return FW_UNSURE;
		memcpy(name, m->u.user.name, XT_EXTENSION_MAXNAMELEN);
		one = fw_xt_match(s, name,
				  &(struct fw_xt){ m->data, m->u.user.match_size - sizeof(*m),
						   m->u.user.revision });
		t = one < t ? one : t;
		at += m->u.user.match_size;
	}
	return t;
}

/* ---- the walk ---- */

static int walk(struct fw_state *s, const struct fw_chain *base, size_t offset, bool maybe,
		unsigned depth);

static int jump(struct fw_state *s, const struct fw_chain *base, const struct entry *en, size_t to,
		bool unsure, bool *rest_maybe, unsigned depth)
{
	int r;

	if (depth >= DEPTH_MAX)
		return NFT_CONTINUE;
	r = walk(s, base, to, unsure, depth + 1);
	*rest_maybe |= en->goes && unsure;
	if (unsure)
		return NFT_CONTINUE;
	if (r == NF_ACCEPT || r == NF_DROP)
		return r;
	return en->goes ? NFT_RETURN : NFT_CONTINUE;
}

static int decide(struct fw_state *s, const struct fw_chain *base, const struct entry *en,
		  bool unsure, bool *rest_maybe, unsigned depth)
{
	const struct xt_entry_target *t = (const void *)(en->at + en->target);
	const struct xt_standard_target *standard = (const void *)t;
	const struct fw_at at = { .chain = base, .maybe = unsure };
	struct fw_step step = { .code = NFT_CONTINUE };
	char name[XT_EXTENSION_MAXNAMELEN + 1] = "";
	bool rest = *rest_maybe;
	int r;

	memcpy(name, t->u.user.name, XT_EXTENSION_MAXNAMELEN);
	if (!strcmp(name, XT_ERROR_TARGET))
		return NFT_RETURN; /* the head of another chain */
	if (*name) {
		fw_xt_target(s, &at, name,
			     &(struct fw_xt){ t->data, t->u.user.target_size - sizeof(*t),
					      t->u.user.revision },
			     &step);
	} else if (en->next - en->target < sizeof(*standard)) {
		return NFT_CONTINUE;
	} else if (standard->verdict >= 0) {
		return jump(s, base, en, (size_t)standard->verdict, unsure, rest_maybe, depth);
	} else {
		step.code = standard->verdict == XT_RETURN ? NFT_RETURN : -standard->verdict - 1;
	}
	r = fw_decide(s, &at, &step, &rest);
	*rest_maybe = rest;
	return r;
}

static int walk(struct fw_state *s, const struct fw_chain *base, size_t offset, bool maybe,
		unsigned depth)
{
	struct entry en;
	int r;

	while (read_entry(base->legacy, offset, &en)) {
		enum fw_truth t = match_entry(s, base->legacy, &en);

		if (t != FW_NO) {
			r = decide(s, base, &en, maybe || t == FW_UNSURE, &maybe, depth);
			if (r != NFT_CONTINUE)
				return r;
		}
		offset += en.next;
	}
	return NFT_CONTINUE;
}

int fw_legacy_walk(struct fw_state *s, const struct fw_chain *base)
{
	return walk(s, base, base->entry, false, 0);
}
