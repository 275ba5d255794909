/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Netlink in batches: many requests, one sendmsg, one wait. The kernel works them off in order; its
 * errors come back with its own words (extended ACK). The namespace is a property of the socket, so
 * the same builders serve the host and the task.
 */
#ifndef KERNEL_NETLINK_H
#define KERNEL_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/cleanup.h"
#include "base/err.h"
#include "kernel/netns.h"

struct nl_msg;
struct nlmsghdr;

struct netlink {
	int fd; /* -1: not open */
	uint32_t seq;
};
#define NETLINK_CLOSED                                                                             \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/*
 * netlink_open: a socket of @protocol (NETLINK_ROUTE, NETLINK_NETFILTER) in namespace @ns; the
 * thread is back in @host afterwards. @ns == @host is fine.
 */
int netlink_open(int protocol, const struct netns *ns, const struct netns *host,
		 struct netlink *ret, struct err *e);
void netlink_close(struct netlink *nl);

/*
 * netlink_receive: as recv(), but of the kernel alone, and not interrupted. In its own namespace a
 * task with CAP_NET_ADMIN can send to any socket: what it says is passed over.
 */
ssize_t netlink_receive(int fd, void *buf, size_t size, int flags);

#define BATCH_BYTES    32768
#define BATCH_REQUESTS 256

/* Requests to be sent together. Large: keep it static or on the heap, one at a time. */
struct batch {
	size_t len;
	unsigned n;
	unsigned ack;     /* the request whose acknowledgement ends the batch: the last,
			   * save for the commit of an nft transaction */
	bool transaction; /* of nftables: an error of its first request is that of the whole, and
			   * the kernel may say no more */
	int error;        /* first building error (-ENOMEM, -EMSGSIZE), told by batch_send */
	uint32_t owner;   /* stamped on requests added from now on: see batch_failure */
	uint32_t owners[BATCH_REQUESTS];
	uint32_t tolerate[BATCH_REQUESTS];
	_Alignas(8) unsigned char bytes[BATCH_BYTES];
};

/* Errors that a request may end in without failing the batch; or them together. */
enum tolerate {
	TOLERATE_NOTHING = 0,
	TOLERATE_EXISTS = 1, /* EEXIST: shared things that are ensured */
	TOLERATE_ABSENT =
		2, /* ENOENT, ENODEV, ESRCH, EADDRNOTAVAIL, ENXIO: undo of what is not there */
};

void batch_reset(struct batch *b);
/* batch_has_room: for the requests of one more step; no step has more or longer ones. */
bool batch_has_room(const struct batch *b);
/* batch_add: append @msg and free it (NULL: no memory). For the builders of this layer. */
void batch_add(struct batch *b, struct nl_msg *msg, uint32_t tolerate);

struct batch_failure {
	uint32_t owner;       /* whose request failed */
	int error;            /* positive errno */
	char text[192];       /* the kernel's sentence, may be empty */
	bool tolerated;       /* some request failed in a way that it may: a transaction of nftables
			       * is given up all the same */
	bool carrier_pending; /* a link that was asked for is not ready yet: see link_await */
};

/*
 * batch_send: send everything, wait until all of it is worked off, reset the batch.
 * The kernel does not stop at an error: requests after the failed one may have been applied.
 * @failure: the first request that failed, if any.
 * Return: 0, or a negative errno with code 100 and the kernel's sentence.
 */
int batch_send(struct batch *b, struct netlink *nl, struct batch_failure *failure, struct err *e);

/*
 * netlink_ask: send one request and hand each answer to @reply (NULL: only the acknowledgement).
 * A dump that the kernel flags as interrupted is repeated from the start, so @reply may see an
 * object again after @begin.
 * @begin: called before each try, may be NULL.
 * Return: 0, or a negative errno (the kernel's sentence in *e, code 100).
 */
typedef int netlink_reply_fn(void *ctx, const struct nlmsghdr *h);
int netlink_ask(struct netlink *nl, struct nl_msg *msg, netlink_reply_fn *reply,
		void (*begin)(void *ctx), void *ctx, struct err *e);

/*
 * netlink_ask_all: send the requests of @b in one message and hand each answer to @reply, in the
 * order of the requests; none of them is a dump, no answer is longer than 2 KiB. One system call
 * sends them all, where netlink_ask needs five for each.
 * Return: 0, or the first error that the kernel gave; @b is empty afterwards.
 */
int netlink_ask_all(struct netlink *nl, struct batch *b, netlink_reply_fn *reply, void *ctx,
		    struct err *e);

#endif
