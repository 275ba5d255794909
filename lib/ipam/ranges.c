/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One range: from what is configured to the span of addresses and the holes in it. The rules of who
 * reserves what stand in one place, range_reserved(): the holes are made from it, and so are the
 * words of pool_judge(), so that the two cannot differ.
 */
#include "ranges.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

const char *span_text(const struct ip_span *s, char buf[static SPAN_TEXT])
{
	char first[IP_TEXT], last[IP_TEXT];

	snprintf(buf, SPAN_TEXT, "%s-%s", ip_text(&s->first, first), ip_text(&s->last, last));
	return buf;
}

/* A VPC: network, router, DNS, one for the future, and the broadcast address that nobody uses. */
static unsigned reserved_aws(const struct cidr *subnet, struct reserved *ret)
{
	static const char *const why[] = { "the network address", "the router (base + 1)",
					   "the DNS server (base + 2)",
					   "kept for future use (base + 3)" };
	struct ip base = cidr_first(subnet);
	unsigned n;

	for (n = 0; n < ARRAY_SIZE(why); n++)
		ret[n] = (struct reserved){ ip_add(&base, n), why[n] };
	ret[n++] = (struct reserved){ cidr_last(subnet), "the last (broadcast) address" };
	return n;
}

/* A LAN: IPv6 has no broadcast address, its base is the anycast address of the routers. */
static unsigned reserved_minimal(const struct cidr *subnet, struct reserved *ret)
{
	bool v4 = subnet->ip.family == AF_INET;

	ret[0] = (struct reserved){ cidr_first(subnet),
				    v4 ? "the network address" : "the routers' anycast address" };
	ret[1] = (struct reserved){ cidr_last(subnet), "the broadcast address" };
	return v4 ? 2 : 1;
}

unsigned range_reserved(const struct pool_range *r, struct reserved ret[static RESERVED_MAX])
{
	ret[0] = (struct reserved){ r->gateway, "the gateway" };
	if (r->reserve == RESERVE_AWS)
		return 1 + reserved_aws(&r->subnet, ret + 1);
	return 1 + reserved_minimal(&r->subnet, ret + 1);
}

static int refuse(struct err *e, const char *path, const char *key, const char *value,
		  const char *complaint)
{
	return err_set(e, ERR_CONFIG, EINVAL, "%s.%s: \"%s\" %s", path, key, value, complaint);
}

static const char *wrong_subnet(const struct cidr *subnet)
{
	struct ip first = cidr_first(subnet), last = cidr_last(subnet);

	if (ip_is_unspecified(&first))
		return "starts with the unspecified address";
	if (ip_is_multicast(&first) || ip_is_multicast(&last))
		return "holds multicast addresses";
	if (ip_is_loopback(&first) || ip_is_loopback(&last))
		return "holds loopback addresses";
	if (subnet->len > ip_bits(&subnet->ip) - 2)
		return "is too small: no address is left for a task";
	return NULL;
}

/* A block that no task may have an address of, with @subnet within it. Return: 0, or -EINVAL. */
static int judge_special(const struct cidr *subnet, const char *path, struct err *e)
{
	char text[IP_TEXT], block[IP_TEXT];

	for (unsigned i = 0; i < IP_SPECIAL_BLOCKS; i++) {
		struct ip_special s = ip_special(i);

		if (subnet->len < s.block.len || !cidr_contains(&s.block, &subnet->ip))
			continue;
		err_set(e, ERR_CONFIG, EINVAL, "%s.subnet: \"%s\" is within %s: each is %s", path,
			cidr_text(subnet, text), cidr_text(&s.block, block), s.what);
		err_hint(e, "no task may have such an address: use a private subnet");
		return -EINVAL;
	}
	return 0;
}

static int judge_subnet(const struct pool_range *r, const char *path, struct err *e)
{
	const char *complaint = wrong_subnet(&r->subnet);
	char text[IP_TEXT];

	if (!complaint)
		return judge_special(&r->subnet, path, e);
	refuse(e, path, "subnet", cidr_text(&r->subnet, text), complaint);
	err_hint(e, "allowed: a unicast network of at most /%u", ip_bits(&r->subnet.ip) - 2);
	return -EINVAL;
}

static int judge_inside(const struct pool_range *r, const struct ip *a, const char *path,
			const char *key, struct err *e)
{
	char text[IP_TEXT], subnet[IP_TEXT];

	if (!ip_is_set(a) || cidr_contains(&r->subnet, a))
		return 0;
	refuse(e, path, key, ip_text(a, text), "is outside the subnet");
	err_hint(e, "allowed: an address of %s", cidr_text(&r->subnet, subnet));
	return -EINVAL;
}

static int derive_gateway(struct pool_range *r, const char *path, struct err *e)
{
	struct ip first = cidr_first(&r->subnet), last = cidr_last(&r->subnet);
	char text[IP_TEXT];

	if (!ip_is_set(&r->gateway))
		r->gateway = ip_add(&first, 1);
	if (judge_inside(r, &r->gateway, path, "gateway", e))
		return -EINVAL;
	if (ip_equal(&r->gateway, &first))
		return refuse(e, path, "gateway", ip_text(&first, text), "is the network address");
	if (r->gateway.family == AF_INET && ip_equal(&r->gateway, &last))
		return refuse(e, path, "gateway", ip_text(&last, text), "is the broadcast address");
	return 0;
}

