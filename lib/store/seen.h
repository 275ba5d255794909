/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which IPv4 addresses had a holder in this boot: never one too few, sometimes one too many. A few
 * spans cover them all, as addresses are given one after the other. What is covered only grows, by
 * one aligned store to memory at a time, so a kill at any instant forgets nothing.
 */
#ifndef STORE_SEEN_H
#define STORE_SEEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/ip.h"

#define SEEN_SPANS 16u

struct seen {
	uint32_t complete; /* 0: of what was held before this store began nobody knows */
	uint32_t n;
	struct {
		uint32_t first, last; /* host byte order */
	} spans[SEEN_SPANS];
};

/* seen_never: certainly nobody held @a in this boot. False of IPv6, which is not written down. */
bool seen_never(const struct seen *seen, const struct ip *a);
/* seen_add: from now on somebody did. */
void seen_add(struct seen *seen, const struct ip *a);

#endif
