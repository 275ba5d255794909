/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A macvlan of a master on the host: born in the task, or (hostAccess) on the host itself. */
#include "plan/io.h"

#include <string.h>

static void macvlan_add(const struct step *s, struct plan_io *io, struct batch *b)
{
	const struct macvlan_of *of = &s->macvlan.of;
	const struct link_macvlan m = { of->master_ifindex, link_macvlan_mode(of->mode), of->mtu };

	/* Requests about masters go to the host's socket whatever the side: the master is there. */
	link_add_macvlan(b, &s->macvlan.end, &m, s->macvlan.in_task ? &io->task : NULL,
			 s->shared ? TOLERATE_EXISTS : TOLERATE_NOTHING);
}

static int macvlan_undo(const struct step *s, const struct plan *p, struct plan_io *io,
			struct err *e)
{
	(void)p;
	return plan_release_link(io, s->macvlan.in_task ? TASK : HOST, s->macvlan.end.ifindex,
				 "macvlan", e);
}

static int macvlan_check(const struct step *s, const struct plan *p, struct plan_io *io,
			 struct err *e)
{
	const struct link_end *end = &s->macvlan.end;
	const struct mac *mac = s->macvlan.in_task && io->expect_mac ? io->expect_mac : &end->mac;
	const enum side side = s->macvlan.in_task ? TASK : HOST;
	char want[MAC_TEXT], seen[MAC_TEXT];
	struct link_info link = { .ifindex = 0 };
	struct netlink *nl;
	int r = plan_io_route(io, side, &nl, e);

	if (r == 0)
		r = link_by_index(nl, end->ifindex, &link, e);
	if (r < 0)
		return r;
	if (r == 1 || strcmp(link.name, end->name) != 0) {
		err_set(e, ERR_CHECK, 0, "the interface %s is gone", end->name);
	} else if (!mac_equal(&link.mac, mac)) {
		err_set(e, ERR_CHECK, 0, "the interface %s has the MAC %s instead of %s", end->name,
			mac_text(&link.mac, seen), mac_text(mac, want));
		plan_hint_link(p, side, end->name, "address", want, e);
	} else if (link.link != s->macvlan.of.master_ifindex) {
		err_set(e, ERR_CHECK, 0, "the interface %s is no macvlan of %s", end->name,
			s->macvlan.of.master);
	} else {
		return 0;
	}
	return 1;
}

static void macvlan_print(const struct step *s, const struct plan *p, bool undo, struct text *t)
{
	const struct link_end *end = &s->macvlan.end;
	const struct macvlan_of *of = &s->macvlan.of;
	const char *name = netns_name(p->a->netns);
	char mac[MAC_TEXT];

	if (undo && s->macvlan.in_task) {
		text_add(t, name ? "ip -n " : "nsenter --net=");
		text_add_shell(t, name ? name : p->a->netns);
		text_add(t, name ? "" : " ip");
	} else {
		text_add(t, "ip");
	}
	if (undo) {
		text_add(t, " link del dev ");
		text_add_shell(t, end->name);
		return;
	}
	text_add(t, " link add name ");
	text_add_shell(t, end->name);
	text_add(t, " index %u address %s", end->ifindex, mac_text(&end->mac, mac));
	if (of->mtu)
		text_add(t, " mtu %u", of->mtu);
	text_add(t, " numtxqueues 1 numrxqueues 1 link ");
	text_add_shell(t, of->master);
	if (s->macvlan.in_task) {
		text_add(t, " netns ");
		text_add_shell(t, name ? name : p->a->netns);
	}
	text_add(t, " type macvlan mode %s", macvlan_mode_names[of->mode]);
}

const struct step_kind step_macvlan = {
	.name = "macvlan",
	.via = VIA_ROUTE,
	.add = macvlan_add,
	.undo = macvlan_undo,
	.check = macvlan_check,
	.print = macvlan_print,
};
