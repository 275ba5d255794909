/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Records and tasks, each as a row. */
#include "live_row.h"

#include <errno.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "kernel/link.h"
#include "kernel/netns_id.h"
#include "live.h"
#include "task/attachment.h"

int live_look_open(struct live_look *look, struct err *e)
{
	int r;

	*look = (struct live_look){ .host = NETNS_NONE, .nl = NETLINK_CLOSED };
	look->a = malloc(sizeof(*look->a));
	if (!look->a)
		return err_sys(e, ERR_IO, ENOMEM, "looking");
	r = netns_self(&look->host, e);
	if (r == 0)
		r = netlink_open(NETLINK_ROUTE, &look->host, &look->host, &look->nl, e);
	if (r < 0)
		live_look_close(look);
	return r;
}

void live_look_close(struct live_look *look)
{
	netlink_close(&look->nl);
	netns_close(&look->host);
	free(look->a);
	look->a = NULL;
}

/* ---- does it live? ---- */

static bool host_end_stands(struct live_look *look)
{
	const struct attachment *a = look->a;
	struct link_info link;
	struct err ignored;

	return a->host_ifname[0] && link_by_index(&look->nl, a->ifindex, &link, &ignored) == 0 &&
	       !strcmp(link.name, a->host_ifname);
}

/* Without an end on the host, the namespace's id tells that something keeps it. */
static bool namespace_stands(struct live_look *look)
{
	const struct attachment *a = look->a;
	struct err ignored;

	return !a->host_ifname[0] && a->netns_id &&
	       netns_id_stands(&look->nl, a->netns_id - 1, &ignored) == 1;
}

static const char *state_of(struct live_look *look)
{
	const struct attachment *a = look->a;
	struct netns ns = NETNS_NONE;
	struct err ignored;
	int r;

	if (!strcmp(a->mode, "host")) /* of the host's own namespace: that is always there */
		return "up";
	r = netns_reopen(a->netns, a->netns_cookie, &ns, &ignored);
	netns_close(&ns);
	if (r == 0)
		return "up";
	return r < 0 || host_end_stands(look) || namespace_stands(look) ? "unknown" : "dead";
}

/* ---- records ---- */

static void add_text(json *row, const char *key, const char *text)
{
	if (*text)
		json_add_string(row, key, text);
}

static void add_mac(json *row, const char *key, const struct mac *mac)
{
	char text[MAC_TEXT];

	if (mac_is_set(mac))
		json_add_string(row, key, mac_text(mac, text));
}

static void add_addresses(json *row, const struct attachment *a)
{
	json *list = json_add_array(row, "addresses");
	char text[IP_TEXT];

	for (unsigned i = 0; i < a->n_addresses; i++) {
		const struct address *address = &a->addresses[i];
		json *one = json_add_object(list, NULL);

		json_add_string(one, "address", cidr_text(&address->cidr, text));
		if (i == 0)
			json_add_string(row, "address", text);
		if (ip_is_set(&address->gateway))
			json_add_string(one, "gateway", ip_text(&address->gateway, text));
		add_text(one, "subnet", address->subnet_id);
		add_text(one, "az", address->az);
		if (i == 0)
			add_text(row, "subnet", address->subnet_id);
	}
}

static const char *protocol_name(uint32_t protocol)
{
	return protocol == IPPROTO_UDP ? "udp" : protocol == IPPROTO_SCTP ? "sctp" : "tcp";
}

static void add_ports(json *row, const char *key, const struct port *ports, unsigned n)
{
	json *list = n ? json_add_array(row, key) : NULL;
	char text[IP_TEXT];

	for (unsigned i = 0; i < n; i++) {
		json *one = json_add_object(list, NULL);

		json_add_integer(one, "hostPort", ports[i].host_port);
		json_add_integer(one, "containerPort", ports[i].container_port);
		json_add_string(one, "protocol", protocol_name(ports[i].protocol));
		if (ip_is_set(&ports[i].host_ip))
			json_add_string(one, "hostIP", ip_text(&ports[i].host_ip, text));
	}
}

static void add_blocks(json *row, const struct attachment *a)
{
	json *list = a->n_vpc ? json_add_array(row, "vpc") : NULL;
	char text[IP_TEXT];

	for (unsigned i = 0; i < a->n_vpc; i++)
		json_add_string(list, NULL, cidr_text(&a->vpc[i], text));
}

