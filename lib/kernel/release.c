/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Deferred release: a detached child waits for the kernel, we only for the link to be gone. */
#include "kernel/release.h"

#include "base/io.h"
#include "kernel/link.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define GONE_TIMEOUT_MS 10000
#define STACK_BYTES     16384
#define CARRIER_BYTES   64 /* a multiple of the stack's alignment */

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

/* All that the child has: it lies at the high end of the child's stack, and stays as long. The
 * descriptors are beyond 2, as standard_fds_guard has seen to. */
struct carrier {
	int nl;     /* its socket, in the link's namespace */
	int null;   /* /dev/null, or -1 */
	int report; /* the pipe's end that its death closes */
	pid_t parent;
	struct {
		struct nlmsghdr h;
		struct ifinfomsg link;
	} request;
};

/*
 * An index is the link's for as long as its record is there, and that may go once our parent is
 * dead, by the next DEL: who asks later deletes another's link. So we die with our parent; not in
 * the midst of the request, which the kernel works off all the same. Return: false if it is dead.
 */
__attribute__((no_sanitize("address"))) static bool die_with(pid_t parent)
{
	return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent;
}

/*
 * The child: holds nothing of the runtime's (which reads our stdout to its end), nor of ours but
 * its socket and the pipe. It runs in our memory, beside us: it allocates nothing, and asks
 * nothing but the kernel. errno is one for both: it does not read it, and we only to wait once
 * more. The request is worked off when send() returns.
 */
__attribute__((no_sanitize("address"))) static int carry(void *arg)
{
	const struct carrier *c = arg;
	int low = c->nl < c->report ? c->nl : c->report;
	int high = c->nl < c->report ? c->report : c->nl;

	if (!die_with(c->parent))
		return 1;
	setsid();
	for (int fd = 0; fd < 3; fd++)
		if (c->null < 0 || dup2(c->null, fd) < 0)
			close(fd);
	close_range(3, (unsigned)low - 1, 0);
	close_range((unsigned)low + 1, (unsigned)high - 1, 0);
	close_range((unsigned)high + 1, ~0U, 0);
	return send(c->nl, &c->request, sizeof(c->request), 0) < 0;
}

/*
 * A child that shares our memory costs a third of a forked one, and the kernel takes the memory
 * down when the child ends, not while the runtime waits for us. valgrind knows neither clone3()
 * nor such children. Asked for with no arguments at all, clone3() is refused where it is known.
 */
static bool may_share_memory(void)
{
	return !(syscall(SYS_clone3, NULL, 0) < 0 && errno == ENOSYS);
}

/* Return: the child, or -1 with errno. Its stack is mapped until it is reaped, or we end. */
static pid_t start(const struct carrier *carrier, char *stack)
{
	/* what is below it, to the page's begin, is enough for carry(): one page each */
	struct carrier *top = (void *)(stack + STACK_BYTES - CARRIER_BYTES);
	pid_t child;

	*top = *carrier;
	if (may_share_memory())
		return clone(carry, top, CLONE_VM | SIGCHLD, top);
	child = fork();
	if (child == 0)
		_exit(carry(top));
	return child;
}

/* Return: true if the next notice tells that the link is gone. Only how it begins is read. */
static bool told_gone(int monitor, uint32_t ifindex)
{
	struct {
		struct nlmsghdr h;
		struct ifinfomsg link;
	} notice = { .h = { .nlmsg_type = NLMSG_NOOP } };
	ssize_t n = netlink_receive(monitor, &notice, sizeof(notice), MSG_DONTWAIT);

	return n == sizeof(notice) && notice.h.nlmsg_type == RTM_DELLINK &&
	       (uint32_t)notice.link.ifi_index == ifindex;
}

/* Wait for the kernel's notice, the child's end or the time, however many notices of other links
 * come meanwhile. The caller looks for itself then. Return: false if the time was over. */
static bool wait_gone(int monitor, int report, uint32_t ifindex)
{
	struct pollfd p[2] = { { .fd = monitor, .events = POLLIN },
			       { .fd = report, .events = POLLIN } };
	int64_t left, deadline = io_clock_ms() + GONE_TIMEOUT_MS;

	while ((left = deadline - io_clock_ms()) > 0) {
		int n = poll(p, 2, (int)left);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		if (p[1].revents || told_gone(monitor, ifindex))
			return true;
	}
	return false;
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

_Static_assert(sizeof(struct carrier) <= CARRIER_BYTES, "it has its place");

/* Start the child and wait until the link is gone. Return: 0, or -errno if there is no child. */
static int defer_with(struct netlink *monitor, struct carrier *c, int report, void *stack,
		      struct err *e)
{
	pid_t child = start(c, stack);
	int r = child < 0 ? err_sys(e, ERR_KERNEL, errno, "cannot start a child") : 0;

	close(c->report);
	/* who has not asked by now must not ask later, when the index is another's */
	if (r == 0 && !wait_gone(monitor->fd, report, (uint32_t)c->request.link.ifi_index))
		kill(child, SIGKILL);
	if (r < 0 || waitpid(child, NULL, WNOHANG) == child)
		munmap(stack, STACK_BYTES);
	return r;
}

static int defer(struct netlink *monitor, struct netlink *carrier, uint32_t ifindex, struct err *e)
{
	struct carrier c = { .nl = carrier->fd,
			     .parent = getpid(),
			     .request = { .h = { .nlmsg_len = sizeof(c.request),
						 .nlmsg_type = RTM_DELLINK,
						 .nlmsg_flags = NLM_F_REQUEST },
					  .link = { .ifi_index = (int)ifindex } } };
	void *stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	int report[2], r;

	if (stack == MAP_FAILED)
		return err_sys(e, ERR_KERNEL, errno, "cannot map a stack");
	if (pipe2(report, O_CLOEXEC) < 0) {
		r = err_sys(e, ERR_KERNEL, errno, "cannot make a pipe");
		munmap(stack, STACK_BYTES);
		return r;
	}
	c.report = report[1];
	c.null = open("/dev/null", O_RDWR | O_CLOEXEC);
	r = defer_with(monitor, &c, report[0], stack, e);
	close(report[0]);
	if (c.null >= 0)
		close(c.null);
	return r;
}

int link_release(const struct netns *ns, const struct netns *host, struct netlink *nl,
		 uint32_t ifindex, struct err *e)
{
	struct netlink monitor = NETLINK_CLOSED, carrier = NETLINK_CLOSED;
	struct link_info link;
	int r = watch_links(ns, host, &monitor, e);

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
