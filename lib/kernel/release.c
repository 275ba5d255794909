/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Deferred release: a detached child waits for the kernel, we only for the link to be gone. */
#include "kernel/release.h"

#include "kernel/link.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/wait.h>

#define GONE_TIMEOUT_MS 10000

/* Delete and wait for the kernel to be through with it. Return: 0 or -errno. */
static int delete_now(struct netlink *nl, uint32_t ifindex, struct err *e)
{
	struct batch *b = malloc(sizeof(*b));
	struct batch_failure failure;
	int r;

	if (!b)
		return err_sys(e, ERR_KERNEL, ENOMEM, "cannot build a netlink request");
	b->owner = 0;
	batch_reset(b);
	link_del(b, ifindex, TOLERATE_ABSENT);
	r = batch_send(b, nl, &failure, e);
	free(b);
	return r;
}

/*
 * The child: holds nothing of the runtime's (which reads our stdout to its end), nor of ours but
 * the socket @nl and the pipe's end @report, which its death closes.
 */
static void release_child(struct netlink *nl, uint32_t ifindex, int report)
{
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);
	int keep[2] = { nl->fd, report };
	struct err e;

	setsid();
	for (int fd = 0; fd < 3; fd++)
		if (null < 0 || dup2(null, fd) < 0)
			close(fd);
	if (keep[0] > keep[1]) {
		keep[0] = report;
		keep[1] = nl->fd;
	}
	close_range(3, (unsigned)keep[0] - 1, 0);
	close_range((unsigned)keep[0] + 1, (unsigned)keep[1] - 1, 0);
	close_range((unsigned)keep[1] + 1, ~0U, 0);
	_exit(delete_now(nl, ifindex, &e) < 0);
}

/* Return: true if one of the messages read tells that the link is gone; also drains them. */
static bool told_gone(int monitor, uint32_t ifindex)
{
	_Alignas(8) char buf[16384];
	ssize_t n = netlink_receive(monitor, buf, sizeof(buf), MSG_DONTWAIT);
	unsigned left = n > 0 ? (unsigned)n : 0;

	for (struct nlmsghdr *h = (void *)buf; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
		const struct ifinfomsg *info = NLMSG_DATA(h);

		if (h->nlmsg_type == RTM_DELLINK && h->nlmsg_len >= NLMSG_LENGTH(sizeof(*info)) &&
		    (uint32_t)info->ifi_index == ifindex)
			return true;
	}
	return false;
}

/* Wait for the kernel's notice, the child's end or the time. The caller looks for itself then. */
static void wait_gone(int monitor, int report, uint32_t ifindex)
{
	struct pollfd p[2] = { { .fd = monitor, .events = POLLIN },
			       { .fd = report, .events = POLLIN } };

	for (;;) {
		int n = poll(p, 2, GONE_TIMEOUT_MS);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0 || p[1].revents)
			return;
		if (told_gone(monitor, ifindex))
			return;
	}
}

static int watch_links(const struct netns *ns, const struct netns *host, struct netlink *ret,
		       struct err *e)
{
	/* Bound, because the kernel's notices pass over a socket that has no port id yet. */
	struct sockaddr_nl links = { .nl_family = AF_NETLINK, .nl_groups = RTMGRP_LINK };
	int r = netlink_open(NETLINK_ROUTE, ns, host, ret, e);

	if (r < 0)
		return r;
	if (bind(ret->fd, (struct sockaddr *)&links, sizeof(links)) == 0)
		return 0;
	r = err_sys(e, ERR_KERNEL, errno, "cannot watch links");
	netlink_close(ret);
	return r;
}

/* Hand the delete to a child and wait until the link is gone. Return: 0, or -errno if no child. */
static int defer(struct netlink *monitor, struct netlink *carrier, uint32_t ifindex, struct err *e)
{
	int report[2];
	pid_t child;

	if (pipe2(report, O_CLOEXEC) < 0)
		return err_sys(e, ERR_KERNEL, errno, "cannot make a pipe");
	child = fork();
	if (child == 0)
		release_child(carrier, ifindex, report[1]);
	close(report[1]);
	if (child > 0)
		wait_gone(monitor->fd, report[0], ifindex);
	close(report[0]);
	if (child < 0)
		return err_sys(e, ERR_KERNEL, errno, "cannot fork");
	waitpid(child, NULL, WNOHANG);
	return 0;
}

int link_release(const struct netns *ns, const struct netns *host, struct netlink *nl,
		 uint32_t ifindex, struct err *e)
{
	struct netlink monitor = NETLINK_CLOSED, carrier = NETLINK_CLOSED;
	struct link_info link;
	int r = link_by_index(nl, ifindex, &link, e);

	if (r != 0)
		return r < 0 ? r : 0;
	r = watch_links(ns, host, &monitor, e);
	if (r == 0)
		r = netlink_open(NETLINK_ROUTE, ns, host, &carrier, e);
	if (r == 0)
		defer(&monitor, &carrier, ifindex, e);
	netlink_close(&carrier);
	netlink_close(&monitor);
	/* The notice may be lost and the child may have failed: the kernel's own answer decides. */
	r = link_by_index(nl, ifindex, &link, e);
	if (r == 0)
		return delete_now(nl, ifindex, e);
	return r < 0 ? r : 0;
}