static int derive_usable(struct pool_range *r, const char *path, struct err *e)
{
	char first[IP_TEXT], last[IP_TEXT];

	if (judge_inside(r, &r->range_start, path, "rangeStart", e) ||
	    judge_inside(r, &r->range_end, path, "rangeEnd", e))
		return -EINVAL;
	r->usable = cidr_span(&r->subnet);
	if (ip_is_set(&r->range_start))
		r->usable.first = r->range_start;
	if (ip_is_set(&r->range_end))
		r->usable.last = r->range_end;
	if (ip_cmp(&r->usable.first, &r->usable.last) <= 0)
		return 0;
	return err_set(e, ERR_CONFIG, EINVAL, "%s: rangeStart \"%s\" comes after rangeEnd \"%s\"",
		       path, ip_text(&r->usable.first, first), ip_text(&r->usable.last, last));
}

/* Only what lies within the usable span counts: so capacity is a plain difference. */
static void add_hole(struct pool_range *r, struct ip_span hole)
{
	if (ip_cmp(&hole.first, &r->usable.first) < 0)
		hole.first = r->usable.first;
	if (ip_cmp(&hole.last, &r->usable.last) > 0)
		hole.last = r->usable.last;
	if (ip_cmp(&hole.first, &hole.last) <= 0)
		r->holes[r->n_holes++] = hole;
}

static int compare_spans(const void *a, const void *b)
{
	const struct ip_span *one = a, *two = b;

	return ip_cmp(&one->first, &two->first);
}

/* Overlapping and touching holes become one. */
static void merge_holes(struct pool_range *r)
{
	unsigned kept = 0;

	qsort(r->holes, r->n_holes, sizeof(r->holes[0]), compare_spans);
	for (unsigned i = 1; i < r->n_holes; i++) {
		struct ip_span *last = &r->holes[kept], *next = &r->holes[i];

		if (ip_to_num(&next->first) > ip_to_num(&last->last) + 1)
			r->holes[++kept] = *next;
		else if (ip_cmp(&next->last, &last->last) > 0)
			last->last = next->last;
	}
	if (r->n_holes)
		r->n_holes = kept + 1;
}

static int derive_holes(struct pool_range *r, const char *path, struct err *e)
{
	struct reserved reserved[RESERVED_MAX];
	unsigned n = range_reserved(r, reserved);

	r->n_holes = 0;
	for (unsigned i = 0; i < n; i++)
		add_hole(r, (struct ip_span){ reserved[i].address, reserved[i].address });
	for (unsigned i = 0; i < r->n_exclude; i++) {
		struct ip_span span = cidr_span(&r->exclude[i]);

		if (!cidr_contains(&r->subnet, &span.first) ||
		    !cidr_contains(&r->subnet, &span.last)) {
			char text[IP_TEXT];

			return refuse(e, path, "exclude", cidr_text(&r->exclude[i], text),
				      "is outside the subnet");
		}
		add_hole(r, span);
	}
	for (unsigned i = 0; i < IP_SPECIAL_BLOCKS; i++) {
		struct ip_special s = ip_special(i);

		if (s.block.ip.family == r->subnet.ip.family)
			add_hole(r, cidr_span(&s.block));
	}
	merge_holes(r);
	return 0;
}

/* By the addresses themselves: span_size() is capped, which would be wrong for a /64 less its
 * holes. */
static uint64_t capacity(const struct pool_range *r)
{
	ip_num n = ip_to_num(&r->usable.last) - ip_to_num(&r->usable.first) + 1;

	for (unsigned i = 0; i < r->n_holes; i++)
		n -= ip_to_num(&r->holes[i].last) - ip_to_num(&r->holes[i].first) + 1;
	return n > UINT64_MAX ? UINT64_MAX : (uint64_t)n;
}

static bool has_hole(const struct pool_range *r, const struct ip *a)
{
	for (unsigned i = 0; i < r->n_holes; i++)
		if (span_contains(&r->holes[i], a))
			return true;
	return false;
}

int range_avoid(struct pool_range *r, const struct ip *a)
{
	if (!span_contains(&r->usable, a) || has_hole(r, a))
		return 0;
	if (r->n_holes == ARRAY_SIZE(r->holes))
		return -E2BIG;
	add_hole(r, (struct ip_span){ *a, *a });
	merge_holes(r);
	r->capacity = capacity(r);
	return 0;
}

int range_derive(struct pool_range *r, const char *path, struct err *e)
{
	char text[IP_TEXT];

	if (judge_subnet(r, path, e) || derive_gateway(r, path, e) || derive_usable(r, path, e) ||
	    derive_holes(r, path, e))
		return -EINVAL;
	r->capacity = capacity(r);
	if (r->capacity)
		return 0;
	err_set(e, ERR_CONFIG, EINVAL, "%s: no usable address is left in \"%s\"", path,
		cidr_text(&r->subnet, text));
	err_hint(e, "%s holds back %s; and look at rangeStart, rangeEnd, exclude",
		 r->reserve == RESERVE_AWS ? "reserve \"aws\"" : "reserve \"minimal\"",
		 r->reserve == RESERVE_AWS ? "base + 0..3 and the last address"
					   : "network, broadcast and gateway");
	return -EINVAL;
}
