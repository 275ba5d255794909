/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one nftables table of taskvpc. Chains and rules are constant; what differs from task to task
 * are elements of sets, so a packet and an ADD cost the same with 10 and with 10 000 tasks.
 */
#ifndef MODE_RULESET_H
#define MODE_RULESET_H

#include "plan/plan.h"

#define TASKVPC_TABLE "taskvpc"

extern const struct nft_ruleset ruleset_guard;	/* source guard, instance metadata */
extern const struct nft_ruleset ruleset_masquerade;

/* Each appends the steps; @ifindex is of the task's interface on the host, which need not exist yet. */
void plan_guard(struct plan *p, uint32_t ifindex);
void plan_masquerade(struct plan *p);

#endif
