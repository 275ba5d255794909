/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Deferred release. Deleting a link keeps its caller waiting for RCU grace periods (16 ms and more)
 * after the link is gone for every observer. So a detached child carries the request, and we return
 * as soon as the kernel has told that the link is gone.
 */
#ifndef KERNEL_RELEASE_H
#define KERNEL_RELEASE_H

#include "kernel/netlink.h"

/*
 * link_release: delete the link @ifindex of namespace @ns.
 * @nl: a NETLINK_ROUTE socket in @ns.
 * The child shares our memory, holds none of our descriptors but its own socket, is no member of
 * our session, and ends by itself. It asks for nothing after our death: what it has asked for comes
 * about. If it fails or is killed, or the kernel takes longer than ten seconds, whatever other
 * links do meanwhile, the link is deleted synchronously here.
 *
 * Return: 0 if the link is gone (also if it never was), or a negative errno.
 */
int link_release(const struct netns *ns, const struct netns *host, struct netlink *nl,
		 uint32_t ifindex, struct err *e);

#endif
