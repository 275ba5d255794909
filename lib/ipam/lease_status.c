/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * STATUS of a pool: would one more ADD get its addresses? Each set must have a subnet that is not
 * full, and where subnets bear an id, one id must have room in every set. An address that cools
 * counts as free: it is given when there is nothing else.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "taking.h"

struct room {
	bool left[POOL_SETS][POOL_RANGES];
};

int lease_count(struct store *s, const struct pool_range *range, struct store_usage *ret,
		struct err *e)
{
	struct store_usage in;
	int rc;

	*ret = (struct store_usage){ 0 };
	rc = s ? store_count(s, &range->usable, ret, e) : 0;
	for (unsigned i = 0; i < range->n_holes && rc == 0 && ret->used + ret->cooling; i++) {
		rc = store_count(s, &range->holes[i], &in, e);
		ret->used -= in.used < ret->used ? in.used : ret->used;
		ret->cooling -= in.cooling < ret->cooling ? in.cooling : ret->cooling;
	}
	return rc;
}

/* Mostly the store's own count is enough, which costs nothing. */
static int has_room(struct store *s, const struct pool_range *r, bool *ret, struct err *e)
{
	struct store_usage usage = { 0 };
	int rc = s ? store_count(s, &r->usable, &usage, e) : 0;

	if (rc == 0 && usage.used >= r->capacity)
		rc = lease_count(s, r, &usage, e);
	*ret = usage.used < r->capacity;
	return rc;
}

static int find_room(struct store *s, const struct pool *p, struct room *room, struct err *e)
{
	for (unsigned i = 0; i < p->n_sets; i++) {
		for (unsigned k = 0; k < p->sets[i].n_ranges; k++) {
			int rc = has_room(s, &p->sets[i].ranges[k], &room->left[i][k], e);

			if (rc < 0)
				return rc;
		}
	}
	return 0;
}

/* Can set @i serve an attachment whose first address is of the subnet @id ("": any)? */
static bool set_serves(const struct pool *p, const struct room *room, unsigned i, const char *id)
{
	bool any = false, same = false, same_left = false;

	for (unsigned k = 0; k < p->sets[i].n_ranges; k++) {
		bool left = room->left[i][k];

		any = any || left;
		if (*id && !strcmp(p->sets[i].ranges[k].id, id)) {
			same = true;
			same_left = same_left || left;
		}
	}
	return same ? same_left : any;
}

/* The first set that stands in the way of subnet @id, n_sets if none does. */
static unsigned first_full(const struct pool *p, const struct room *room, const char *id)
{
	unsigned i = 0;

	while (i < p->n_sets && set_serves(p, room, i, id))
		i++;
	return i;
}

/* Return: n_sets if an attachment can be served, else a set that cannot serve. */
static unsigned judge_room(const struct pool *p, const struct room *room)
{
	unsigned full = first_full(p, room, "");

	if (full < p->n_sets || !p->n_sets)
		return full;
	for (unsigned k = 0; k < p->sets[0].n_ranges; k++) {
		if (!room->left[0][k])
			continue;
		full = first_full(p, room, p->sets[0].ranges[k].id);
		if (full == p->n_sets)
			break;
	}
	return full;
}

int lease_status(struct store *s, const struct pool *pool, struct err *e)
{
	struct room room = { 0 };
	char counts[sizeof(e->details)];
	struct text t;
	unsigned full;
	int rc = find_room(s, pool, &room, e);

	if (rc < 0)
		return rc;
	full = judge_room(pool, &room);
	if (full == pool->n_sets)
		return 0;
	text_init(&t, counts, sizeof(counts));
	rc = subnet_counts(s, &pool->sets[full], &t, e);
	if (rc < 0)
		return rc;
	err_set(e, ERR_UNAVAILABLE, EADDRNOTAVAIL, "the pool is exhausted");
	err_hint(e, "%s", counts);
	return 1;
}
