/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which rule of policy routing (ip-rule(8)), and which route of its table, decides about a packet?
 * The kernel tells the decision (route_way_find), but not the rule, and of a refusal not the route.
 * So the rules and the tables that they name are read and followed as the kernel follows them.
 */
#ifndef KERNEL_RULE_WALK_H
#define KERNEL_RULE_WALK_H

#include "base/text.h"
#include "kernel/route.h"

struct rule_info {
	uint32_t priority;
	struct cidr src, dst; /* ip.family 0: any */
	char iif[16], oif[16];
	uint32_t mark, mask;
	uint8_t action; /* FR_ACT_* of linux/fib_rules.h */
	uint32_t table, target;
	uint8_t protocol; /* 0: any */
	uint16_t sport[2], dport[2];
	int suppress; /* a route of at most this prefix length does not count; -1: each counts */
	bool invert;
	uint8_t maker; /* FRA_PROTOCOL: RULE_PROTOCOL of kernel/rule.h is ours */
	bool opaque;   /* has a selector that is not weighed here: uid, tos, tunnel, l3mdev */
};

struct rule_decision {
	struct rule_info rule;
	uint32_t before;   /* the priority of the rule that led to it by goto, or its own */
	uint32_t ours;     /* the priority of our first rule behind that one; 0: there is none */
	bool by_rule;      /* the rule itself refuses: it names no table */
	uint8_t type;      /* RTN_* of linux/rtnetlink.h: of the route, or of the refusal */
	struct cidr match; /* of the route */
	uint32_t priority; /* the metric of the route */
	uint8_t protocol;  /* RTPROT_*: who made the route */
};

/*
 * rule_walk: @iif: the name of the interface by which the packet came in; "lo": sent from here.
 * Return: 0, 1 if no rule and no route decides, or a negative errno.
 */
int rule_walk(struct netlink *nl, const struct route_ask *ask, const char *iif,
	      struct rule_decision *ret, struct err *e);

/* rule_text: the selectors and the action as `ip rule` prints them: "from all lookup 100". */
void rule_text(const struct rule_info *r, struct text *t);

#endif
