/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Shaping against the real kernel: what tc shows, what CHECK sees, that the printed commands do the
 * same, that nothing is left; and what a limit does to TCP in either direction.
 */
#include "fixture.h"

#include "base/io.h"
#include "mode/bandwidth.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#define HOST_IP "10.9.0.1"
#define TASK_IP "10.9.0.2"
#define PORT    7000
#define MBIT    1000000ULL
#define BURST   (20000ULL * 8)

struct scene {
	struct attachment a;
	struct plan plan;
	struct plan_io io;
};

static void plan_ends(struct scene *s)
{
	const struct link_end host = { "vpcht", 1048577, { { 2, 0, 0, 0, 0, 1 } }, 0 };
	const struct link_end task = { "eth0", 1048577, { { 2, 0, 0, 0, 0, 2 } }, 0 };
	const struct ifref host_dev = { host.name, host.ifindex },
			   task_dev = { "eth0", task.ifindex };
	const struct link_settings up = { .up = true };
	int veth;

	plan_init(&s->plan, &s->a);
	veth = plan_veth(&s->plan, &host, &task, s->a.mtu);
	plan_link(&s->plan, veth, HOST, &host_dev, &up);
	plan_bandwidth(&s->plan, veth, &host_dev);
	plan_link(&s->plan, veth, TASK, &task_dev, &up);
}

static struct scene *scene_begin(const struct bandwidth *b, uint32_t mtu)
{
	struct scene *s = calloc(1, sizeof(*s));

	assert_non_null(s);
	fixture_run("ip netns add t1; ip -n t1 link set lo up");
	s->a.ifindex = 1048577;
	s->a.mtu = mtu;
	s->a.bandwidth = *b;
	strcpy(s->a.ifname, "eth0");
	strcpy(s->a.host_ifname, "vpcht");
	strcpy(s->a.ifb_ifname, "ifbt");
	fixture_open(&s->io, "t1", &s->a);
	plan_ends(s);
	return s;
}

static void scene_end(struct scene *s)
{
	plan_io_close(&s->io);
	fixture_run("ip netns del t1");
	free(s);
}

static void must(int r, const struct err *e)
{
	if (r < 0)
		fail_msg("%s (%s)", e->msg, e->details);
}

/* The output of a command. The caller frees it. */
static char *output(const char *command)
{
	FILE *f = popen(command, "r");
	size_t len;
	char *ret;

	assert_non_null(f);
	assert_int_equal(io_read_all(fileno(f), 1 << 20, &ret, &len), 0);
	pclose(f);
	return ret;
}

/* Numbers that the kernel gives out anew each time are no state. */
static char *tc_state(void)
{
	return output("{ tc -d qdisc show; for d in vpcht ifbt stays; do "
		      "tc -d filter show dev $d parent ffff: 2>/dev/null; done; } | "
		      "sed -E 's/refcnt [0-9]+//; s/index [0-9]+//'");
}

static void expect_tc(const char *words)
{
	char *tc = tc_state();

	if (!strstr(tc, words))
		fail_msg("tc does not show \"%s\" but\n%s", words, tc);
	free(tc);
}

static const struct bandwidth both = { 10 * MBIT, BURST, 5 * MBIT, 2 * BURST };

static void apply(struct scene *s)
{
	struct err e;

	must(plan_apply(&s->plan, &s->io, &e), &e);
	must(plan_check(&s->plan, &s->io, NULL, &e), &e);
}

static void test_apply_undo(void **state)
{
	struct scene *s = scene_begin(&both, 1500);
	char *before = fixture_state("t1"), *tc_before = tc_state();
	struct err e;

	(void)state;
	apply(s);
	expect_tc("qdisc tbf 1: dev vpcht root  rate 10Mbit burst 20000b/1 mpu 0b lat 25ms "
		  "linklayer ethernet");
	expect_tc("qdisc tbf 1: dev ifbt root  rate 5Mbit burst 40000b/1 mpu 0b lat 25ms "
		  "linklayer ethernet");
	expect_tc("qdisc ingress ffff: dev vpcht parent ffff:fff1");
	expect_tc("Egress Redirect to device ifbt");
	must(plan_undo(&s->plan, &s->io, &e), &e);
	must(plan_undo(&s->plan, &s->io, &e), &e);
	fixture_same(before, fixture_state("t1"), "after undo");
	fixture_same(tc_before, tc_state(), "qdiscs after undo");
	scene_end(s);
}

