/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From what the store granted to the attachment: addresses with the prefix and gateway of their
 * subnet, and the routes. It may run more than once for one attachment, so it starts from nothing.
 * And the same without a store, for who asks what a lease would be like.
 */
#include <errno.h>
#include <stdlib.h>
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

static int fill_routes(struct attachment *a, const struct pool *p, struct err *e)
{
	a->n_routes = 0;
	for (unsigned i = 0; i < p->n_routes; i++) {
		a->routes[a->n_routes] = p->routes[i];
		attachment_fill_gateway(a, &a->routes[a->n_routes++]);
	}
	if (attachment_add_defaults(a) == 0)
		return 0;
	return err_set(e, ERR_CONFIG, EINVAL,
		       "ipam.routes: no room for a default route, allowed: %d", ATTACHMENT_ROUTES);
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

static struct ip first_usable(const struct pool_range *r)
{
	struct ip ip = r->usable.first;

	for (unsigned i = 0; i < r->n_holes; i++)
		if (span_contains(&r->holes[i], &ip))
			ip = ip_add(&r->holes[i].last, 1);
	return ip;
}

int lease_sample(struct pool *pool, unsigned k, struct attachment *a, struct err *e)
{
	const struct lease_wish wish = { .dry_run = true };
	struct store_grant grant = { .n_addresses = pool->n_sets };
	cleanup_free struct taking *t = calloc(1, sizeof(*t));

	if (!t)
		return err_sys(e, ERR_IO, ENOMEM, "lease");
	t->pool = pool;
	t->wish = &wish;
	t->a = a;
	for (unsigned i = 0; i < pool->n_sets; i++) {
		const struct pool_set *set = &pool->sets[i];

		t->statics[i] = &set->ranges[k < set->n_ranges ? k : set->n_ranges - 1];
		grant.addresses[i] = first_usable(t->statics[i]);
	}
	return taking_fill(t, &grant, e);
}
