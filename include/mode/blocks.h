/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The blocks of addresses that the tasks of an attachment's network live in: the CIDR blocks of its
 * VPC, and of a family that the VPC names none of, the subnets. The host is their router.
 */
#ifndef MODE_BLOCKS_H
#define MODE_BLOCKS_H

#include "plan/plan.h"

/* Blocks of one attachment. */
#define BLOCKS_MAX (ATTACHMENT_CIDRS + STORE_ADDRESSES)

/* blocks_of: each once, without host bits. Return: how many. */
unsigned blocks_of(const struct attachment *a, struct cidr ret[static BLOCKS_MAX]);

/*
 * plan_unreachable: each subnet and each block gets a route of type unreachable, shared by all
 * tasks in it. It has the last metric: a route of the host's own to the same prefix comes first,
 * and a longer prefix always does.
 */
void plan_unreachable(struct plan *p);

#endif
