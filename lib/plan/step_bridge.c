/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A bridge of ours, shared by the attachments of all its networks. Whoever undoes it last finds
 * whether somebody else has put ports into it meanwhile; then it stays.
 */
#include "plan/io.h"

#include <string.h>

static void bridge_add(const struct step *s, struct plan_io *io, struct batch *b)
{
	(void)io;
	link_add_bridge(b, &s->bridge.end, s->bridge.mtu, TOLERATE_EXISTS);
}

static int bridge_undo(const struct step *s, const struct plan *p, struct plan_io *io,
		       struct err *e)
{
	struct netlink *nl;
	int r = plan_io_route(io, HOST, &nl, e);

	(void)p;
	if (r == 0)
		r = link_has_ports(nl, s->bridge.end.ifindex, e);
	if (r != 0)
		return r < 0 ? r : 0;
	return plan_release_link(io, HOST, s->bridge.end.ifindex, "bridge", e);
}

/* Its tasks send to the MAC that they know for a while yet, and are not heard. */
static int check_mac(const struct step *s, const struct plan *p, const struct mac *seen,
		     struct err *e)
{
	const struct link_end *end = &s->bridge.end;
	char want[MAC_TEXT], mac[MAC_TEXT];

	if (mac_equal(seen, &end->mac))
		return 0;
	err_set(e, ERR_CHECK, 0, "the bridge %s has the MAC %s instead of %s", end->name,
		mac_text(seen, mac), mac_text(&end->mac, want));
	plan_hint_link(p, HOST, end->name, "address", want, e);
	return 1;
}

static int bridge_check(const struct step *s, const struct plan *p, struct plan_io *io,
			struct err *e)
{
	struct link_info link = { .ifindex = 0 };
	struct netlink *nl;
	int r = plan_io_route(io, HOST, &nl, e);

	if (r == 0)
		r = link_by_index(nl, s->bridge.end.ifindex, &link, e);
	if (r < 0)
		return r;
	if (r == 1 || strcmp(link.kind, "bridge") != 0)
		err_set(e, ERR_CHECK, 0, "the bridge %s is gone", s->bridge.end.name);
	else if (strcmp(link.name, s->bridge.end.name) != 0)
		err_set(e, ERR_CHECK, 0, "the bridge %s is now called %s", s->bridge.end.name,
			link.name);
	else
		return check_mac(s, p, &link.mac, e);
	return 1;
}

static void bridge_print(const struct step *s, const struct plan *p, bool undo, struct text *t)
{
	const struct link_end *end = &s->bridge.end;
	char mac[MAC_TEXT];

	(void)p;
	text_add(t, "ip link %s ", undo ? "del dev" : "add name");
	text_add_shell(t, end->name);
	if (undo)
		return;
	text_add(t, " index %u address %s", end->ifindex, mac_text(&end->mac, mac));
	if (s->bridge.mtu)
		text_add(t, " mtu %u", s->bridge.mtu);
	text_add(t, " numtxqueues 1 numrxqueues 1 type bridge no_linklocal_learn 1");
}

const struct step_kind step_bridge = {
	.name = "bridge",
	.via = VIA_ROUTE,
	.add = bridge_add,
	.undo = bridge_undo,
	.check = bridge_check,
	.print = bridge_print,
};
