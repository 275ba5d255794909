/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One rule after another, one expression after another. A match is true, false, or unsure where
 * bits that it looks at are not known; a verdict behind an unsure match may be given, and the walk
 * goes on as if it were not.
 */
#include "kernel/firewall_vm.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define DEPTH_MAX 16      /* NFT_JUMP_STACK_SIZE of the kernel */
#define RULES_MAX 1000000 /* a ruleset may lead to its chains in more ways than there is time for  \
			   */

static enum fw_truth not(enum fw_truth t) {
	return t == FW_YES ? FW_NO : t == FW_NO ? FW_YES : FW_UNSURE;
}

static enum fw_truth truth(bool yes)
{
	return yes ? FW_YES : FW_NO;
}

static enum fw_truth run_immediate(struct fw_state *s, const struct nlattr *data,
				   struct fw_step *step)
{
	struct nlattr *tb[NFTA_IMMEDIATE_MAX + 1];
	const uint8_t *value = NULL;
	size_t len;

	if (!nft_nested(tb, NFTA_IMMEDIATE_MAX, data))
		return FW_UNSURE;
	if (fw_read_verdict(tb[NFTA_IMMEDIATE_DATA], step))
		return FW_YES;
	len = fw_value_of(tb[NFTA_IMMEDIATE_DATA], &value);
	if (len)
		fw_put(s, fw_reg(tb[NFTA_IMMEDIATE_DREG], len), value, len);
	return FW_YES;
}

/* ---- sets ---- */

struct element {
	bool found;
	const struct fw_set *set;
	struct fw_state *s;
	int dreg; /* of a map's value; -1: none */
	struct fw_step *step;
};

static int take_element(void *ctx, const struct nlmsghdr *h)
{
	struct nlattr *tb[NFTA_SET_ELEM_LIST_MAX + 1], *el[NFTA_SET_ELEM_MAX + 1], *item;
	struct element *want = ctx;
	const uint8_t *value = NULL;
	size_t len;
	int left;

	if ((h->nlmsg_type & 0xff) != NFT_MSG_NEWSETELEM ||
	    !nft_attributes(h, tb, NFTA_SET_ELEM_LIST_MAX) || !tb[NFTA_SET_ELEM_LIST_ELEMENTS])
		return 0;
	nla_for_each_nested (item, tb[NFTA_SET_ELEM_LIST_ELEMENTS], left) {
		if (!nft_nested(el, NFTA_SET_ELEM_MAX, item))
			continue;
		want->found = true;
		if (fw_read_verdict(el[NFTA_SET_ELEM_DATA], want->step))
			continue;
		len = fw_value_of(el[NFTA_SET_ELEM_DATA], &value);
		if (len && want->dreg >= 0 && (size_t)want->dreg + len <= FW_REGS)
			fw_put(want->s, want->dreg, value, len);
	}
	return 0;
}

static struct nl_msg *set_question(const struct fw_state *s, const char *set, int flags)
{
	struct nfgenmsg header = { .nfgen_family = s->base->family, .version = NFNETLINK_V0 };
	struct nl_msg *m = message_new(NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETSETELEM, flags,
				       &header, sizeof(header));

	message_put_text(m, NFTA_SET_ELEM_LIST_TABLE, s->base->table);
	message_put_text(m, NFTA_SET_ELEM_LIST_SET, set);
	return m;
}

static struct nl_msg *element_question(const struct fw_state *s, const char *set, int reg,
				       size_t len)
{
	const uint32_t catchall = htonl(2); /* NFT_SET_ELEM_CATCHALL, Linux 5.13 */
	struct nl_msg *m = set_question(s, set, 0);
	struct nlattr *list = message_nest(m, NFTA_SET_ELEM_LIST_ELEMENTS),
		      *item = message_nest(m, NFTA_LIST_ELEM), *key;

	if (reg < 0) {
		message_put(m, NFTA_SET_ELEM_FLAGS, &catchall, sizeof(catchall));
	} else {
		key = message_nest(m, NFTA_SET_ELEM_KEY);
		message_put(m, NFTA_DATA_VALUE, s->v + reg, len);
		message_nest_end(m, key);
	}
	message_nest_end(m, item);
	message_nest_end(m, list);
	return m;
}

/* The kernel's own lookup; then the element that stands for all others ("*"). */
static int find(struct fw_state *s, const char *set, int reg, size_t len, struct element *el)
{
	struct err ignored;
	int r = netlink_ask(s->fw->nft, element_question(s, set, reg, len), take_element, NULL, el,
			    &ignored);

	if (!el->found && (r == 0 || r == -ENOENT))
		r = netlink_ask(s->fw->nft, element_question(s, set, -1, 0), take_element, NULL, el,
				&ignored);
	return r == -ENOENT || r == -EINVAL || r == -EOPNOTSUPP ? 0 : r;
}

