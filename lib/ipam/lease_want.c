/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From pool and wish to what the store is asked for. A set is a choice: a static address in it
 * replaces the choice, else its ranges are the alternatives. Ranges with the same `id` are one
 * subnet of a VPC, so they form a group; where a static address has fixed the group, the choices of
 * the other sets are narrowed to it here, because the store looks at no ranges for a static
 * address.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "taking.h"

const char *taking_source(const struct taking *t, const struct ip *ip)
{
	for (unsigned i = 0; i < t->wish->n_statics; i++)
		if (ip_equal(&t->wish->statics[i].ip, ip) && t->wish->sources[i])
			return t->wish->sources[i];
	return "";
}

/* "SOURCE: " in front of what is wrong with a static address. */
static int from_source(const char *source, struct err *e)
{
	if (source && *source)
		err_prefix(e, "%s", source);
	return -EINVAL;
}

/* 10.0.1.5/16 in a subnet of /24 is a mistake that would only show as strange routing. */
static int judge_prefix(const struct cidr *wanted, const struct pool_range *range, struct err *e)
{
	char text[IP_TEXT], subnet[IP_TEXT];

	if (!wanted->len || wanted->len == range->subnet.len)
		return 0;
	err_set(e, ERR_CONFIG, EINVAL, "%s has the prefix length %u, its subnet %s has %u",
		cidr_text(wanted, text), wanted->len, cidr_text(&range->subnet, subnet),
		range->subnet.len);
	err_hint(e, "leave the length out, or write /%u", range->subnet.len);
	return -EINVAL;
}

/* Two static addresses of one set. */
static int refuse_second(const struct taking *t, unsigned set, unsigned i, struct err *e)
{
	const struct ip *first = &t->want.choices[set].address;
	const char *theirs = taking_source(t, first), *ours = t->wish->sources[i];
	bool differ = ours && strcmp(theirs, ours) != 0;
	char one[IP_TEXT], two[IP_TEXT];

	err_set(e, ERR_ADDRESS, EINVAL, "%s and %s%s%s are both of set %u of `ranges`",
		ip_text(first, one), differ ? ours : "", differ ? ": " : "",
		ip_text(&t->wish->statics[i].ip, two), set);
	err_hint(e, "a set is one address: ask for one of them, or add a set");
	return from_source(theirs, e);
}

static int place_static(struct taking *t, unsigned i, struct err *e)
{
	const struct cidr *wanted = &t->wish->statics[i];
	unsigned set, index;
	const struct pool_range *range;

	if (pool_judge(t->pool, &wanted->ip, &set, &index, e))
		return from_source(t->wish->sources[i], e);
	range = &t->pool->sets[set].ranges[index];
	if (judge_prefix(wanted, range, e))
		return from_source(t->wish->sources[i], e);
	if (t->statics[set])
		return refuse_second(t, set, i, e);
	t->statics[set] = range;
	t->want.choices[set].address = wanted->ip;
	return 0;
}

/* The `id` that the static addresses agree on becomes the attachment's. Return: false: they do not.
 */
static bool fix_id(struct taking *t)
{
	t->id = "";
	for (unsigned s = 0; s < t->pool->n_sets; s++) {
		const struct pool_range *range = t->statics[s];

		if (!range || !*range->id)
			continue;
		if (*t->id && strcmp(t->id, range->id) != 0)
			return false;
		t->id = range->id;
	}
	return true;
}

static int place_statics(struct taking *t, struct err *e)
{
	for (unsigned i = 0; i < t->wish->n_statics; i++) {
		int rc = place_static(t, i, e);

		if (rc)
			return rc;
	}
	if (fix_id(t))
		return 0;
	err_set(e, ERR_ADDRESS, EINVAL, "the addresses asked for are of different subnets");
	err_hint(e, "all addresses of one attachment come from ranges with the same `id`");
	return from_source(t->wish->sources[0], e);
}

/* The number of the first range of the pool that bears this id, from 1; 0 for none. */
static unsigned group_of(const struct pool *p, const char *id)
{
	unsigned n = 0;

	if (!*id)
		return 0;
	for (unsigned s = 0; s < p->n_sets; s++) {
		for (unsigned i = 0; i < p->sets[s].n_ranges; i++) {
			n++;
			if (!strcmp(p->sets[s].ranges[i].id, id))
				return n;
		}
	}
	return 0;
}

static bool set_has_id(const struct pool_set *set, const char *id)
{
	for (unsigned i = 0; *id && i < set->n_ranges; i++) {
		if (!strcmp(set->ranges[i].id, id))
			return true;
	}
	return false;
}

static void add_range(struct taking *t, const struct pool_range *range)
{
	t->origins[t->n_ranges] = range;
	t->ranges[t->n_ranges++] = (struct store_range){
		.span = range->usable,
		.holes = range->holes,
		.n_holes = range->n_holes,
		.capacity = range->capacity,
		.group = group_of(t->pool, range->id),
	};
}

static void add_choice(struct taking *t, unsigned index)
{
	const struct pool_set *set = &t->pool->sets[index];
	struct store_choice *choice = &t->want.choices[index];
	bool narrow = set_has_id(set, t->id);

	t->first[index] = t->n_ranges;
	for (unsigned i = 0; i < set->n_ranges; i++) {
		if (!narrow || !strcmp(set->ranges[i].id, t->id))
			add_range(t, &set->ranges[i]);
	}
	choice->ranges = t->ranges + t->first[index];
	choice->n_ranges = t->n_ranges - t->first[index];
}

static int prepare_ranges(struct taking *t, struct err *e)
{
	unsigned all = 1;

	for (unsigned s = 0; s < t->pool->n_sets; s++)
		all += t->pool->sets[s].n_ranges;
	t->ranges = calloc(all, sizeof(t->ranges[0]));
	t->origins = calloc(all, sizeof(t->origins[0]));
	if (!t->ranges || !t->origins)
		return err_sys(e, ERR_IO, ENOMEM, "ipam.ranges");
	for (unsigned s = 0; s < t->pool->n_sets; s++)
		add_choice(t, s);
	return 0;
}

static int prepare_ports(struct taking *t, struct err *e)
{
	const struct lease_wish *wish = t->wish;

	if (wish->n_ports > STORE_PORTS)
		return err_set(e, ERR_CONFIG, EINVAL, "%u host ports are too many, allowed: %d",
			       wish->n_ports, STORE_PORTS);
	if (wish->n_ports)
		memcpy(t->want.ports, wish->ports, wish->n_ports * sizeof(wish->ports[0]));
	t->want.n_ports = wish->n_ports;
	t->want.joins = wish->joins;
	t->want.dynamic_first = wish->dynamic_first;
	t->want.dynamic_last = wish->dynamic_last;
	return 0;
}

int taking_prepare(struct taking *t, struct err *e)
{
	int rc = place_statics(t, e);

	if (!rc)
		rc = prepare_ranges(t, e);
	if (!rc)
		rc = prepare_ports(t, e);
	t->want.key = attachment_key(t->a);
	t->want.n_choices = t->pool->n_sets;
	t->want.placement = (enum store_placement)t->pool->placement;
	t->want.dry_run = t->wish->dry_run;
	return rc;
}

void taking_free(struct taking *t)
{
	if (!t)
		return;
	free(t->ranges);
	free(t->origins);
	free(t);
}
