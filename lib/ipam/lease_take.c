/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Taking a lease: ask the store, and where a dead container stands in the way (a crash, a kill: its
 * DEL never came), take that one down and ask again. The rounds are bounded: each address and each
 * port can have one dead holder, and the pool is swept for dead ones once.
 */
#include "ipam/lease.h"

#include <errno.h>
#include <stdlib.h>

#include "taking.h"

#define CLEARINGS 8 /* of quarantines: others may release meanwhile */

/* Return: 0, or a negative errno; -EAGAIN: the store is to choose again, without t->refused. */
static int judge(struct taking *t, struct err *e)
{
	for (unsigned i = 0; i < t->a->n_addresses; i++) {
		const struct ip *ip = &t->a->addresses[i].cidr.ip;
		int r = t->calls->judge(t->calls->ctx, ip, e);

		if (r < 0)
			return r;
		if (r == 0)
			continue;
		if (!t->statics[i]) {
			t->refused = *ip;
			return -EAGAIN;
		}
		if (*taking_source(t, ip))
			err_prefix(e, "%s", taking_source(t, ip));
		return -EADDRINUSE;
	}
	return 0;
}

static int compose(void *ctx, const struct store_grant *grant, struct store_body *ret,
		   struct err *e)
{
	struct taking *t = ctx;
	int rc = taking_fill(t, grant, e);

	if (!rc && t->calls->judge && !t->wish->delegated)
		rc = judge(t, e);
	return rc ? rc : t->calls->compose(t->calls->ctx, t->a, grant, ret, e);
}

static int reclaim(struct taking *t, const struct store_holder *holder, struct err *e)
{
	if (t->wish->dry_run || !t->calls->reclaim)
		return 0;
	return t->calls->reclaim(t->calls->ctx, holder, e);
}

/* Does the record hold what the exhausted choice could use? */
static bool is_in_the_way(const struct taking *t, const struct store_record *r, int outcome,
			  unsigned choice)
{
	const struct store_choice *c = &t->want.choices[choice];

	if (outcome == STORE_PORTS_EXHAUSTED)
		return r->n_ports > 0;
	for (unsigned i = 0; i < r->n_addresses; i++) {
		for (unsigned k = 0; k < c->n_ranges; k++) {
			if (span_contains(&c->ranges[k].span, &r->addresses[i]))
				return true;
		}
	}
	return false;
}

/* A holder that cannot be taken down must not keep the others: its error counts if nobody else
 * goes. */
static int sweep(struct taking *t, int outcome, struct err *e)
{
	cleanup_free struct store_record *record = malloc(sizeof(*record));
	unsigned choice = t->holder.choice;
	uint64_t cursor = 0;
	int rc, gone = 0, failed = 0;

	if (!record)
		return err_sys(e, ERR_IO, ENOMEM, "lease");
	while ((rc = store_next(t->store, NULL, &cursor, record, e)) == STORE_OK) {
		if (!is_in_the_way(t, record, outcome, choice))
			continue;
		rc = reclaim(t, &record->key, e);
		if (rc < 0)
			failed = rc;
		else
			gone += rc;
	}
	if (rc < 0)
		return rc;
	return gone ? gone : failed;
}

/*
 * Return: > 0 if somebody was taken down and the lease may be tried again, 0 if not, < 0 on
 * failure.
 */
static int make_room(struct taking *t, int outcome, bool *swept, struct err *e)
{
	int joined;

	switch ((enum store_outcome)outcome) {
	case STORE_PORT_HELD:
		joined = t->calls->join ? t->calls->join(t->calls->ctx, &t->holder, e) : 0;
		return joined ? joined : reclaim(t, &t->holder, e);
	case STORE_ADDRESS_HELD:
		return reclaim(t, &t->holder, e);
	case STORE_EXHAUSTED:
	case STORE_PORTS_EXHAUSTED:
		if (*swept || t->wish->dry_run)
			return 0;
		*swept = true;
		return sweep(t, outcome, e);
	case STORE_QUARANTINED:
		return t->calls->clear ? t->calls->clear(t->calls->ctx, e) : 0;
	case STORE_KEY_EXISTS:
	case STORE_OK:
	case STORE_ABSENT:
		break;
	}
	return 0;
}

/* The ranges as they are now: pool_avoid has made holes. */
static int avoid(struct taking *t, struct err *e)
{
	if (++t->n_refused > POOL_AVOIDED || pool_avoid(t->pool, &t->refused) < 0)
		return err_set(e, ERR_EXHAUSTED, EADDRNOTAVAIL,
			       "more than %d addresses of a range are this host's own",
			       POOL_AVOIDED);
	for (unsigned i = 0; i < t->n_ranges; i++) {
		t->ranges[i].n_holes = t->origins[i]->n_holes;
		t->ranges[i].capacity = t->origins[i]->capacity;
	}
	t->refused.family = 0;
	return 0;
}

/* store_lease, until the store chooses what may be given. */
static int lease(struct taking *t, struct store_grant *grant, struct err *e)
{
	int r = store_lease(t->store, &t->want, compose, t, grant, &t->holder, e);

	while (r < 0 && t->refused.family) {
		r = avoid(t, e);
		if (r < 0)
			break;
		r = store_lease(t->store, &t->want, compose, t, grant, &t->holder, e);
	}
	return r;
}

static int take(struct taking *t, struct err *e)
{
	unsigned rounds = t->wish->n_statics + t->wish->n_ports + 2 + CLEARINGS;
	struct store_grant grant;
	bool swept = false;
	int outcome;

	do {
		int room;

		outcome = lease(t, &grant, e);
		if (outcome <= 0)
			return outcome;
		room = make_room(t, outcome, &swept, e);
		if (room < 0)
			return room;
		if (!room)
			break;
	} while (--rounds);
	return taking_refuse(t, outcome, e);
}

int lease_take(struct store *s, struct pool *pool, const struct lease_wish *wish,
	       struct attachment *a, const struct lease_calls *calls, struct err *e)
{
	struct taking *t = calloc(1, sizeof(*t));
	int rc;

	if (!t)
		return err_sys(e, ERR_IO, ENOMEM, "lease");
	t->store = s;
	t->pool = pool;
	t->wish = wish;
	t->a = a;
	t->calls = calls;
	rc = taking_prepare(t, e);
	if (!rc)
		rc = take(t, e);
	taking_free(t);
	return rc;
}
