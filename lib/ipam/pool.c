/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reading `ipam`: the keys of the pool, then its sets of ranges, each judged alone (ranges.c) and
 * then against all others. A config written for host-local reads the same here.
 */
#include "ipam/pool.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "ranges.h"

#define COOLDOWN_DEFAULT 30
#define COOLDOWN_MAX     86400

static const char *const reserve_names[] = { "aws", "minimal", NULL };
static const char *const placement_names[] = { "spread", "pack", "first", NULL };

const struct field pool_range_fields[] = {
	FIELD(struct pool_range, subnet, "subnet", FIELD_NET, .flags = FIELD_REQUIRED,
	      .help = "The network that addresses are taken from."),
	FIELD(struct pool_range, range_start, "rangeStart", FIELD_IP, .fallback = "first address",
	      .help = "First address that may be given."),
	FIELD(struct pool_range, range_end, "rangeEnd", FIELD_IP, .fallback = "last address",
	      .help = "Last address that may be given."),
	FIELD(struct pool_range, gateway, "gateway", FIELD_IP, .fallback = "base + 1",
	      .help = "The subnet's router."),
	FIELD(struct pool_range, id, "id", FIELD_TEXT,
	      .help = "Name of the subnet; ranges of both families with one id belong together."),
	FIELD(struct pool_range, az, "az", FIELD_TEXT,
	      .help = "Availability zone, kept with the attachment."),
	{ .key = "exclude",
	  .type = FIELD_NET,
	  .flags = FIELD_LIST | FIELD_ONE_OR_LIST | FIELD_BARE_IP,
	  .offset = offsetof(struct pool_range, exclude),
	  .size = sizeof(struct cidr),
	  .count_offset = offsetof(struct pool_range, n_exclude),
	  .max_count = POOL_EXCLUDES,
	  .help = "Networks or addresses of the subnet that are never given." },
	FIELD(struct pool_range, reserve, "reserve", FIELD_ENUM, .names = reserve_names,
	      .fallback = "by mode",
	      .help = "aws: base + 0..3 and the last address are held back; minimal: network, "
		      "broadcast and gateway."),
	{ 0 },
};

const struct field pool_route_fields[] = {
	FIELD(struct route, dst, "dst", FIELD_CIDR, .flags = FIELD_REQUIRED | FIELD_BARE_IP,
	      .help = "Destination network."),
	FIELD(struct route, gw, "gw", FIELD_IP, .fallback = "the subnet's gateway",
	      .help = "Next hop."),
	FIELD(struct route, mtu, "mtu", FIELD_U32, .help = "MTU along the route."),
	FIELD(struct route, advmss, "advmss", FIELD_U32, .help = "TCP MSS to advertise."),
	FIELD(struct route, priority, "priority", FIELD_U32,
	      .help = "Metric: the lowest is preferred; where none is set, the route of `eth0`."),
	FIELD(struct route, table, "table", FIELD_U32, .fallback = "main",
	      .help = "Routing table."),
	FIELD(struct route, scope, "scope", FIELD_U32, .max = 254,
	      .help = "0 (global), 253 (link) or 254 (host)."),
	{ 0 },
};

const struct field pool_dns_fields[] = {
	FIELD_ARRAY(struct pool_dns, nameservers, n_nameservers, "nameservers", FIELD_TEXT,
		    .help = "Addresses of DNS servers."),
	FIELD(struct pool_dns, domain, "domain", FIELD_TEXT, .help = "Local domain."),
	FIELD_ARRAY(struct pool_dns, search, n_search, "search", FIELD_TEXT,
		    .help = "Search list."),
	FIELD_ARRAY(struct pool_dns, options, n_options, "options", FIELD_TEXT,
		    .help = "Resolver options."),
	{ 0 },
};

const struct field pool_fields[] = {
	FIELD(struct pool, type, "type", FIELD_TEXT, .fallback = POOL_TYPE,
	      .help = "The IPAM plugin; any other name is run from CNI_PATH."),
	FIELD(struct pool, ranges, "ranges", FIELD_ANY,
	      .help = "List of lists of ranges: the outer list is one address each, the inner one "
		      "its alternatives."),
	FIELD(struct pool, placement, "placement", FIELD_ENUM, .names = placement_names,
	      .fallback = "spread",
	      .help = "Which alternative: the one with the most free addresses, the one with the "
		      "fewest, or the first that has any."),
	FIELD(struct pool, cooldown_s, "cooldown", FIELD_U32, .max = COOLDOWN_MAX, .fallback = "30",
	      .help = "Seconds before a released address is given again, unless none else is "
		      "free."),
	FIELD_ARRAY(struct pool, routes, n_routes, "routes", FIELD_OBJECT,
		    .fields = pool_route_fields, .help = "Routes of the task."),
	FIELD(struct pool, dns, "dns", FIELD_OBJECT, .fields = pool_dns_fields,
	      .help = "DNS settings of the result."),
	FIELD(struct pool, resolv_conf, "resolvConf", FIELD_TEXT,
	      .help = "File to take the DNS settings from, where `dns` is not given."),
	FIELD(struct pool, data_dir, "dataDir", FIELD_TEXT, .fallback = POOL_DATA_DIR,
	      .help = "Directory of the store."),
	FIELD(struct pool, subnet, "subnet", FIELD_NET,
	      .help = "Older shape of a single range, as are the next three."),
	FIELD(struct pool, range_start, "rangeStart", FIELD_IP),
	FIELD(struct pool, range_end, "rangeEnd", FIELD_IP),
	FIELD(struct pool, gateway, "gateway", FIELD_IP),
	{ 0 },
};

