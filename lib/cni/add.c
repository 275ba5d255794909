/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * ADD. The record is written before the kernel is touched, so a kill at any instant leaves
 * something that the next DEL, GC or ADD of the same key can take down. Whatever fails, what was
 * done is undone in the reverse order; an answer that cannot be delivered counts as a failure,
 * because a runtime never removes what it was not told of.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cni/delegated.h"
#include "cni/heal.h"
#include "cni/held.h"
#include "cni/prepare.h"
#include "cni/turn.h"
#include "kernel/link.h"
#include "kernel/netns_id.h"

/* CNI_IFNAME must be free; the interface of an IPAM plugin's caller is there already. */
static int judge_ifname(struct add *add, struct err *e)
{
	const char *ifname = add->c->env.ifname;
	struct link_info link;
	struct netlink *nl;
	int r;

	if (!add->mode->has_interface)
		return 0;
	r = plan_io_route(&add->io, TASK, &nl, e);
	if (!r)
		r = link_by_name(nl, ifname, &link, e);
	if (r)
		return r < 0 ? r : 0;
	err_set(e, ERR_EXISTS, EEXIST, "CNI_IFNAME: %s exists already in %s, and is not ours",
		ifname, add->c->env.netns);
	err_hint(e, "remove that interface or use another CNI_IFNAME");
	return -EEXIST;
}

/* ---- the attachment ---- */

static int compose_answer(struct add *add, char **ret, struct err *e)
{
	int r = result_add_attachment(&add->result, &add->a, add->mode->has_interface, e);

	if (!r && add->mode->view)
		r = add->mode->view(&add->io, &add->view, e);
	if (!r)
		r = result_add_view(&add->result, &add->view, add->a.netns, e);
	if (r < 0)
		return r;
	if (result_dns_is_set(&add->conf.dns))
		r = result_add_dns(&add->result, &add->conf.dns, e);
	else if (add->c->foreign)
		r = result_take_dns(&add->result, &add->given, e);
	else
		r = result_add_dns(&add->result, &add->conf.pool.dns, e);
	return r < 0 ? r : result_write(&add->result, add->c->spec, ret, e);
}

static void undo(struct add *add, const struct plan *plan)
{
	struct err e;

	if (plan_undo(plan, &add->io, &e) == 0)
		return;
	add->io.stuck = true;
	call_warn(add->c, "undoing an ADD: %s", e.msg);
}

/* It failed and is undone: forget the record, unless something stands that only it remembers. */
static void give_up(struct add *add)
{
	const struct plan *recorded = add->is_linked ? &add->linked : &add->plan;
	struct err e;

	if (add->io.stuck)
		call_warn(add->c, "undoing an ADD: not all could be undone, DEL or GC goes on");
	else if (plan_release(add->c, recorded, &add->io, 0, &e) < 0)
		call_warn(add->c, "undoing an ADD: %s", e.msg);
}

/*
 * Did the kernel refuse the address because new interfaces of the task have IPv6 off, and does the
 * mode's plan turn it on then? All is undone by now, so it is applied anew.
 */
static bool turns_ipv6_on(struct add *add)
{
	unsigned before = add->plan.n;

	if (add->io.failure.error != EACCES || add->io.stuck)
		return false;
	add->a.ipv6_off = true;
	add->mode->plan(&add->a, &add->plan);
	return add->plan.n > before;
}

/* What is linked already is taken down with the rest, whichever fails. */
static int apply(struct add *add, struct err *e)
{
	int r;

	if (!add->is_linked) {
		r = plan_apply(&add->plan, &add->io, e);
		return r < 0 && turns_ipv6_on(add) ? plan_apply(&add->plan, &add->io, e) : r;
	}
	r = plan_apply_rest(&add->plan, &add->linked, &add->io, e);
	if (r < 0)
		undo(add, &add->linked);
	return r;
}

/* A note that is missing costs nothing: the next ADD of the key then looks at all of it. */
static void settle(struct add *add)
{
	const struct store_key key = call_key(add->c);
	struct err e;

	if (store_settle(add->c->store, &key, &e) < 0)
		call_warn(add->c, "the record: %s", e.msg);
}

/* Apply and answer, if the host can bear it. */
static int realize(struct add *add, struct err *e)
{
	cleanup_free char *text = NULL;
	int r = add->mode->consent ? add->mode->consent(&add->a, &add->io, e) : 0;

	if (r == 0)
		r = compose_answer(add, &text, e);
	if (r < 0 && add->is_linked)
		undo(add, &add->linked);
	if (r == 0)
		r = apply(add, e);
	if (r < 0)
		return r;
	r = call_answer(add->c, text, e);
	if (r < 0)
		undo(add, &add->plan);
	else
		settle(add);
	return r;
}

/* For all the others: this attachment stands whatever comes of it. */
static void restore(struct add *add)
{
	struct err e;

	if (held_restore(add->c, &add->io, &e) < 0)
		call_warn(add->c, "%s: GC restores them", e.msg);
}

/*
 * The foreign IPAM plugin over a link that stands. It may take a minute, which nobody may have to
 * wait for who wants the turn alone; till then record and kernel agree.
 */
