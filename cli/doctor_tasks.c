/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is wrong with networks, the store and tasks. */
#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "chain.h"
#include "doctor.h"
#include "kernel/link.h"
#include "kernel/route.h"
#include "state.h"
#include "store/store.h"
#include "subnets.h"

#define ADDRESSES 256

/* ---- networks ---- */

void doctor_plugins(struct doctor *d)
{
	struct chain chain = { .list = NULL };
	char path[CHAIN_PATH];
	struct err e;

	chain_path(d->cli, path);
	chain.path = path;
	for (unsigned i = 0; i < d->all.n; i++) {
		chain.list = d->all.of[i]->list;
		if (chain_find(&chain, &e) < 0)
			doctor_tell(d, DOCTOR_FAIL, e.details, "network %s: %s", d->all.of[i]->name,
				    e.msg);
	}
}

static void tell_broken(void *ctx, const char *path, const struct err *why)
{
	(void)path;
	doctor_tell(ctx, DOCTOR_WARN, why->details[0] ? why->details : "correct it or remove it",
		    "%s", why->msg);
}

/*
 * A LAN of the host, or the bridge of another program, with addresses of a network's subnet.
 * @bridge: of the network itself, whose addresses are its own; "": it has none.
 */
static void look_for_lan(struct doctor *d, const json *subnet, const char *bridge,
			 const struct addr_info *addresses, unsigned n)
{
	struct cidr cidr;

	if (!cidr_parse(live_text(subnet, "cidr"), &cidr))
		return;
	for (unsigned i = 0; i < n; i++) {
		char text[IP_TEXT], ifname[IF_NAMESIZE] = "?";

		if (!cidr_overlap(&cidr, &addresses[i].cidr))
			continue;
		if_indextoname(addresses[i].ifindex, ifname);
		if (!strcmp(ifname, bridge))
			continue;
		doctor_tell(d, DOCTOR_WARN,
			    "another subnet: `taskvpc inspect NETWORK >my.conflist`, edit it, "
			    "taskvpc run --net ./my.conflist",
			    "network %.63s: its subnet %s overlaps with %s on %s: %s",
			    live_text(subnet, "network"), live_text(subnet, "cidr"),
			    cidr_text(&addresses[i].cidr, text), ifname,
			    *bridge ? "the host has two ways there, and one of them is wrong"
				    : "neighbours there are hidden by tasks of the same address");
	}
}

/* The name of the bridge of a network, "" of routed tasks; NULL: its tasks are on a LAN. */
static const char *bridge_of(const struct doctor *d, const json *subnet)
{
	const struct network *n = networks_get(&d->all, live_text(subnet, "network"));
	const json *plugin = n ? json_first(json_get(n->list, "plugins")) : NULL;
	const char *mode = n ? network_mode(n->list) : "";

	if (!strcmp(mode, "bridge"))
		return *live_text(plugin, "bridge") ? live_text(plugin, "bridge") : "cni0";
	return !strcmp(mode, "awsvpc") && strcmp(live_text(plugin, "attach"), "macvlan") != 0
		       ? ""
		       : NULL;
}

/* What STATUS warns of at length; here only what is certainly a mistake. */
static void tell_unknown_keys(struct doctor *d, const struct network *n)
{
	struct chain chain = { .list = n->list };
	cleanup_free char *warn = NULL;
	char path[CHAIN_PATH], lines[2048], fix[PATH_MAX + 20];
	struct text all;
	struct err ignored;

	chain_path(d->cli, path);
	chain.path = path;
	snprintf(fix, sizeof(fix), "correct it in %s", n->source);
	text_init(&all, lines, sizeof(lines));
	network_unknown(n->list, &all);
	if (chain_find(&chain, &ignored) == 0)
		(void)chain_status(&chain, &warn, &ignored);
	text_add(&all, "%s%s", all.len ? "\n" : "", warn ? warn : "");
	for (char *line = strtok(lines, "\n"); line; line = strtok(NULL, "\n"))
		if (strstr(line, ": unknown key, "))
			doctor_tell(d, DOCTOR_WARN, fix, "network %.63s: %.200s", n->name, line);
}

