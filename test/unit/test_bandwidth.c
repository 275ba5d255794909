/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What CNI's bandwidth capability may hold, and what is drawn from it. */
#include "mode/bandwidth.h"

#include "base/cleanup.h"
#include "kernel/qdisc.h"
#include "plan/step.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define WHERE "runtimeConfig.bandwidth"

static void good_ones_pass(void **state)
{
	static const struct bandwidth good[] = {
		{ 0, 0, 0, 0 },
		{ 8, 8, 0, 0 },
		{ 0, 0, 1000000, 8000 },
		{ 10000000, 4294967295, 10000000, 4294967295 }, /* containerd */
		{ 10000000, 17179869175, 0, 0 },                /* CRI-O */
		{ 1000000000000, 4294967295, 0, 0 },            /* 1 Tbit/s */
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (bandwidth_judge(&good[i], WHERE, &e) != 0)
			fail_msg("case %zu: %s", i, e.msg);
}

static void bad_ones_name_the_key(void **state)
{
	static const struct {
		struct bandwidth b;
		const char *msg;
	} bad[] = {
		{ { 1000, 0, 0, 0 }, WHERE ".ingressRate: 1000 needs a burst too" },
		{ { 0, 1000, 0, 0 }, WHERE ".ingressBurst: 1000 needs a rate too" },
		{ { 0, 0, 1000, 0 }, WHERE ".egressRate: 1000 needs a burst too" },
		{ { 8, 8, 0, 1000 }, WHERE ".egressBurst: 1000 needs a rate too" },
		{ { 7, 8, 0, 0 }, WHERE ".ingressRate: 7 is less than a byte per second" },
		{ { 8, 7, 0, 0 }, WHERE ".ingressBurst: 7 is less than a byte" },
		{ { 8, 34359738360, 0, 0 },
		  WHERE ".ingressBurst: 34359738360 is more than the kernel can hold" },
		{ { 8, UINT64_MAX, 0, 0 },
		  WHERE ".ingressBurst: 18446744073709551615 is more than the kernel can hold" },
		{ { UINT64_MAX, 8, 0, 0 },
		  WHERE ".ingressRate: 18446744073709551615 is more than the kernel can limit to" },
		{ { 1000000000000, 17179869175, 0, 0 },
		  WHERE ".ingressBurst: 17179869175 is more than the kernel can hold" },
	};
	struct err e;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		assert_int_equal(bandwidth_judge(&bad[i].b, WHERE, &e), -EINVAL);
		assert_int_equal(e.code, ERR_CONFIG);
		assert_string_equal(e.msg, bad[i].msg);
		assert_true(e.details[0]);
	}
}

static void plan_of(struct plan *p, struct attachment *a)
{
	const struct ifref dev = { "vpcht", a->ifindex };

	strcpy(a->ifb_ifname, "ifbt");
	plan_init(p, a);
	plan_bandwidth(p, 3, &dev);
}

static void nothing_limited_plans_nothing(void **state)
{
	struct attachment *a = calloc(1, sizeof(*a));
	struct plan *p = calloc(1, sizeof(*p));

	(void)state;
	assert_non_null(a);
	assert_non_null(p);
	plan_of(p, a);
	assert_int_equal(p->n, 0);
	free(a);
	free(p);
}

static void both_directions_are_drawn(void **state)
{
	struct attachment *a = calloc(1, sizeof(*a));
	struct plan *p = calloc(1, sizeof(*p));
	char lines[2048];
	struct text t;

	(void)state;
	assert_non_null(a);
	assert_non_null(p);
	/* The largest index that a store gives, and a burst that is no frame. */
	a->ifindex = (1U << 30) + (1U << 22) - 1;
	a->mtu = 1500;
	a->bandwidth = (struct bandwidth){ 10000000, 8, 5000000, 800000 };
	plan_of(p, a);
	assert_int_equal(p->n, 6);
	assert_int_equal(p->steps[0].dies_with, 3);
	assert_int_equal(p->steps[1].dies_with, -1);
	assert_int_equal(p->steps[2].dies_with, 1);
	assert_int_equal(p->steps[3].dies_with, 1);
	assert_int_equal(p->steps[4].dies_with, 3);
	assert_int_equal(p->steps[5].dies_with, 3);
	text_init(&t, lines, sizeof(lines));
	plan_print(p, PLAN_PRINT_APPLY, &t);
	assert_string_equal(
		lines,
		"tc qdisc add dev vpcht root handle 1: tbf rate 10000000bit burst 1518b limit "
		"32768\n"
		"ip link add name ifbt index 2147483647 address 0a:00:00:00:00:00 numtxqueues 1 "
		"numrxqueues 1 type ifb\n"
		"ip link set dev ifbt addrgenmode none\n"
		"ip link set dev ifbt up\n"
		"tc qdisc add dev ifbt root handle 1: tbf rate 5000000bit burst 100000b limit "
		"115625\n"
		"tc qdisc add dev vpcht ingress\n"
		"tc filter add dev vpcht parent ffff: protocol all prio 1 u32 match u32 0 0 "
		"action mirred egress redirect dev ifbt\n");
	free(a);
	free(p);
}

/* tc counts a burst in 32 bits of 64 ns, which is 274.9 s of the rate. */
static void a_burst_fits_tc(void **state)
{
	(void)state;
	assert_int_equal(qdisc_tbf_burst(10000000, 800000), 100000);
	assert_int_equal(qdisc_tbf_burst(10000000, 4294967295), 1250000 * 274);
	assert_int_equal(qdisc_tbf_burst(1000000000000, 4294967295), 536870911);
	assert_int_equal(qdisc_tbf_burst(80, 100001), 12500);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_ones_pass),
		cmocka_unit_test(bad_ones_name_the_key),
		cmocka_unit_test(nothing_limited_plans_nothing),
		cmocka_unit_test(both_directions_are_drawn),
		cmocka_unit_test(a_burst_fits_tc),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
