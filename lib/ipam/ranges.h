/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the pool share. Private to ipam/. */
#ifndef IPAM_RANGES_H
#define IPAM_RANGES_H

#include "ipam/pool.h"

#define RESERVED_MAX 6 /* gateway, base + 0..+3, last */
#define SPAN_TEXT    (2UL * IP_TEXT)

/* An address that no task may have. */
struct reserved {
	struct ip address;
	const char *why; /* "the gateway" */
};

/* range_reserved: the rules of the range, the gateway's first. Return: how many. */
unsigned range_reserved(const struct pool_range *r, struct reserved ret[static RESERVED_MAX]);

/*
 * range_derive: judge what was configured and fill in gateway, usable, holes and capacity.
 * @path: where the range stands, for messages. Return: 0, or -EINVAL with code 7.
 */
int range_derive(struct pool_range *r, const char *path, struct err *e);

/* range_avoid: pool_avoid of one range. */
int range_avoid(struct pool_range *r, const struct ip *a);

/* "FIRST-LAST". Returns @buf. */
const char *span_text(const struct ip_span *s, char buf[static SPAN_TEXT]);

/*
 * resolv_read: a resolv.conf as DNS settings. What is more than @ret holds is left out, as the
 * resolver itself would. Return: 0, or -EINVAL with code 7.
 */
int resolv_read(const char *path, struct pool_dns *ret, struct err *e);

#endif
