/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The record as text. One table says which members of an attachment are kept and under which key;
 * encode and decode are field_write() and field_read() over it. What is zero is left out, so a
 * usual record is some 700 bytes of the 128 KiB that the store grants.
 */
#include "task/attachment.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/text.h"

const char *const macvlan_mode_names[] = { "bridge", "private", "vepa", "passthru", NULL };

const char *const host_routing_names[] = { "stack", "bpf", NULL };

const char *const ingress_policy_names[] = { "open", "same-bridge", "isolated", NULL };

/* Never left out: what is decoded must encode again, even if it is empty. */
#define KEY (FIELD_REQUIRED | FIELD_ALWAYS)

static const struct field address_fields[] = {
	FIELD(struct address, cidr, "address", FIELD_CIDR, .flags = FIELD_REQUIRED),
	FIELD(struct address, gateway, "gateway", FIELD_IP),
	FIELD(struct address, subnet_id, "subnet", FIELD_TEXT),
	FIELD(struct address, az, "az", FIELD_TEXT),
	{ 0 },
};

static const struct field route_fields[] = {
	FIELD(struct route, dst, "dst", FIELD_CIDR, .flags = FIELD_REQUIRED),
	FIELD(struct route, gw, "gw", FIELD_IP),
	FIELD(struct route, mtu, "mtu", FIELD_U32),
	FIELD(struct route, advmss, "advmss", FIELD_U32),
	FIELD(struct route, priority, "priority", FIELD_U32),
	FIELD(struct route, table, "table", FIELD_U32),
	FIELD(struct route, scope, "scope", FIELD_U32),
	FIELD(struct route, has_scope, "hasScope", FIELD_BOOL),
	{ 0 },
};

static const struct field port_fields[] = {
	FIELD(struct port, host_port, "host", FIELD_U32, .max = 65535),
	FIELD(struct port, container_port, "task", FIELD_U32, .max = 65535),
	FIELD(struct port, protocol, "protocol", FIELD_U32, .max = 255),
	FIELD(struct port, host_ip, "hostIp", FIELD_IP),
	FIELD(struct port, joined, "joined", FIELD_BOOL),
	{ 0 },
};

static const struct field protected_fields[] = {
	FIELD(struct protected_port, protocol, "protocol", FIELD_U32, .max = 255),
	FIELD(struct protected_port, port, "port", FIELD_U32, .max = 65535),
	{ 0 },
};

