/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What rules may do with a packet, gathered one by one: for lib/kernel only. */
#ifndef KERNEL_NFT_RULE_H
#define KERNEL_NFT_RULE_H

#include "kernel/nft_message.h"

#define NFT_LEADS_MAX 1024

/* What a rule leads to: a chain that it jumps or goes to, or a map that holds verdicts. */
struct nft_lead {
	char name[NFT_NAME_SIZE];
	bool is_map;
};

/*
 * Whatever cannot be told may both accept and drop. Conditions are not weighed: a rule that has
 * some may decide, or not.
 */
struct nft_reading {
	bool accepts, drops; /* may be; also what is reached by leads, once they are read */
	bool returns;        /* some rule may end this chain, and leave it to who called it */
	bool over;           /* a rule without conditions has decided: the rest is never reached */
	int last;            /* the verdict of that rule; NFT_CONTINUE: there was none */
	struct nft_lead *leads; /* room for NFT_LEADS_MAX; NULL: they are not wanted */
	unsigned n_leads;
};

/* nft_rule_read: one more rule of the chain; @expressions is its list. */
void nft_rule_read(struct nft_reading *r, const struct nlattr *expressions);
/* nft_map_read: the elements of a map, each with a verdict of its own; @elements is their list. */
void nft_map_read(struct nft_reading *r, const struct nlattr *elements);
/* nft_is_at: is a base chain of @family, with this NFTA_CHAIN_HOOK, met at @at? */
bool nft_is_at(const struct nft_crossing *at, uint8_t family, const struct nlattr *hook);
/* nft_nested: as nla_parse_nested, of an attribute that may be absent. Return: is it well formed?
 */
bool nft_nested(struct nlattr **tb, int max, const struct nlattr *a);
/* nft_text: Return: is there a text that fits? */
bool nft_text(const struct nlattr *a, char *ret, size_t size);

#endif
