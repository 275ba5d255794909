/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Forgetting tracked flows, seen from outside: clients send to a port that is redirected to
 * receiver A; the rule is changed to B; a tracked flow goes on reaching A, a forgotten one reaches
 * B.
 */
#include "fixture.h"

#include "kernel/conntrack.h"

#include <arpa/inet.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define PORT_A     7001
#define PORT_B     7002
#define PORT       5300
#define OTHER_PORT 5301
#define MANY       300 /* more than one batch of deletes holds */
#define WAIT_MS    5000
#define FAR4       "192.0.2.9" /* not of this host */
#define FAR6       "2001:db8::9"

static int receivers[2];

/* Of both families. */
static int receiver(uint16_t port)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), off = 0;

	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	assert_int_equal(bind(fd, (struct sockaddr *)&any, sizeof(any)), 0);
	return fd;
}

/* Never the same twice: the flow of an earlier test from there may still be tracked. */
static void bind_own_port(int fd, sa_family_t family)
{
	static uint16_t port = 10000;
	/* The port of a sockaddr_in is at the same place. */
	struct sockaddr_in6 any = { .sin6_family = family, .sin6_port = htons(port++) };
	socklen_t size = family == AF_INET6 ? sizeof(any) : sizeof(struct sockaddr_in);

	assert_int_equal(bind(fd, (struct sockaddr *)&any, size), 0);
}

static int client(const char *to, uint16_t port)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	bool is_v6 = strchr(to, ':') != NULL;
	int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	bind_own_port(fd, is_v6 ? AF_INET6 : AF_INET);
	if (is_v6) {
		assert_int_equal(inet_pton(AF_INET6, to, &v6.sin6_addr), 1);
		assert_int_equal(connect(fd, (struct sockaddr *)&v6, sizeof(v6)), 0);
	} else {
		assert_int_equal(inet_pton(AF_INET, to, &v4.sin_addr), 1);
		assert_int_equal(connect(fd, (struct sockaddr *)&v4, sizeof(v4)), 0);
	}
	return fd;
}

/* Send a packet. Return: 'A' or 'B', who got it. */
static char reaches(int fd)
{
	struct pollfd p[2] = { { .fd = receivers[0], .events = POLLIN },
			       { .fd = receivers[1], .events = POLLIN } };
	char buf[16];
	int at;

	assert_int_equal(send(fd, "x", 1, 0), 1);
	assert_int_equal(poll(p, 2, WAIT_MS), 1);
	at = p[1].revents != 0;
	assert_int_equal(recv(receivers[at], buf, sizeof(buf), 0), 1);
	return at ? 'B' : 'A';
}

static void redirect_to(unsigned port)
{
	fixture_run(
		"nft 'table inet t; delete table inet t; table inet t { chain out { "
		"type nat hook output priority -100; udp dport { %d, %d } redirect to :%u; }; }'",
		PORT, OTHER_PORT, port);
}

/* Run @clients into A, then let B be the one for new flows. */
static void settle(const int *clients, size_t n)
{
	redirect_to(PORT_A);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(reaches(clients[i]), 'A');
	redirect_to(PORT_B);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(reaches(clients[i]), 'A');
}

static void forget(uint16_t port, const char *ip)
{
	struct plan_io io;
	struct attachment a = { .ifname = "eth0" };
	struct plan *p = calloc(1, sizeof(*p));
	struct ip match = { .family = 0 };
	struct err e;

	assert_non_null(p);
	if (ip)
		assert_true(ip_parse(ip, &match));
	fixture_open(&io, NULL, &a);
	plan_init(p, &a);
	plan_flows(p, IPPROTO_UDP, port, &match);
	if (plan_apply(p, &io, &e) < 0)
		fail_msg("%s", e.msg);
	plan_io_close(&io);
	free(p);
}

static void expect(const int *clients, const char *want)
{
	for (size_t i = 0; want[i]; i++)
		if (reaches(clients[i]) != want[i])
			fail_msg("flow %zu does not reach %c", i, want[i]);
	for (size_t i = 0; want[i]; i++)
		close(clients[i]);
}

static void test_port(void **state)
{
	const int clients[] = { client("127.0.0.1", PORT), client("::1", PORT),
				client("127.0.0.1", OTHER_PORT), client("::1", OTHER_PORT) };

	(void)state;
	settle(clients, 4);
	forget(PORT, NULL);
	expect(clients, "BBAA");
}

/* What goes elsewhere is somebody else's, wherever others redirect it to. */
static void test_not_ours(void **state)
{
	const int clients[] = { client(FAR4, PORT), client("127.0.0.1", PORT), client(FAR4, PORT),
				client(FAR6, PORT), client("::1", PORT),       client(FAR6, PORT) };

	(void)state;
	settle(clients, 6);
	forget(PORT, NULL);
	for (int i = 0; i < 6; i++)
		assert_int_equal(reaches(clients[i]), i % 3 == 1 ? 'B' : 'A');
	forget(PORT, FAR4);
	expect(clients, "BBBABA");
}

