/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * hostAccess: a macvlan cannot talk to its own master, so the host gets a macvlan of the master too,
 * one for all its tasks there.
 */
#include "awsvpc.h"

#include "base/io.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

/*
 * The host's addresses on the LAN. host_ips: what its packets to a task come from; host_lan: all
 * that a task reaches by the host's macvlan.
 */
static int find_host_ips(struct netlink *nl, struct attachment *a, struct err *e)
{
	struct cidr all[ATTACHMENT_HOST_IPS];
	int r = addr_first(nl, a->master_ifindex, AF_INET, &a->host_ips[0], e);

	if (r >= 0)
		r = addr_first(nl, a->master_ifindex, AF_INET6, &a->host_ips[1], e);
	if (r >= 0)
		r = addr_list(nl, a->master_ifindex, all, ARRAY_SIZE(all), &a->n_host_lan, e);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < a->n_host_lan; i++)
		a->host_lan[i] = all[i].ip;
	if (r == 0)
		return 0;
	err_set(e, ERR_CONFIG, 0, "hostAccess: the master \"%s\" has more than %zu addresses",
		a->master, ARRAY_SIZE(all));
	err_hint(e, "take some of them away, or leave hostAccess out");
	return -EINVAL;
}

/*
 * The host's own macvlan is shared by all tasks of the master, so its index comes from the master's
 * name and not from the record's id. Indexes from 2^30 on are nobody else's.
 */
static uint32_t shim_index(uint64_t hash)
{
	return 0x40000000U | (uint32_t)(hash >> 32 & 0x3fffffff);
}

/* Its MAC differs from host to host and from boot to boot, as those hosts may be on one LAN. One
 * that is there already keeps its MAC. */
static int name_shim(struct netlink *nl, struct attachment *a, struct err *e)
{
	uint64_t h = hash_text(hash_text(HASH_START, "hostAccess"), a->master);
	struct link_info link;
	char boot[64] = "";
	int r;

	snprintf(a->shim_ifname, sizeof(a->shim_ifname), "tvh%08x", (uint32_t)h);
	r = link_by_index(nl, shim_index(h), &link, e);
	if (r == 0)
		a->shim_mac = link.mac;
	if (r <= 0)
		return r;
	io_read_text("/proc/sys/kernel/random/boot_id", boot, sizeof(boot));
	h = hash_text(h, boot);
	memcpy(a->shim_mac.b, &h, sizeof(a->shim_mac.b));
	a->shim_mac.b[0] = 0x06;
	return 0;
}

int awsvpc_find_host(struct netlink *nl, struct attachment *a, struct err *e)
{
	int r = find_host_ips(nl, a, e);

	return r < 0 ? r : name_shim(nl, a, e);
}

/* A record from before the MAC was kept has another macvlan, which answers ARP. */
static bool has_silent_shim(const struct attachment *a)
{
	return mac_is_set(&a->shim_mac);
}

static struct link_end shim_end(const struct attachment *a)
{
	bool silent = has_silent_shim(a);
	uint64_t h = hash_text(silent ? hash_text(HASH_START, "hostAccess") : HASH_START,
			       a->master);
	struct link_end end = { .name = a->shim_ifname,
				.ifindex = shim_index(h),
				.mac = a->shim_mac };

	if (silent)
		return end;
	memcpy(end.mac.b, &h, sizeof(end.mac.b));
	end.mac.b[0] = 0x06;
	return end;
}

/* Where the macvlan answers: the task asks for the host's IPv6 address by multicast, which only the
 * owner of the address takes. */
static void plan_shim_ip(struct plan *p, int shim, const struct ifref *dev)
{
	const struct cidr own = cidr_host(&p->a->host_ips[1]);

	plan_share(p, plan_addr(p, shim, HOST, dev, &own,
				(struct addr_how){ .no_prefix_route = true }));
}

/*
 * The host's macvlan does no ARP and has no address: the LAN, which hears what it says, must know
 * the host's addresses with the master's MAC only. So both neighbours are written down, here the
 * task's and in awsvpc_plan_host_neighbours the host's.
 */
void awsvpc_plan_host_access(struct plan *p)
{
	const struct attachment *a = p->a;
	const struct link_end end = shim_end(a);
	const struct ifref dev = { end.name, end.ifindex };
	const struct macvlan_of of = { a->master, a->master_ifindex, 0, a->mtu };
	const bool ipv6 = a->mtu >= IPV6_MTU_MIN, silent = has_silent_shim(a);
	const struct link_settings up = { .up = true, .no_link_local = ipv6, .no_arp = silent };
	int shim = plan_macvlan(p, HOST, &end, &of);

	plan_share(p, shim);
	if (ipv6)
		plan_share(p,
			   plan_sysctl(p, -1, HOST, "0", "net/ipv6/conf/%s/accept_ra", end.name));
	plan_share(p, plan_link(p, -1, HOST, &dev, &up));
	if (!silent && ipv6 && ip_is_set(&a->host_ips[1]))
		plan_shim_ip(p, shim, &dev);
	for (unsigned i = 0; i < a->n_addresses; i++) {
		const struct ip *ip = &a->addresses[i].cidr.ip;
		struct route_spec to_task = { .dst = cidr_host(ip) };

		to_task.src = a->host_ips[ip->family == AF_INET6];
		if (silent)
			plan_neigh(p, -1, HOST, &dev, ip, &a->mac);
		plan_route(p, -1, HOST, &dev, &to_task);
	}
}

/* In the task: the host's addresses are at the host's macvlan. */
void awsvpc_plan_host_neighbours(struct plan *p, int link, const struct ifref *dev)
{
	const struct attachment *a = p->a;

	for (unsigned i = 0; i < a->n_host_lan && has_silent_shim(a); i++)
		if (attachment_has_family(a, a->host_lan[i].family))
			plan_neigh(p, link, TASK, dev, &a->host_lan[i], &a->shim_mac);
}
