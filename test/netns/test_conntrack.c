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
#define OWN6       "2001:db8::7" /* of this host */

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

static struct attachment task;

/* A task with addresses of both families and these UDP ports, among others. */
static void publish(uint16_t first, unsigned n, const char *ip)
{
	struct port other = { .host_port = OTHER_PORT, .container_port = 1 };

	memset(&task, 0, sizeof(task));
	snprintf(task.ifname, sizeof(task.ifname), "eth0");
	cidr_parse("10.0.0.9/24", &task.addresses[task.n_addresses++].cidr);
	cidr_parse("fd00::9/64", &task.addresses[task.n_addresses++].cidr);
	other.protocol = IPPROTO_TCP;
	task.ports[task.n_ports++] = other;
	for (unsigned i = 0; i < n; i++) {
		struct port *p = &task.ports[task.n_ports++];

		*p = (struct port){ .host_port = first + i,
				    .container_port = 1,
				    .protocol = IPPROTO_UDP };
		if (ip)
			assert_true(ip_parse(ip, &p->host_ip));
	}
}

static void forget_ports(uint16_t first, unsigned n, const char *ip)
{
	struct plan *p = calloc(1, sizeof(*p));
	struct plan_io io;
	struct err e;

	assert_non_null(p);
	publish(first, n, ip);
	fixture_open(&io, NULL, &task);
	plan_init(p, &task);
	plan_flows(p);
	if (plan_apply(p, &io, &e) < 0)
		fail_msg("%s", e.msg);
	plan_io_close(&io);
	free(p);
}

static void forget(uint16_t port, const char *ip)
{
	forget_ports(port, 1, ip);
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

/* Many ports in one walk: those of the attachment and no others. */
static void test_many_ports(void **state)
{
	const int clients[] = { client("127.0.0.1", PORT), client("::1", PORT),
				client("127.0.0.1", OTHER_PORT), client(FAR4, PORT) };

	(void)state;
	settle(clients, 4);
	forget_ports(PORT - STORE_PORTS + 2, STORE_PORTS - 1, NULL);
	expect(clients, "BBAA");
}

/* A task of one family has no use for flows of the other. */
static void test_one_family(void **state)
{
	const int clients[] = { client("127.0.0.1", PORT), client("::1", PORT) };
	struct plan *p = calloc(1, sizeof(*p));
	struct plan_io io;
	struct err e;

	(void)state;
	assert_non_null(p);
	settle(clients, 2);
	publish(PORT, 1, NULL);
	task.n_addresses = 1;
	fixture_open(&io, NULL, &task);
	plan_init(p, &task);
	plan_flows(p);
	assert_int_equal(plan_apply(p, &io, &e), 0);
	plan_io_close(&io);
	free(p);
	expect(clients, "BA");
}

/* ---- of addresses ---- */

static struct ip ip_of(const char *text)
{
	struct ip ip;

	assert_true(ip_parse(text, &ip));
	return ip;
}

static void forget_addresses(const char *const *texts, unsigned pad)
{
	struct conntrack_addresses a = { .n = 0 };
	struct netlink nl = NETLINK_CLOSED;
	struct batch *b = calloc(1, sizeof(*b));
	struct netns self;
	struct err e;

	a.ips = calloc(pad + 8, sizeof(*a.ips));
	assert_non_null(b);
	assert_non_null(a.ips);
	for (; *texts; texts++)
		a.ips[a.n++] = ip_of(*texts);
	for (unsigned i = 0; i < pad; i++) {
		struct ip first = ip_of("203.0.113.0");

		a.ips[a.n++] = ip_add(&first, i);
	}
	assert_int_equal(netns_self(&self, &e), 0);
	assert_int_equal(netlink_open(NETLINK_NETFILTER, &self, &self, &nl, &e), 0);
	if (conntrack_forget_addresses(&nl, &self, &a, b, &e) < 0)
		fail_msg("%s", e.msg);
	netlink_close(&nl);
	netns_close(&self);
	free(a.ips);
	free(b);
}

static int from(const char *source, const char *to, uint16_t port)
{
	struct sockaddr_in6 v6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(port) };
	bool is_v6 = strchr(to, ':') != NULL;
	int fd = socket(is_v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	static uint16_t own = 30000;

	if (is_v6) {
		struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(own++) };

		assert_int_equal(inet_pton(AF_INET6, source, &any.sin6_addr), 1);
		assert_int_equal(bind(fd, (struct sockaddr *)&any, sizeof(any)), 0);
		assert_int_equal(inet_pton(AF_INET6, to, &v6.sin6_addr), 1);
		assert_int_equal(connect(fd, (struct sockaddr *)&v6, sizeof(v6)), 0);
	} else {
		struct sockaddr_in any = { .sin_family = AF_INET, .sin_port = htons(own++) };

		assert_int_equal(inet_pton(AF_INET, source, &any.sin_addr), 1);
		assert_int_equal(bind(fd, (struct sockaddr *)&any, sizeof(any)), 0);
		assert_int_equal(inet_pton(AF_INET, to, &v4.sin_addr), 1);
		assert_int_equal(connect(fd, (struct sockaddr *)&v4, sizeof(v4)), 0);
	}
	return fd;
}

