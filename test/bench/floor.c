/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One sendmsg on the host, one in the task, one to wait for both links. */
#include "bench.h"

#include "floor.h"

#include "kernel/link.h"
#include "kernel/netns.h"
#include "kernel/route.h"

#include <linux/netlink.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define BRIDGE_INDEX 900000000U
#define FIRST_INDEX  910000000U
#define TASK_INDEX   2U

static struct netns host, task_ns;
static struct netlink nl_host = NETLINK_CLOSED;
static struct batch *batch;
static uint32_t master;

static struct cidr parsed(const char *text)
{
	struct cidr c;

	if (!cidr_parse(text, &c))
		bench_fail("%s is no address", text);
	return c;
}

/* Task's own address, 10.@net.0.0 being the first. */
static struct cidr own_address(unsigned net, unsigned task, unsigned len)
{
	char text[32];

	snprintf(text, sizeof(text), "10.%u.%u.%u/%u", net, task >> 8, task & 255, len);
	return parsed(text);
}

static struct mac mac_of(unsigned char first, unsigned task)
{
	return (struct mac){ { first, 0xf1, 0, (unsigned char)(task >> 16),
			       (unsigned char)(task >> 8), (unsigned char)task } };
}

static void add_veth(unsigned task, uint32_t bridge)
{
	char name[IF_NAMESIZE];
	struct link_end end = { name, FIRST_INDEX + task, mac_of(6, task), bridge };
	struct link_end peer = { "eth0", TASK_INDEX, mac_of(2, task), 0 };

	snprintf(name, sizeof(name), "fl%u", task);
	link_add_veth(batch, &end, &peer, &task_ns, 1500);
}

static void routed_link(unsigned task)
{
	add_veth(task, 0);
}

static void bridged_link(unsigned task)
{
	add_veth(task, BRIDGE_INDEX);
}

static void macvlan_link(unsigned task)
{
	const struct link_end end = { "eth0", TASK_INDEX, mac_of(2, task), 0 };
	const struct link_macvlan of = { .master_ifindex = master, .mode = link_macvlan_mode(0) };

	link_add_macvlan(batch, &end, &of, &task_ns, TOLERATE_NOTHING);
}

static void up(uint32_t ifindex)
{
	const struct link_settings set = { .up = true };

	link_set(batch, ifindex, &set);
}

static void route_to(uint32_t ifindex, const struct cidr *dst, const char *gw)
{
	struct route_spec route = { .dst = *dst, .ifindex = ifindex };

	if (gw)
		ip_parse(gw, &route.gw);
	route_add(batch, &route, TOLERATE_NOTHING);
}

static void routed_host(unsigned task)
{
	struct cidr to = own_address(90, task, 32);

	up(FIRST_INDEX + task);
	route_to(FIRST_INDEX + task, &to, NULL);
}

static void bridged_host(unsigned task)
{
	up(FIRST_INDEX + task);
}

static void nothing(unsigned task)
{
	(void)task;
}

static void routed_task(unsigned task)
{
	struct cidr own = own_address(90, task, 32), gw = parsed("169.254.1.1/32");
	struct cidr all = parsed("0.0.0.0/0");

	up(1);
	up(TASK_INDEX);
	addr_add(batch, TASK_INDEX, &own, 0, TOLERATE_NOTHING);
	route_to(TASK_INDEX, &gw, NULL);
	route_to(TASK_INDEX, &all, "169.254.1.1");
}

static void lan_task(unsigned task)
{
	struct cidr own = own_address(91, task + 10, 17), all = parsed("0.0.0.0/0");

	up(1);
	up(TASK_INDEX);
	addr_add(batch, TASK_INDEX, &own, 0, TOLERATE_NOTHING);
	route_to(TASK_INDEX, &all, "10.91.0.1");
}

const struct floor_kind floors[FLOORS] = {
	{ "routed veth", routed_link, routed_host, routed_task, false },
	{ "bridged veth", bridged_link, bridged_host, lan_task, false },
	{ "macvlan", macvlan_link, nothing, lan_task, true },
};

static void send_batch(struct netlink *nl, const char *what)
{
	struct batch_failure failure;
	struct err e;

	if (batch_send(batch, nl, &failure, &e) < 0)
		bench_fail("floor, %s: %s", what, e.msg);
}

static void task_open(unsigned task)
{
	char path[64];
	struct err e;

	snprintf(path, sizeof(path), BENCH_NETNS "/b%u", task);
	if (netns_open(path, &host, &task_ns, &e) < 0)
		bench_fail("floor: %s", e.msg);
}

static struct netlink task_socket(void)
{
	struct netlink nl;
	struct err e;

	if (netlink_open(NETLINK_ROUTE, &task_ns, &host, &nl, &e) < 0)
		bench_fail("floor: %s", e.msg);
	return nl;
}

double floor_add(const struct floor_kind *kind, unsigned task)
{
	struct netlink nl;
	double start;

	task_open(task);
	start = bench_now_us();
	kind->host_link(task);
	kind->host_end(task);
	send_batch(&nl_host, kind->name);
	nl = task_socket();
	kind->task_end(task);
	link_sync(batch, TASK_INDEX);
	send_batch(&nl, kind->name);
	start = bench_now_us() - start;
	netlink_close(&nl);
	netns_close(&task_ns);
	return start;
}

double floor_del(const struct floor_kind *kind, unsigned task)
{
	struct netlink nl = NETLINK_CLOSED;
	double start;

	if (kind->in_task) {
		task_open(task);
		nl = task_socket();
	}
	start = bench_now_us();
	link_del(batch, kind->in_task ? TASK_INDEX : FIRST_INDEX + task, TOLERATE_NOTHING);
	send_batch(kind->in_task ? &nl : &nl_host, "RTM_DELLINK");
	start = bench_now_us() - start;
	if (kind->in_task) {
		netlink_close(&nl);
		netns_close(&task_ns);
	}
	return start;
}

void floor_open(void)
{
	const struct link_end bridge = { "brfloor", BRIDGE_INDEX, mac_of(6, 0xffffff), 0 };
	struct err e;

	batch = calloc(1, sizeof(*batch));
	master = if_nametoindex("lan0");
	if (!batch || !master)
		bench_fail("there is no lan0");
	if (netns_self(&host, &e) < 0 ||
	    netlink_open(NETLINK_ROUTE, &host, &host, &nl_host, &e) < 0)
		bench_fail("%s", e.msg);
	batch_reset(batch);
	link_add_bridge(batch, &bridge, 1500, TOLERATE_EXISTS);
	up(BRIDGE_INDEX);
	send_batch(&nl_host, "bridge");
}

void floor_close(void)
{
	link_del(batch, BRIDGE_INDEX, TOLERATE_ABSENT);
	send_batch(&nl_host, "bridge");
	netlink_close(&nl_host);
	netns_close(&host);
	free(batch);
}
