/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a runtime adds to the configuration for one container: `runtimeConfig` (capabilities) and
 * `args.cni`. Keys come in two spellings, hostPort of the conventions and HostPort of go-cni; the
 * tables find both.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/cleanup.h"
#include "base/text.h"
#include "cni/netconf.h"

struct runtime {
	const json *port_mappings, *ips, *ip_ranges, *dns;
	struct mac mac;
	struct bandwidth bandwidth;
};

/* Whole numbers as JSON can tell them exactly; FIELD_U64 would want strings. */
#define RATE_MAX (1LL << 53)
static const struct field bandwidth_fields[] = {
	FIELD(struct bandwidth, ingress_rate, "ingressRate", FIELD_I64, .max = RATE_MAX,
	      .fallback = "0", .help = "Towards the task, bits per second; 0: no limit."),
	FIELD(struct bandwidth, ingress_burst, "ingressBurst", FIELD_I64, .max = RATE_MAX,
	      .fallback = "0", .help = "What may pass at once, bits; at most what flows in 274 s."),
	FIELD(struct bandwidth, egress_rate, "egressRate", FIELD_I64, .max = RATE_MAX,
	      .fallback = "0", .help = "Out of the task, bits per second; 0: no limit."),
	FIELD(struct bandwidth, egress_burst, "egressBurst", FIELD_I64, .max = RATE_MAX,
	      .fallback = "0", .help = "What may pass at once, bits; at most what flows in 274 s."),
	{ .key = NULL },
};

/* NOLINTBEGIN(bugprone-sizeof-expression): a pointer is what FIELD_ANY fills */
const struct field runtime_fields[] = {
	FIELD(struct runtime, port_mappings, "portMappings", FIELD_ANY,
	      .help = "Ports to publish, a list of the objects below."),
	FIELD(struct runtime, ips, "ips", FIELD_ANY,
	      .help = "Addresses wanted, with or without prefix length."),
	FIELD(struct runtime, mac, "mac", FIELD_MAC, .help = "MAC address wanted."),
	FIELD(struct runtime, ip_ranges, "ipRanges", FIELD_ANY,
	      .help = "Sets of ranges in front of `ipam.ranges`: each gives one more address."),
	FIELD(struct runtime, dns, "dns", FIELD_ANY,
	      .help = "`servers`, `searches`, `options`: replace `dns` if any is not empty."),
	FIELD(struct runtime, bandwidth, "bandwidth", FIELD_OBJECT, .fields = bandwidth_fields,
	      .help = "Limits of the task's traffic, for modes that shape it, and refused by those "
		      "that do not; those of the network come first."),
	{ .key = NULL },
};

/* args.cni, as CONVENTIONS.md has it; the rest of it belongs to others. */
static const struct field args_fields[] = {
	FIELD(struct runtime, ips, "ips", FIELD_ANY),
	FIELD(struct runtime, mac, "mac", FIELD_MAC),
	{ .key = NULL },
};
/* NOLINTEND(bugprone-sizeof-expression) */

struct mapping {
	uint32_t host_port, container_port, range;
	char protocol[8], host_ip[IP_TEXT];
};

const struct field port_fields[] = {
	FIELD(struct mapping, host_port, "hostPort", FIELD_U32, .max = 65535, .fallback = "0",
	      .help = "Port of the host; 0: the mode chooses."),
	FIELD(struct mapping, container_port, "containerPort", FIELD_U32, .flags = FIELD_REQUIRED,
	      .min = 1, .max = 65535, .help = "Port of the container."),
	FIELD(struct mapping, protocol, "protocol", FIELD_TEXT, .fallback = "tcp",
	      .help = "tcp, udp or sctp, in any case."),
	FIELD(struct mapping, host_ip, "hostIP", FIELD_TEXT,
	      .help = "Address of the host to publish on; empty: all of them."),
	FIELD(struct mapping, range, "range", FIELD_U32, .min = 1, .max = STORE_PORTS,
	      .fallback = "1", .help = "How many ports in a row, from the two on."),
	{ .key = NULL },
};