void doctor_networks(struct doctor *d)
{
	cleanup_networks struct networks again = { .n = 0 };
	struct addr_info addresses[ADDRESSES];
	cleanup_json json *subnets = NULL;
	unsigned n = 0;
	struct err e;

	networks_load(d->cli, &again, tell_broken, d, &e);
	for (unsigned i = 0; i < d->all.n; i++)
		tell_unknown_keys(d, d->all.of[i]);
	if (addr_lasting(&d->route, 0, addresses, ADDRESSES, &n, &e) < 0)
		n = 0;
	if (subnets_json(d->cli, d->attachments, &subnets, &e) < 0)
		return; /* the store's check tells */
	for (const json *s = json_first(subnets); s; s = json_next(s)) {
		int64_t left = 1;

		if (json_integer(json_get(s, "free"), &left) && !left)
			doctor_tell(d, DOCTOR_WARN, "taskvpc subnets tells who has them",
				    "network %.63s: no address of %s is free",
				    live_text(s, "network"), live_text(s, "cidr"));
		if (bridge_of(d, s))
			look_for_lan(d, s, bridge_of(d, s), addresses, n);
	}
}

/* ---- the store ---- */

/*
 * Whoever may rename a directory above the store may put another in its place, and an empty store
 * gives addresses that tasks have. What lies in /tmp is safe: it is sticky.
 */
static void look_above(struct doctor *d, const char *dir)
{
	char path[256];
	struct stat st;

	text_copy(path, sizeof(path), dir);
	for (char *slash; (slash = strrchr(path, '/')) && slash != path;) {
		*slash = '\0';
		if (stat(path, &st) < 0 || ((st.st_uid == 0 || st.st_uid == geteuid()) &&
					    (!(st.st_mode & 022) || st.st_mode & S_ISVTX)))
			continue;
		doctor_tell(
			d, DOCTOR_WARN, "an ipam.dataDir of which all directories are root's",
			"the store %.200s lies below %.200s, which others than root may rename: "
			"without its records addresses are given twice",
			dir, path);
		return;
	}
}

static void look_at_stores(struct doctor *d)
{
	struct live_stores stores;

	live_stores(&d->all, &stores);
	for (unsigned i = 0; i < stores.n; i++) {
		cleanup_store struct store *s = NULL;
		char warn[256] = "", fix[512];
		struct err e = { 0 };
		int r = store_open(stores.of[i], STORE_READ, &s, warn, sizeof(warn), &e);

		if (r == 0)
			r = store_verify(s, &e);
		snprintf(fix, sizeof(fix), "taskvpc gc; if it stays, end all tasks, then rm -r %s",
			 stores.of[i]);
		if (r < 0)
			doctor_tell(d, DOCTOR_FAIL, e.details[0] ? e.details : fix, "%s", e.msg);
		if (warn[0])
			doctor_tell(d, DOCTOR_WARN, NULL, "%s", warn);
		if (r >= 0 && r != STORE_ABSENT)
			look_above(d, stores.of[i]);
	}
}

/*
 * Whatever reads a store makes an index anew that contradicts the records where it reads, as where
 * a cooling address has come to its end. So this comes before all other checks.
 */
void doctor_stores_first(struct doctor *d)
{
	json *list = d->list;

	d->list = json_array();
	d->about = "store";
	look_at_stores(d);
	d->stores = d->list;
	d->list = list;
}

void doctor_store(struct doctor *d)
{
	for (const json *one = json_first(d->stores); one; one = json_next(one)) {
		json_add_copy(d->list, NULL, one);
		d->told++;
	}
}

/* ---- leftovers ---- */

static bool is_known(const struct doctor *d, const char *eni)
{
	const json *row = json_first(d->attachments);

	while (row && strcmp(live_text(row, "eni"), eni) != 0)
		row = json_next(row);
	return row != NULL;
}

/*
 * A link of no record that is known here. One whose other end is in a namespace that lives may be a
 * task's, of a store that no network here names: it is never to be deleted.
 */
