/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From what the store granted to the attachment: addresses with the prefix and gateway of their
 * subnet, and the routes. It may run more than once for one attachment, so it starts from nothing.
 */
#include <errno.h>
#include <string.h>

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

static int fill_route(struct attachment *a, const struct route *route, struct err *e)
{
	struct route *ret = &a->routes[a->n_routes];
	char dst[IP_TEXT];

	*ret = *route;
	if (!attachment_has_family(a, route->dst.ip.family)) {
		err_set(e, ERR_CONFIG, EINVAL, "ipam.routes: %s needs an address of its family",
			cidr_text(&route->dst, dst));
		err_hint(e, "add a set of that family to ipam.ranges, or leave the route out");
		return -EINVAL;
	}
	attachment_fill_gateway(a, ret);
	a->n_routes++;
	return 0;
}

static int fill_routes(struct attachment *a, const struct pool *p, struct err *e)
{
	int rc = 0;

	a->n_routes = 0;
	for (unsigned i = 0; i < p->n_routes && !rc; i++)
		rc = fill_route(a, &p->routes[i], e);
	if (!rc && attachment_add_defaults(a) < 0)
		rc = err_set(e, ERR_CONFIG, EINVAL,
			     "ipam.routes: no room for a default route, allowed: %d",
			     ATTACHMENT_ROUTES);
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