static const struct field runtime_dns_fields[] = {
	FIELD_ARRAY(struct pool_dns, nameservers, n_nameservers, "servers", FIELD_TEXT),
	FIELD_ARRAY(struct pool_dns, search, n_search, "searches", FIELD_TEXT),
	FIELD_ARRAY(struct pool_dns, options, n_options, "options", FIELD_TEXT),
	{ .key = NULL },
};

static int bad_value(struct err *e, const char *path, const char *value, const char *allowed)
{
	char shown[80];

	text_printable(shown, sizeof(shown), value ? value : "(no string)");
	err_set(e, ERR_CONFIG, 0, "%s: \"%s\": wrong value", path, shown);
	err_hint(e, "%s", allowed);
	return -EINVAL;
}

static int read_ips(const json *ips, const char *path, struct asked *ret, struct err *e)
{
	const char *text;
	struct cidr ip;

	if (json_is_absent(ips))
		return 0;
	if (json_kind(ips) != JSON_IS_ARRAY)
		return shape_error(e, path, ips, "a list of addresses");
	if (json_count(ips) > STORE_ADDRESSES)
		return err_set(e, ERR_CONFIG, 0, "%s: %u addresses, at most %d are possible", path,
			       json_count(ips), STORE_ADDRESSES);
	for (const json *one = json_first(ips); one; one = json_next(one)) {
		text = json_string(one);
		if (!text || !address_parse(text, &ip))
			return bad_value(e, path, text, "an address, with or without /LENGTH");
		if (asked_address(ret, &ip, path) < 0)
			return bad_value(e, path, text,
					 "at most 8 addresses, with those of CNI_ARGS and args.cni");
	}
	return 0;
}

static int read_mac(const struct mac *mac, const json *given, const char *path, struct asked *ret,
		    struct err *e)
{
	if (json_is_absent(given))
		return 0;
	if (!mac_is_set(mac) || !mac_is_unicast(mac))
		return bad_value(e, path, json_string(given),
				 "a unicast address like 02:00:00:00:00:01");
	return asked_mac(ret, mac, path, e);
}

static int read_protocol(const char *text, const char *path, uint32_t *ret, struct err *e)
{
	static const struct {
		const char *name;
		uint32_t number;
	} rows[] = { { "tcp", IPPROTO_TCP }, { "udp", IPPROTO_UDP }, { "sctp", IPPROTO_SCTP } };

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		if (!strcasecmp(text[0] ? text : "tcp", rows[i].name)) {
			*ret = rows[i].number;
			return 0;
		}
	}
	return bad_value(e, path, text, "protocol is tcp, udp or sctp");
}

static int read_mapping(const json *object, const char *path, struct mapping *m, struct port *ret,
			struct err *e)
{
	char member[80];
	int r;

	if (json_kind(object) != JSON_IS_OBJECT)
		return shape_error(e, path, object, "an object");
	r = field_read(port_fields, object, path, ERR_CONFIG, m, e);
	if (r < 0)
		return r;
	ret->host_port = m->host_port;
	ret->container_port = m->container_port;
	snprintf(member, sizeof(member), "%s.hostIP", path);
	if (m->host_ip[0] && !ip_parse(m->host_ip, &ret->host_ip))
		return bad_value(e, member, m->host_ip, "an address, or empty for every address");
	ip_unmap(&ret->host_ip); /* the same address, of which there must not be two */
	snprintf(member, sizeof(member), "%s.protocol", path);
	return read_protocol(m->protocol, member, &ret->protocol, e);
}

static int too_many_ports(unsigned n, struct err *e)
{
	return err_set(e, ERR_CONFIG, 0,
		       "runtimeConfig.portMappings: %u ports, at most %d are possible", n,
		       STORE_PORTS);
}

/* A mapping is as many ports in a row as its range says; each host port of 0 is chosen alone. */
static int read_port(const json *object, unsigned i, struct netconf *ret, struct err *e)
{
	struct mapping m = { .protocol = "tcp", .range = 1 };
	struct port port = { 0 };
	char path[64];
	int r;

	snprintf(path, sizeof(path), "runtimeConfig.portMappings[%u]", i);
	r = read_mapping(object, path, &m, &port, e);
	if (r < 0)
		return r;
	if (port.container_port + m.range > 65536 || port.host_port + m.range > 65536) {
		err_set(e, ERR_CONFIG, 0, "%s.range: %u ports go beyond port 65535", path, m.range);
		return -EINVAL;
	}
	if (ret->n_ports + m.range > STORE_PORTS)
		return too_many_ports(ret->n_ports + m.range, e);
	for (uint32_t k = 0; k < m.range; k++) {
		ret->ports[ret->n_ports++] = port;
		port.container_port++;
		port.host_port += port.host_port > 0;
	}
	return 0;
}

