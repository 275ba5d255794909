/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who listens in a namespace: asked by NETLINK_SOCK_DIAG, as ss(8) does. */
#ifndef KERNEL_SOCKET_H
#define KERNEL_SOCKET_H

#include "base/ip.h"
#include "kernel/netlink.h"

/*
 * socket_listens: does a socket take what comes for @ip and @port? One of :: takes IPv4 as well,
 * unless it said that it does not.
 * @nl: a NETLINK_SOCK_DIAG socket in the namespace.
 * @protocol: IPPROTO_TCP, or IPPROTO_UDP: then an unconnected socket.
 * Return: 1, 0 if nobody does, or a negative errno (-ENOENT: this kernel cannot tell).
 */
int socket_listens(struct netlink *nl, uint8_t protocol, const struct ip *ip, uint16_t port,
		   struct err *e);

#endif
