/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * May this address be given? Each reason has words of its own: "not available" for an address
 * outside of the pool, for the gateway and for one that somebody holds is what people search for in
 * vain.
 */
#include <errno.h>
#include <string.h>

#include "ranges.h"

static int refuse_reserved(const struct pool_range *r, const struct ip *a, struct err *e)
{
	struct reserved reserved[RESERVED_MAX];
	unsigned n = range_reserved(r, reserved);
	char text[IP_TEXT], subnet[IP_TEXT];

	for (unsigned i = 0; i < n; i++) {
		if (!ip_equal(&reserved[i].address, a))
			continue;
		return err_set(e, ERR_ADDRESS, EINVAL, "%s is reserved in subnet %s: %s",
			       ip_text(a, text), cidr_text(&r->subnet, subnet), reserved[i].why);
	}
	return 0;
}

static int refuse_excluded(const struct pool_range *r, const struct ip *a, struct err *e)
{
	char text[IP_TEXT], subnet[IP_TEXT], entry[IP_TEXT];

	for (unsigned i = 0; i < r->n_exclude; i++) {
		if (!cidr_contains(&r->exclude[i], a))
			continue;
		return err_set(e, ERR_ADDRESS, EINVAL, "%s is excluded by \"%s\" in subnet %s",
			       ip_text(a, text), cidr_text(&r->exclude[i], entry),
			       cidr_text(&r->subnet, subnet));
	}
	return 0;
}

static int refuse_beyond(const struct pool_range *r, const struct ip *a, struct err *e)
{
	char text[IP_TEXT], subnet[IP_TEXT], span[SPAN_TEXT];

	if (span_contains(&r->usable, a))
		return 0;
	return err_set(e, ERR_ADDRESS, EINVAL, "%s is outside of %s, the range of subnet %s",
		       ip_text(a, text), span_text(&r->usable, span),
		       cidr_text(&r->subnet, subnet));
}

static int refuse_outside(const struct pool *p, const struct ip *a, struct err *e)
{
	char text[IP_TEXT], all[900];
	struct text t;

	text_init(&t, all, sizeof(all));
	for (unsigned s = 0; s < p->n_sets; s++) {
		for (unsigned i = 0; i < p->sets[s].n_ranges; i++) {
			text_add(&t, "%s%s", t.len ? ", " : "",
				 cidr_text(&p->sets[s].ranges[i].subnet, text));
		}
	}
	err_set(e, ERR_ADDRESS, EINVAL, "%s is outside every subnet of the network",
		ip_text(a, text));
	if (p->n_sets)
		err_hint(e, "subnets: %s%s", all, t.overflow ? " ..." : "");
	else
		err_hint(e, "the network has no `ipam.ranges`");
	return -EINVAL;
}

/* The address lies in the subnet: is it the range's to give? */
static int judge_in_range(const struct pool_range *r, const struct ip *a, struct err *e)
{
	if (refuse_reserved(r, a, e) || refuse_beyond(r, a, e) || refuse_excluded(r, a, e))
		return -EINVAL;
	return 0;
}

static int refuse_special(const char *what, const struct ip *a, struct err *e)
{
	char text[IP_TEXT];

	err_set(e, ERR_ADDRESS, EINVAL, "%s is %s", ip_text(a, text), what);
	err_hint(e, "no task may have it: ask for another address");
	return -EINVAL;
}

int pool_avoid(struct pool *p, const struct ip *address)
{
	int r = 0;

	for (unsigned s = 0; s < p->n_sets && r == 0; s++)
		for (unsigned i = 0; i < p->sets[s].n_ranges && r == 0; i++)
			r = range_avoid(&p->sets[s].ranges[i], address);
	return r;
}

int pool_judge(const struct pool *p, const struct ip *address, unsigned *set, unsigned *range,
	       struct err *e)
{
	const char *special = ip_special_name(address);
	bool in_subnet = false;

	if (special)
		return refuse_special(special, address, e);
	for (unsigned s = 0; s < p->n_sets; s++) {
		for (unsigned i = 0; i < p->sets[s].n_ranges; i++) {
			const struct pool_range *r = &p->sets[s].ranges[i];

			if (!cidr_contains(&r->subnet, address))
				continue;
			in_subnet = true;
			*set = s;
			*range = i;
			if (!judge_in_range(r, address, e))
				return 0;
			/* A subnet may be split into ranges: the one that has it decides. */
			if (span_contains(&r->usable, address))
				return -EINVAL;
		}
	}
	return in_subnet ? -EINVAL : refuse_outside(p, address, e);
}
