/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From what the store granted to the attachment: addresses with the prefix and gateway of their
 * subnet, and the routes. It may run more than once for one attachment, so it starts from nothing.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/io.h"
#include "taking.h"

static void fill_address(struct taking *t, const struct store_grant *grant, unsigned i)
{
	const struct pool_range *range = t->statics[i];
	struct address *address = &t->a->addresses[i];

	if (!range)
		range = t->origins[t->first[i] + grant->range_index[i]];
	address->cidr = (struct cidr){ grant->addresses[i], range->subnet.len };
	address->gateway = range->gateway;
	memcpy(address->subnet_id, range->id, sizeof(address->subnet_id));
	memcpy(address->az, range->az, sizeof(address->az));
}

static bool is_on_link(const struct route *r)
{
	return r->has_scope && r->scope;
}

static int fill_route(struct attachment *a, const struct route *route, struct err *e)
{
	const struct address *address = attachment_address(a, route->dst.ip.family);
	struct route *ret = &a->routes[a->n_routes];

	*ret = *route;
	if (!address) {
		char dst[IP_TEXT];

		err_set(e, ERR_CONFIG, EINVAL, "ipam.routes: %s needs an address of its family",
			cidr_text(&route->dst, dst));
		err_hint(e, "add a set of that family to ipam.ranges, or leave the route out");
		return -EINVAL;
	}
	if (!ip_is_set(&ret->gw) && !is_on_link(ret))
		ret->gw = address->gateway;
	a->n_routes++;
	return 0;
}

static bool routes_name(const struct attachment *a, uint8_t family)
{
	for (unsigned i = 0; i < a->n_routes; i++) {
		if (a->routes[i].dst.ip.family == family)
			return true;
	}
	return false;
}

static int fill_default(struct attachment *a, uint8_t family, struct err *e)
{
	const struct address *address = attachment_address(a, family);

	if (!address || !ip_is_set(&address->gateway) || routes_name(a, family))
		return 0;
	if (a->n_routes == ATTACHMENT_ROUTES)
		return err_set(e, ERR_CONFIG, EINVAL,
			       "ipam.routes: no room for a default route, allowed: %d",
			       ATTACHMENT_ROUTES);
	a->routes[a->n_routes++] =
		(struct route){ .dst.ip.family = family, .gw = address->gateway };
	return 0;
}

static int fill_routes(struct attachment *a, const struct pool *p, struct err *e)
{
	int rc = 0;

	a->n_routes = 0;
	for (unsigned i = 0; i < p->n_routes && !rc; i++)
		rc = fill_route(a, &p->routes[i], e);
	if (!rc)
		rc = a->no_default_route ? 0 : fill_default(a, AF_INET, e);
	if (!rc)
		rc = a->no_default_route ? 0 : fill_default(a, AF_INET6, e);
	return rc;
}

int taking_fill(struct taking *t, const struct store_grant *grant, struct err *e)
{
	struct attachment *a = t->a;

	for (unsigned i = 0; i < grant->n_ports && i < a->n_ports; i++)
		a->ports[i].host_port = grant->ports[i];
	a->created = io_epoch_s();
	if (t->wish->delegated)
		return 0;
	a->n_addresses = grant->n_addresses;
	for (unsigned i = 0; i < grant->n_addresses; i++)
		fill_address(t, grant, i);
	return fill_routes(a, t->pool, e);
}
