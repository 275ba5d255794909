/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Settings of a link: its alias (the ENI id), no IPv6 link-local address, up. */
#include "plan/step.h"

#include <linux/if.h>
#include <string.h>

static void link_add(const struct step *s, struct plan_io *io, struct batch *b)
{
	(void)io;
	link_set(b, s->link.dev.ifindex, &s->link.set);
}

static int link_check(const struct step *s, const struct plan *p, struct plan_io *io, struct err *e)
{
	struct link_info link = { .flags = 0 };
	struct netlink *nl;
	int r = plan_io_route(io, s->side, &nl, e);

	(void)p;
	if (r == 0)
		r = link_by_index(nl, s->link.dev.ifindex, &link, e);
	if (r < 0)
		return r;
	if (r == 1)
		err_set(e, ERR_CHECK, 0, "the interface %s is gone", s->link.dev.name);
	else if (s->link.set.up && !(link.flags & IFF_UP))
		err_set(e, ERR_CHECK, 0, "the interface %s is down", s->link.dev.name);
	else if (s->link.set.no_arp && !(link.flags & IFF_NOARP))
		err_set(e, ERR_CHECK, 0, "the interface %s answers ARP again", s->link.dev.name);
	else if ((s->link.set.hairpin && !link.hairpin) || (s->link.set.isolated && !link.isolated))
		err_set(e, ERR_CHECK, 0, "the bridge port %s is not %s any more", s->link.dev.name,
			s->link.set.hairpin && !link.hairpin ? "in hairpin mode" : "isolated");
	else if (s->link.set.promiscuous && !(link.flags & IFF_PROMISC))
		err_set(e, ERR_CHECK, 0, "the interface %s is not promiscuous", s->link.dev.name);
	else if (s->link.set.alias && strcmp(link.alias, s->link.set.alias) != 0)
		err_set(e, ERR_CHECK, 0, "the interface %s does not bear the alias %s",
			s->link.dev.name, s->link.set.alias);
	else
		return 0;
	return 1;
}

static void link_print(const struct step *s, const struct plan *p, bool undo, struct text *t)
{
	const struct link_settings *set = &s->link.set;

	(void)p;
	if (undo)
		return;
	if (set->hairpin || set->isolated) {
		text_add(t, "ip link set dev ");
		text_add_shell(t, s->link.dev.name);
		text_add(t, " type bridge_slave hairpin %s isolated %s\n",
			 set->hairpin ? "on" : "off", set->isolated ? "on" : "off");
	}
	if (set->alias || set->no_link_local) {
		text_add(t, "ip link set dev ");
		text_add_shell(t, s->link.dev.name);
		if (set->alias) {
			text_add(t, " alias ");
			text_add_shell(t, set->alias);
		}
		text_add(t, "%s", set->no_link_local ? " addrgenmode none" : "");
		text_add(t, "%s", set->up ? "\n" : "");
	}
	if (set->up) {
		text_add(t, "ip link set dev ");
		text_add_shell(t, s->link.dev.name);
		text_add(t, " up%s%s", set->promiscuous ? " promisc on" : "",
			 set->no_arp ? " arp off" : "");
	}
}

const struct step_kind step_link = {
	.name = "link",
	.via = VIA_ROUTE,
	.add = link_add,
	.check = link_check,
	.print = link_print,
};
