/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The answer to ADD, strictly as its version has it: ip4 and ip6 before 0.3.0, a `version` with
 * each address before 1.0.0, MTUs and the attributes of routes from 1.1.0 on.
 */
#include <errno.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "cni/result.h"

static void add_text(json *o, const char *key, const char *text)
{
	if (text && *text)
		json_add_string(o, key, text);
}

static void add_number(json *o, const char *key, uint32_t n)
{
	if (n)
		json_add_integer(o, key, n);
}

static void add_ip(json *o, const char *key, const struct ip *ip)
{
	char text[IP_TEXT];

	if (ip_is_set(ip))
		json_add_string(o, key, ip_text(ip, text));
}

static void add_cidr(json *o, const char *key, const struct cidr *c)
{
	char text[IP_TEXT];

	json_add_string(o, key, cidr_text(c, text));
}

static void write_interface(json *list, const struct result_interface *i, enum spec spec)
{
	json *o = json_add_object(list, NULL);

	json_add_string(o, "name", i->name);
	add_text(o, "mac", i->mac);
	if (spec >= SPEC_1_1_0)
		add_number(o, "mtu", i->mtu);
	add_text(o, "sandbox", i->sandbox);
	if (spec >= SPEC_1_1_0) {
		add_text(o, "socketPath", i->socket_path);
		add_text(o, "pciID", i->pci_id);
	}
}

static void write_ip(json *list, const struct result_ip *ip, enum spec spec)
{
	json *o = json_add_object(list, NULL);

	if (spec < SPEC_1_0_0)
		json_add_string(o, "version", ip->address.ip.family == AF_INET ? "4" : "6");
	if (ip->interface >= 0)
		json_add_integer(o, "interface", ip->interface);
	add_cidr(o, "address", &ip->address);
	add_ip(o, "gateway", &ip->gateway);
}

static void write_route(json *list, const struct route *route, enum spec spec)
{
	json *o = json_add_object(list, NULL);

	add_cidr(o, "dst", &route->dst);
	add_ip(o, "gw", &route->gw);
	if (spec < SPEC_1_1_0)
		return;
	add_number(o, "mtu", route->mtu);
	add_number(o, "advmss", route->advmss);
	add_number(o, "priority", route->priority);
	add_number(o, "table", route->table);
	if (route->has_scope)
		json_add_integer(o, "scope", route->scope);
}

/* The first address of @family, as ip4 or ip6. Return: whether there is one. */
static bool write_legacy(json *root, const char *key, uint8_t family, const struct result *r)
{
	json *o, *routes = NULL;
	unsigned i = 0;

	while (i < r->n_ips && r->ips[i].address.ip.family != family)
		i++;
	if (i == r->n_ips)
		return false;
	o = json_add_object(root, key);
	add_cidr(o, "ip", &r->ips[i].address);
	add_ip(o, "gateway", &r->ips[i].gateway);
	for (i = 0; i < r->n_routes; i++) {
		if (r->routes[i].dst.ip.family != family)
			continue;
		if (!routes)
			routes = json_add_array(o, "routes");
		write_route(routes, &r->routes[i], SPEC_0_2_0);
	}
	return true;
}

static void write_lists(json *root, const struct result *r, enum spec spec)
{
	json *list;

	if (r->n_interfaces) {
		list = json_add_array(root, "interfaces");
		for (unsigned i = 0; i < r->n_interfaces; i++)
			write_interface(list, &r->interfaces[i], spec);
	}
	if (r->n_ips) {
		list = json_add_array(root, "ips");
		for (unsigned i = 0; i < r->n_ips; i++)
			write_ip(list, &r->ips[i], spec);
	}
	if (r->n_routes) {
		list = json_add_array(root, "routes");
		for (unsigned i = 0; i < r->n_routes; i++)
			write_route(list, &r->routes[i], spec);
	}
}

static void write_texts(json *dns, const char *key, const struct result_list *from)
{
	json *list = from->n ? json_add_array(dns, key) : NULL;

	for (unsigned i = 0; i < from->n; i++)
		json_add_string(list, NULL, from->text[i]);
}

static void write_dns(json *root, const struct result *r)
{
	json *dns;

	if (!r->nameservers.n && !r->search.n && !r->options.n && !(r->domain && *r->domain))
		return;
	dns = json_add_object(root, "dns");
	write_texts(dns, "nameservers", &r->nameservers);
	add_text(dns, "domain", r->domain);
	write_texts(dns, "search", &r->search);
	write_texts(dns, "options", &r->options);
}

int result_write(const struct result *r, enum spec spec, char **ret, struct err *e)
{
	cleanup_json json *root = json_object();
	bool v4, v6;

	json_add_string(root, "cniVersion", spec_names[spec]);
	if (spec < SPEC_0_3_0) {
		v4 = write_legacy(root, "ip4", AF_INET, r);
		v6 = write_legacy(root, "ip6", AF_INET6, r);
		if (!v4 && !v6)
			return err_set(e, ERR_VERSION, 0,
				       "cniVersion: %s cannot tell a result without an address",
				       spec_names[spec]);
	} else {
		write_lists(root, r, spec);
	}
	write_dns(root, r);
	*ret = json_print(root);
	return *ret ? 0 : err_sys(e, ERR_IO, ENOMEM, "the result");
}
