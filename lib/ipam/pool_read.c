/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * pool_read(): what `ipam` says becomes sets of judged ranges, routes and DNS settings. Sets come
 * from three places, in host-local's order: the runtime's ipRanges, the older single range,
 * `ranges`.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "ranges.h"

#define PATH_TEXT     64
#define SCOPE_ABSENT  UINT32_MAX
#define SCOPE_LINK    253
#define SCOPE_HOST    254
#define RANGES_REMEDY "write a list of lists: \"ranges\": [[{\"subnet\": \"10.0.1.0/24\"}]]"

/* What stays the same while the sets are read. */
struct reading {
	struct pool *pool;
	enum pool_reserve reserve;
	struct err *e;
};

static int refuse_shape(const json *value, const char *path, const char *expected, struct err *e)
{
	cleanup_free char *text = json_print(value);
	char shown[60];

	text_printable(shown, sizeof(shown), text ? text : "?");
	err_set(e, ERR_CONFIG, EINVAL, "%s: %s is no %s", path, shown, expected);
	err_hint(e, RANGES_REMEDY);
	return -EINVAL;
}

/* "PATH[n]" */
static const char *path_entry(char buf[static PATH_TEXT], const char *path, unsigned n)
{
	struct text t;

	text_init(&t, buf, PATH_TEXT);
	text_add(&t, "%s[%u]", path, n);
	return buf;
}

static int judge_size(const struct reading *r, unsigned n, const char *path)
{
	if (!n)
		return err_set(r->e, ERR_CONFIG, EINVAL, "%s: the set is empty", path);
	if (n > POOL_RANGES)
		return err_set(r->e, ERR_CONFIG, EINVAL, "%s: %u ranges are too many, allowed: %d",
			       path, n, POOL_RANGES);
	if (r->pool->n_sets == POOL_SETS)
		return err_set(r->e, ERR_CONFIG, EINVAL, "%s: one set too many, allowed: %d", path,
			       POOL_SETS);
	return 0;
}

/* Room for @n ranges. Return: NULL with *e filled in, if it may not or cannot be had. */
static struct pool_set *add_set(const struct reading *r, unsigned n, const char *path)
{
	struct pool_set *set;

	if (judge_size(r, n, path))
		return NULL;
	set = &r->pool->sets[r->pool->n_sets];
	set->ranges = calloc(n, sizeof(set->ranges[0]));
	if (!set->ranges) {
		err_sys(r->e, ERR_IO, ENOMEM, "%s", path);
		return NULL;
	}
	r->pool->n_sets++;
	return set;
}

/* The range is filled in: judge it and count it in. */
static int add_range(const struct reading *r, struct pool_set *set, const char *path)
{
	struct pool_range *range = &set->ranges[set->n_ranges];
	int rc = range_derive(range, path, r->e);

	if (rc)
		return rc;
	if (range->subnet.ip.family != set->ranges[0].subnet.ip.family) {
		err_set(r->e, ERR_CONFIG, EINVAL, "%s: IPv4 and IPv6 in one set", path);
		err_hint(r->e, "a set is one address: write a set for each family");
		return -EINVAL;
	}
	set->n_ranges++;
	return 0;
}

static int read_range(const struct reading *r, const json *object, struct pool_set *set,
		      const char *path)
{
	struct pool_range *range = &set->ranges[set->n_ranges];
	int rc;

	if (json_kind(object) != JSON_IS_OBJECT)
		return refuse_shape(object, path, "range", r->e);
	range->reserve = r->reserve;
	range->reserve_given = !json_is_absent(json_get(object, "reserve"));
	rc = field_read(pool_range_fields, object, path, ERR_CONFIG, range, r->e);
	return rc ? rc : add_range(r, set, path);
}

static int read_set(const struct reading *r, const json *list, const char *path)
{
	struct pool_set *set;
	char at[PATH_TEXT];
	int rc = 0;

	if (json_kind(list) != JSON_IS_ARRAY)
		return refuse_shape(list, path, "list", r->e);
	set = add_set(r, json_count(list), path);
	if (!set)
		return -EINVAL;
	for (const json *i = json_first(list); i && !rc; i = json_next(i)) {
		rc = read_range(r, i, set, path_entry(at, path, set->n_ranges));
	}
	return rc;
}

static int read_single(const struct reading *r, const json *object, const char *path)
{
	struct pool_set *set = add_set(r, 1, path);

	return set ? read_range(r, object, set, path) : -EINVAL;
}

/* @flat: an entry may also be a range, not a list: go-cni's shape of ipRanges. */
static int read_sets(const struct reading *r, const json *list, const char *path, bool flat)
{
	char at[PATH_TEXT];
	unsigned n = 0;
	int rc = 0;

	if (json_is_absent(list))
		return 0;
	if (json_kind(list) != JSON_IS_ARRAY)
		return refuse_shape(list, path, "list", r->e);
	for (const json *i = json_first(list); i && !rc; i = json_next(i), n++) {
		path_entry(at, path, n);
		if (flat && json_kind(i) == JSON_IS_OBJECT)
			rc = read_single(r, i, at);
		else
			rc = read_set(r, i, at);
	}
	return rc;
}

/* Without `subnet` the other three say nothing, as in host-local. */
static int read_legacy(const struct reading *r)
{
	struct pool *p = r->pool;
	struct pool_set *set;

	if (!ip_is_set(&p->subnet.ip))
		return 0;
	set = add_set(r, 1, "ipam");
	if (!set)
		return -EINVAL;
	set->ranges[0].subnet = p->subnet;
	set->ranges[0].range_start = p->range_start;
	set->ranges[0].range_end = p->range_end;
	set->ranges[0].gateway = p->gateway;
	set->ranges[0].reserve = r->reserve;
	return add_range(r, set, "ipam");
}

