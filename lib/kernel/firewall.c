/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The ruleset of a namespace, read once: tables, base chains by hook, rules, sets. */
#include "kernel/firewall_vm.h"

#include <ctype.h>
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"

#define PRIORITY_DSTNAT (-100) /* NF_IP_PRI_NAT_DST */
#define FW_RULES_MAX    262144 /* of one ruleset */

/* ---- reading ---- */

static struct nlattr *copy_of(const struct nlattr *a)
{
	size_t size = a ? (size_t)a->nla_len : 0;
	struct nlattr *copy = size ? malloc(NLA_ALIGN(size)) : NULL;

	if (copy)
		memcpy(copy, a, size);
	return copy;
}

/* Room for one more of @of. Return: is there? */
static bool grow(struct fw *fw, void **of, unsigned n, unsigned *room, size_t size)
{
	unsigned more = *room ? 2 * *room : 64;
	void *bigger;

	if (n < *room)
		return true;
	bigger = more > FW_RULES_MAX ? NULL : reallocarray(*of, more, size);
	if (!bigger) {
		fw->error = -ENOMEM;
		return false;
	}
	*of = bigger;
	*room = more;
	return true;
}

static uint8_t family_of(const struct nlmsghdr *h)
{
	return ((const struct nfgenmsg *)message_data(h))->nfgen_family;
}

static bool is_read(const struct fw *fw, uint8_t family, const char *table)
{
	return ((family == NFPROTO_INET || family == NFPROTO_BRIDGE) &&
		strcmp(table, fw->own_table) != 0) ||
	       family == NFPROTO_IPV4 || family == NFPROTO_IPV6 || family == NFPROTO_NETDEV;
}

static void read_hook(struct fw_chain *c, const struct nlattr *hook, const struct nlattr *type)
{
	struct nlattr *tb[NFTA_HOOK_MAX + 1];
	char name[16];

	if (!nft_nested(tb, NFTA_HOOK_MAX, hook) || !tb[NFTA_HOOK_HOOKNUM])
		return;
	c->base = true;
	c->hook = ntohl(attr_u32(tb[NFTA_HOOK_HOOKNUM]));
	c->priority = (int)ntohl(attr_u32(tb[NFTA_HOOK_PRIORITY]));
	c->nat = nft_text(type, name, sizeof(name)) && !strcmp(name, "nat");
	c->hook_attr = copy_of(hook);
}

void fw_add_chain(struct fw *fw, const struct fw_chain *c)
{
	if (grow(fw, (void **)&fw->chains, fw->n_chains, &fw->room_chains, sizeof(*c)))
		fw->chains[fw->n_chains++] = *c;
}

static int take_chain(void *ctx, const struct nlmsghdr *h)
{
	struct nlattr *tb[NFTA_CHAIN_MAX + 1];
	struct fw *fw = ctx;
	struct fw_chain c = { .family = family_of(h) };

	if ((h->nlmsg_type & 0xff) != NFT_MSG_NEWCHAIN || !nft_attributes(h, tb, NFTA_CHAIN_MAX) ||
	    !nft_text(tb[NFTA_CHAIN_TABLE], c.table, sizeof(c.table)) ||
	    !nft_text(tb[NFTA_CHAIN_NAME], c.name, sizeof(c.name)) ||
	    !is_read(fw, c.family, c.table))
		return 0;
	c.drops = tb[NFTA_CHAIN_POLICY] && ntohl(attr_u32(tb[NFTA_CHAIN_POLICY])) == NF_DROP;
	read_hook(&c, tb[NFTA_CHAIN_HOOK], tb[NFTA_CHAIN_TYPE]);
	fw_add_chain(fw, &c);
	return 0;
}

