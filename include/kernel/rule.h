/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Policy routing rules (RTM_NEWRULE): which routing table decides about a packet, if any. */
#ifndef KERNEL_RULE_H
#define KERNEL_RULE_H

#include "base/ip.h"
#include "kernel/netlink.h"

/* FRA_PROTOCOL of every rule that rule_add makes, shown by `ip rule` as "proto 118". */
#define RULE_PROTOCOL 0x76

enum rule_action {
	RULE_LOOKUP, /* the routing table `table` decides */
	RULE_GOTO,   /* go on at the first rule of priority `target` */
	RULE_NOP,    /* go on at the next rule */
	RULE_UNREACHABLE
};

/* All selectors that are set must match. A rule has one family, even where it names no address. */
struct rule_spec {
	uint8_t family;
	uint32_t priority;    /* from 1 on */
	struct cidr from, to; /* family 0: any */
	const char *iif;      /* "lo": sent from this namespace; NULL: any. Borrowed */
	uint32_t mark, mask;  /* mask 0: any mark */
	enum rule_action action;
	uint32_t table;  /* RULE_LOOKUP */
	uint32_t target; /* RULE_GOTO: above priority; the kernel passes over a goto without target
			  */
};

/* rule_add: NLM_F_EXCL, so the kernel answers EEXIST where a rule of anybody's has this priority,
 * these selectors and this action. */
void rule_add(struct batch *b, const struct rule_spec *r, uint32_t tolerate);
/* rule_del: only of RULE_PROTOCOL. */
void rule_del(struct batch *b, const struct rule_spec *r, uint32_t tolerate);

/* rule_refuses: does any rule of RULE_PROTOCOL refuse packets (RULE_UNREACHABLE)? Return: 1, 0, or
 * a negative errno. */
int rule_refuses(struct netlink *nl, uint8_t family, struct err *e);
/*
 * rule_find: is there a rule of this priority with these selectors, no others, and this action? Of
 * any protocol. Return: 0, 1 if not, or a negative errno.
 */
int rule_find(struct netlink *nl, const struct rule_spec *r, struct err *e);

#endif
