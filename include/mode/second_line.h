/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The second line, for the time in which nftables is empty: policy routing refuses what a chain of
 * ours has not marked. A flush of the ruleset takes the guard and that chain together, and then no
 * packet from or to a task is routed until the rules are back. What the host itself sends passes.
 *
 *   76: from all iif lo goto 78                      the host's own packets
 *   77: from SUBNET fwmark 0/0x1000 unreachable      not marked by our chain at prerouting -90
 *   77: from all to SUBNET fwmark 0/0x1000 unreachable
 *   78: nop                                          the host's other rules go on here
 */
#ifndef MODE_SECOND_LINE_H
#define MODE_SECOND_LINE_H

#include "mode/mode.h"

#define GUARD_MARK 0x1000 /* unless `guardMark` says otherwise */

/* second_line_judge: @mark is one bit, or 0: no second line. Code 7. */
int second_line_judge(uint32_t mark, struct err *e);
/* second_line_ruleset: the chain that sets @mark, one bit. */
const struct nft_ruleset *second_line_ruleset(uint32_t mark);
/* plan_second_ruleset: the chain that marks; with the other rulesets. */
void plan_second_ruleset(struct plan *p);
/* plan_second_line: the rules and what reverse path filtering needs; among the host's routes. */
void plan_second_line(struct plan *p);

#endif
