/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets to the kernel where others may send to them too: a task that is root in its namespace. */
#include "fixture.h"

#include "base/io.h"
#include "kernel/link.h"
#include "plan/io.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* Tell the owner of @nl, as if we were the kernel, that what it asks for next is not there. */
static void lie(const struct netlink *nl)
{
	struct {
		struct nlmsghdr h;
		struct nlmsgerr answer;
	} m = {
		.h = { .nlmsg_len = sizeof(m), .nlmsg_type = NLMSG_ERROR, .nlmsg_seq = nl->seq },
		.answer = { .error = -ENODEV },
	};
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct sockaddr_nl to;
	socklen_t len = sizeof(to);

	assert_int_equal(getsockname(nl->fd, (struct sockaddr *)&to, &len), 0);
	assert_int_equal(sendto(fd, &m, sizeof(m), 0, (struct sockaddr *)&to, sizeof(to)),
			 (ssize_t)sizeof(m));
	close(fd);
}

static void test_answers_of_others(void **state)
{
	struct batch_failure failure;
	struct netns host = NETNS_NONE;
	struct link_info link;
	struct batch *b = malloc(sizeof(*b));
	struct netlink nl;
	struct err e;

	(void)state;
	assert_non_null(b);
	batch_reset(b);
	assert_int_equal(netns_self(&host, &e), 0);
	assert_int_equal(netlink_open(NETLINK_ROUTE, &host, &host, &nl, &e), 0);
	assert_int_equal(link_by_index(&nl, 1, &link, &e), 0); /* its port id comes with this */
	lie(&nl);
	assert_int_equal(link_by_index(&nl, 1, &link, &e), 0);
	assert_string_equal(link.name, "lo");
	lie(&nl);
	link_sync(b, 1);
	assert_int_equal(batch_send(b, &nl, &failure, &e), 0);
	netlink_close(&nl);
	netns_close(&host);
	free(b);
}

/* A link without a carrier is not waited for, one with a carrier is ready. */
static void test_await_carrier(void **state)
{
	struct netns host = NETNS_NONE;
	struct netlink nl = NETLINK_CLOSED;
	struct link_info link;
	struct err e;
	int64_t began;

	(void)state;
	fixture_run("ip link add wait0 type veth peer name wait1; ip link set wait0 up");
	assert_int_equal(netns_self(&host, &e), 0);
	assert_int_equal(netlink_open(NETLINK_ROUTE, &host, &host, &nl, &e), 0);
	assert_int_equal(link_by_name(&nl, "wait0", &link, &e), 0);
	assert_false(link_carrier_pending(link.flags));
	began = io_clock_ms();
	assert_int_equal(link_await(&nl, link.ifindex, &e), 0);
	assert_in_range(io_clock_ms() - began, 0, 200);
	fixture_run("ip link set wait1 up");
	assert_int_equal(link_await(&nl, link.ifindex, &e), 0);
	assert_int_equal(link_by_index(&nl, link.ifindex, &link, &e), 0);
	assert_true(link.flags & IFF_RUNNING);
	assert_int_equal(link_await(&nl, 1u << 29, &e), 0);
	netlink_close(&nl);
	netns_close(&host);
	fixture_run("ip link del wait0");
}

/* STATUS asks which kinds of links there are, and makes none. */
static void test_kinds_of_links(void **state)
{
	static const char *const known[] = { "veth", "bridge", "macvlan" };
	cleanup_free struct link_info *before = NULL, *after = NULL;
	struct netns host = NETNS_NONE;
	struct netlink nl = NETLINK_CLOSED;
	size_t n_before, n_after;
	struct err e;

	(void)state;
	assert_int_equal(netns_self(&host, &e), 0);
	assert_int_equal(netlink_open(NETLINK_ROUTE, &host, &host, &nl, &e), 0);
	assert_int_equal(link_list(&nl, &before, &n_before, &e), 0);
	for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
		assert_int_equal(link_kind_known(&nl, known[i], &e), 1);
	assert_int_equal(link_kind_known(&nl, "nosuchkind", &e), 0);
	assert_int_equal(link_list(&nl, &after, &n_after, &e), 0);
	assert_int_equal(n_before, n_after);
	netlink_close(&nl);
	netns_close(&host);
}

/* A step in the task that is the first to need sockets: each is of its own side all the same. */
static int look_around(const struct step *s, const struct plan *p, struct plan_io *io,
		       struct err *e)
{
	struct link_info link;
	struct netns now = NETNS_NONE;
	struct netlink *nl;

	(void)s;
	(void)p;
	assert_int_equal(plan_io_route(io, HOST, &nl, e), 0);
	assert_int_equal(link_by_name(nl, "here0", &link, e), 0);
	assert_int_equal(plan_io_route(io, TASK, &nl, e), 0);
	assert_int_equal(link_by_name(nl, "here0", &link, e), 1);
	assert_int_equal(netns_self(&now, e), 0);
	assert_true(now.cookie == io->task.cookie);
	netns_close(&now);
	return 0;
}

static void test_sockets_of_a_call(void **state)
{
	const struct step step = { .side = TASK };
	struct attachment a = { .mode = "" };
	struct plan_io io;
	struct err e;

	(void)state;
	fixture_run("ip link add here0 type veth peer name here1");
	fixture_open(&io, NULL, &a);
	assert_int_equal(plan_call(look_around, &step, NULL, &io, &e), 0);
	plan_io_close(&io);
	fixture_run("ip link del here0");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answers_of_others),
		cmocka_unit_test(test_kinds_of_links),
		cmocka_unit_test(test_sockets_of_a_call),
		cmocka_unit_test(test_await_carrier),
	};

	fixture_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
