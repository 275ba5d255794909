/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A veth pair born in place: one end here, the other in the task, names, indexes and MACs ours. */
#include "plan/io.h"

#include "kernel/release.h"

#include <string.h>

static void veth_add(const struct step *s, struct plan_io *io, struct batch *b)
{
	link_add_veth(b, &s->veth.host, &s->veth.task, &io->task, s->veth.mtu);
}

/* By index, so that a renamed link is found; but only if it still bears one of our marks. */
static int veth_undo(const struct step *s, const struct plan *p, struct plan_io *io, struct err *e)
{
	struct link_info link = { .ifindex = 0 };
	struct netlink *nl;
	int r = plan_io_route(io, HOST, &nl, e);

	if (r == 0)
		r = link_by_index(nl, s->veth.host.ifindex, &link, e);
	if (r == 1) /* gone, or in another namespace: then the task's end is the way to it */
		return plan_release_link(io, TASK, s->veth.task.ifindex, "veth", e);
	if (r < 0)
		return r;
	if (strcmp(link.name, s->veth.host.name) != 0 && strcmp(link.alias, p->a->eni_id) != 0)
		return 0;
	return link_release(&io->host, &io->host, nl, link.ifindex, e);
}

static int check_end(const struct plan *p, struct netlink *nl, enum side side,
		     const struct mac *mac, const struct link_end *end, struct err *e)
{
	const char *where = side == TASK ? "in the task" : "on the host";
	char want[MAC_TEXT], seen[MAC_TEXT];
	struct link_info link;
	int r = link_by_index(nl, end->ifindex, &link, e);

	if (r == 1) {
		err_set(e, ERR_CHECK, 0, "the interface %s %s is gone", end->name, where);
	} else if (r == 0 && strcmp(link.name, end->name) != 0) {
		err_set(e, ERR_CHECK, 0, "the interface %s %s is now called %s", end->name, where,
			link.name);
		plan_hint_link(p, side, link.name, "name", end->name, e);
		r = 1;
	} else if (r == 0 && link.master != end->master) {
		err_set(e, ERR_CHECK, 0, "the interface %s %s is not in its bridge", end->name,
			where);
		plan_hint_link(p, side, end->name, "master", p->a->bridge, e);
		r = 1;
	} else if (r == 0 && !mac_equal(&link.mac, mac)) {
		err_set(e, ERR_CHECK, 0, "the interface %s %s has the MAC %s instead of %s",
			end->name, where, mac_text(&link.mac, seen), mac_text(mac, want));
		plan_hint_link(p, side, end->name, "address", want, e);
		r = 1;
	}
	return r;
}

/*
 * Nothing of ours gives the host's end an address. With one, the host takes what the task says on
 * its link for a network: a DHCP server in a task becomes the host's router.
 */
static int check_no_address(struct netlink *nl, const struct link_end *end, struct err *e)
{
	char text[IP_TEXT];
	struct cidr found;
	unsigned n = 0;
	int r = addr_list(nl, end->ifindex, &found, 1, &n, e);

	if (r < 0 || !n)
		return r < 0 ? r : 0;
	err_set(e, ERR_CHECK, 0,
		"the interface %s on the host has the address %s, which another program "
		"(systemd-networkd, NetworkManager, dhcpcd) gave it",
		end->name, cidr_text(&found, text));
	err_hint(e, "to repair it: ip addr del %s dev %s", text, end->name);
	return 1;
}

static int veth_check(const struct step *s, const struct plan *p, struct plan_io *io, struct err *e)
{
	const struct mac *mac = io->expect_mac ? io->expect_mac : &s->veth.task.mac;
	struct netlink *host, *task;
	int r = plan_io_route(io, HOST, &host, e);

	if (r == 0)
		r = plan_io_route(io, TASK, &task, e);
	if (r == 0)
		r = check_end(p, host, HOST, &s->veth.host.mac, &s->veth.host, e);
	if (r == 0)
		r = check_end(p, task, TASK, mac, &s->veth.task, e);
	return r ? r : check_no_address(host, &s->veth.host, e);
}

static void print_end(const struct plan *p, const struct link_end *end, uint32_t mtu,
		      struct text *t)
{
	char mac[MAC_TEXT];

	text_add(t, " name ");
	text_add_shell(t, end->name);
	text_add(t, " index %u address %s", end->ifindex, mac_text(&end->mac, mac));
	if (mtu)
		text_add(t, " mtu %u", mtu);
	if (end->master) {
		text_add(t, " master ");
		text_add_shell(t, p->a->bridge);
	}
	text_add(t, " numtxqueues 1 numrxqueues 1");
}

static void veth_print(const struct step *s, const struct plan *p, bool undo, struct text *t)
{
	const char *name = netns_name(p->a->netns);

	if (undo) {
		text_add(t, "ip link del dev ");
		text_add_shell(t, s->veth.host.name);
		return;
	}
	text_add(t, "ip link add");
	print_end(p, &s->veth.host, s->veth.mtu, t);
	text_add(t, " type veth peer");
	print_end(p, &s->veth.task, s->veth.mtu, t);
	text_add(t, " netns ");
	text_add_shell(t, name ? name : p->a->netns);
}

const struct step_kind step_veth = {
	.name = "veth",
	.via = VIA_ROUTE,
	.add = veth_add,
	.undo = veth_undo,
	.check = veth_check,
	.print = veth_print,
};