static int read_ports(const json *list, struct netconf *ret, struct err *e)
{
	unsigned i = 0;
	int r = 0;

	if (json_is_absent(list))
		return 0;
	if (json_kind(list) != JSON_IS_ARRAY)
		return shape_error(e, "runtimeConfig.portMappings", list, "a list");
	if (json_count(list) > STORE_PORTS)
		return too_many_ports(json_count(list), e);
	for (const json *one = json_first(list); one && !r; one = json_next(one))
		r = read_port(one, i++, ret, e);
	return r;
}

/* containerd's CRI sends three empty lists for a pod without DNS settings: they ask for nothing. */
static int read_dns(const json *object, struct netconf *ret, struct err *e)
{
	cleanup_free struct pool_dns *dns = NULL;
	int r;

	if (json_is_absent(object))
		return 0;
	dns = calloc(1, sizeof(*dns));
	if (!dns)
		return err_sys(e, ERR_IO, ENOMEM, "runtimeConfig.dns");
	r = field_read(runtime_dns_fields, object, "runtimeConfig.dns", ERR_CONFIG, dns, e);
	if (!r)
		r = pool_judge_dns(dns, runtime_dns_fields, "runtimeConfig.dns", e);
	if (!r && (dns->n_nameservers || dns->n_search || dns->n_options))
		ret->dns = *dns;
	return r;
}

/* The member @key of @parent: NULL if absent; an error if it is no object. */
static int get_object(const json *parent, const char *key, const char *path, const json **ret,
		      struct err *e)
{
	*ret = json_get(parent, key);
	if (json_is_absent(*ret))
		*ret = NULL;
	else if (json_kind(*ret) != JSON_IS_OBJECT)
		return shape_error(e, path, *ret, "an object");
	return 0;
}

static int read_args(const struct call *c, struct asked *asked, struct err *e)
{
	struct runtime args = { 0 };
	const json *outer, *inner = NULL;
	int r = get_object(c->root, "args", "args", &outer, e);

	if (!r)
		r = get_object(outer, "cni", "args.cni", &inner, e);
	if (r < 0 || !inner)
		return r;
	r = field_read(args_fields, inner, "args.cni", ERR_CONFIG, &args, e);
	if (!r)
		r = read_ips(args.ips, "args.cni.ips", asked, e);
	if (!r)
		r = read_mac(&args.mac, json_get(inner, "mac"), "args.cni.mac", asked, e);
	return r;
}

static int read_runtime(const struct call *c, struct netconf *ret, struct asked *asked,
			struct err *e)
{
	struct runtime rt = { 0 };
	const json *object;
	int r;

	r = get_object(c->root, "runtimeConfig", "runtimeConfig", &object, e);
	if (r < 0 || !object)
		return r;
	r = field_read(runtime_fields, object, "runtimeConfig", ERR_CONFIG, &rt, e);
	if (!r)
		r = read_ips(rt.ips, "runtimeConfig.ips", asked, e);
	if (!r)
		r = read_mac(&rt.mac, json_get(object, "mac"), "runtimeConfig.mac", asked, e);
	if (!r)
		r = read_ports(rt.port_mappings, ret, e);
	if (!r)
		r = read_dns(rt.dns, ret, e);
	ret->bandwidth = rt.bandwidth;
	asked->ranges = json_is_absent(rt.ip_ranges) ? NULL : rt.ip_ranges;
	return r;
}

int runtime_read(const struct call *c, struct netconf *ret, struct asked *asked, struct err *e)
{
	int r = read_args(c, asked, e);

	if (!r)
		r = read_runtime(c, ret, asked, e);
	ret->mac = asked->mac;
	ret->address_wanted = asked->n_ips || json_count(asked->ranges);
	return r;
}
