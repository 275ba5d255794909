/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may do what at once. Two kinds of locks, both of one file beside the store's, both gone with
 * a process that is killed.
 *
 * The turn: from its lease on, or until its release, a record and the kernel disagree for some
 * milliseconds. Who is at that holds the turn, shared with all the others who are. Who restores
 * rules from the records holds it alone, and so sees no record that is half made or half gone: else
 * it would put elements back that their own DEL has just taken away, for good.
 *
 * The key: two calls for one attachment come one after the other. An ADD that another is at looks
 * like one that was killed, and what a DEL takes down twice may be somebody else's the second time.
 */
#ifndef CNI_TURN_H
#define CNI_TURN_H

#include "cni/call.h"

/* turn_share: Return: 1 if the caller must end it, 0 if this call has it already, or -errno. */
int turn_share(struct call *c, struct err *e);
/*
 * turn_alone: give up a shared turn for one alone. Nobody gets a shared one while we wait, which is
 * for five seconds at most. -EAGAIN then.
 */
int turn_alone(struct call *c, struct err *e);
void turn_end(struct call *c);

/*
 * turn_key: be the only call at the attachment of @key, until turn_key_end or the end of the call.
 * The store's directory must be there. One call may have several keys, but only the first may be
 * waited for, or two calls would wait for each other.
 * @wait: for another call that has it. Return: 0, 1 (another has it; only without @wait), or
 * -errno.
 */
int turn_key(struct call *c, const struct store_key *key, bool wait, struct err *e);
/* turn_key_end: let others have it. turn_all_keys_end: and all the others that this call has. */
void turn_key_end(struct call *c, const struct store_key *key);
void turn_all_keys_end(struct call *c);

#endif