const struct field attachment_fields[] = {
	FIELD(struct attachment, network, "network", FIELD_TEXT, .flags = KEY),
	FIELD(struct attachment, container_id, "containerId", FIELD_TEXT, .flags = KEY),
	FIELD(struct attachment, ifname, "ifname", FIELD_TEXT, .flags = KEY),
	FIELD(struct attachment, mode, "mode", FIELD_TEXT, .flags = KEY),
	FIELD(struct attachment, owner.pod_namespace, "podNamespace", FIELD_TEXT),
	FIELD(struct attachment, owner.pod_name, "podName", FIELD_TEXT),
	FIELD(struct attachment, owner.hostname, "hostname", FIELD_TEXT),
	FIELD(struct attachment, created, "created", FIELD_I64),
	FIELD(struct attachment, ipam, "ipam", FIELD_TEXT),

	FIELD(struct attachment, netns, "netns", FIELD_TEXT),
	FIELD(struct attachment, netns_cookie, "netnsCookie", FIELD_U64),
	FIELD(struct attachment, netns_id, "netnsId", FIELD_U32),
	FIELD(struct attachment, netns_created, "netnsCreated", FIELD_BOOL),

	FIELD(struct attachment, eni_id, "eniId", FIELD_TEXT),
	FIELD(struct attachment, host_ifname, "hostIfname", FIELD_TEXT),
	FIELD(struct attachment, ifindex, "ifindex", FIELD_U32),
	FIELD(struct attachment, mac, "mac", FIELD_MAC),
	FIELD(struct attachment, host_mac, "hostMac", FIELD_MAC),
	FIELD(struct attachment, mtu, "mtu", FIELD_U32),

	FIELD_ARRAY(struct attachment, addresses, n_addresses, "addresses", FIELD_OBJECT,
		    .fields = address_fields),
	FIELD(struct attachment, new_addresses, "newAddresses", FIELD_BOOL),
	FIELD_ARRAY(struct attachment, routes, n_routes, "routes", FIELD_OBJECT,
		    .fields = route_fields),
	FIELD(struct attachment, source_routed, "sourceRouted", FIELD_BOOL),
	FIELD(struct attachment, first_ifname, "firstIfname", FIELD_TEXT),
	FIELD(struct attachment, first_ifindex, "firstIfindex", FIELD_U32),
	FIELD_ARRAY(struct attachment, first_cidrs, n_first_cidrs, "firstAddresses", FIELD_CIDR),
	FIELD(struct attachment, first_gw[0], "firstGateway4", FIELD_IP),
	FIELD(struct attachment, first_gw[1], "firstGateway6", FIELD_IP),
	FIELD_ARRAY(struct attachment, ports, n_ports, "ports", FIELD_OBJECT,
		    .fields = port_fields),

	FIELD(struct attachment, counted, "counted", FIELD_BOOL),
	FIELD(struct attachment, nat.first, "natFirst", FIELD_U32, .max = 65535),
	FIELD(struct attachment, nat.last, "natLast", FIELD_U32, .max = 65535),
	FIELD(struct attachment, nat.flows, "natFlows", FIELD_U32, .max = 65535),
	FIELD(struct attachment, nat.flows_to, "natFlowsTo", FIELD_U32, .max = 65535),
	FIELD_ARRAY(struct attachment, protected, n_protected, "protected", FIELD_OBJECT,
		    .fields = protected_fields),
	FIELD_ARRAY(struct attachment, vpc, n_vpc, "vpc", FIELD_NET),
	FIELD(struct attachment, refuse_unused, "refuseUnused", FIELD_BOOL),
	FIELD(struct attachment, store_mark, "storeMark", FIELD_U32),
	FIELD(struct attachment, guard_mark, "guardMark", FIELD_U32),
	FIELD(struct attachment, masquerade, "masquerade", FIELD_BOOL),
	FIELD(struct attachment, block_imds, "blockImds", FIELD_BOOL),
	FIELD(struct attachment, host_routing, "hostRouting", FIELD_ENUM,
	      .names = host_routing_names),
	FIELD(struct attachment, accept_ra_uplink, "acceptRaUplink", FIELD_TEXT),

	FIELD(struct attachment, master, "master", FIELD_TEXT),
	FIELD(struct attachment, master_ifindex, "masterIfindex", FIELD_U32),
	FIELD(struct attachment, macvlan_mode, "macvlanMode", FIELD_ENUM,
	      .names = macvlan_mode_names),
	FIELD(struct attachment, host_access, "hostAccess", FIELD_BOOL),
	FIELD(struct attachment, shim_ifname, "shimIfname", FIELD_TEXT),
	FIELD(struct attachment, shim_mac, "shimMac", FIELD_MAC),
	FIELD_ARRAY(struct attachment, host_lan, n_host_lan, "hostLan", FIELD_IP),
	FIELD(struct attachment, host_ips[0], "hostIp4", FIELD_IP),
	FIELD(struct attachment, host_ips[1], "hostIp6", FIELD_IP),

	FIELD(struct attachment, bridge, "bridge", FIELD_TEXT),
	FIELD(struct attachment, bridge_ifindex, "bridgeIfindex", FIELD_U32),
	FIELD(struct attachment, bridge_foreign, "bridgeForeign", FIELD_BOOL),
	FIELD(struct attachment, bridge_mac, "bridgeMac", FIELD_MAC),
	FIELD_ARRAY(struct attachment, bridge_had, n_bridge_had, "bridgeHad", FIELD_CIDR),
	FIELD(struct attachment, force_address, "forceAddress", FIELD_BOOL),
	FIELD(struct attachment, bridge_gateway, "bridgeGateway", FIELD_BOOL),
	FIELD(struct attachment, bridge_promiscuous, "bridgePromiscuous", FIELD_BOOL),
	FIELD(struct attachment, port_hairpin, "portHairpin", FIELD_BOOL),
	FIELD(struct attachment, port_isolated, "portIsolated", FIELD_BOOL),
	FIELD(struct attachment, masq_all, "masqAll", FIELD_BOOL),
	FIELD(struct attachment, no_snat, "noSnat", FIELD_BOOL),
	FIELD(struct attachment, mac_check, "macCheck", FIELD_BOOL),
	FIELD(struct attachment, detect_duplicates, "detectDuplicates", FIELD_BOOL),
	FIELD(struct attachment, ingress_policy, "ingressPolicy", FIELD_ENUM,
	      .names = ingress_policy_names),
	FIELD(struct attachment, bandwidth.ingress_rate, "ingressRate", FIELD_U64),
	FIELD(struct attachment, bandwidth.ingress_burst, "ingressBurst", FIELD_U64),
	FIELD(struct attachment, bandwidth.egress_rate, "egressRate", FIELD_U64),
	FIELD(struct attachment, bandwidth.egress_burst, "egressBurst", FIELD_U64),
	FIELD(struct attachment, ifb_ifname, "ifbIfname", FIELD_TEXT),
	{ 0 },
};

int attachment_encode(const struct attachment *a, char **ret, size_t *ret_len, struct err *e)
{
	cleanup_json json *object = json_object();
	cleanup_free char *text = NULL;
	int rc = object ? field_write(attachment_fields, a, object, e) : -ENOMEM;

	if (!rc)
		text = json_print(object);
	if (!text)
		return err_set(e, ERR_STORE, rc ? -rc : ENOMEM, "the record cannot be written: %s",
			       strerror(rc ? -rc : ENOMEM));
	*ret_len = strlen(text);
	if (*ret_len > STORE_BODY_MAX) {
		err_set(e, ERR_STORE, E2BIG, "the record is too long: %zu bytes", *ret_len);
		err_hint(e, "allowed: %d bytes; use fewer routes or ports", STORE_BODY_MAX);
		return -E2BIG;
	}
	*ret = text;
	text = NULL;
	return 0;
}

