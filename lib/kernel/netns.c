/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network namespaces: opening them with proof, and knowing them again by their cookie. */
#include "kernel/netns.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/nsfs.h>
#include <linux/sockios.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <time.h>
#include <unistd.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* Linux 5.14; glibc 2.36 lacks it on some machines */
#endif
#ifndef NSFS_MAGIC
#define NSFS_MAGIC 0x6e736673
#endif

#define RETURN_TRIES    100
#define RETURN_PAUSE_NS 10000000

/*
 * Who the namespace of this thread is: any socket knows.
 * @ret_fd: a descriptor of it, NULL if not wanted. From the socket too (SIOCGSKNS, Linux 4.10): a
 * walk through /proc/self costs ten times as much, and needs a /proc.
 */
static int own_namespace(uint64_t *ret_cookie, int *ret_fd, struct err *e)
{
	cleanup_close int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t len = sizeof(*ret_cookie);

	if (fd < 0)
		return err_sys(e, ERR_KERNEL, errno, "cannot open a socket");
	if (getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, ret_cookie, &len) < 0) {
		err_sys(e, ERR_KERNEL, errno, "cannot read the cookie of a network namespace");
		if (e->sys == ENOPROTOOPT)
			err_hint(e, "Linux 5.14 or newer is needed");
		return -e->sys;
	}
	if (!ret_fd)
		return 0;
	*ret_fd = ioctl(fd, SIOCGSKNS);
	if (*ret_fd >= 0)
		return 0;
	err_sys(e, ERR_KERNEL, errno, "cannot get hold of the network namespace");
	if (e->sys == EPERM)
		err_hint(e, "the plugin needs CAP_NET_ADMIN: run it as root");
	return -e->sys;
}

int netns_self(struct netns *ret, struct err *e)
{
	ret->fd = -1;
	return own_namespace(&ret->cookie, &ret->fd, e);
}

int netns_enter(const struct netns *ns, struct err *e)
{
	if (setns(ns->fd, CLONE_NEWNET) == 0)
		return 0;
	err_sys(e, ERR_KERNEL, errno, "cannot enter the network namespace");
	if (e->sys == EPERM)
		err_hint(e, "the plugin needs CAP_SYS_ADMIN: run it as root");
	return -e->sys;
}

void netns_return(const struct netns *host)
{
	const struct timespec pause = { .tv_nsec = RETURN_PAUSE_NS };

	for (int i = 0; setns(host->fd, CLONE_NEWNET) < 0; i++) {
		if (i == RETURN_TRIES)
			abort();
		nanosleep(&pause, NULL);
	}
}

/* Fill in the cookie of ret->fd by visiting it. */
static int visit_cookie(struct netns *ret, const struct netns *host, struct err *e)
{
	int r = netns_enter(ret, e);

	if (r < 0)
		return r;
	r = own_namespace(&ret->cookie, NULL, e);
	netns_return(host);
	return r;
}

static int judge_netns(int fd, const char *path, struct err *e)
{
	struct statfs fs;
	int type = 0, r = fstatfs(fd, &fs);

	if (r == 0 && fs.f_type == NSFS_MAGIC)
		r = type = ioctl(fd, NS_GET_NSTYPE);
	if (r < 0)
		return err_sys(e, ERR_ENVIRONMENT, errno, "CNI_NETNS: cannot look at \"%s\"", path);
	if (type == CLONE_NEWNET)
		return 0;
	return err_set(e, ERR_ENVIRONMENT, EINVAL, "CNI_NETNS: \"%s\" is no network namespace",
		       path);
}

/* Proof that it is a network namespace; which one, its cookie tells. */
static int open_path(const char *path, struct netns *ret, struct err *e)
{
	int r;

	ret->fd = -1;
	if (path[0] != '/')
		return err_set(e, ERR_ENVIRONMENT, 0, "CNI_NETNS: \"%s\" is not an absolute path",
			       path);
	/* No O_NOFOLLOW: /proc/PID/ns/net is a (magic) link. O_NONBLOCK: it might be a fifo. */
	ret->fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (ret->fd < 0) {
		err_sys(e, ERR_ENVIRONMENT, errno, "CNI_NETNS: cannot open \"%s\"", path);
		err_hint(e,
			 "it must be the path of a network namespace, such as %s/NAME or "
			 "/proc/PID/ns/net",
			 NETNS_DIR);
		return -e->sys;
	}
	r = judge_netns(ret->fd, path, e);
	if (r < 0)
		netns_close(ret);
	return r;
}

static int open_any(const char *path, const struct netns *host, struct netns *ret, struct err *e)
{
	int r = open_path(path, ret, e);

	if (r < 0)
		return r;
	r = visit_cookie(ret, host, e);
	if (r < 0)
		netns_close(ret);
	return r;
}

int netns_open(const char *path, const struct netns *host, struct netns *ret, struct err *e)
{
	int r = open_any(path, host, ret, e);

	if (r < 0 || ret->cookie != host->cookie)
		return r;
	netns_close(ret);
	return err_set(e, ERR_ENVIRONMENT, EDEADLK,
		       "CNI_NETNS: \"%s\" is the host's own network namespace", path);
}

int netns_open_host(const char *path, const struct netns *host, struct netns *ret, struct err *e)
{
	int r = open_any(path, host, ret, e);

	if (r < 0 || ret->cookie == host->cookie)
		return r;
	netns_close(ret);
	return err_set(e, ERR_ENVIRONMENT, EXDEV,
		       "CNI_NETNS: \"%s\" is not the host's own network namespace", path);
}

/* A path that leads nowhere, or to something else: it says so for good. */
static bool leads_nowhere(int r)
{
	switch (-r) {
	case ENOENT:
	case ENOTDIR:
	case ELOOP:
	case ENAMETOOLONG:
	case EACCES: /* what /proc says of a process that has died */
	case ESRCH:
	case ENXIO:
	case ENODEV:
	case EINVAL: /* no namespace, or no absolute path */
		return true;
	default:
		return false;
	}
}

int netns_reopen(const char *path, uint64_t cookie, struct netns *ret, struct err *e)
{
	struct netns host = NETNS_NONE;
	int r = 1;

	ret->fd = -1;
	if (path[0])
		r = open_path(path, ret, e);
	if (r != 0) /* what comes after is not the path's fault */
		return r < 0 && !leads_nowhere(r) ? r : 1;
	r = netns_self(&host, e);
	if (r == 0)
		r = visit_cookie(ret, &host, e);
	netns_close(&host);
	/* The host's own is nobody's: what is done to a task's namespace must not be done to it. */
	if (r == 0 && ret->cookie == cookie && cookie != host.cookie)
		return 0;
	netns_close(ret);
	return r < 0 ? r : 1;
}

int netns_new(const struct netns *host, struct netns *ret, struct err *e)
{
	int r;

	ret->fd = -1;
	if (unshare(CLONE_NEWNET) < 0)
		return err_sys(e, ERR_KERNEL, errno, "cannot make a network namespace");
	r = netns_self(ret, e);
	netns_return(host);
	return r;
}

void netns_close(struct netns *ns)
{
	if (ns->fd >= 0)
		close(ns->fd);
	ns->fd = -1;
}
