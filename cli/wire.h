/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Sockets in any namespace of a lab. A socket stays where it was opened, so one process holds both
 * ends of every conversation, and no scheduler stands between a question and its answer.
 */
#ifndef CLI_WIRE_H
#define CLI_WIRE_H

#include <netinet/in.h>

#include "lab.h"

#define PATIENCE_MS 600 /* until an answer counts as none */

/* wire_socket: Return: a descriptor, or a negative errno. */
int wire_socket(const struct lab *lab, const struct netns *ns, int domain, int type, int protocol);
/* wire_sockaddr: @ip (IPv4) and @port as the kernel wants them. */
struct sockaddr_in wire_sockaddr(const struct ip *ip, unsigned port);
struct ip wire_ip(const char *text);
/* wire_bound: a socket of @type at @ip:@port, listening if it is a stream. As wire_socket. */
int wire_bound(const struct lab *lab, const struct netns *ns, int type,
	       const struct sockaddr_in *at);

struct meeting {
	int client, server; /* TCP, connected to each other; -1: closed */
	struct ip seen;     /* who the server thinks has come */
	bool tried;         /* a server listened, and a client set out */
};
#define MEETING_NONE                                                                               \
	{                                                                                          \
		.client = -1, .server = -1                                                         \
	}

struct rendezvous {
	const struct netns *client, *server;
	struct ip listen; /* where in @server; family 0: anywhere */
	struct ip to;     /* where the client goes */
	unsigned port;
};

/*
 * wire_meet: a server listens, a client comes. Return: 0, or a negative errno as the client saw it
 * (-ETIMEDOUT if nobody answered); where ret->tried is false, why there was nothing to see.
 */
int wire_meet(const struct lab *lab, const struct rendezvous *where, struct meeting *ret);
void meeting_end(struct meeting *m);
#define cleanup_meeting CLEANUP(meeting_end)
/* wire_words: what -errno of wire_meet means. */
const char *wire_words(int r);

/* wire_nic: the first interface other than lo. wire_has: is @ip an address in @ns? */
int wire_nic(const struct lab *lab, const struct netns *ns, struct nic *ret);
bool wire_has(const struct lab *lab, const struct netns *ns, const struct ip *ip);
/* wire_links: how many interfaces are there? */
unsigned wire_links(const struct lab *lab, const struct netns *ns);

/* wire_neighbour: whom @ns takes @ip for. Return: 0, 1 if it does not know, or a negative errno. */
int wire_neighbour(const struct lab *lab, const struct netns *ns, const struct ip *ip,
		   struct mac *ret);
/* wire_has_router: has @ns a route by @router (IPv6)? */
bool wire_has_router(const struct lab *lab, const struct netns *ns, const struct ip *router);
/* wire_greet: one datagram from @ns to @to, so that its neighbour is found. */
void wire_greet(const struct lab *lab, const struct netns *ns, const struct ip *to);

#endif