int attachment_decode(const char *text, size_t len, uint32_t schema, struct attachment *ret,
		      struct err *e)
{
	cleanup_json json *object = NULL;
	int rc;

	if (schema < ATTACHMENT_SCHEMA_OLDEST || schema > ATTACHMENT_SCHEMA) {
		err_set(e, ERR_STORE, EPROTO,
			"the record has schema %u, this program reads %d to %d", schema,
			ATTACHMENT_SCHEMA_OLDEST, ATTACHMENT_SCHEMA);
		err_hint(e, "end the attachment with the version of taskvpc that made it");
		return -EPROTO;
	}
	rc = json_parse(text, len, "the record", &object, e);
	if (rc) {
		e->code = ERR_STORE;
		return rc;
	}
	memset(ret, 0, sizeof(*ret));
	ret->bpf_family_first = schema == 1;
	return field_read(attachment_fields, object, "record", ERR_STORE, ret, e);
}

const char *owner_text(const struct owner *o, const char *before, char buf[static OWNER_TEXT])
{
	struct text t;

	text_init(&t, buf, OWNER_TEXT);
	if (o->pod_namespace[0] && o->pod_name[0])
		text_add(&t, "%spod %s/%s", before, o->pod_namespace, o->pod_name);
	else if (o->pod_name[0])
		text_add(&t, "%s%s", before, o->pod_name);
	else if (o->hostname[0])
		text_add(&t, "%shost name %s", before, o->hostname);
	return buf;
}

struct store_key attachment_key(const struct attachment *a)
{
	return (struct store_key){
		.network = a->network,
		.container_id = a->container_id,
		.ifname = a->ifname,
	};
}

const struct address *attachment_address(const struct attachment *a, uint8_t family)
{
	for (unsigned i = 0; i < a->n_addresses; i++) {
		if (a->addresses[i].cidr.ip.family == family)
			return &a->addresses[i];
	}
	return NULL;
}

bool attachment_has_family(const struct attachment *a, uint8_t family)
{
	return attachment_address(a, family) != NULL;
}

struct ip address_gateway(const struct address *address)
{
	struct ip gw = address->gateway;

	if (!ip_is_set(&gw))
		ip_parse(address->cidr.ip.family == AF_INET6 ? "fe80::1" : "169.254.1.1", &gw);
	return gw;
}

bool attachment_has_address(const struct attachment *a, const struct ip *ip)
{
	for (unsigned i = 0; i < a->n_addresses; i++)
		if (ip_equal(&a->addresses[i].cidr.ip, ip))
			return true;
	return false;
}

bool attachment_repeats_gateway(const struct attachment *a, unsigned i)
{
	struct ip gw = address_gateway(&a->addresses[i]);

	for (unsigned k = 0; k < i; k++) {
		struct ip other = address_gateway(&a->addresses[k]);

		if (ip_equal(&other, &gw))
			return true;
	}
	return false;
}

void attachment_give_gateways(struct attachment *a)
{
	for (unsigned i = 0; i < a->n_addresses; i++) {
		struct address *address = &a->addresses[i];
		struct ip network = cidr_first(&address->cidr), first = ip_add(&network, 1);
		bool fits = cidr_contains(&address->cidr, &first);

		if (ip_is_set(&address->gateway))
			continue;
		if (fits && (a->bridge_gateway || !attachment_has_address(a, &first)))
			address->gateway = first;
		else if (!a->bridge_gateway)
			address->gateway = address_gateway(address);
	}
}

void attachment_fill_gateway(const struct attachment *a, struct route *route)
{
	const struct address *address = attachment_address(a, route->dst.ip.family);
	bool on_link = route->has_scope && route->scope;

	if (address && !on_link && !ip_is_set(&route->gw))
		route->gw = address->gateway;
}

/* Do the routes that are named leave the family without a default route, as the mode wants it? */
static bool lacks_default(const struct attachment *a, uint8_t family)
{
	for (unsigned i = 0; i < a->n_routes; i++)
		if (a->routes[i].dst.ip.family == family &&
		    (a->default_routes == DEFAULT_IF_NO_ROUTE || a->routes[i].dst.len == 0))
			return false;
	return a->default_routes != DEFAULT_NEVER;
}

static int add_default(struct attachment *a, uint8_t family)
{
	const struct address *address = attachment_address(a, family);

	if (!address || !ip_is_set(&address->gateway) || !lacks_default(a, family))
		return 0;
	if (a->n_routes == ATTACHMENT_ROUTES)
		return -E2BIG;
	a->routes[a->n_routes++] =
		(struct route){ .dst.ip.family = family, .gw = address->gateway };
	return 0;
}

int attachment_add_defaults(struct attachment *a)
{
	int rc = add_default(a, AF_INET);

	return rc ? rc : add_default(a, AF_INET6);
}
