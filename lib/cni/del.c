/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * DEL: works from the key alone. The configuration may be edited or broken by now, CNI_NETNS empty,
 * the namespace gone, prevResult garbage: none of it is looked at, the record knows all. What is
 * not there is removed already; nothing is ever created, not even the store.
 */
#include <errno.h>

#include "cni/held.h"
#include "cni/turn.h"

static int del_own(struct call *c, struct err *e)
{
	const struct store_key key = call_key(c);
	cleanup_held struct held *h = held_new(e);
	int r;

	if (!h)
		return -ENOMEM;
	r = call_store(c, STORE_CHANGE, e);
	if (!r)
		r = held_get(c, &key, h, e);
	if (r)
		return r == STORE_ABSENT ? 0 : r;
	r = held_seize(c, &key, true, h, e);
	if (r)
		return r == STORE_ABSENT ? 0 : r;
	return held_take_down(c, h, pool_read_cooldown(c->foreign ? NULL : c->ipam), e);
}

/*
 * The foreign IPAM plugin gives the address to somebody else as soon as it hears of the DEL, so it
 * does not while ours has failed and the task may have it still: the runtime's next DEL comes to
 * it.
 */
int del_run(struct call *c, struct err *e)
{
	int r = del_own(c, e);

	return r < 0 ? r : call_delegate(c, "DEL", NULL, e);
}
