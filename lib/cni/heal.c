/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ADD where the store has a record of the same key already: it stands, or a kill, a crash or a
 * reboot of the container has left it.
 */
#include "cni/heal.h"

#include <errno.h>
#include <string.h>

#include "base/text.h"
#include "cni/delegated.h"
#include "cni/held.h"
#include "kernel/link.h"

/*
 * Does the attachment @h stand: in the namespace of @add, or alive in another? One that an ADD has
 * answered for stands as long as its interface does: what else has changed is for CHECK to tell,
 * and no reason to take a task's address away. One that was never answered for must be whole; its
 * MAC is taken as it is found, as a chained plugin may have changed it. Return: 1, 0 (it is dead,
 * or an ADD was killed midway), or a negative errno.
 */
static int stands(struct add *add, const struct held *h, struct err *e)
{
	struct link_info link;
	struct netlink *nl;
	int r;

	if (h->a.netns_cookie != add->a.netns_cookie) {
		r = held_fate(add->c, h, e);
		return r < 0 ? r : r == HELD_ALIVE;
	}
	if (!h->mode->has_interface)
		return 1;
	r = plan_io_route(&add->io, TASK, &nl, e);
	if (!r)
		r = link_by_name(nl, h->a.ifname, &link, e);
	if (r)
		return r < 0 ? r : 0;
	if (h->record.settled && link.ifindex == h->a.ifindex)
		return 1;
	r = plan_check(&h->plan, &add->io, &link.mac, e);
	return r < 0 ? (e->code == ERR_CHECK ? 0 : r) : 1;
}

/* It made the namespace that we are to attach: that keeps its name, which is ours to take from now
 * on. */
static void inherit_name(struct add *add, struct held *h)
{
	add->a.netns_created = true;
	add->inherits_name = true;
	text_copy(add->a.netns, sizeof(add->a.netns), h->a.netns);
	h->a.netns_created = false;
	h->mode->plan(&h->a, &h->plan);
}

/*
 * An earlier attachment of the same key: if it is what a crash or a reboot left, it goes, and what
 * a foreign IPAM plugin gave it with it: host-local refuses a second address for one key.
 */
int heal(struct add *add, struct err *e)
{
	const struct store_key key = call_key(add->c);
	cleanup_held struct held *h = held_new(e);
	int r;

	if (!h)
		return -ENOMEM;
	r = held_get(add->c, &key, h, e);
	if (r)
		return r == STORE_ABSENT ? 0 : r;
	r = held_needs_mode(add->c, h, e);
	if (!r)
		r = stands(add, h, e);
	if (r)
		return r < 0 ? r : lease_refuse_key(add->c->store, &h->record.key, e);
	if (h->a.netns_created && h->a.netns_cookie == add->a.netns_cookie)
		inherit_name(add, h);
	r = held_take_down(add->c, h, 0, e);
	if (!r && add->c->foreign && !strcmp(h->a.ipam, add->c->foreign))
		delegated_undo(add, "for an attachment that is no more");
	return r;
}

void heal_end(struct add *add)
{
	uint64_t bearers;
	struct err e;

	if (add->inherits_name && prepare_name_bearers(add, &bearers, &e) == 0 && !bearers)
		netns_unbind(add->a.netns, add->a.netns_cookie, &e);
}