static int judge_pair(const struct pool_range *a, const struct pool_range *b, struct err *e)
{
	char one[SPAN_TEXT], two[SPAN_TEXT];

	if (a->usable.first.family != b->usable.first.family ||
	    ip_cmp(&a->usable.last, &b->usable.first) < 0 ||
	    ip_cmp(&b->usable.last, &a->usable.first) < 0)
		return 0;
	err_set(e, ERR_CONFIG, EINVAL, "ipam.ranges: the ranges %s and %s overlap",
		span_text(&a->usable, one), span_text(&b->usable, two));
	err_hint(e,
		 "an address may come from one range only: part them by rangeStart and rangeEnd");
	return -EINVAL;
}

/* All ranges before range @i of set @s. */
static int judge_against(const struct pool *p, unsigned s, unsigned i, struct err *e)
{
	const struct pool_range *range = &p->sets[s].ranges[i];
	int rc = 0;

	for (unsigned t = 0; t <= s; t++) {
		unsigned n = t < s ? p->sets[t].n_ranges : i;

		for (unsigned k = 0; k < n && !rc; k++)
			rc = judge_pair(&p->sets[t].ranges[k], range, e);
	}
	return rc;
}

static int judge_overlap(const struct pool *p, struct err *e)
{
	int rc = 0;

	for (unsigned s = 0; s < p->n_sets; s++) {
		for (unsigned i = 0; i < p->sets[s].n_ranges && !rc; i++)
			rc = judge_against(p, s, i, e);
	}
	return rc;
}

static int finish_route(struct route *r, unsigned index, struct err *e)
{
	r->dst.ip = cidr_first(&r->dst);
	if (ip_is_set(&r->gw) && r->gw.family != r->dst.ip.family)
		return err_set(e, ERR_CONFIG, EINVAL,
			       "ipam.routes[%u]: dst and gw are of different families", index);
	r->has_scope = r->scope != SCOPE_ABSENT;
	if (!r->has_scope) {
		r->scope = 0;
	} else if (r->scope && r->scope != SCOPE_LINK && r->scope != SCOPE_HOST) {
		err_set(e, ERR_CONFIG, EINVAL, "ipam.routes[%u].scope: %u is unknown", index,
			r->scope);
		err_hint(e, "allowed: 0 (global), 253 (link), 254 (host)");
		return -EINVAL;
	}
	return 0;
}

static int finish_dns(struct pool *p, struct err *e)
{
	static const struct pool_dns none;

	if (*p->resolv_conf && !memcmp(&p->dns, &none, sizeof(none)))
		return resolv_read(p->resolv_conf, &p->dns, e);
	return pool_judge_dns(&p->dns, pool_dns_fields, "ipam.dns", e);
}

static int judge_path(const char *path, const char *key, struct err *e)
{
	if (!*path || *path == '/')
		return 0;
	err_set(e, ERR_CONFIG, EINVAL, "ipam.%s: \"%s\" is no absolute path", key, path);
	err_hint(e, "a plugin runs in whatever directory the runtime is in: start with /");
	return -EINVAL;
}

/* Of the IPAM plugin static. To ignore it would give the task another address. */
static int refuse_addresses(const json *ipam, struct err *e)
{
	if (!json_count(json_get(ipam, "addresses")))
		return 0;
	err_set(e, ERR_CONFIG, EINVAL, "ipam.addresses: not offered by " POOL_TYPE);
	err_hint(e, "name the subnet in ipam.ranges and ask for the address by runtimeConfig.ips, "
		    "args.cni.ips or CNI_ARGS IP=; or use ipam.type: static");
	return -EINVAL;
}

static int read_keys(const json *ipam, struct pool *p, struct err *e)
{
	int rc;

	p->cooldown_s = pool_read_cooldown(NULL);
	for (unsigned i = 0; i < ATTACHMENT_ROUTES; i++)
		p->routes[i].scope = SCOPE_ABSENT;
	rc = refuse_addresses(ipam, e);
	if (!rc)
		rc = field_read(pool_fields, ipam, "ipam", ERR_CONFIG, p, e);
	for (unsigned i = 0; i < p->n_routes && !rc; i++)
		rc = finish_route(&p->routes[i], i, e);
	if (!rc)
		rc = judge_path(p->data_dir, "dataDir", e);
	if (!rc)
		rc = judge_path(p->resolv_conf, "resolvConf", e);
	if (!rc)
		rc = finish_dns(p, e);
	if (!*p->data_dir)
		text_copy(p->data_dir, sizeof(p->data_dir), POOL_DATA_DIR);
	return rc;
}

int pool_read(const json *ipam, const json *extra_ranges, enum pool_reserve reserve,
	      struct pool *ret, struct err *e)
{
	struct reading r = { .pool = ret, .reserve = reserve, .e = e };
	int rc;

	memset(ret, 0, sizeof(*ret));
	rc = read_keys(ipam, ret, e);
	if (!rc)
		rc = read_sets(&r, extra_ranges, "runtimeConfig.ipRanges", true);
	if (!rc)
		rc = read_legacy(&r);
	if (!rc)
		rc = read_sets(&r, ret->ranges, "ipam.ranges", false);
	if (!rc)
		rc = judge_overlap(ret, e);
	ret->ranges = NULL;
	if (rc)
		pool_free(ret);
	return rc;
}