/* One direction needs no ifb, the other no bucket on the host end; no limit needs nothing. */
static void test_one_direction(void **state)
{
	const struct bandwidth in = { .ingress_rate = MBIT, .ingress_burst = BURST };
	const struct bandwidth out = { .egress_rate = MBIT, .egress_burst = BURST };
	struct scene *s = scene_begin(&(struct bandwidth){ 0 }, 1500);
	unsigned n = s->plan.n;

	(void)state;
	scene_end(s);
	s = scene_begin(&in, 1500);
	assert_int_equal(s->plan.n, n + 1);
	scene_end(s);
	s = scene_begin(&out, 1500);
	assert_int_equal(s->plan.n, n + 5);
	apply(s);
	expect_tc("qdisc noqueue 0: dev vpcht");
	plan_undo(&s->plan, &s->io, &(struct err){ 0 });
	scene_end(s);
}

/* The printed commands, run by sh, make the same qdiscs as we do. */
static void check_replay(const struct bandwidth *b, uint32_t mtu)
{
	struct scene *s = scene_begin(b, mtu);
	char *ours, lines[4096];
	struct text t;
	struct err e;
	FILE *f;

	apply(s);
	ours = tc_state();
	must(plan_undo(&s->plan, &s->io, &e), &e);
	text_init(&t, lines, sizeof(lines));
	plan_print(&s->plan, PLAN_PRINT_APPLY, &t);
	f = fopen("/run/replay.sh", "w");
	assert_non_null(f);
	fputs(lines, f);
	fclose(f);
	fixture_run("sh -e /run/replay.sh");
	fixture_same(ours, tc_state(), "printed commands");
	must(plan_check(&s->plan, &s->io, NULL, &e), &e);
	text_init(&t, lines, sizeof(lines));
	plan_print(&s->plan, PLAN_PRINT_UNDO, &t);
	fixture_run("set -e\n%s", lines);
	scene_end(s);
}

