/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Between results and attachments. Addresses that are appended point at our container interface, so
 * their index is shifted by the interfaces that earlier plugins of the chain have reported.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "cni/result.h"

static int too_many(struct err *e, const char *what, unsigned max)
{
	return err_set(e, ERR_CONFIG, 0, "the result would have more than %u %s", max, what);
}

static unsigned find_interface(const struct result *r, const char *name)
{
	unsigned i = 0;

	while (i < r->n_interfaces && strcmp(r->interfaces[i].name, name) != 0)
		i++;
	return i;
}

int result_judge_ifname(const struct result *r, const struct attachment *a, struct err *e)
{
	bool told = find_interface(r, a->ifname) < r->n_interfaces;

	if (!told && strcmp(a->ifname, a->bridge) != 0)
		return 0;
	err_set(e, ERR_CONFIG, 0, "CNI_IFNAME: \"%s\" is the name of %s already", a->ifname,
		told ? "an interface in prevResult" : "the bridge");
	err_hint(e, "runtimes know the interfaces of a result by their names: use another one");
	return -EINVAL;
}

/* Return: the index of the interface, which an earlier plugin may have told of. */
static unsigned add_interface(struct result *r, const char *name, const struct mac *mac,
			      uint32_t mtu)
{
	unsigned n = find_interface(r, name);

	if (n < r->n_interfaces)
		return n;
	r->interfaces[r->n_interfaces++] = (struct result_interface){
		.name = name,
		.mac = mac_text(mac, r->mac_texts[n]),
		.mtu = mtu,
	};
	return n;
}

/*
 * The host's end first: plugins that chain after us take interfaces[0] for the host's side.
 * Return: the index of the task's interface, or a negative errno.
 */
static int add_interfaces(struct result *r, const struct attachment *a, struct err *e)
{
	unsigned n;

	if (r->n_interfaces + 3 > RESULT_INTERFACES)
		return too_many(e, "interfaces", RESULT_INTERFACES);
	if (a->bridge[0])
		add_interface(r, a->bridge, &a->bridge_mac, a->bridge_mtu ? a->bridge_mtu : a->mtu);
	if (a->host_ifname[0])
		add_interface(r, a->host_ifname, &a->host_mac, a->mtu);
	n = add_interface(r, a->ifname, &a->mac, a->mtu);
	r->interfaces[n].sandbox = a->netns;
	return (int)n;
}

int result_add_attachment(struct result *r, const struct attachment *a, bool has_interface,
			  struct err *e)
{
	int index = -1;

	if (has_interface) {
		index = add_interfaces(r, a, e);
		if (index < 0)
			return index;
	}
	if (r->n_ips + a->n_addresses > RESULT_IPS)
		return too_many(e, "addresses", RESULT_IPS);
	if (r->n_routes + a->n_routes > RESULT_ROUTES)
		return too_many(e, "routes", RESULT_ROUTES);
	for (unsigned i = 0; i < a->n_addresses; i++)
		r->ips[r->n_ips++] =
			(struct result_ip){ a->addresses[i].cidr, a->addresses[i].gateway, index };
	for (unsigned i = 0; i < a->n_routes; i++)
		r->routes[r->n_routes++] = a->routes[i];
	return 0;
}

/* ---- what was there before ---- */

static bool has_ip(const struct result *r, const struct cidr *cidr)
{
	for (unsigned i = 0; i < r->n_ips; i++)
		if (cidr_equal(&r->ips[i].address, cidr))
			return true;
	return false;
}

int result_add_view(struct result *r, const struct mode_view *v, const char *netns, struct err *e)
{
	unsigned index[MODE_VIEW_LINKS];

	if (r->n_interfaces + v->n_links > RESULT_INTERFACES)
		return too_many(e, "interfaces", RESULT_INTERFACES);
	if (r->n_ips + v->n_ips > RESULT_IPS)
		return too_many(e, "addresses", RESULT_IPS);
	for (unsigned i = 0; i < v->n_links; i++) {
		const struct link_info *link = &v->links[i];
		unsigned before = r->n_interfaces;

		index[i] = add_interface(r, link->name, &link->mac, link->mtu);
		if (v->of_task && index[i] == before)
			r->interfaces[before].sandbox = netns;
	}
	for (unsigned i = 0; i < v->n_ips; i++)
		if (!has_ip(r, &v->ips[i].cidr))
			r->ips[r->n_ips++] = (struct result_ip){
				.address = v->ips[i].cidr,
				.interface = (int)index[v->ips[i].link],
			};
	return 0;
}

/* ---- DNS ---- */

static int list_add(struct result_list *list, const char *text, struct err *e)
{
	for (unsigned i = 0; i < list->n; i++)
		if (!strcmp(list->text[i], text))
			return 0;
	if (list->n == RESULT_DNS)
		return too_many(e, "entries in a list of dns", RESULT_DNS);
	list->text[list->n++] = text;
	return 0;
}

bool result_dns_is_set(const struct pool_dns *dns)
{
	return dns->n_nameservers || dns->domain[0] || dns->n_search || dns->n_options;
}

int result_add_dns(struct result *r, const struct pool_dns *dns, struct err *e)
{
	int bad = 0;

	for (unsigned i = 0; i < dns->n_nameservers; i++)
		bad |= list_add(&r->nameservers, dns->nameservers[i], e);
	for (unsigned i = 0; i < dns->n_search; i++)
		bad |= list_add(&r->search, dns->search[i], e);
	for (unsigned i = 0; i < dns->n_options; i++)
		bad |= list_add(&r->options, dns->options[i], e);
	if (dns->domain[0])
		r->domain = dns->domain;
	return bad ? -EINVAL : 0;
}

static int list_take(struct result_list *to, const struct result_list *from, struct err *e)
{
	int bad = 0;

	for (unsigned i = 0; i < from->n; i++)
		bad |= list_add(to, from->text[i], e);
	return bad;
}

int result_take_dns(struct result *r, const struct result *from, struct err *e)
{
	int bad = list_take(&r->nameservers, &from->nameservers, e) |
		  list_take(&r->search, &from->search, e) |
		  list_take(&r->options, &from->options, e);

	if (from->domain)
		r->domain = from->domain;
	return bad ? -EINVAL : 0;
}

/* ---- what a foreign IPAM plugin gave ---- */

int result_to_attachment(const struct result *r, struct attachment *a, struct err *e)
{
	if (r->n_ips > STORE_ADDRESSES)
		return too_many(e, "addresses", STORE_ADDRESSES);
	if (r->n_routes > ATTACHMENT_ROUTES)
		return too_many(e, "routes", ATTACHMENT_ROUTES);
	a->n_addresses = r->n_ips;
	for (unsigned i = 0; i < r->n_ips; i++)
		a->addresses[i] =
			(struct address){ .cidr = r->ips[i].address, .gateway = r->ips[i].gateway };
	if (a->host_is_gateway || a->bridge_gateway)
		attachment_give_gateways(a);
	a->n_routes = r->n_routes;
	for (unsigned i = 0; i < r->n_routes; i++) {
		a->routes[i] = r->routes[i];
		a->routes[i].dst.ip = cidr_first(&r->routes[i].dst);
		attachment_fill_gateway(a, &a->routes[i]);
	}
	return attachment_add_defaults(a) < 0 ? too_many(e, "routes", ATTACHMENT_ROUTES) : 0;
}
