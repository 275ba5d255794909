/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which addresses are the tasks', and that none of them leaves the host by another route. */
#include "mode/blocks.h"

#include <sys/socket.h>

static void add_block(struct cidr *blocks, unsigned *n, const struct cidr *c)
{
	const struct cidr block = { cidr_first(c), c->len };

	for (unsigned i = 0; i < *n; i++)
		if (cidr_equal(&blocks[i], &block))
			return;
	blocks[(*n)++] = block;
}

static bool vpc_has_family(const struct attachment *a, uint8_t family)
{
	for (unsigned i = 0; i < a->n_vpc; i++)
		if (a->vpc[i].ip.family == family)
			return true;
	return false;
}

unsigned blocks_of(const struct attachment *a, struct cidr ret[static BLOCKS_MAX])
{
	unsigned n = 0;

	for (unsigned i = 0; i < a->n_vpc; i++)
		if (attachment_has_family(a, a->vpc[i].ip.family))
			add_block(ret, &n, &a->vpc[i]);
	for (unsigned i = 0; i < a->n_addresses; i++)
		if (!vpc_has_family(a, a->addresses[i].cidr.ip.family))
			add_block(ret, &n, &a->addresses[i].cidr);
	return n;
}

void plan_unreachable(struct plan *p)
{
	const struct ifref nowhere = { .name = NULL };
	struct route_spec refuse = { .type = ROUTE_UNREACHABLE, .priority = ROUTE_METRIC_LAST };
	const struct attachment *a = p->a;
	struct cidr nets[BLOCKS_MAX + STORE_ADDRESSES];
	unsigned n = blocks_of(a, nets);

	for (unsigned i = 0; i < a->n_addresses; i++)
		add_block(nets, &n, &a->addresses[i].cidr);
	for (unsigned i = 0; i < n; i++) {
		/* A subnet of one address has no other, and a foreign IPAM plugin may give a task
		 * the whole world as its subnet. */
		if (nets[i].len == ip_bits(&nets[i].ip) || !nets[i].len)
			continue;
		refuse.dst = nets[i];
		plan_share(p, plan_route(p, -1, HOST, &nowhere, &refuse));
	}
}
