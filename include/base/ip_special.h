/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Blocks of addresses that no task may have, whoever gives them. */
#ifndef BASE_IP_SPECIAL_H
#define BASE_IP_SPECIAL_H

#include "base/ip.h"

#define IP_SPECIAL_BLOCKS 11

struct ip_special {
	struct cidr block;
	const char *what; /* "a loopback address" */
};

/* ip_special: the @i-th of the IP_SPECIAL_BLOCKS. */
struct ip_special ip_special(unsigned i);
/* ip_special_name: what is special about @a: "a loopback address"; NULL: nothing. */
const char *ip_special_name(const struct ip *a);

#endif
