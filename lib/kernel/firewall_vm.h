/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Evaluating the expressions of rules: for lib/kernel/firewall*.c only. */
#ifndef KERNEL_FIREWALL_VM_H
#define KERNEL_FIREWALL_VM_H

#include "kernel/firewall.h"
#include "kernel/nft_message.h"
#include "kernel/nft_rule.h"

struct fw_expr_rule {
	const char *chain; /* of struct fw_chain */
	uint64_t handle;
	struct nlattr *expressions; /* a copy of NFTA_RULE_EXPRESSIONS; NULL: none */
};

struct fw_chain {
	uint8_t family; /* NFPROTO_* */
	char table[NFT_NAME_SIZE], name[NFT_NAME_SIZE];
	bool base, drops, nat; /* drops: its policy */
	int priority;
	uint32_t hook;
	struct nlattr *hook_attr;       /* a copy of NFTA_CHAIN_HOOK */
	unsigned first, n;              /* its rules */
	const struct fw_legacy *legacy; /* of iptables-legacy; NULL: of nftables */
	uint32_t entry;                 /* where it begins there */
};

struct fw_set {
	uint8_t family;
	char table[NFT_NAME_SIZE], name[NFT_NAME_SIZE];
	uint32_t flags, key_len;
};

struct fw {
	struct netlink *nft, *route;
	const char *own_table;
	struct fw_chain *chains;
	unsigned n_chains, room_chains;
	struct fw_expr_rule *rules;
	unsigned n_rules, room_rules;
	struct fw_legacy *legacy; /* the tables of iptables-legacy */
	struct fw_set *sets;
	unsigned n_sets, room_sets;
	int error; /* of a reply function */
};

enum fw_truth {
	FW_NO,
	FW_UNSURE,
	FW_YES
};

#define FW_REGS 96 /* bytes: the verdict and 16 registers of 4, and room for a name in the last */

/* Values whose bits may be unknown: a bit of @k is set where that of @v is known. */
struct fw_state {
	struct fw *fw;
	const struct nft_crossing *at;
	const struct fw_chain *base;
	struct fw_packet *p;
	uint8_t v[FW_REGS], k[FW_REGS];
	/* what is found out on the way */
	bool may_accept, may_drop, drops;
	struct fw_rule doubt, by;
	struct fw_nat nat;
	unsigned rules; /* looked at */
	int error;      /* negative errno */
	struct err *e;
};

/* Where an expression stands: its rule, and whether all before it was certain. */
struct fw_at {
	const struct fw_chain *chain;
	const struct fw_expr_rule *rule;
	bool maybe;
	unsigned depth; /* of jumps */
};

/* A verdict that a rule comes to; NFT_CONTINUE: none. */
struct fw_step {
	int code;
	char chain[NFT_NAME_SIZE];
};

/* fw_value_of: the bytes of a value in NFTA_*_DATA. Return: its length, 0 if it is none. */
size_t fw_value_of(const struct nlattr *data, const uint8_t **ret);
/* fw_read_verdict: Return: is it one? */
bool fw_read_verdict(const struct nlattr *data, struct fw_step *ret);
bool fw_is_known(const struct fw_state *s, int reg, size_t len);
/* fw_differs: do the known bits? */
bool fw_differs(const struct fw_state *s, int reg, const uint8_t *data, size_t len);
enum fw_truth fw_cmp(struct fw_state *s, const struct nlattr *data);
enum fw_truth fw_range(struct fw_state *s, const struct nlattr *data);
enum fw_truth fw_bitwise(struct fw_state *s, const struct nlattr *data);
enum fw_truth fw_byteorder(struct fw_state *s, const struct nlattr *data);

/* fw_meta … load into or write from registers. Return: enum fw_truth: is the rule gone on with? */
enum fw_truth fw_meta(struct fw_state *s, const struct nlattr *data);
enum fw_truth fw_ct(struct fw_state *s, const struct nlattr *data);
enum fw_truth fw_payload(struct fw_state *s, const struct nlattr *data);
enum fw_truth fw_fib(struct fw_state *s, const struct nlattr *data);
/* fw_match, fw_target: of iptables, in a rule of nftables. fw_target fills in @step. */
enum fw_truth fw_match(struct fw_state *s, const struct nlattr *data);
enum fw_truth fw_target(struct fw_state *s, const struct fw_at *at, const struct nlattr *data,
			struct fw_step *step);
/* The structure of a match or target, and its revision. */
struct fw_xt {
	const void *data;
	size_t len;
	uint32_t rev;
};
enum fw_truth fw_xt_match(struct fw_state *s, const char *name, const struct fw_xt *info);
enum fw_truth fw_xt_target(struct fw_state *s, const struct fw_at *at, const char *name,
			   const struct fw_xt *info, struct fw_step *step);
/* fw_addr_type: RTN_* of an address as the host sees it. Return: a negative errno, or the type. */
int fw_addr_type(struct fw_state *s, const struct ip *ip);
/* fw_ct_state, fw_ct_status: bits of NF_CT_STATE_BIT and IPS_*. @ret_known: which are known. */
uint32_t fw_ct_state(const struct fw_state *s);
uint32_t fw_ct_status(const struct fw_state *s, uint32_t *ret_known);
/* fw_nat_by: the first translation counts. */
void fw_nat_by(struct fw_state *s, const struct fw_at *at, const struct fw_nat *nat);

/* fw_reg: the bytes of a register: -1 if there is no room for @len. */
int fw_reg(const struct nlattr *number, size_t len);
void fw_put(struct fw_state *s, int reg, const void *data, size_t len);
void fw_forget(struct fw_state *s, int reg, size_t len);

const struct fw_chain *fw_chain_find(const struct fw *fw, uint8_t family, const char *table,
				     const char *name);
const struct fw_set *fw_set_find(const struct fw *fw, uint8_t family, const char *table,
				 const char *name);
void fw_rule_of(const struct fw_state *s, const struct fw_at *at, struct fw_rule *ret);

/* fw_add_chain: one more; no memory is told by fw->error. */
void fw_add_chain(struct fw *fw, const struct fw_chain *c);
void fw_forget_legacy(struct fw *fw);
/* fw_decide: what a verdict does. @rest_maybe: set if the rest of the chain may not be reached. */
int fw_decide(struct fw_state *s, const struct fw_at *at, const struct fw_step *step,
	      bool *rest_maybe);
/* fw_legacy_walk: as fw_chain_walk, of a base chain of iptables-legacy. */
int fw_legacy_walk(struct fw_state *s, const struct fw_chain *base);
/* fw_chain_walk: Return: NF_ACCEPT, NF_DROP, NFT_CONTINUE at its end, or NFT_RETURN. */
int fw_chain_walk(struct fw_state *s, const struct fw_chain *chain, bool maybe, unsigned depth);

#endif
