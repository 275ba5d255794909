/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Turns. From its lease on, or until its release, a record and the kernel disagree for some
 * milliseconds. Who is at that holds the turn, shared with all the others who are. Who restores
 * rules from the records holds it alone, and so sees no record that is half made or half gone: else
 * it would put elements back that their own DEL has just taken away, for good.
 */
#ifndef CNI_TURN_H
#define CNI_TURN_H

#include "cni/call.h"

/* turn_share: Return: 1 if the caller must end it, 0 if this call has it already, or -errno. */
int turn_share(struct call *c, struct err *e);
/* turn_alone: give up a shared turn for one alone; waits for a second at most. -EAGAIN then. */
int turn_alone(struct call *c, struct err *e);
void turn_end(struct call *c);

#endif
