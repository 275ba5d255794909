/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Plans against the real kernel: apply, check and undo leave the host as it was; and so does a
 * failure at every single step. The failing step is a real one that the kernel really refuses.
 */
#include "scene.h"

#include "plan/step.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static void test_apply_check_undo(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_drawings; i++) {
		char *before, *after;
		struct scene *s = scene_begin(&drawings[i]);
		struct err e;

		before = fixture_state(TASK_NAME);
		must(plan_apply(&s->plan, &s->io, &e), &e);
		must(plan_marker_write(&s->plan, &s->io, &e), &e);
		must(plan_check(&s->plan, &s->io, NULL, &e), &e);
		must(plan_undo(&s->plan, &s->io, &e), &e);
		must(plan_undo(&s->plan, &s->io, &e), &e);
		scene_undo_shared(s);
		after = fixture_state(TASK_NAME);
		fixture_same(before, after, drawings[i].name);
		scene_end(s, &drawings[i]);
	}
}

/* A step that the kernel refuses, of each way to the kernel. */
static void bad_step(struct step *bad, unsigned n)
{
	struct plan *scratch = calloc(1, sizeof(*scratch));
	const struct ifref lo = { "lo", 1 };
	struct route_spec far = { .dst = { .ip = { .family = AF_INET } }, .type = ROUTE_UNICAST };
	struct nft_element el = { .set = "no-such-set", .n_key = 0 };

	assert_non_null(scratch);
	plan_init(scratch, NULL);
	ip_parse("203.0.113.1", &far.gw);
	far.dst.len = 32;
	ip_parse("198.51.100.1", &far.dst.ip);
	if (n % 3 == 0)
		plan_route(scratch, -1, HOST, &lo, &far);
	else if (n % 3 == 1)
		plan_sysctl(scratch, -1, HOST, "1", "net/no-such-sysctl");
	else
		plan_element(scratch, "taskvpc", &el);
	*bad = scratch->steps[0];
	free(scratch);
}

static void insert_step(struct plan *p, unsigned at, const struct step *bad)
{
	memmove(&p->steps[at + 1], &p->steps[at], (p->n - at) * sizeof(p->steps[0]));
	p->steps[at] = *bad;
	p->n++;
	for (unsigned i = at + 1; i < p->n; i++) {
		p->steps[i].dies_with += p->steps[i].dies_with >= (int)at;
		p->steps[i].tag_with += p->steps[i].tag_with >= (int)at;
	}
}

static const char *const bad_words[] = { "route add 198.51.100.1", "net/no-such-sysctl",
					 "no-such-set" };

static void fail_at(const struct drawing *d, unsigned at)
{
	struct scene *s = scene_begin(d);
	char *before, *after, what[128];
	struct step bad;
	struct err e;

	bad_step(&bad, at);
	insert_step(&s->plan, at, &bad);
	if (s->a.force_address)
		fixture_run("ip addr add 10.88.0.9/16 dev br-lan");
	before = fixture_state(TASK_NAME);
	assert_true(plan_apply(&s->plan, &s->io, &e) < 0);
	assert_non_null(strstr(e.msg, bad_words[at % 3]));
	scene_undo_shared(s);
	after = fixture_state(TASK_NAME);
	snprintf(what, sizeof(what), "%s, failing at step %u", d->name, at);
	fixture_same(before, after, what);
	if (s->a.force_address)
		fixture_run("ip addr del 10.88.0.9/16 dev br-lan");
	scene_end(s, d);
}

/* What is taken away from others is not given back: it must be the end of a plan. */
static bool takes_from_others(const struct step *s)
{
	return s->kind == &step_addr && (s->addr.how.gone || s->addr.how.again);
}

static void test_failure_at_every_step(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_drawings; i++) {
		struct scene *s = scene_begin(&drawings[i]);
		unsigned n = s->plan.n;

		while (takes_from_others(&s->plan.steps[n - 1]))
			n--;
		scene_end(s, &drawings[i]);
		for (unsigned at = 0; at <= n; at++)
			fail_at(&drawings[i], at);
	}
}

/* What the kernel itself says must reach the reader. */
static void test_kernel_words(void **state)
{
	struct scene *s = scene_begin(&drawings[0]);
	struct step bad;
	struct err e;

	(void)state;
	bad_step(&bad, 0);
	insert_step(&s->plan, s->plan.n, &bad);
	assert_true(plan_apply(&s->plan, &s->io, &e) < 0);
	assert_string_equal(e.msg, "ip route add 198.51.100.1 via 203.0.113.1 dev lo proto static: "
				   "Nexthop has invalid gateway: Network is unreachable");
	scene_undo_shared(s);
	scene_end(s, &drawings[0]);
}

/* A foreign interface under the task's name stays untouched, and is told. */
static void test_foreign_interface(void **state)
{
	struct scene *s = scene_begin(&drawings[0]);
	char *before, *after;
	struct err e;

	(void)state;
	fixture_run("ip -n " TASK_NAME " link add eth0 type veth peer name other");
	before = fixture_state(TASK_NAME);
	assert_int_equal(plan_apply(&s->plan, &s->io, &e), -EEXIST);
	scene_undo_shared(s);
	after = fixture_state(TASK_NAME);
	fixture_same(before, after, "a foreign interface");
	scene_end(s, &drawings[0]);
}

