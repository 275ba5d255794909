/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel's answers, garbled, truncated, endless: sendto and recv are ours (--wrap), and hand
 * out the input piece by piece: a length, then so many bytes.
 */
#include "fuzz.h"

#include "kernel/conntrack.h"
#include "kernel/link.h"
#include "kernel/nft.h"
#include "kernel/route.h"

#include <errno.h>
#include <sys/socket.h>

ssize_t __wrap_sendto(int fd, const void *p, size_t len, int flags, const struct sockaddr *to,
		      socklen_t n);
ssize_t __wrap_recv(int fd, void *p, size_t size, int flags);

static const uint8_t *rest;
static size_t left;

ssize_t __wrap_sendto(int fd, const void *p, size_t len, int flags, const struct sockaddr *to,
		      socklen_t n)
{
	(void)fd, (void)p, (void)flags, (void)to, (void)n;
	return (ssize_t)len;
}

ssize_t __wrap_recv(int fd, void *p, size_t size, int flags)
{
	size_t n;

	(void)fd, (void)flags;
	if (left < 2) {
		errno = EAGAIN;
		return -1;
	}
	n = (size_t)(rest[0] | rest[1] << 8);
	rest += 2, left -= 2;
	if (n > left)
		n = left;
	if (n > size)
		n = size;
	memcpy(p, rest, n);
	rest += n, left -= n;
	return (ssize_t)n;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct netlink nl = { .fd = 1000 };
	struct addr_info lasting[8];
	struct route_uplink uplink;
	struct route_spec route = { .ifindex = 2 };
	struct link_info link;
	struct cidr list[8], c;
	enum addr_detected how;
	struct mac mac = { 0 };
	struct err e;
	struct ip ip;
	unsigned n;

	if (!size)
		return 0;
	rest = data + 1;
	left = size - 1;
	cidr_parse("10.0.0.1/24", &c);
	route.dst = c;
	switch (data[0] % 11) {
	case 0:
		link_by_index(&nl, 2, &link, &e);
		break;
	case 1:
		link_by_name(&nl, "eth0", &link, &e);
		break;
	case 2:
		link_has_ports(&nl, 2, &e);
		break;
	case 3:
		addr_find(&nl, 2, &c, &e);
		break;
	case 4:
		addr_list(&nl, 2, list, 8, &n, &e);
		break;
	case 5:
		addr_detected(&nl, 2, &c, &how, &e);
		break;
	case 6:
		addr_first(&nl, 2, 2, &ip, &e);
		break;
	case 7:
		route_find(&nl, &route, &e);
		break;
	case 8:
		neigh_find(&nl, 2, &c.ip, &mac, &e);
		break;
	case 9:
		route_uplink_find(&nl, 2, &uplink, &e);
		break;
	case 10:
		addr_lasting(&nl, 0, lasting, 8, &n, &e);
		break;
	}
	return 0;
}