static void test_replay(void **state)
{
	static const struct bandwidth cases[] = {
		{ 10 * MBIT, BURST, 5 * MBIT, 2 * BURST },
		{ 12345677, 1000001, 4000, 100001 },
		/* containerd's idea of a burst without limit, and more than 2^32 bytes a second. */
		{ 10 * MBIT, 4294967295, 100000 * MBIT, 4294967295 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		check_replay(&cases[i], 1500);
	check_replay(&cases[0], 9000);
}

static void test_large(void **state)
{
	const struct bandwidth b = { 100000 * MBIT, 4294967295, 100000 * MBIT, 1 };
	struct scene *s = scene_begin(&b, 9000);

	(void)state;
	apply(s);
	/* tc computes the burst from ticks of 64 ns and rounds it: 536862500b, 512Mb. */
	expect_tc("dev vpcht root  rate 100Gbit burst 5");
	expect_tc("dev ifbt root  rate 100Gbit");
	plan_undo(&s->plan, &s->io, &(struct err){ 0 });
	scene_end(s);
}

struct damage {
	const char *command, *words;
};

static void test_check_sees_damage(void **state)
{
	static const struct damage cases[] = {
		{ "tc qdisc del dev vpcht root",
		  "vpcht is not limited to 10000000 bits per second" },
		{ "tc qdisc change dev vpcht root handle 1: tbf rate 11mbit burst 20000b latency "
		  "25ms",
		  "vpcht is not limited" },
		{ "tc qdisc change dev vpcht root handle 1: tbf rate 10mbit burst 20001b latency "
		  "25ms",
		  "vpcht is not limited" },
		{ "tc qdisc replace dev ifbt root handle 2: pfifo", "ifbt is not limited" },
		{ "tc qdisc del dev ifbt root", "ifbt is not limited to 5000000 bits" },
		{ "tc qdisc del dev vpcht ingress", "the ingress hook of vpcht is gone" },
		{ "tc filter del dev vpcht parent ffff:",
		  "what enters vpcht is not redirected to ifbt" },
		{ "ip link add ifbx type ifb; tc filter replace dev vpcht parent ffff: protocol "
		  "all prio 1 "
		  "handle 800::800 u32 match u32 0 0 action mirred egress redirect dev ifbx",
		  "not redirected" },
		{ "ip link set ifbt down", "ifbt is down" },
		/* Linux renames a link that is up since 6.3 only. */
		{ "ip link set ifbt down; ip link set ifbt name other; ip link set other up",
		  "ifbt is now called other" },
		{ "ip link del ifbt", "is gone" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct scene *s = scene_begin(&both, 1500);
		char *before = fixture_state("t1");
		struct err e;

		apply(s);
		fixture_run("%s", cases[i].command);
		if (plan_check(&s->plan, &s->io, NULL, &e) == 0)
			fail_msg("CHECK does not see: %s", cases[i].command);
		if (e.code != ERR_CHECK || !strstr(e.msg, cases[i].words))
			fail_msg("after %s CHECK says \"%s\"", cases[i].command, e.msg);
		must(plan_undo(&s->plan, &s->io, &e), &e);
		fixture_run("ip link del ifbx 2>/dev/null || :");
		fixture_same(before, fixture_state("t1"), cases[i].command);
		scene_end(s);
	}
}

/* A foreign link under the name of the ifb: told, untouched, and still down. */
static void test_foreign_ifb(void **state)
{
	struct scene *s = scene_begin(&both, 1500);
	char *before;
	struct err e;

	(void)state;
	fixture_run("ip link add ifbt type veth peer name other");
	before = fixture_state("t1");
	assert_int_equal(plan_apply(&s->plan, &s->io, &e), -EEXIST);
	assert_non_null(strstr(e.msg, "ip link add name ifbt index"));
	must(plan_undo(&s->plan, &s->io, &e), &e);
	fixture_same(before, fixture_state("t1"), "a foreign ifb");
	fixture_run("ip link del ifbt");
	scene_end(s);
}

/* Qdiscs of a device that stays are taken off by themselves. */
static void test_device_that_stays(void **state)
{
	const struct ifref dev = { "stays", 77 };
	struct scene *s = scene_begin(&both, 1500);
	char *before;
	struct err e;

	(void)state;
	fixture_run("ip link add stays index 77 type veth peer name other; ip link set stays up");
	before = tc_state();
	plan_init(&s->plan, &s->a);
	plan_tbf(&s->plan, -1, &dev, MBIT, BURST);
	plan_ingress(&s->plan, -1, &dev);
	apply(s);
	must(plan_undo(&s->plan, &s->io, &e), &e);
	must(plan_undo(&s->plan, &s->io, &e), &e);
	fixture_same(before, tc_state(), "a device that stays");
	assert_true(plan_check(&s->plan, &s->io, NULL, &e) < 0);
	fixture_run("ip link del stays");
	scene_end(s);
}

/* ---- what it does to packets ---- */

static struct sockaddr_in address(const char *ip)
{
	struct sockaddr_in a = { .sin_family = AF_INET, .sin_port = htons(PORT) };

	assert_int_equal(inet_pton(AF_INET, ip, &a.sin_addr), 1);
	return a;
}

static int tcp_socket(struct scene *s, enum side side)
{
	struct err e;
	int fd;

	if (side == TASK)
		must(netns_enter(&s->io.task, &e), &e);
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (side == TASK)
		must(netns_enter(&s->io.host, &e), &e);
	assert_true(fd >= 0);
	return fd;
}

/* A connection from @from to the other side. */
static void connect_sides(struct scene *s, enum side from, int *ret_send, int *ret_receive)
{
	struct sockaddr_in to = address(from == HOST ? TASK_IP : HOST_IP);
	int listener = tcp_socket(s, from == HOST ? TASK : HOST), one = 1;

	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	assert_int_equal(bind(listener, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(listen(listener, 1), 0);
	*ret_send = tcp_socket(s, from);
	assert_int_equal(connect(*ret_send, (struct sockaddr *)&to, sizeof(to)), 0);
	*ret_receive = accept(listener, NULL, NULL);
	assert_true(*ret_receive >= 0);
	assert_int_equal(fcntl(*ret_send, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(fcntl(*ret_receive, F_SETFL, O_NONBLOCK), 0);
	close(listener);
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

/* Return: how many bits per second arrive, over about a second. */
static double measure(struct scene *s, enum side from)
{
	static char buf[65536];
	struct pollfd p[2] = { { .events = POLLOUT }, { .events = POLLIN } };
	double start = now(), seconds;
	uint64_t bytes = 0;

	connect_sides(s, from, &p[0].fd, &p[1].fd);
	for (seconds = 0; seconds < 1; seconds = now() - start) {
		ssize_t n;

		assert_true(poll(p, 2, 1000) >= 0);
		if (p[0].revents & POLLOUT)
			assert_true(send(p[0].fd, buf, sizeof(buf), 0) >= 0 || errno == EAGAIN);
		n = recv(p[1].fd, buf, sizeof(buf), 0);
		bytes += n > 0 ? (uint64_t)n : 0;
	}
	close(p[0].fd);
	close(p[1].fd);
	return (double)bytes * 8 / seconds;
}

static void addresses(void)
{
	fixture_run("ip addr add " HOST_IP "/24 dev vpcht; "
		    "ip -n t1 addr add " TASK_IP "/24 dev eth0");
}

static void expect_rate(struct scene *s, enum side from, double want)
{
	double seen = measure(s, from);

	if (seen < want * 0.5 || seen > want * 1.3)
		fail_msg("from the %s: %.0f bits per second instead of %.0f",
			 from == HOST ? "host" : "task", seen, want);
}

static void test_limits(void **state)
{
	struct scene *s = scene_begin(&both, 1500);
	struct err e;

	(void)state;
	apply(s);
	addresses();
	expect_rate(s, HOST, 10e6);
	expect_rate(s, TASK, 5e6);
	must(plan_undo(&s->plan, &s->io, &e), &e);
	scene_end(s);
}

/* Only what was asked for is limited, and the measure can tell. */
static void test_other_direction_is_free(void **state)
{
	const struct bandwidth out = { .egress_rate = 10 * MBIT, .egress_burst = BURST };
	struct scene *s = scene_begin(&out, 1500);
	struct err e;

	(void)state;
	apply(s);
	addresses();
	assert_true(measure(s, HOST) > 100e6);
	expect_rate(s, TASK, 10e6);
	must(plan_undo(&s->plan, &s->io, &e), &e);
	scene_end(s);
}

/* Frames longer than the ifb's own MTU, and a burst below one frame: both get through. */
static void test_large_frames(void **state)
{
	const struct bandwidth b = { 20 * MBIT, 8, 20 * MBIT, 8 };
	struct scene *s = scene_begin(&b, 9000);
	struct err e;

	(void)state;
	apply(s);
	addresses();
	fixture_run("ping -q -c 2 -i 0.2 -W 2 -M do -s 8972 " TASK_IP " >/dev/null");
	assert_true(measure(s, HOST) > 1e6);
	assert_true(measure(s, TASK) > 1e6);
	must(plan_undo(&s->plan, &s->io, &e), &e);
	scene_end(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_apply_undo),
		cmocka_unit_test(test_one_direction),
		cmocka_unit_test(test_replay),
		cmocka_unit_test(test_large),
		cmocka_unit_test(test_check_sees_damage),
		cmocka_unit_test(test_foreign_ifb),
		cmocka_unit_test(test_device_that_stays),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_other_direction_is_free),
		cmocka_unit_test(test_large_frames),
	};

	fixture_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
