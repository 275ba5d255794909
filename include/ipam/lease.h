/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Leases: from a pool and a wish to addresses in the store, and the words when that fails. */
#ifndef IPAM_LEASE_H
#define IPAM_LEASE_H

#include "ipam/pool.h"

/* What the attachment asks for. */
struct lease_wish {
	struct cidr statics[STORE_ADDRESSES]; /* len 0: no prefix was given */
	const char *sources[STORE_ADDRESSES]; /* where they come from, for messages: "CNI_ARGS IP",
					       * …; may be NULL */
	unsigned n_statics;
	bool delegated; /* addresses and routes of the attachment are another pool's */
	const struct store_port *ports; /* borrowed */
	const bool *joins; /* borrowed: store_want.joins; lease_calls.join may change them */
	unsigned n_ports;
	uint16_t dynamic_first, dynamic_last;
	bool dry_run;
};

/*
 * lease_reclaim_fn: is the attachment of @holder dead (its namespace gone)? Then undo and release
 * it. Return: 1 if it was and is gone, 0 if it lives, or a negative errno.
 */
typedef int lease_reclaim_fn(void *ctx, const struct store_holder *holder, struct err *e);
/*
 * lease_join_fn: is @holder, which has a port of the wish, another attachment of the same container
 * that maps it alike? Then note so in the wish's joins. Return: 1 if one was noted that was not
 * before, 0, or a negative errno.
 */
typedef int lease_join_fn(void *ctx, const struct store_holder *holder, struct err *e);
/* lease_compose_fn: the attachment now has its addresses, id, ifindex and ports: make its body. */
typedef int lease_compose_fn(void *ctx, struct attachment *a, const struct store_grant *grant,
			     struct store_body *ret, struct err *e);

/*
 * lease_clear_fn: end the quarantine of released addresses (store_unquarantine). Return: 1 if the
 * lease may be tried again, or a negative errno.
 */
typedef int lease_clear_fn(void *ctx, struct err *e);
/*
 * lease_judge_fn: may the pool give @address, which lies in one of its ranges? Called under the
 * store's lock: it must not wait. Return: 0, 1 with the reason in *e (code 103), or a negative
 * errno.
 */
typedef int lease_judge_fn(void *ctx, const struct ip *address, struct err *e);

struct lease_calls {
	lease_compose_fn *compose;
	lease_judge_fn *judge; /* NULL: it may give all */
	lease_reclaim_fn *reclaim;
	lease_join_fn *join;   /* NULL: there are no ports */
	lease_clear_fn *clear; /* may be NULL */
	void *ctx;
};

/*
 * lease_take: lease what @wish and @pool say and write the record of @a, in one store transaction.
 * Fills a->addresses (with gateway, subnet id, az), a->routes (`ipam.routes`, each gw filled in,
 * and a default route for each family that has a gateway when `routes` names none of that family),
 * a->created, and the host_port of a->ports, which are in the order of the wish. Of a delegated
 * attachment addresses and routes stay as they are. A static address replaces the choice of the set
 * that contains it; sets without one choose freely. Two statics for one set, or a static of no set,
 * are errors. A dead holder is reclaimed and the lease tried again (bounded). An address that is
 * judged not to be given is avoided (pool_avoid), a static one refused. Return: 0, or a
 * negative errno: code 102 (the key is held: names since when), 103 (held by whom), 104 (exhausted:
 * used, reserved, cooling per subnet), 107 (port held by whom), 101 (store). -EEXIST for a held
 * key, so that the caller can look at it.
 */
int lease_take(struct store *s, struct pool *pool, const struct lease_wish *wish,
	       struct attachment *a, const struct lease_calls *calls, struct err *e);

/* lease_refuse_key: the key is held, by @holder of @s. Return: -EEXIST with code 102. */
int lease_refuse_key(struct store *s, const struct store_holder *holder, struct err *e);

/* lease_refuse_gateway: @gateway is the address of @holder's task. Return: -EADDRINUSE, code 103.
 */
int lease_refuse_gateway(struct store *s, const struct store_holder *holder,
			 const struct ip *gateway, struct err *e);

/*
 * lease_sample: fill @a as a lease would, with an address of the @k-th subnet of each set (of the
 * last, where it has fewer), held by somebody or not. Asks no store. Return: 0, or a negative
 * errno.
 */
int lease_sample(struct pool *pool, unsigned k, struct attachment *a, struct err *e);

/*
 * lease_status: can the pool serve one more ADD? Return: 0, 1 if it is exhausted (*e says so, with
 * code 50 and the counts of each subnet), or a negative errno. @s may be NULL (no store yet:
 * nothing is used).
 */
int lease_status(struct store *s, const struct pool *pool, struct err *e);

/*
 * lease_count: what is used and cooling of the addresses that @range may give. Not what is held
 * from before in what is excluded or reserved by now: that takes nothing from its capacity. May
 * look at every record. @s may be NULL (no store yet). Return: 0, or a negative errno.
 */
int lease_count(struct store *s, const struct pool_range *range, struct store_usage *ret,
		struct err *e);

#endif
