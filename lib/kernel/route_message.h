/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the kernel calls the parts of a route: for the requests and the queries of lib/kernel. */
#ifndef KERNEL_ROUTE_MESSAGE_H
#define KERNEL_ROUTE_MESSAGE_H

#include <errno.h>

#include "kernel/route.h"

uint8_t route_scope(const struct route_spec *r);
uint32_t route_table(const struct route_spec *r);
uint8_t route_kernel_type(const struct route_spec *r);

/*
 * route_goes_nowhere: does the answer @r to RTM_GETROUTE mean that there is no way: no route, one
 * that refuses or is in front of a rule that does, or an interface that may not forward what it
 * got?
 */
static inline bool route_goes_nowhere(int r)
{
	return r == -ENETUNREACH || r == -EHOSTUNREACH || r == -EACCES || r == -EINVAL ||
	       r == -EXDEV || r == -ENODEV || r == -ESRCH;
}

#endif