struct damage {
	const char *command, *words;
};

static void check_damage(const struct drawing *d, const struct damage *damage)
{
	struct scene *s = scene_begin(d);
	struct err e;

	must(plan_apply(&s->plan, &s->io, &e), &e);
	must(plan_marker_write(&s->plan, &s->io, &e), &e);
	fixture_run("%s", damage->command);
	if (plan_check(&s->plan, &s->io, NULL, &e) == 0)
		fail_msg("CHECK does not see: %s", damage->command);
	assert_int_equal(e.code, ERR_CHECK);
	if (!strstr(e.msg, damage->words))
		fail_msg("after %s CHECK says \"%s\"", damage->command, e.msg);
	must(plan_undo(&s->plan, &s->io, &e), &e);
	scene_undo_shared(s);
	scene_end(s, d);
}

static void test_check_sees_damage(void **state)
{
	static const struct damage routed[] = {
		{ "nft flush ruleset", "nftables rules" },
		{ "nft flush chain inet taskvpc known", "nftables rules" },
		{ "nft flush set inet taskvpc own4", "nftables element" },
		{ "nft flush set inet taskvpc stores",
		  "the nftables rules were flushed, and not all are back" },
		{ "nft flush set inet taskvpc masq6", "nftables element" },
		{ "ip link del vpc0123456789ab", "is gone" },
		{ "ip link set vpc0123456789ab down", "" },
		{ "ip link set vpc0123456789ab address 06:00:00:00:00:01", "MAC" },
		{ "ip link set vpc0123456789ab alias x", "alias" },
		{ "ip route del 10.0.1.4/32",
		  "the route 10.0.1.4 on vpc0123456789ab is gone on the host" },
		{ "ip -6 route del fd00:1::4/128", "fd00:1::4" },
		{ "ip neigh del 10.0.1.4 dev vpc0123456789ab", "neighbour" },
		{ "ip route del local 10.0.1.1 dev lo table local", "10.0.1.1" },
		{ "sysctl -qw net.ipv4.ip_forward=0", "ip_forward" },
		{ "ip -n t1 link set eth0 down", "" },
		{ "ip -n t1 link set eth0 address 02:00:00:00:00:01", "MAC" },
		{ "ip -n t1 addr del 10.0.1.4/24 dev eth0", "lost the address 10.0.1.4/24" },
		{ "ip -n t1 addr del fd00:1::4/64 dev eth0", "fd00:1::4" },
		{ "ip -n t1 route del default", "default" },
		{ "ip -n t1 -6 route del default", "default" },
		{ "ip -n t1 neigh del 10.0.1.1 dev eth0", "neighbour" },
		{ "ip -n t1 route del blackhole 169.254.169.254", "169.254.169.254" },
		{ "sysctl -qw net.ipv6.conf.vpc0123456789ab.accept_ra=2", "accept_ra" },
	};
	static const struct damage bridge[] = {
		{ "ip link set vpc0123456789ab nomaster", "not in its bridge" },
		{ "ip link set cni0 down", "down" },
		{ "ip link del cni0", "cni0" },
		{ "ip addr del 10.88.0.1/16 dev cni0", "lost the address 10.88.0.1/16" },
		{ "nft flush map inet taskvpc ports4", "nftables element" },
		{ "nft flush map inet taskvpc host_ports4", "nftables element" },
		{ "nft flush set inet taskvpc masq4", "nftables element" },
		{ "nft flush chain inet taskvpc publish", "published ports" },
		{ "nft flush chain inet taskvpc between", "ingress policy" },
		{ "nft delete table bridge taskvpc", "MAC addresses" },
		{ "nft flush ruleset", "nftables rules" },
		{ "tc qdisc del dev vpc0123456789ab root", "" },
		{ "tc qdisc del dev vpc0123456789ab ingress", "" },
		{ "ip link del ifb0123456789ab", "" },
		{ "ip -n t1 addr del 10.88.0.2/16 dev eth0", "lost the address" },
		{ "ip -n t1 route del default", "default" },
		{ "ip -n t1 link set eth0 address 02:00:00:00:00:01", "MAC" },
	};
	static const struct damage macvlan[] = {
		{ "ip -n t1 link del eth0", "is gone" },
		{ "ip link del tvh01234567", "is gone" },
		{ "ip route del 192.168.7.4/32", "192.168.7.4" },
		{ "ip -n t1 route del default", "default" },
	};
	static const struct damage bpf[] = {
		{ "tc filter del dev vpc0123456789ab ingress",
		  "the BPF program of vpc0123456789ab" },
		{ "tc qdisc del dev vpc0123456789ab ingress", "the ingress hook" },
		{ "ip route replace 10.0.1.4 dev vpc0123456789ab metric 7; ip route del 10.0.1.4 metric 1986162790",
		  "the route 10.0.1.4" },
	};
	static const struct damage rules[] = {
		{ "ip rule del pref 103", "the IPv4 routing rule 103: nop is gone on the host" },
		{ "ip -6 rule del pref 102 iif lo; ip -6 rule add pref 102 iif lo goto 104",
		  "the IPv6 routing rule 102: iif lo goto 103" },
		{ "ip rule del pref 102 fwmark 0x1000/0x1000; ip rule add pref 102 goto 103 fwmark 0x1000",
		  "the IPv4 routing rule 102: fwmark 0x1000/0x1000 goto 103" },
		{ "ip rule del pref 102 to 10.0.1.0/24; ip rule add not pref 102 to 10.0.1.0/24 unreachable",
		  "the IPv4 routing rule 102: to 10.0.1.0/24 unreachable" },
		{ "ip -n t1 -6 rule del pref 102 to fd00:1::/64; ip -n t1 -6 rule add pref 102 to fd00:1::/65 unreachable",
		  "the IPv6 routing rule 102: to fd00:1::/64 unreachable is gone in the task" },
		{ "ip -n t1 rule del pref 100; ip -n t1 rule add pref 100 from 10.0.1.4 table 119",
		  "the IPv4 routing rule 100: from 10.0.1.4/32 table 118" },
		{ "ip route del unreachable 10.0.1.0/24 metric 4000000000", "10.0.1.0/24" },
		{ "ip -6 route del unreachable fd00:1::/64 table 118", "fd00:1::/64" },
		{ "ip -n t1 route del unreachable 10.0.1.0/24 table 118", "10.0.1.0/24" },
	};
	static const struct damage beside[] = {
		{ "ip -n t1 rule del from 10.0.1.4", "the IPv4 routing rule 30000: from 10.0.1.4/32" },
		{ "ip -n t1 -6 rule del pref 30000", "the IPv6 routing rule 30000: from fd00:1::4" },
		{ "ip -n t1 rule del pref 30000; ip -n t1 rule add pref 30000 from 10.0.1.4 table 1048577 suppress_prefixlength 0",
		  "the IPv4 routing rule 30000: from 10.0.1.4/32 table 1048577" },
		{ "ip -n t1 route del default table 1048577", "the route default on eth1 is gone" },
		{ "ip -n t1 -6 route del fd00:1::1 table 1048577", "the route fd00:1::1 on eth1" },
		{ "ip -n t1 route del default metric 1048577", "the route default on eth1" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(beside); i++)
		check_damage(&drawings[11], &beside[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bpf); i++)
		check_damage(&drawings[9], &bpf[i]);
	for (size_t i = 0; i < ARRAY_SIZE(rules); i++)
		check_damage(&drawings[10], &rules[i]);
	for (size_t i = 0; i < ARRAY_SIZE(routed); i++)
		check_damage(&drawings[1], &routed[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bridge); i++)
		check_damage(&drawings[6], &bridge[i]);
	for (size_t i = 0; i < ARRAY_SIZE(macvlan); i++)
		check_damage(&drawings[4], &macvlan[i]);
}

/* A namespace that died takes the task's side along; the host's side is undone all the same. */
static void test_undo_without_namespace(void **state)
{
	(void)state;
	for (size_t i = 0; i < n_drawings; i++) {
		struct scene *s = scene_begin(&drawings[i]);
		char *before = fixture_state(""), *after;
		struct err e;

		must(plan_apply(&s->plan, &s->io, &e), &e);
		fixture_run("ip netns del " TASK_NAME);
		netlink_close(&s->io.route[TASK]);
		netns_close(&s->io.task);
		must(plan_undo(&s->plan, &s->io, &e), &e);
		scene_undo_shared(s);
		after = fixture_state("");
		fixture_same(before, after, drawings[i].name);
		plan_io_close(&s->io);
		free(s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_apply_check_undo),
		cmocka_unit_test(test_failure_at_every_step),
		cmocka_unit_test(test_kernel_words),
		cmocka_unit_test(test_foreign_interface),
		cmocka_unit_test(test_check_sees_damage),
		cmocka_unit_test(test_undo_without_namespace),
	};

	fixture_enter();
	/* Forwarding is ensured and never undone, so let it not be part of the differences. */
	fixture_run("sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1");
	/* Nor what duplicate address detection does to the LAN's own link-locals in its first
	 * second. */
	fixture_run("sysctl -qw net.ipv6.conf.default.accept_dad=0");
	fixture_run("ip link add lan0 index 4711 type veth peer name lan1");
	fixture_run(
		"ip addr add 192.168.7.2/24 dev lan0; ip addr add fd00:7::2/64 dev lan0 nodad; ip link set lan0 up; ip link set lan1 up");
	fixture_run(
		"ip link add br-lan index 4713 address 02:bb:00:00:00:01 type bridge; sysctl -qw net.ipv6.conf.br-lan.disable_ipv6=1; ip link set br-lan up");
	return cmocka_run_group_tests(tests, NULL, NULL);
}
