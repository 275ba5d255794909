/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Frames as an attacker writes them: any source, by a packet socket. */
#ifndef CLI_FRAME_H
#define CLI_FRAME_H

#include "wire.h"

#define FRAME_MAX 128

struct frame {
	unsigned char bytes[FRAME_MAX];
	size_t len;
};

struct frame_end {
	struct mac mac;
	struct ip ip;
};

/* frame_udp: a datagram to @port whose payload is @mark. */
void frame_udp(struct frame *ret, const struct frame_end *from, const struct frame_end *to,
	       unsigned port, uint32_t mark);
/* frame_arp: "@claim.ip is at @claim.mac": to @to.mac as an answer, or to all as a question. */
void frame_arp(struct frame *ret, const struct frame_end *claim, const struct frame_end *to,
	       bool answer);

/* frame_router: "@from.ip is an IPv6 router for @lifetime seconds", to all. */
void frame_router(struct frame *ret, const struct frame_end *from, uint16_t lifetime);

/* frame_socket: sends and receives whole frames at @ifindex (0: at all interfaces). As wire_socket.
 */
int frame_socket(const struct lab *lab, const struct netns *ns, uint32_t ifindex);
/* frame_send: Return: 0 or a negative errno. */
int frame_send(int fd, const struct frame *f);

#endif