static int take_set(void *ctx, const struct nlmsghdr *h)
{
	struct nlattr *tb[NFTA_SET_MAX + 1];
	struct fw *fw = ctx;
	struct fw_set set = { .family = family_of(h) };

	if ((h->nlmsg_type & 0xff) != NFT_MSG_NEWSET || !nft_attributes(h, tb, NFTA_SET_MAX) ||
	    !nft_text(tb[NFTA_SET_TABLE], set.table, sizeof(set.table)) ||
	    !nft_text(tb[NFTA_SET_NAME], set.name, sizeof(set.name)) ||
	    !is_read(fw, set.family, set.table) ||
	    !grow(fw, (void **)&fw->sets, fw->n_sets, &fw->room_sets, sizeof(set)))
		return 0;
	set.flags = ntohl(attr_u32(tb[NFTA_SET_FLAGS]));
	set.key_len = ntohl(attr_u32(tb[NFTA_SET_KEY_LEN]));
	fw->sets[fw->n_sets++] = set;
	return 0;
}

/* Rules come chain by chain, but chains of a table in another order than they were told. */
static int take_rule(void *ctx, const struct nlmsghdr *h)
{
	struct nlattr *tb[NFTA_RULE_MAX + 1];
	struct fw *fw = ctx;
	char table[NFT_NAME_SIZE], chain[NFT_NAME_SIZE];
	struct fw_chain *c;

	if ((h->nlmsg_type & 0xff) != NFT_MSG_NEWRULE || !nft_attributes(h, tb, NFTA_RULE_MAX) ||
	    !nft_text(tb[NFTA_RULE_TABLE], table, sizeof(table)) ||
	    !nft_text(tb[NFTA_RULE_CHAIN], chain, sizeof(chain)))
		return 0;
	c = (struct fw_chain *)(uintptr_t)fw_chain_find(fw, family_of(h), table, chain);
	if (!c || !grow(fw, (void **)&fw->rules, fw->n_rules, &fw->room_rules, sizeof(*fw->rules)))
		return 0;
	if (!c->n)
		c->first = fw->n_rules;
	c->n++;
	fw->rules[fw->n_rules++] = (struct fw_expr_rule){
		.chain = c->name,
		.handle = tb[NFTA_RULE_HANDLE] ? be64toh(nla_get_u64(tb[NFTA_RULE_HANDLE])) : 0,
		.expressions = copy_of(tb[NFTA_RULE_EXPRESSIONS])
	};
	return 0;
}

/* Chains of a table that sleeps (flag dormant) are at no hook. */
static int take_table(void *ctx, const struct nlmsghdr *h)
{
	struct nlattr *tb[NFTA_TABLE_MAX + 1];
	struct fw *fw = ctx;
	char table[NFT_NAME_SIZE];

	if ((h->nlmsg_type & 0xff) != NFT_MSG_NEWTABLE || !nft_attributes(h, tb, NFTA_TABLE_MAX) ||
	    !nft_text(tb[NFTA_TABLE_NAME], table, sizeof(table)) ||
	    !(ntohl(attr_u32(tb[NFTA_TABLE_FLAGS])) & NFT_TABLE_F_DORMANT))
		return 0;
	for (unsigned i = 0; i < fw->n_chains; i++)
		if (fw->chains[i].family == family_of(h) && !strcmp(fw->chains[i].table, table))
			fw->chains[i].base = false;
	return 0;
}

static void forget_chains(void *ctx)
{
	struct fw *fw = ctx;

	for (unsigned i = 0; i < fw->n_chains; i++)
		free(fw->chains[i].hook_attr);
	fw->n_chains = 0;
}

static void forget_sets(void *ctx)
{
	((struct fw *)ctx)->n_sets = 0;
}

static void forget_rules(void *ctx)
{
	struct fw *fw = ctx;

	for (unsigned i = 0; i < fw->n_rules; i++)
		free(fw->rules[i].expressions);
	for (unsigned i = 0; i < fw->n_chains; i++)
		fw->chains[i].n = 0;
	fw->n_rules = 0;
}

