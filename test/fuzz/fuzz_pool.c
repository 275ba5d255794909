/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Range arithmetic: `ipam` as a document. In a pool that is accepted, the capacity of a small range
 * is the number of its addresses that may be given one by one, and none of those is the gateway.
 */
#include "fuzz.h"

#include "ipam/pool.h"

#define SMALL 4096

static bool in_hole(const struct pool_range *r, const struct ip *ip)
{
	for (unsigned i = 0; i < r->n_holes; i++)
		if (span_contains(&r->holes[i], ip))
			return true;
	return false;
}

static void count(const struct pool *pool, const struct pool_range *r)
{
	struct ip ip = r->usable.first;
	uint64_t n = 0, seen = 0;

	if (span_size(&r->usable) > SMALL)
		return;
	for (; n < span_size(&r->usable); n++) {
		unsigned set, range;
		struct err e;

		must(span_contains(&r->usable, &ip) && cidr_contains(&r->subnet, &ip));
		if (!in_hole(r, &ip)) {
			seen++;
			must(!ip_equal(&ip, &r->gateway));
			must(pool_judge(pool, &ip, &set, &range, &e) == 0);
		}
		ip = ip_add(&ip, 1);
	}
	must(seen == r->capacity);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool *pool;
	struct err e = { 0 };
	json *doc = NULL;

	if (!size || json_parse((const char *)data + 1, size - 1, "ipam", &doc, &e) < 0)
		return 0;
	pool = calloc(1, sizeof(*pool));
	must(pool);
	if (json_kind(doc) == JSON_IS_OBJECT &&
	    pool_read(doc, json_get(doc, "extra"), data[0] & 1 ? RESERVE_AWS : RESERVE_MINIMAL,
		      pool, &e) == 0)
		for (unsigned s = 0; s < pool->n_sets; s++)
			for (unsigned i = 0; i < pool->sets[s].n_ranges; i++)
				count(pool, &pool->sets[s].ranges[i]);
	pool_free(pool);
	free(pool);
	json_free(doc);
	return 0;
}
