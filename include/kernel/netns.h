/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Network namespaces. A namespace is held by a descriptor and known by its cookie; a path is only a
 * way to it and is never trusted twice (a pid, and even an inode number, may be another's by then).
 */
#ifndef KERNEL_NETNS_H
#define KERNEL_NETNS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

#define NETNS_DIR "/run/netns"

struct netns {
	int fd;          /* -1: not open */
	uint64_t cookie; /* SO_NETNS_COOKIE, Linux 5.14 */
};
#define NETNS_NONE                                                                                 \
	{                                                                                          \
		.fd = -1                                                                           \
	}

/* netns_self: the namespace this thread is in now. */
int netns_self(struct netns *ret, struct err *e);

/*
 * netns_open: open the CNI_NETNS @path and prove that it is a network namespace other than @host.
 * Errors (code 4) name CNI_NETNS, the path and the reason: relative, missing (-ENOENT), no nsfs
 * file, another kind of namespace, the host's own (-EDEADLK).
 */
int netns_open(const char *path, const struct netns *host, struct netns *ret, struct err *e);

/*
 * netns_open_host: as netns_open, but it must be @host itself; another namespace is -EXDEV.
 */
int netns_open_host(const char *path, const struct netns *host, struct netns *ret, struct err *e);

/*
 * netns_reopen: open @path if it still leads to the namespace with @cookie.
 * Return: 0 with *ret open, 1 if it leads nowhere, elsewhere or to the caller's own namespace (*ret
 * closed), or a negative errno where that cannot be told: memory or descriptors are short.
 */
int netns_reopen(const char *path, uint64_t cookie, struct netns *ret, struct err *e);

/*
 * netns_find: open the namespace with @cookie, if a process of /proc is in it, or it has a name in
 * NETNS_DIR. Visits each namespace of the host once. Return: as netns_reopen.
 */
int netns_find(uint64_t cookie, struct netns *ret, struct err *e);

/* netns_new: a new namespace that nothing but the returned descriptor holds. */
int netns_new(const struct netns *host, struct netns *ret, struct err *e);

/* netns_name: NAME of a path of the shape /run/netns/NAME or /var/run/netns/NAME, else NULL. */
const char *netns_name(const char *path);

/*
 * netns_is_bare: is @path what a kill of netns_bind (or of `ip netns add`) between making the file
 * and mounting on it leaves: an empty regular file? That of a namespace looks the same but for its
 * filesystem.
 */
bool netns_is_bare(const char *path);

/* netns_bind: give @ns the name @path as `ip netns add` does. -EEXIST if the path exists. */
int netns_bind(const struct netns *ns, const char *path, struct err *e);

/* netns_unbind: take the name away if it leads to @cookie, or to nothing at all. Absent is fine. */
int netns_unbind(const char *path, uint64_t cookie, struct err *e);

/* netns_enter: make @ns this thread's namespace. The caller goes back in the same function. */
int netns_enter(const struct netns *ns, struct err *e);
/*
 * netns_return: make @host this thread's namespace again. It cannot fail: whatever is done from
 * there on, undoing included, would be done to the task. So it is tried for a second (the kernel
 * may lack memory), and then the process is aborted, which heals as every kill does.
 */
void netns_return(const struct netns *host);

void netns_close(struct netns *ns);

#endif
