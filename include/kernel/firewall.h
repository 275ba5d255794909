/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What do the nftables rules of other programs do with one packet? The ruleset is read once and its
 * expressions are evaluated as the kernel evaluates them, the packet being known bit by bit: what
 * is not known of it (its source port, its length) makes a match neither true nor false. Sets are
 * asked for by the kernel's own lookup. Rules of iptables-nft are read too: their matches and
 * targets are the kernel's structures (linux/netfilter/xt_*.h).
 */
#ifndef KERNEL_FIREWALL_H
#define KERNEL_FIREWALL_H

#include "base/ip.h"
#include "kernel/link.h"
#include "kernel/netlink.h"
#include "kernel/nft.h"

#define FW_EPHEMERAL 32768 /* the lowest of net.ipv4.ip_local_port_range, if nobody changed it */

struct fw_packet {
	struct ip src, dst;
	bool src_unknown, dst_unknown; /* only their family is known */
	uint8_t protocol;              /* IPPROTO_*; ICMP also stands for ICMPv6 */
	uint16_t sport, dport;         /* 0: not known, or the protocol has none */
	bool ephemeral;                /* the port that is not known is FW_EPHEMERAL or higher */
	struct link_info in, out;      /* ifindex 0: none */
	struct mac smac;               /* of the frame; not set: not known */
	uint32_t mark;
	bool mark_unknown; /* a rule that may match has set it */
	uint32_t ct_mark;
	bool ct_mark_unknown;
	bool answer;          /* in the reply direction of its connection */
	bool dnat, snat;      /* the connection is translated so */
	struct ip first_dst;  /* destination of the connection's first packet; family 0: dst */
	struct ip first_src;  /* its source; family 0: src */
	uint16_t first_dport; /* 0: dport */
};

enum fw_fate {
	FW_PASSES,
	FW_DROPS,
	FW_MAY_DROP, /* a match that decides cannot be computed */
};

struct fw_rule {
	char family[8];
	char table[NFT_NAME_SIZE];
	char base[NFT_NAME_SIZE];  /* the chain at the hook */
	char chain[NFT_NAME_SIZE]; /* the chain of the rule: base, or one that it leads to */
	uint64_t handle;           /* of the rule; 0: the policy of the base chain */
	bool legacy;               /* of iptables-legacy: no table of nftables */
	bool iptables;             /* the table is one of iptables-nft */
	bool alone;                /* the chain has nothing but what refuses all packets */
};

/* A translation by a rule of others: what nat, masquerade and redirect do. */
struct fw_nat {
	enum {
		FW_NAT_NONE,
		FW_NAT_SOURCE,
		FW_NAT_DESTINATION,
		FW_NAT_MASQUERADE,
		FW_NAT_REDIRECT
	} what;
	bool unsure;   /* a match before it cannot be computed, or the address is not known */
	struct ip to;  /* family 0: stays */
	uint16_t port; /* 0: stays */
	struct fw_rule by;
};

struct fw;

/* fw_open: @nft, @route: of the namespace whose rules are meant; borrowed. @own_table is not read.
 */
int fw_open(struct netlink *nft, struct netlink *route, const char *own_table, struct fw **ret,
	    struct err *e);
/* fw_read_legacy: the tables of iptables-legacy, too, of the namespace that the thread is in. */
void fw_read_legacy(struct fw *fw);
struct fw *fw_close(struct fw *fw); /* NULL is fine. Return: NULL */

/*
 * fw_pass: all base chains at one crossing, in their order.
 * @at: hook, family, dev (of NFT_INGRESS, NFT_EGRESS); the IP family is the packet's.
 * @p: its marks are changed as rules change them.
 * @ret_by: with FW_DROPS and FW_MAY_DROP the rule or the policy.
 * @ret_nat: of chains of type nat; NULL: those are left out.
 * Return: enum fw_fate, or a negative errno.
 */
int fw_pass(struct fw *fw, const struct nft_crossing *at, struct fw_packet *p,
	    struct fw_rule *ret_by, struct fw_nat *ret_nat, struct err *e);

/* fw_has_chain: is there a chain of that name in the table of @r? */
bool fw_has_chain(const struct fw *fw, const struct fw_rule *r, const char *chain);
/*
 * fw_rule_text: family, table and chain of the rule, printable: "inet mine fw".
 * Return: @buf, or NULL if a shell would take it for something else, or it does not fit.
 */
const char *fw_rule_text(const struct fw_rule *r, char buf[static 600]);

#endif