struct leads {
	struct fw_state *s;
	int reg; /* the key, as far as it is known */
	size_t len;
	bool exact;                 /* elements are single keys */
	struct nft_reading reading; /* what the elements of a map lead to */
	bool any;
};

/* Is one of the elements a key that the known bits allow? */
static bool may_contain(const struct leads *l, const struct nlattr *elements)
{
	struct nlattr *item, *tb[NFTA_SET_ELEM_MAX + 1];
	const uint8_t *key = NULL;
	int left;

	nla_for_each_nested (item, elements, left)
		if (!l->exact || !nft_nested(tb, NFTA_SET_ELEM_MAX, item) ||
		    fw_value_of(tb[NFTA_SET_ELEM_KEY], &key) != l->len ||
		    !fw_differs(l->s, l->reg, key, l->len))
			return true;
	return false;
}

static int take_leads(void *ctx, const struct nlmsghdr *h)
{
	struct nlattr *tb[NFTA_SET_ELEM_LIST_MAX + 1];
	struct leads *l = ctx;

	if ((h->nlmsg_type & 0xff) == NFT_MSG_NEWSETELEM &&
	    nft_attributes(h, tb, NFTA_SET_ELEM_LIST_MAX) && tb[NFTA_SET_ELEM_LIST_ELEMENTS] &&
	    may_contain(l, tb[NFTA_SET_ELEM_LIST_ELEMENTS])) {
		l->any = true;
		nft_map_read(&l->reading, tb[NFTA_SET_ELEM_LIST_ELEMENTS]);
	}
	return 0;
}

static void may_go(struct fw_state *s, const struct fw_at *at, const struct nft_reading *reading);

/* A key that is not known: any element may be meant. */
static enum fw_truth look_up_any(struct fw_state *s, const struct fw_at *at,
				 const struct fw_set *set, int reg, bool verdicts)
{
	cleanup_free struct nft_lead *list = calloc(NFT_LEADS_MAX, sizeof(*list));
	struct leads l = { .s = s,
			   .reg = reg,
			   .len = set->key_len,
			   .exact = !(set->flags & NFT_SET_INTERVAL),
			   .reading = { .leads = list, .last = NFT_CONTINUE } };
	struct err ignored;

	if (!list)
		return FW_UNSURE;
	netlink_ask(s->fw->nft, set_question(s, set->name, NLM_F_DUMP), take_leads, NULL, &l,
		    &ignored);
	if (!l.any)
		return FW_NO;
	if (verdicts)
		may_go(s, at, &l.reading);
	return FW_UNSURE;
}

static enum fw_truth run_lookup(struct fw_state *s, const struct fw_at *at,
				const struct nlattr *data, struct fw_step *step)
{
	struct nlattr *tb[NFTA_LOOKUP_MAX + 1];
	const struct fw_set *set;
	char name[NFT_NAME_SIZE];
	struct element el = { .s = s, .step = step, .dreg = -1 };
	bool inverse, verdicts;
	int reg;

	if (!nft_nested(tb, NFTA_LOOKUP_MAX, data) ||
	    !nft_text(tb[NFTA_LOOKUP_SET], name, sizeof(name)))
		return FW_UNSURE;
	set = fw_set_find(s->fw, s->base->family, s->base->table, name);
	reg = set ? fw_reg(tb[NFTA_LOOKUP_SREG], set->key_len) : -1;
	inverse = tb[NFTA_LOOKUP_FLAGS] &&
		  ntohl(attr_u32(tb[NFTA_LOOKUP_FLAGS])) & NFT_LOOKUP_F_INV;
	verdicts = tb[NFTA_LOOKUP_DREG] && ntohl(attr_u32(tb[NFTA_LOOKUP_DREG])) == NFT_REG_VERDICT;
	if (reg < 0)
		return FW_UNSURE;
	if (!fw_is_known(s, reg, set->key_len)) {
		enum fw_truth any = look_up_any(s, at, set, reg, verdicts);

		if (tb[NFTA_LOOKUP_DREG] && !verdicts)
			fw_forget(s, fw_reg(tb[NFTA_LOOKUP_DREG], 16), 16);
		if (verdicts && any == FW_UNSURE)
			return FW_NO; /* what may be has been followed */
		return inverse ? not(any) : any;
	}
	if (tb[NFTA_LOOKUP_DREG] && !verdicts)
		el.dreg = fw_reg(tb[NFTA_LOOKUP_DREG], 4);
	if (find(s, name, reg, set->key_len, &el) < 0)
		return FW_UNSURE;
	return truth(el.found != inverse);
}