static int delegate_over_link(struct add *add, struct err *e)
{
	struct err turn;
	int r;

	if (add->io.ruleset_loaded) /* the others' rules do not wait for it either */
		restore(add);
	add->io.ruleset_loaded = false;
	turn_end(add->c);
	r = delegated_ask(add, e);
	if (turn_share(add->c, &turn) >= 0)
		return r;
	if (r == 0)
		*e = turn;
	return r < 0 ? r : -EIO;
}

/*
 * The link, which knows no address yet, and the foreign IPAM plugin over it. What it takes to be
 * whole is another plan then.
 */
static int link_up(struct add *add, struct err *e)
{
	int r = plan_apply(&add->plan, &add->io, e);

	if (r < 0)
		return r;
	r = delegate_over_link(add, e);
	if (r == 0 && add->mode->accept)
		r = add->mode->accept(&add->a, e);
	if (r < 0) {
		undo(add, &add->plan);
		return r;
	}
	add->linked = add->plan;
	add->is_linked = true;
	add->mode->plan(&add->a, &add->plan);
	return 0;
}

/*
 * What undoing takes is at hand before there is something to undo, as descriptors may run out: the
 * way to the host's links, and room for the one to its rules, which not every plan needs.
 */
static int open_ways(struct add *add, struct err *e)
{
	struct netlink *nl;
	int r = 0, spare;

	if (add->mode->has_interface)
		r = plan_io_route(&add->io, HOST, &nl, e);
	if (r == 0)
		r = turn_share(add->c, e);
	if (r < 0)
		return r;
	spare = fcntl(add->c->turn, F_DUPFD_CLOEXEC, 0);
	if (spare < 0)
		return err_sys(e, ERR_IO, errno, "no room for another descriptor");
	close(spare);
	return 0;
}

/*
 * A link without an end on the host tells nothing there of whether the task's namespace lives, and
 * a path may end before it. An id in the host's namespace stands as long as it does. It cannot be
 * undone and is gone with the namespace, so it is no step of the plan.
 */
static int give_id(struct add *add, struct err *e)
{
	struct netlink *nl;
	uint32_t id = 0;
	int r;

	if (add->mode->host_namespace || add->a.host_ifname[0])
		return 0;
	r = plan_io_route(&add->io, HOST, &nl, e);
	if (r == 0)
		r = netns_id_give(nl, &add->io.task, &id, e);
	add->a.netns_id = r == 0 ? id + 1 : 0;
	return r;
}

/* Somebody flushed the table since this store's elements were written, be it in the midst of this
 * ADD; or this is the store's first attachment. */
static bool was_flushed(struct add *add)
{
	struct err e;

	return plan_marker_find(&add->plan, &add->io, &e) == 1;
}

static int attach(struct add *add, bool link_first, struct err *e)
{
	int r = open_ways(add, e);

	if (r == 0)
		r = prepare_lease(add, false, e);
	if (r < 0)
		return r;
	r = prepare_gateways(add, false, e);
	if (r == 0 && link_first)
		r = link_up(add, e);
	if (r == 0)
		r = realize(add, e);
	if (r < 0)
		give_up(add);
	/* Also where it failed: the next will find the skeleton as it should be. */
	if (add->io.ruleset_loaded || was_flushed(add))
		restore(add);
	return r;
}

/* What it makes is what every namespace has, so nothing is undone where the answer fails. */
static int attach_stateless(struct add *add, struct err *e)
{
	cleanup_free char *text = NULL;
	int r = prepare_attachment(add, e);

	if (r < 0)
		return r;
	add->mode->plan(&add->a, &add->plan);
	r = plan_apply(&add->plan, &add->io, e);
	if (r == 0)
		r = compose_answer(add, &text, e);
	return r < 0 ? r : call_answer(add->c, text, e);
}

static int add_in_order(struct add *add, struct err *e)
{
	const struct store_key key = call_key(add->c);
	bool link_first;
	int r = prepare_config(add, e);

	if (!r)
		r = prepare_task(add, e);
	if (!r && add->mode->stateless)
		return attach_stateless(add, e);
	if (!r)
		r = call_store(add->c, STORE_CREATE, e);
	if (!r)
		r = turn_key(add->c, &key, true, e);
	if (!r)
		r = heal(add, e);
	if (!r)
		r = judge_ifname(add, e);
	if (!r)
		r = prepare_attachment(add, e);
	if (!r)
		r = give_id(add, e);
	if (r < 0)
		return r;
	link_first = add->c->foreign && add->mode->link_first && add->mode->link_first(&add->a);
	if (!link_first)
		r = delegated_ask(add, e);
	if (!r)
		r = attach(add, link_first, e);
	turn_end(add->c);
	/* What stands has its address: the DEL or GC that takes it down gives that back. */
	if (r < 0 && !add->io.stuck)
		delegated_undo(add, "after a failed ADD");
	return r;
}

int add_run(struct call *c, struct err *e)
{
	struct add *add = prepare_new(c, e);
	int r = add ? add_in_order(add, e) : -ENOMEM;

	if (r < 0 && add)
		heal_end(add);
	prepare_free(add);
	return r;
}