static void test_address(void **state)
{
	const int clients[] = { client("127.0.0.1", PORT), client("127.0.0.2", PORT),
				client("::1", PORT) };

	(void)state;
	settle(clients, 3);
	forget(PORT, "127.0.0.2");
	expect(clients, "ABA");
}

static void test_any_address_of_a_family(void **state)
{
	const int clients[] = { client("127.0.0.1", PORT), client("127.0.0.2", PORT),
				client("::1", PORT), client("::1", PORT) };

	(void)state;
	settle(clients, 3);
	forget(PORT, "0.0.0.0");
	for (int i = 0; i < 3; i++)
		assert_int_equal(reaches(clients[i]), i < 2 ? 'B' : 'A');
	forget(PORT, "::");
	expect(clients, "BBBB");
}

static void test_many(void **state)
{
	int clients[MANY];

	(void)state;
	for (size_t i = 0; i < MANY; i++)
		clients[i] = client(i % 2 ? "127.0.0.1" : "::1", PORT);
	settle(clients, MANY);
	forget(PORT, NULL);
	for (size_t i = 0; i < MANY; i++)
		assert_int_equal(reaches(clients[i]), 'B');
	for (size_t i = 0; i < MANY; i++)
		close(clients[i]);
}

/* A port that goes is forgotten, too. */
static void test_undo(void **state)
{
	const int clients[] = { client("127.0.0.1", PORT), client("::1", OTHER_PORT) };
	struct attachment a = { .ifname = "eth0" };
	struct plan *p = calloc(1, sizeof(*p));
	struct ip any = { .family = 0 };
	struct plan_io io;
	struct err e;

	(void)state;
	assert_non_null(p);
	fixture_open(&io, NULL, &a);
	plan_init(p, &a);
	plan_flows_end(p, IPPROTO_UDP, PORT, &any);
	settle(clients, 2);
	assert_int_equal(plan_apply(p, &io, &e), 0);
	assert_int_equal(plan_check(p, &io, NULL, &e), 0);
	assert_int_equal(reaches(clients[0]), 'A');
	assert_int_equal(plan_undo(p, &io, &e), 0);
	expect(clients, "BA");
	plan_io_close(&io);
	free(p);
}

/* Nothing tracked, in a namespace that never had a connection: no error. */
static void test_nothing_tracked(void **state)
{
	const struct conntrack_match match = { .protocol = IPPROTO_UDP, .port = PORT };
	struct netlink nl = NETLINK_CLOSED;
	struct netns self, empty;
	struct batch *b = calloc(1, sizeof(*b));
	struct err e;

	(void)state;
	assert_non_null(b);
	assert_int_equal(netns_self(&self, &e), 0);
	assert_int_equal(netns_new(&self, &empty, &e), 0);
	assert_int_equal(netlink_open(NETLINK_NETFILTER, &empty, &self, &nl, &e), 0);
	assert_int_equal(conntrack_forget(&nl, &empty, &match, b, &e), 0);
	netlink_close(&nl);
	netns_close(&empty);
	netns_close(&self);
	free(b);
}

/* The printed line never fails, and where the tool is, it does the same. */
static void test_printed(void **state)
{
	const int clients[] = { client("127.0.0.1", PORT), client("::1", PORT), client(FAR4, PORT),
				client(FAR6, PORT) };
	bool tool = system("command -v conntrack >/dev/null") == 0;
	struct plan *p = calloc(1, sizeof(*p));
	struct attachment a = { .ifname = "eth0" };
	struct ip any = { .family = 0 };
	char lines[512];
	struct text t;

	(void)state;
	assert_non_null(p);
	plan_init(p, &a);
	plan_flows(p, IPPROTO_UDP, PORT, &any);
	text_init(&t, lines, sizeof(lines));
	plan_print(p, PLAN_PRINT_APPLY, &t);
	settle(clients, 4);
	fixture_run("set -e\n%s", lines);
	fixture_run("set -e\n%s", lines);
	expect(clients, tool ? "BBAA" : "AAAA");
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_port),
		cmocka_unit_test(test_not_ours),
		cmocka_unit_test(test_address),
		cmocka_unit_test(test_any_address_of_a_family),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_undo),
		cmocka_unit_test(test_nothing_tracked),
		cmocka_unit_test(test_printed),
	};

	fixture_enter();
	fixture_run("ip route add " FAR4 " dev lo; ip route add " FAR6 " dev lo");
	receivers[0] = receiver(PORT_A);
	receivers[1] = receiver(PORT_B);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