/* ---- translations ---- */

static void read_port(const struct fw_state *s, const struct nlattr *reg, struct fw_nat *ret)
{
	int at = fw_reg(reg, 2);
	uint16_t be;

	if (!reg)
		return;
	if (at < 0 || !fw_is_known(s, at, 2)) {
		ret->unsure = true;
		return;
	}
	memcpy(&be, s->v + at, sizeof(be));
	ret->port = ntohs(be);
}

static void run_nat(struct fw_state *s, const struct fw_at *at, const struct nlattr *data)
{
	struct nlattr *tb[NFTA_NAT_MAX + 1];
	struct fw_nat nat = { .what = FW_NAT_SOURCE };
	size_t len = ip_size(&s->p->dst);
	int reg;

	if (!nft_nested(tb, NFTA_NAT_MAX, data))
		return;
	if (ntohl(attr_u32(tb[NFTA_NAT_TYPE])) == NFT_NAT_DNAT)
		nat.what = FW_NAT_DESTINATION;
	reg = fw_reg(tb[NFTA_NAT_REG_ADDR_MIN], len);
	if (tb[NFTA_NAT_REG_ADDR_MIN] && reg >= 0 && fw_is_known(s, reg, len)) {
		nat.to.family = s->p->dst.family;
		memcpy(nat.to.b, s->v + reg, len);
	} else if (tb[NFTA_NAT_REG_ADDR_MIN]) {
		nat.unsure = true;
	}
	read_port(s, tb[NFTA_NAT_REG_PROTO_MIN], &nat);
	fw_nat_by(s, at, &nat);
}

static void run_redirect(struct fw_state *s, const struct fw_at *at, const struct nlattr *data)
{
	struct nlattr *tb[NFTA_REDIR_MAX + 1];
	struct fw_nat nat = { .what = FW_NAT_REDIRECT };

	if (nft_nested(tb, NFTA_REDIR_MAX, data))
		read_port(s, tb[NFTA_REDIR_REG_PROTO_MIN], &nat);
	fw_nat_by(s, at, &nat);
}

void fw_nat_by(struct fw_state *s, const struct fw_at *at, const struct fw_nat *nat)
{
	if (s->nat.what)
		return;
	s->nat = *nat;
	s->nat.unsure |= at->maybe;
	fw_rule_of(s, at, &s->nat.by);
}

/* ---- a rule ---- */

void fw_rule_of(const struct fw_state *s, const struct fw_at *at, struct fw_rule *ret)
{
	static const char *const families[] = {
		[NFPROTO_INET] = "inet",     [NFPROTO_IPV4] = "ip",       [NFPROTO_IPV6] = "ip6",
		[NFPROTO_BRIDGE] = "bridge", [NFPROTO_NETDEV] = "netdev",
	};

	*ret = (struct fw_rule){ .handle = at->rule ? at->rule->handle : 0 };
	strcpy(ret->family, families[s->base->family]);
	strcpy(ret->table, s->base->table);
	strcpy(ret->base, s->base->name);
	strcpy(ret->chain, at->chain->name);
	ret->legacy = s->base->legacy != NULL;
	ret->iptables = (s->base->family == NFPROTO_IPV4 || s->base->family == NFPROTO_IPV6) &&
			(!strcmp(ret->table, "filter") || !strcmp(ret->table, "mangle") ||
			 !strcmp(ret->table, "raw") || !strcmp(ret->table, "nat") ||
			 !strcmp(ret->table, "security"));
}

static void may_drop(struct fw_state *s, const struct fw_at *at)
{
	if (!s->may_drop)
		fw_rule_of(s, at, &s->doubt);
	s->may_drop = true;
}

/* What a map of verdicts may lead to, whose key is not known. */
static void may_go(struct fw_state *s, const struct fw_at *at, const struct nft_reading *reading)
{
	uint8_t v[FW_REGS], k[FW_REGS];

	s->may_accept |= reading->accepts;
	if (reading->drops)
		may_drop(s, at);
	memcpy(v, s->v, sizeof(v));
	memcpy(k, s->k, sizeof(k));
	for (unsigned i = 0; i < reading->n_leads && at->depth < DEPTH_MAX; i++) {
		const struct fw_chain *to = fw_chain_find(s->fw, s->base->family, s->base->table,
							  reading->leads[i].name);

		if (to && !reading->leads[i].is_map)
			fw_chain_walk(s, to, true, at->depth + 1);
	}
	memcpy(s->v, v, sizeof(v));
	memcpy(s->k, k, sizeof(k));
}