static void add_links(json *row, const struct attachment *a)
{
	add_mac(row, "mac", &a->mac);
	if (a->mtu)
		json_add_integer(row, "mtu", a->mtu);
	add_text(row, "eni", a->eni_id);
	add_text(row, "hostInterface", a->host_ifname);
	add_mac(row, "hostMac", &a->host_mac);
	add_text(row, "bridge", a->bridge);
	add_text(row, "master", a->master);
	if (a->master[0])
		json_add_bool(row, "hostAccess", a->host_access);
	if (a->masquerade)
		json_add_bool(row, "ipMasq", true);
	add_blocks(row, a);
	if (a->host_routing != HOST_ROUTING_STACK)
		json_add_string(row, "hostRouting", host_routing_names[a->host_routing]);
}

/* ---- tasks of taskvpc ---- */

/* @state: of the attachment; of a task that nobody supervises any more it is dead all the same. */
static void add_runtime(json *row, const struct task *t, const char *state)
{
	json *containers = containers_json(t->name);

	json_add_string(row, "runtime", "taskvpc");
	json_add_string(row, "state", task_is_alive(t->name) ? state : "dead");
	json_add_copy(row, "containers", containers);
	json_free(containers);
}

static bool is_of_taskvpc(const struct attachment *a, struct task *ret)
{
	struct err ignored;

	return task_open(a->container_id, ret, &ignored) == 0 &&
	       !strcmp(live_text(json_get(ret->doc, "network"), "name"), a->network);
}

static void add_state(struct live_look *look, json *row)
{
	struct task t = TASK_NONE;

	if (is_of_taskvpc(look->a, &t)) {
		add_runtime(row, &t, state_of(look));
	} else {
		json_add_string(row, "runtime", "other");
		json_add_string(row, "state", state_of(look));
	}
	task_close(&t);
}

/* "name" is what people call it: "default/web", "web", or its host name. */
static void add_owner(json *row, const struct attachment *a)
{
	const struct owner *o = &a->owner;
	char name[sizeof(o->pod_namespace) + sizeof(o->pod_name)];

	snprintf(name, sizeof(name), "%s%s%s", o->pod_name[0] ? o->pod_namespace : "",
		 o->pod_name[0] && o->pod_namespace[0] ? "/" : "",
		 o->pod_name[0] ? o->pod_name : o->hostname);
	/* nerdctl's default host name is the begin of the id, which is no name that anybody gave.
	 */
	if (o->pod_name[0] || !*name || !strstr(a->container_id, name))
		add_text(row, "name", name);
	add_text(row, "podNamespace", o->pod_namespace);
	add_text(row, "podName", o->pod_name);
	add_text(row, "hostname", o->hostname);
}

int live_row_of_record(struct live_look *look, const struct store_record *record, const char *dir,
		       json *rows, struct err *e)
{
	struct attachment *a = look->a;
	struct err why;
	json *row = json_add_object(rows, NULL);

	json_add_string(row, "task", record->key.container_id);
	json_add_string(row, "network", record->key.network);
	json_add_string(row, "interface", record->key.ifname);
	json_add_integer(row, "created", record->key.since);
	json_add_string(row, "store", dir);
	if (attachment_decode(record->text, record->len, record->schema, a, &why) < 0) {
		json_add_string(row, "mode", "?");
		json_add_string(row, "state", "unknown");
		json_add_string(row, "error", why.msg);
		return 0;
	}
	json_add_string(row, "mode", a->mode);
	add_owner(row, a);
	add_state(look, row);
	add_text(row, "netns", a->netns);
	if (a->netns_cookie)
		json_add_integer(row, "netnsCookie", (int64_t)a->netns_cookie);
	add_addresses(row, a);
	add_links(row, a);
	add_ports(row, "ports", a->ports, a->n_ports);
	if (record->n_ports)
		add_ports(row, "held", a->ports, a->n_ports);
	return row ? 0 : err_sys(e, ERR_IO, ENOMEM, "looking");
}

/* What has no record (none, or plugins of others) is known by the result alone. */
void live_row_of_task(const struct task *t, json *rows)
{
	const json *result = json_get(t->doc, "result");
	json *row = json_add_object(rows, NULL), *list;

	json_add_string(row, "task", t->name);
	json_add_string(row, "network", live_text(json_get(t->doc, "network"), "name"));
	json_add_string(row, "interface", live_text(t->doc, "ifname"));
	json_add_copy(row, "created", json_get(t->doc, "created"));
	json_add_string(row, "mode", live_text(t->doc, "mode"));
	json_add_string(row, "netns", live_text(t->doc, "netns"));
	list = json_add_array(row, "addresses");
	for (const json *ip = json_first(json_get(result, "ips")); ip; ip = json_next(ip)) {
		json *one = json_add_object(list, NULL);

		json_add_string(one, "address", live_text(ip, "address"));
		if (ip == json_first(json_get(result, "ips")))
			json_add_string(row, "address", live_text(ip, "address"));
	}
	add_runtime(row, t, "up");
}