static int read_all(struct fw *fw, struct err *e)
{
	static const struct {
		int type;
		netlink_reply_fn *take;
		void (*forget)(void *ctx);
	} rows[] = {
		{ NFT_MSG_GETCHAIN, take_chain, forget_chains },
		{ NFT_MSG_GETTABLE, take_table, NULL },
		{ NFT_MSG_GETSET, take_set, forget_sets },
		{ NFT_MSG_GETRULE, take_rule, forget_rules },
	};
	const struct nfgenmsg header = { .nfgen_family = NFPROTO_UNSPEC, .version = NFNETLINK_V0 };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct nl_msg *m = message_new(NFNL_SUBSYS_NFTABLES << 8 | rows[i].type, NLM_F_DUMP,
					       &header, sizeof(header));
		int r = netlink_ask(fw->nft, m, rows[i].take, rows[i].forget, fw, e);

		if (r == 0 && fw->error < 0)
			r = err_sys(e, ERR_KERNEL, -fw->error, "cannot read the nftables ruleset");
		if (r < 0)
			return r;
	}
	return 0;
}

int fw_open(struct netlink *nft, struct netlink *route, const char *own_table, struct fw **ret,
	    struct err *e)
{
	struct fw *fw = calloc(1, sizeof(*fw));
	int r;

	if (!fw)
		return err_sys(e, ERR_KERNEL, ENOMEM, "cannot read the nftables ruleset");
	fw->nft = nft;
	fw->route = route;
	fw->own_table = own_table;
	r = read_all(fw, e);
	if (r < 0)
		fw = fw_close(fw);
	*ret = fw;
	return r;
}

struct fw *fw_close(struct fw *fw)
{
	if (!fw)
		return NULL;
	forget_rules(fw);
	forget_chains(fw);
	fw_forget_legacy(fw);
	free(fw->rules);
	free(fw->chains);
	free(fw->sets);
	free(fw);
	return NULL;
}

const struct fw_chain *fw_chain_find(const struct fw *fw, uint8_t family, const char *table,
				     const char *name)
{
	for (unsigned i = 0; i < fw->n_chains; i++)
		if (fw->chains[i].family == family && !strcmp(fw->chains[i].name, name) &&
		    !strcmp(fw->chains[i].table, table))
			return &fw->chains[i];
	return NULL;
}

const struct fw_set *fw_set_find(const struct fw *fw, uint8_t family, const char *table,
				 const char *name)
{
	for (unsigned i = 0; i < fw->n_sets; i++)
		if (fw->sets[i].family == family && !strcmp(fw->sets[i].name, name) &&
		    !strcmp(fw->sets[i].table, table))
			return &fw->sets[i];
	return NULL;
}

/* ---- a packet ---- */

static bool is_met(const struct nft_crossing *at, const struct fw_chain *c,
		   const struct fw_packet *p, bool nat)
{
	struct nft_crossing here = *at;
	bool at_hook;

	here.ip = p->dst.family;
	if ((at->early && c->priority >= PRIORITY_DSTNAT) ||
	    (at->late && c->priority < PRIORITY_DSTNAT))
		return false;
	if (c->legacy)
		at_hook = !at->dev && at->family == NFT_INET && c->hook == at->hook &&
			  (c->family == NFPROTO_IPV6) == (p->dst.family == AF_INET6);
	else
		at_hook = nft_is_at(&here, c->family, c->hook_attr);
	return c->base && (nat || !c->nat) && at_hook && (c->nat ? !p->answer : true);
}

/* The base chain of the lowest priority above @after; of equal ones in the order of the dump. */
static const struct fw_chain *next_base(const struct fw *fw, const struct nft_crossing *at,
					const struct fw_packet *p, bool nat,
					const struct fw_chain *after)
{
	const struct fw_chain *best = NULL;

	for (unsigned i = 0; i < fw->n_chains; i++) {
		const struct fw_chain *c = &fw->chains[i];

		if (!is_met(at, c, p, nat))
			continue;
		if (after && (c->priority < after->priority ||
			      (c->priority == after->priority && c <= after)))
			continue;
		if (!best || c->priority < best->priority)
			best = c;
	}
	return best;
}

static enum fw_fate judge(struct fw_state *s, int verdict)
{
	const struct fw_at policy = { .chain = s->base };

	if (verdict != NF_ACCEPT && verdict != NF_DROP && s->base->drops) {
		fw_rule_of(s, &policy, &s->by);
		verdict = NF_DROP;
	}
	if (verdict == NF_DROP && !s->may_accept)
		return FW_DROPS;
	if (verdict == NF_DROP) {
		s->doubt = s->by;
		return FW_MAY_DROP;
	}
	return s->may_drop ? FW_MAY_DROP : FW_PASSES;
}

