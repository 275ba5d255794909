/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one nftables table of taskvpc. Chains and rules are constant; what differs from task to task
 * are elements of sets, so a packet and an ADD cost the same with 10 and with 10 000 tasks.
 */
#ifndef MODE_RULESET_H
#define MODE_RULESET_H

#include "plan/plan.h"

#define TASKVPC_TABLE "taskvpc"

extern const struct nft_ruleset ruleset_guard; /* source guard, instance metadata */
extern const struct nft_ruleset ruleset_nat; /* masquerading, its limits, the bounds of flows */
extern const struct nft_ruleset ruleset_publish; /* host ports */
extern const struct nft_ruleset ruleset_policy;  /* traffic between bridges */
extern const struct nft_ruleset ruleset_frames;  /* MAC addresses on bridge ports */

/* Sets of the inet table whose living elements say that somebody needs it; NULL-terminated. */
extern const char *const ruleset_sets[];

/* Each appends the steps; @ifindex is of the task's interface on the host, which need not exist
 * yet. */
void plan_guard(struct plan *p, uint32_t ifindex);
/*
 * plan_no_publish: the routers of the subnets publish no ports, as they are no addresses of the
 * host's own. @routers: for each address of the attachment the shared step that makes its router.
 */
void plan_no_publish(struct plan *p, const int *routers);
/* plan_bridge_guard: a task on the bridge @bridge_ifindex: whose flows are whose. */
void plan_bridge_guard(struct plan *p, uint32_t bridge_ifindex);
/* plan_nat: the ruleset, if the attachment needs it; before its elements. */
void plan_nat(struct plan *p);
/* plan_protected: ports of the host's services, so that no flow takes them. */
void plan_protected(struct plan *p);
void plan_masquerade(struct plan *p);
/* plan_publish: a->ports as elements of the maps, and UDP flows forgotten. */
void plan_publish(struct plan *p);
/* plan_policy: @bridge's ingressPolicy; shared by all its attachments. */
void plan_policy(struct plan *p, uint32_t bridge_ifindex);
/* plan_frames: the bridge port @ifindex takes frames of a->mac alone. */
void plan_frames(struct plan *p, uint32_t ifindex);

/* Atoms of elements. */
struct nft_atom atom_iface(uint32_t ifindex);
struct nft_atom atom_number(enum nft_type type, uint32_t number); /* _PROTO, _PORT */
struct nft_atom atom_mac(const struct mac *mac);
struct nft_atom atom_ip(const struct ip *ip);
struct nft_atom atom_net(const struct cidr *c);

#endif