static enum fw_truth run_objref(const struct nlattr *data)
{
	struct nlattr *tb[NFTA_OBJREF_MAX + 1];
	uint32_t type;

	if (!nft_nested(tb, NFTA_OBJREF_MAX, data))
		return FW_UNSURE;
	type = tb[NFTA_OBJREF_IMM_TYPE] ? ntohl(attr_u32(tb[NFTA_OBJREF_IMM_TYPE])) : 0;
	return type == NFT_OBJECT_QUOTA || type == NFT_OBJECT_LIMIT || type == NFT_OBJECT_CONNLIMIT
		       ? FW_UNSURE
		       : FW_YES;
}

/* What adds to a set and has no condition of its own matches always. */
static enum fw_truth run_dynset(const struct nlattr *data)
{
	struct nlattr *tb[NFTA_DYNSET_MAX + 1];

	if (!nft_nested(tb, NFTA_DYNSET_MAX, data))
		return FW_UNSURE;
	return tb[NFTA_DYNSET_EXPR] || tb[NFTA_DYNSET_EXPRESSIONS] ? FW_UNSURE : FW_YES;
}

/* A register that an expression fills with what is not known here. */
static enum fw_truth run_unknown(struct fw_state *s, const struct nlattr *data, int dreg, int max)
{
	struct nlattr *tb[16];

	if (max < 16 && nft_nested(tb, max, data) && tb[dreg])
		fw_forget(s, fw_reg(tb[dreg], 16), 16);
	return FW_YES;
}

/* One of a single number is that number; one of several is not known. */
static enum fw_truth run_numgen(struct fw_state *s, const struct nlattr *data)
{
	struct nlattr *tb[NFTA_NG_MAX + 1];
	uint32_t offset;

	if (!nft_nested(tb, NFTA_NG_MAX, data) || !tb[NFTA_NG_MODULUS] ||
	    ntohl(attr_u32(tb[NFTA_NG_MODULUS])) != 1)
		return run_unknown(s, data, NFTA_NG_DREG, NFTA_NG_MAX);
	offset = tb[NFTA_NG_OFFSET] ? ntohl(attr_u32(tb[NFTA_NG_OFFSET])) : 0;
	fw_put(s, fw_reg(tb[NFTA_NG_DREG], sizeof(offset)), &offset, sizeof(offset));
	return FW_YES;
}

static bool is_one(const char *name, const char *list)
{
	size_t len = strlen(name);
	const char *at = list;

	while ((at = strstr(at, name))) {
		if ((at == list || at[-1] == ' ') && (at[len] == ' ' || !at[len]))
			return true;
		at += len;
	}
	return false;
}