/* Refuses all, and has nothing to say of single packets. */
static bool is_alone(const struct fw_state *s)
{
	return s->base->n == 0;
}

/* The chains behind see the packet with its new destination. */
static void translate(struct fw_packet *p, const struct fw_nat *nat)
{
	if (nat->what != FW_NAT_DESTINATION && nat->what != FW_NAT_REDIRECT)
		return;
	if (!p->dnat) {
		p->first_dst = p->dst;
		p->first_dport = p->dport;
	}
	p->dnat = true;
	if (nat->unsure || nat->what == FW_NAT_REDIRECT)
		p->dst_unknown = true;
	else if (ip_is_set(&nat->to))
		p->dst = nat->to;
	if (nat->unsure)
		p->dport = 0;
	else if (nat->port)
		p->dport = nat->port;
}

static int pass_one(struct fw *fw, const struct nft_crossing *at, const struct fw_chain *base,
		    struct fw_packet *p, struct fw_rule *ret_by, struct fw_nat *ret_nat,
		    struct err *e)
{
	cleanup_free struct fw_state *s = calloc(1, sizeof(*s));
	enum fw_fate fate;

	if (!s)
		return err_sys(e, ERR_KERNEL, ENOMEM, "cannot follow the nftables rules");
	*s = (struct fw_state){ .fw = fw, .at = at, .base = base, .p = p, .e = e };
	fate = judge(s, base->legacy ? fw_legacy_walk(s, base) : fw_chain_walk(s, base, false, 0));
	if (s->error < 0)
		return s->error;
	if (fate != FW_PASSES) {
		*ret_by = fate == FW_DROPS ? s->by : s->doubt;
		ret_by->alone = is_alone(s);
	}
	if (ret_nat && !ret_nat->what && s->nat.what) {
		*ret_nat = s->nat;
		translate(p, &s->nat);
	}
	return (int)fate;
}

int fw_pass(struct fw *fw, const struct nft_crossing *at, struct fw_packet *p,
	    struct fw_rule *ret_by, struct fw_nat *ret_nat, struct err *e)
{
	const struct fw_chain *base = NULL;
	struct fw_rule by;
	int fate = FW_PASSES, r;

	if (ret_nat)
		*ret_nat = (struct fw_nat){ .what = FW_NAT_NONE };
	while ((base = next_base(fw, at, p, ret_nat != NULL, base))) {
		r = pass_one(fw, at, base, p, &by, ret_nat, e);
		if (r < 0)
			return r;
		if (r == FW_DROPS || (r == FW_MAY_DROP && fate == FW_PASSES))
			*ret_by = by;
		if (r == FW_DROPS)
			return r;
		fate = r == FW_MAY_DROP ? r : fate;
	}
	return fate;
}

static uint8_t family_number(const char *name)
{
	return !strcmp(name, "inet")     ? NFPROTO_INET
	       : !strcmp(name, "ip")     ? NFPROTO_IPV4
	       : !strcmp(name, "ip6")    ? NFPROTO_IPV6
	       : !strcmp(name, "bridge") ? NFPROTO_BRIDGE
					 : NFPROTO_NETDEV;
}

bool fw_has_chain(const struct fw *fw, const struct fw_rule *r, const char *chain)
{
	return fw_chain_find(fw, family_number(r->family), r->table, chain) != NULL;
}

/* A task may have made the table, and given it a name that is a command. */
const char *fw_rule_text(const struct fw_rule *r, char buf[static 600])
{
	int len = r->legacy ? snprintf(buf, 600, "%s-legacy %s %s", r->family, r->table, r->chain)
			    : snprintf(buf, 600, "%s %s %s", r->family, r->table, r->chain);
	bool plain = len > 0 && len < 600;

	for (char *c = buf; *c; c++) {
		if (isalnum((unsigned char)*c) || strchr(" _.-/", *c))
			continue;
		*c = '?';
		plain = false;
	}
	return plain ? buf : NULL;
}