/*
 * By the address that began a flow, and by the one that a translation led it to: both ways, by
 * questions to the kernel and by one dump. The neighbours' flows stay.
 */
static void forgets_addresses(unsigned pad)
{
	static const char *const gone[] = { "127.0.0.7", "::1", NULL };
	static const char *const to[] = { "127.0.0.1", NULL };
	const int clients[] = { from("127.0.0.7", "127.0.0.1", PORT), client("::1", PORT),
				from("127.0.0.8", "127.0.0.1", PORT),
				from("127.0.0.9", FAR4, PORT) };

	settle(clients, 4);
	forget_addresses(gone, pad);
	for (int i = 0; i < 4; i++)
		assert_int_equal(reaches(clients[i]), i < 2 ? 'B' : 'A');
	/* all that was redirected has the host's address as the source of its replies */
	forget_addresses(to, pad);
	expect(clients, "BBBB");
}

static void test_addresses(void **state)
{
	(void)state;
	forgets_addresses(0);
}

/* The kernel's own filter would delete the others (lib/kernel/conntrack.c). */
static void test_addresses_of_ipv6(void **state)
{
	static const char *const gone[] = { OWN6, NULL };
	const int clients[] = { from(OWN6, "::1", PORT), from("::1", "::1", PORT),
				from("127.0.0.7", "127.0.0.1", PORT) };

	(void)state;
	settle(clients, 3);
	forget_addresses(gone, 0);
	expect(clients, "BAA");
}

static void test_addresses_by_dump(void **state)
{
	(void)state;
	forgets_addresses(300);
}

/* Nothing tracked, in a namespace that never had a connection: no error. */
static void test_nothing_tracked(void **state)
{
	struct conntrack_port port = { .port = PORT };
	struct conntrack_ports ports = { .protocol = IPPROTO_UDP, .n = 1, .ports = &port };
	struct ip address = ip_of("10.0.0.1");
	struct conntrack_addresses addresses = { .n = 1, .ips = &address };
	struct netlink nl = NETLINK_CLOSED;
	struct netns self, empty;
	struct batch *b = calloc(1, sizeof(*b));
	struct err e;

	(void)state;
	assert_non_null(b);
	assert_int_equal(netns_self(&self, &e), 0);
	assert_int_equal(netns_new(&self, &empty, &e), 0);
	assert_int_equal(netlink_open(NETLINK_NETFILTER, &empty, &self, &nl, &e), 0);
	assert_int_equal(conntrack_forget_ports(&nl, &empty, &ports, b, &e), 0);
	assert_int_equal(conntrack_forget_addresses(&nl, &empty, &addresses, b, &e), 0);
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
	char lines[512];
	struct text t;

	(void)state;
	assert_non_null(p);
	publish(PORT, 1, NULL);
	plan_init(p, &task);
	plan_flows(p);
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
		cmocka_unit_test(test_many_ports),
		cmocka_unit_test(test_one_family),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_addresses_of_ipv6),
		cmocka_unit_test(test_addresses_by_dump),
		cmocka_unit_test(test_nothing_tracked),
		cmocka_unit_test(test_printed),
	};

	fixture_enter();
	fixture_run("ip route add " FAR4 " dev lo; ip route add " FAR6 " dev lo; "
		    "ip addr add " OWN6 "/128 dev lo nodad");
	receivers[0] = receiver(PORT_A);
	receivers[1] = receiver(PORT_B);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
