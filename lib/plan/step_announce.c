/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Telling the neighbours on a bridge who has the task's addresses now: the host and other tasks may
 * still know the MAC of the task that had them before, and would go on sending to it for a minute.
 * The last step, because what is said sooner does not get past the bridge port.
 */
#include "plan/io.h"

/* Until then the port drops every frame, and the task's end has no queue. */
static int await_end(struct plan_io *io, enum side side, uint32_t ifindex, struct err *e)
{
	struct netlink *nl;
	int r = plan_io_route(io, side, &nl, e);

	return r < 0 ? r : link_await(nl, ifindex, e);
}

static int announce_apply(const struct step *s, const struct plan *p, struct plan_io *io,
			  struct err *e)
{
	uint32_t ifindex = s->neigh.dev.ifindex; /* both ends have the same */
	struct batch_failure failure;
	struct netlink *nl;
	int r = await_end(io, HOST, ifindex, e);

	(void)p;
	if (r == 0)
		r = await_end(io, TASK, ifindex, e);
	if (r == 0)
		r = plan_io_route(io, TASK, &nl, e);
	if (r < 0)
		return r;
	link_announce(io->batch, ifindex, &s->neigh.mac);
	return batch_send(io->batch, nl, &failure, e);
}

static void announce_print(const struct step *s, const struct plan *p, bool undo, struct text *t)
{
	char mac[MAC_TEXT];

	(void)p;
	if (undo)
		return;
	text_add(t, "sysctl -qw net/ipv4/conf/");
	text_add_shell(t, s->neigh.dev.name);
	text_add(t, "/arp_notify=1\nip link set dev ");
	text_add_shell(t, s->neigh.dev.name);
	text_add(t, " address %s", mac_text(&s->neigh.mac, mac));
}

const struct step_kind step_announce = {
	.name = "announce",
	.via = VIA_CALL,
	.apply = announce_apply,
	.print = announce_print,
};