static void tell_unknown(struct doctor *d, const struct link_info *link)
{
	bool alone = !strcmp(link->kind, "veth") && !link->elsewhere;
	char fix[200], name[64];
	struct text t;

	text_init(&t, name, sizeof(name));
	text_add_shell(&t, link->name);
	snprintf(fix, sizeof(fix),
		 alone ? "ip link del %s"
		       : "name the configuration of its network: taskvpc --net-dir DIR doctor; "
			 "ip -d link show dev %s tells of its other end",
		 name);
	doctor_tell(d, DOCTOR_WARN, fix, "the interface %.15s (%s) is of no record%s", link->name,
		    link->alias,
		    alone ? ""
			  : " of the stores that are known here; a task that lives may have it");
}

/* Links that bear the id of an ENI of which there is no record. */
static void look_for_links(struct doctor *d)
{
	struct if_nameindex *all = if_nameindex();

	for (struct if_nameindex *i = all; i && i->if_index; i++) {
		struct link_info link;
		struct err ignored;

		if (link_by_index(&d->route, i->if_index, &link, &ignored) != 0 ||
		    strncmp(link.alias, "eni-", 4) != 0 || is_known(d, link.alias))
			continue;
		tell_unknown(d, &link);
	}
	if (all)
		if_freenameindex(all);
}

void doctor_leftovers(struct doctor *d)
{
	for (const json *row = json_first(d->attachments); row; row = json_next(row))
		if (!strcmp(live_text(row, "state"), "dead"))
			doctor_tell(d, DOCTOR_FAIL, "taskvpc gc",
				    "%.63s is gone, but holds %s of network %.63s", live_short(row),
				    *live_text(row, "address") ? live_text(row, "address")
							       : "its place",
				    live_text(row, "network"));
	look_for_links(d);
}

/* ---- links of tasks that live ---- */

void doctor_mac(struct doctor *d)
{
	for (const json *row = doctor_next_up(json_first(d->attachments)); row;
	     row = doctor_next_up(json_next(row))) {
		const char *ifname = live_text(row, "hostInterface"),
			   *mac = live_text(row, "hostMac");
		struct link_info link;
		char seen[MAC_TEXT];
		struct err ignored;

		if (!*ifname || !*mac || link_by_name(&d->route, ifname, &link, &ignored) != 0 ||
		    !strcmp(mac_text(&link.mac, seen), mac))
			continue;
		doctor_tell(
			d, DOCTOR_FAIL,
			"printf '[Match]\\nOriginalName=vpc*\\n[Link]\\nMACAddressPolicy=none\\n' "
			">/etc/systemd/network/10-taskvpc.link; then restart the task",
			"%.63s: %s has the MAC %s instead of %s: systemd's MACAddressPolicy does "
			"that; the task sends to the old one",
			live_short(row), ifname, seen, mac);
	}
}

static void judge_mtu(struct doctor *d, const json *row, const struct route_uplink *uplink)
{
	const char *ifname = live_text(row, "hostInterface");
	struct link_info link = { .mtu = 0 };
	struct err ignored;
	int64_t mtu = 0;
	char fix[128];

	json_integer(json_get(row, "mtu"), &mtu);
	if (*ifname && link_by_name(&d->route, ifname, &link, &ignored) == 0 &&
	    link.mtu != (uint32_t)mtu) {
		snprintf(fix, sizeof(fix), "ip link set dev %.15s mtu %u", ifname, (unsigned)mtu);
		doctor_tell(d, DOCTOR_WARN, fix,
			    "%.63s: the two ends of its link have the MTUs %u "
			    "and %u: larger packets are lost silently",
			    live_short(row), (unsigned)mtu, link.mtu);
	}
	if (!uplink->mtu || mtu <= (int64_t)uplink->mtu)
		return;
	snprintf(fix, sizeof(fix), "\"mtu\": %u in the network, then restart the task",
		 uplink->mtu);
	doctor_tell(d, DOCTOR_WARN, fix, "%.63s: its MTU is %u, that of the uplink %s only %u",
		    live_short(row), (unsigned)mtu, uplink->name, uplink->mtu);
}

void doctor_mtu(struct doctor *d)
{
	struct route_uplink uplink = { .mtu = 0 };
	struct err ignored;

	if (route_uplink_find(&d->route, AF_INET, &uplink, &ignored) < 0)
		uplink.mtu = 0;
	for (const json *row = doctor_next_up(json_first(d->attachments)); row;
	     row = doctor_next_up(json_next(row)))
		if (json_get(row, "mtu"))
			judge_mtu(d, row, &uplink);
}
