/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A host and a LAN out of nothing: a veth pair, two addresses, a default route. */
#include "lab.h"

#include <errno.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>

#include "base/cleanup.h"
#include "chain.h"
#include "kernel/link.h"
#include "kernel/route.h"
#include "network.h"
#include "wire.h"

#define LAN_INDEX 10 /* of both ends */
#define LOOPBACK  1
#define MTU       1500

/* ---- the network of the mode ---- */

static const char *text_of(const char *network)
{
	if (*network == '{')
		return network;
	for (const struct builtin *b = builtins; b->name; b++)
		if (!strcmp(b->name, network))
			return b->text;
	return "";
}

static int read_list(struct lab *lab, struct err *e)
{
	const char *text = text_of(lab->mode->network);

	return json_parse(text, strlen(text), lab->mode->key, &lab->list, e);
}

/* The plugin's object again, with other ranges. */
static void add_small_plugin(json *plugins, const json *plugin, const char *ranges)
{
	json *one = json_add_object(plugins, NULL), *ipam;
	cleanup_json json *given = NULL;
	struct err ignored;

	for (const json *i = json_first(plugin); i; i = json_next(i))
		if (strcmp(json_key(i), "ipam") != 0)
			json_add_copy(one, json_key(i), i);
	if (!ranges || json_parse(ranges, strlen(ranges), "ranges", &given, &ignored) < 0)
		return;
	ipam = json_add_object(one, "ipam");
	json_add_string(ipam, "type", "task-ipam");
	json_add_copy(ipam, "ranges", given);
}

json *lab_small(const struct lab *lab)
{
	json *list = json_object(), *plugins;

	json_add_string(list, "cniVersion", "1.1.0");
	json_add_string(list, "name", "lab-small");
	plugins = json_add_array(list, "plugins");
	add_small_plugin(plugins, json_first(json_get(lab->list, "plugins")), lab->mode->small);
	return list;
}

/* ---- the LAN ---- */

int lab_send(const struct lab *lab, const struct netns *ns, struct batch *b, struct err *e)
{
	struct netlink nl = NETLINK_CLOSED;
	struct batch_failure failure;
	int r = netlink_open(NETLINK_ROUTE, ns, &lab->host, &nl, e);

	if (r == 0)
		r = batch_send(b, &nl, &failure, e);
	netlink_close(&nl);
	return r;
}

static void add_machine(struct batch *b, const char *address)
{
	const struct link_settings up = { .up = true };
	struct cidr own = { .ip = wire_ip(address), .len = LAN_LEN };

	link_set(b, LOOPBACK, &up);
	addr_add(b, LAN_INDEX, &own, 0, TOLERATE_NOTHING);
	link_set(b, LAN_INDEX, &up);
}

static int build(struct lab *lab, struct batch *b, struct err *e)
{
	const struct link_end host = { .name = "lan0",
				       .ifindex = LAN_INDEX,
				       .mac = { { 2, 0, 0, 0, 202, 1 } } };
	const struct link_end lan = { .name = "eth0",
				      .ifindex = LAN_INDEX,
				      .mac = { { 2, 0, 0, 0, 202, 2 } } };
	struct route_spec way_out = { .dst = { .ip = { .family = AF_INET } },
				      .gw = wire_ip(LAN_OTHER),
				      .ifindex = LAN_INDEX };
	const struct cidr metadata = { .ip = wire_ip(LAN_METADATA), .len = 32 };
	int r;

	link_add_veth(b, &host, &lan, &lab->lan, MTU);
	add_machine(b, LAN_HOST);
	r = lab_send(lab, &lab->host, b, e);
	if (r < 0)
		return r;
	add_machine(b, LAN_OTHER);
	addr_add(b, LOOPBACK, &metadata, 0, TOLERATE_NOTHING);
	link_sync(b, LAN_INDEX);
	r = lab_send(lab, &lab->lan, b, e);
	if (r < 0)
		return r;
	route_add(b, &way_out, TOLERATE_NOTHING);
	link_sync(b, LAN_INDEX);
	return lab_send(lab, &lab->host, b, e);
}

static int make_lan(struct lab *lab, struct err *e)
{
	cleanup_free struct batch *b = calloc(1, sizeof(*b));
	int r = netns_self(&lab->host, e);

	if (!b)
		return err_sys(e, ERR_IO, ENOMEM, "the lab");
	if (r == 0)
		r = netns_new(&lab->host, &lab->lan, e);
	if (r == 0)
		r = build(lab, b, e);
	if (r == 0 && wire_nic(lab, &lab->lan, &lab->lan_nic) < 0)
		r = err_set(e, ERR_KERNEL, EIO, "the LAN's machine has no interface");
	return r;
}

/* Only a LAN machine that is not on the task's link needs a way, or can be told one. */
int lab_route(struct lab *lab, bool known, struct err *e)
{
	const struct cidr lan = { .ip = wire_ip(LAN_OTHER), .len = LAN_LEN };
	struct route_spec way = { .dst = lab->a.nic.address, .gw = wire_ip(LAN_HOST) };
	cleanup_free struct batch *b = NULL;

	if (!way.dst.ip.family || cidr_contains(&lan, &way.dst.ip))
		return 0;
	b = calloc(1, sizeof(*b));
	if (!b)
		return err_sys(e, ERR_IO, ENOMEM, "a route");
	way.dst.ip = cidr_first(&way.dst);
	way.ifindex = LAN_INDEX;
	if (known)
		route_add(b, &way, TOLERATE_EXISTS);
	else
		route_del(b, &way, TOLERATE_ABSENT);
	return lab_send(lab, &lab->lan, b, e);
}

/* ---- all of it ---- */

static int find_plugins(const struct lab *lab, struct err *e)
{
	const struct chain chain = { .list = lab->list, .path = lab->path };
	int r = chain_find(&chain, e);

	if (r < 0)
		err_hint(e, "a lab has a /run of its own: plugins below /run are not seen there");
	return r;
}

int lab_open(struct lab *lab, struct err *e)
{
	int r = read_list(lab, e);

	if (r == 0)
		r = find_plugins(lab, e);
	if (r == 0)
		r = make_lan(lab, e);
	if (r == 0 && lab_attach(lab, lab->list, "a", TASK_PORT, &lab->a, &lab->broken) == 0)
		lab_attach(lab, lab->list, "b", 0, &lab->b, &lab->broken);
	return r;
}

struct ip lab_own(const struct lab_task *t)
{
	return t->nic.address.ip.family ? t->nic.address.ip : wire_ip("127.0.0.1");
}

struct ip lab_client(const struct lab *lab, const struct lab_task *t)
{
	return lab->mode->publishes ? wire_ip(LAN_HOST) : lab_own(t);
}

bool lab_shares(const struct netns *one, const struct netns *other)
{
	return one->cookie == other->cookie;
}