bool pool_is_foreign(const json *ipam, const char **type)
{
	const char *name = json_string(json_get(ipam, "type"));
	bool foreign = name && *name && strcmp(name, POOL_TYPE) != 0;

	*type = foreign ? name : NULL;
	return foreign;
}

static bool usable_dir(const char *path, size_t size)
{
	return path && *path == '/' && strlen(path) < size;
}

void pool_read_data_dir(const json *ipam, char *ret, size_t size)
{
	const char *dir = json_string(json_get(ipam, "dataDir"));

	text_copy(ret, size, usable_dir(dir, size) ? dir : POOL_DATA_DIR);
}

uint32_t pool_read_cooldown(const json *ipam)
{
	int64_t n;

	if (!json_integer(json_get(ipam, "cooldown"), &n) || n < 0 || n > COOLDOWN_MAX)
		return COOLDOWN_DEFAULT;
	return (uint32_t)n;
}

static const char *dns_complaint(const struct field *f, const char *text)
{
	struct ip ip;

	if (f->offset == offsetof(struct pool_dns, nameservers))
		return ip_parse(text, &ip) ? NULL : "is no IP address";
	return text_is_printable(text) ? NULL : "has control characters";
}

/* All of @f's texts; a single one is a list of one. */
static int judge_dns_field(const struct pool_dns *dns, const struct field *f, const char *path,
			   struct err *e)
{
	const char *base = (const char *)dns, *text, *complaint;
	bool is_list = f->flags & FIELD_LIST;
	char index[16] = "", shown[80];
	unsigned n = 1;

	if (is_list)
		memcpy(&n, base + f->count_offset, sizeof(n));
	for (unsigned i = 0; i < n; i++) {
		text = base + f->offset + i * f->size;
		complaint = *text || is_list ? dns_complaint(f, text) : NULL;
		if (!complaint)
			continue;
		if (is_list)
			snprintf(index, sizeof(index), "[%u]", i);
		text_printable(shown, sizeof(shown), text);
		return err_set(e, ERR_CONFIG, EINVAL, "%s.%s%s: \"%s\" %s", path, f->key, index,
			       shown, complaint);
	}
	return 0;
}

int pool_judge_dns(const struct pool_dns *dns, const struct field *table, const char *path,
		   struct err *e)
{
	int r = 0;

	for (const struct field *f = table; f->key && !r; f++)
		r = judge_dns_field(dns, f, path, e);
	return r;
}

bool pool_has_family(const struct pool *p, uint8_t family)
{
	for (unsigned i = 0; i < p->n_sets; i++)
		if (p->sets[i].ranges[0].subnet.ip.family == family)
			return true;
	return false;
}

static int judge_route_family(const struct pool *p, const struct route *r, struct err *e)
{
	char dst[IP_TEXT];

	if (pool_has_family(p, r->dst.ip.family))
		return 0;
	err_set(e, ERR_CONFIG, EINVAL, "ipam.routes: %s needs an address of its family",
		cidr_text(&r->dst, dst));
	err_hint(e, "add a set of that family to ipam.ranges, or leave the route out");
	return -EINVAL;
}

/* The kernel tells routes apart by these, whatever their gateways; where it gives an IPv6 route its
 * metric, that is 1024. */
static bool is_same_route(const struct route *a, const struct route *b)
{
	const uint32_t none = a->dst.ip.family == AF_INET6 ? 1024 : 0;
	const struct cidr a_dst = { cidr_first(&a->dst), a->dst.len };
	const struct cidr b_dst = { cidr_first(&b->dst), b->dst.len };

	return cidr_equal(&a_dst, &b_dst) && a->table == b->table &&
	       (a->priority ? a->priority : none) == (b->priority ? b->priority : none);
}

static int judge_route_twice(const struct pool *p, unsigned i, struct err *e)
{
	char dst[IP_TEXT];

	for (unsigned k = 0; k < i; k++) {
		if (!is_same_route(&p->routes[k], &p->routes[i]))
			continue;
		err_set(e, ERR_CONFIG, EINVAL, "ipam.routes[%u] and [%u]: both are to %s", k, i,
			cidr_text(&p->routes[i].dst, dst));
		err_hint(e, "leave one of them out, or give them different priorities");
		return -EINVAL;
	}
	return 0;
}

int pool_judge_routes(const struct pool *p, struct err *e)
{
	int r = 0;

	for (unsigned i = 0; i < p->n_routes && r == 0; i++) {
		r = judge_route_family(p, &p->routes[i], e);
		if (r == 0)
			r = judge_route_twice(p, i, e);
	}
	return r;
}

void pool_free(struct pool *p)
{
	for (unsigned i = 0; i < p->n_sets; i++)
		free(p->sets[i].ranges);
	memset(p, 0, sizeof(*p));
}