static enum fw_truth run_expression(struct fw_state *s, const struct fw_at *at, const char *name,
				    const struct nlattr *data, struct fw_step *step)
{
	static const struct {
		const char *name;
		enum fw_truth (*run)(struct fw_state *s, const struct nlattr *data);
	} rows[] = {
		{ "meta", fw_meta },       { "ct", fw_ct },
		{ "payload", fw_payload }, { "fib", fw_fib },
		{ "cmp", fw_cmp },         { "range", fw_range },
		{ "bitwise", fw_bitwise }, { "byteorder", fw_byteorder },
		{ "match", fw_match },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (!strcmp(name, rows[i].name))
			return rows[i].run(s, data);
	if (!strcmp(name, "immediate"))
		return run_immediate(s, data, step);
	if (!strcmp(name, "lookup"))
		return run_lookup(s, at, data, step);
	if (!strcmp(name, "target"))
		return fw_target(s, at, data, step);
	if (!strcmp(name, "objref"))
		return run_objref(data);
	if (!strcmp(name, "dynset"))
		return run_dynset(data);
	if (is_one(name, "counter log last notrack dup flow_offload secmark"))
		return FW_YES;
	if (is_one(name, "rt exthdr socket osf xfrm tunnel inner"))
		return run_unknown(s, data, 1, 8);
	if (!strcmp(name, "numgen"))
		return run_numgen(s, data);
	if (!strcmp(name, "hash"))
		return run_unknown(s, data, NFTA_HASH_DREG, NFTA_HASH_MAX);
	if (!strcmp(name, "reject"))
		step->code = NF_DROP;
	else if (is_one(name, "nat masq redir"))
		step->code = NF_ACCEPT;
	else if (is_one(name, "queue synproxy fwd tproxy"))
		step->code = NF_QUEUE;
	else
		return FW_UNSURE; /* limit, quota, connlimit, and what is newer than this */
	if (!strcmp(name, "nat"))
		run_nat(s, at, data);
	else if (!strcmp(name, "redir"))
		run_redirect(s, at, data);
	else if (!strcmp(name, "masq"))
		fw_nat_by(s, at, &(struct fw_nat){ .what = FW_NAT_MASQUERADE });
	return FW_YES;
}

/* @at->maybe is set where a match was unsure. Return: does the rule match at all? */
static bool run_rule(struct fw_state *s, struct fw_at *at, struct fw_step *step)
{
	struct nlattr *item, *tb[NFTA_EXPR_MAX + 1];
	enum fw_truth t;
	char name[32];
	int left;

	if (!at->rule->expressions)
		return true;
	nla_for_each_nested (item, at->rule->expressions, left) {
		if (!nft_nested(tb, NFTA_EXPR_MAX, item) ||
		    !nft_text(tb[NFTA_EXPR_NAME], name, sizeof(name)))
			t = FW_UNSURE;
		else
			t = run_expression(s, at, name, tb[NFTA_EXPR_DATA], step);
		if (t == FW_NO || s->error < 0)
			return false;
		at->maybe |= t == FW_UNSURE;
		if (step->code != NFT_CONTINUE)
			return true;
	}
	return true;
}

/* ---- a chain ---- */

/* Return: NFT_CONTINUE if the walk goes on in this chain, else what it ends with. */
static int jump(struct fw_state *s, const struct fw_at *at, const struct fw_step *step,
		bool *rest_maybe)
{
	const struct fw_chain *to =
		fw_chain_find(s->fw, s->base->family, s->base->table, step->chain);
	int r;

	if (!to || at->depth >= DEPTH_MAX)
		return NFT_CONTINUE;
	r = fw_chain_walk(s, to, at->maybe, at->depth + 1);
	if (step->code == NFT_GOTO && at->maybe)
		*rest_maybe = true;
	if (at->maybe)
		return NFT_CONTINUE;
	if (r == NF_ACCEPT || r == NF_DROP)
		return r;
	return step->code == NFT_GOTO ? NFT_RETURN : NFT_CONTINUE;
}

int fw_decide(struct fw_state *s, const struct fw_at *at, const struct fw_step *step,
	      bool *rest_maybe)
{
	switch (step->code) {
	case NFT_JUMP:
	case NFT_GOTO:
		return jump(s, at, step, rest_maybe);
	case NFT_CONTINUE:
	case NFT_BREAK:
		return NFT_CONTINUE;
	case NFT_RETURN:
		*rest_maybe |= at->maybe;
		return at->maybe ? NFT_CONTINUE : NFT_RETURN;
	case NF_ACCEPT:
		s->may_accept |= at->maybe;
		return at->maybe ? NFT_CONTINUE : NF_ACCEPT;
	case NF_DROP:
		if (at->maybe) {
			may_drop(s, at);
			return NFT_CONTINUE;
		}
		fw_rule_of(s, at, &s->by);
		return NF_DROP;
	default: /* to a program, which may do either */
		may_drop(s, at);
		s->may_accept = true;
		return at->maybe ? NFT_CONTINUE : NF_ACCEPT;
	}
}

int fw_chain_walk(struct fw_state *s, const struct fw_chain *chain, bool maybe, unsigned depth)
{
	for (unsigned i = chain->first; i < chain->first + chain->n && s->error == 0; i++) {
		struct fw_at at = {
			.chain = chain, .rule = &s->fw->rules[i], .maybe = maybe, .depth = depth
		};
		struct fw_step step = { .code = NFT_CONTINUE };
		const uint32_t mark = s->p->mark, ct_mark = s->p->ct_mark;
		int r;

		if (++s->rules > RULES_MAX) {
			may_drop(s, &at);
			s->may_accept = true;
			return NF_ACCEPT;
		}
		memset(s->k, 0, sizeof(s->k));
		if (!run_rule(s, &at, &step))
			continue;
		if (at.maybe) { /* a mark that may have been set */
			s->p->mark_unknown |= s->p->mark != mark;
			s->p->ct_mark_unknown |= s->p->ct_mark != ct_mark;
		}
		r = fw_decide(s, &at, &step, &maybe);
		if (r != NFT_CONTINUE)
			return r;
	}
	return NFT_CONTINUE;
}
