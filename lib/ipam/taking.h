/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One lease being taken: what its files share. Private to ipam/. */
#ifndef IPAM_TAKING_H
#define IPAM_TAKING_H

#include "ipam/lease.h"

/* Some KiB: it lives on the heap. Choice i of the want is set i of the pool. */
struct taking {
	struct store *store;
	struct pool *pool;
	const struct lease_wish *wish;
	struct attachment *a;
	const struct lease_calls *calls;

	struct store_want want;
	const struct pool_range *statics[POOL_SETS]; /* the range of a static address, or NULL */
	const char *id;                    /* the subnet that these have fixed, "" if none has */
	struct store_range *ranges;        /* of all choices, one after the other */
	const struct pool_range **origins; /* what each of them was made from */
	unsigned first[POOL_SETS];         /* index of the first range of a choice */
	unsigned n_ranges;

	struct store_holder holder;
	struct ip refused; /* by lease_calls.judge, of the pool's choice; family 0: none */
	unsigned n_refused;
};

/* taking_prepare: turn pool and wish into what the store is asked for. */
int taking_prepare(struct taking *t, struct err *e);
void taking_free(struct taking *t);

/* taking_source: who asks for the static address @ip; "" where nobody says so. */
const char *taking_source(const struct taking *t, const struct ip *ip);

/* taking_fill: what was granted, written into the attachment: addresses, routes, ports. */
int taking_fill(struct taking *t, const struct store_grant *grant, struct err *e);

/*
 * taking_refuse: the words for an @outcome of store_lease() that stays.
 * Return: a negative errno, with *e filled in.
 */
int taking_refuse(struct taking *t, int outcome, struct err *e);

/* The subnets of a set with their counts, one a line. */
int subnet_counts(struct store *s, const struct pool_set *set, struct text *t, struct err *e);

#endif
