/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Special-purpose blocks (IANA's registries of RFC 6890), as far as a host or a router treats their
 * addresses otherwise, and the blocks at which AWS has services for tasks. Of 169.254.0.0/16 only
 * those two: ECS itself gives tasks of a bridge addresses of 169.254.172.0/22.
 */
#include "base/ip_special.h"

#include <stddef.h>

static const struct {
	const char *block, *what;
} specials[IP_SPECIAL_BLOCKS] = {
	{ "0.0.0.0/8", "an address of this network (RFC 791)" },
	{ "127.0.0.0/8", "a loopback address" },
	{ "169.254.169.0/24", "an address of AWS's services, such as instance metadata" },
	{ "169.254.170.0/24", "an address of AWS's services, such as task metadata" },
	{ "224.0.0.0/4", "a multicast address" },
	{ "240.0.0.0/4", "a reserved or broadcast address" },
	{ "::/96", "the unspecified, the loopback or an IPv4-compatible address" },
	{ "::ffff:0:0/96", "an IPv4-mapped address" },
	{ "fd00:ec2::/32", "an address of AWS's services, such as instance metadata" },
	{ "fe80::/10", "a link-local address" },
	{ "ff00::/8", "a multicast address" },
};

struct ip_special ip_special(unsigned i)
{
	struct ip_special ret = { .what = specials[i].what };

	cidr_parse(specials[i].block, &ret.block);
	return ret;
}

const char *ip_special_name(const struct ip *a)
{
	for (unsigned i = 0; i < IP_SPECIAL_BLOCKS; i++) {
		struct ip_special s = ip_special(i);

		if (cidr_contains(&s.block, a))
			return s.what;
	}
	return NULL;
}
