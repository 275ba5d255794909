/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Elements of sets and maps, and transactions of them, against the real kernel: what is published
 * again, what leads elsewhere, what was judged by a ruleset that is not there any more.
 */
#include "scene.h"

#include "kernel/nft_message.h"

#include <errno.h>
#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/personality.h>

#include <cmocka.h>

#define FULL_BRIDGE 6 /* the drawing that has all */

/* A port that is published again while its elements expire: to the address it had, and to another.
 */
static void test_published_again(void **state)
{
	struct scene *s = scene_begin(&drawings[FULL_BRIDGE]);
	struct err e;

	(void)state;
	s->a.ports[1].protocol = IPPROTO_TCP; /* for flows of UDP, undo waits */
	for (unsigned i = 0; i < 8; i++) {
		s->a.addresses[0].cidr.ip.b[3] = (uint8_t)(2 + i / 2);
		drawings[FULL_BRIDGE].mode->plan(&s->a, &s->plan);
		must(plan_apply(&s->plan, &s->io, &e), &e);
		must(plan_marker_write(&s->plan, &s->io, &e), &e);
		nft_wait_expired();
		must(plan_check(&s->plan, &s->io, NULL, &e), &e);
		must(plan_undo(&s->plan, &s->io, &e), &e);
	}
	scene_undo_shared(s);
	scene_end(s, &drawings[FULL_BRIDGE]);
}

/* Ports that lead elsewhere, of both families: ADD is refused with words, and they stay. */
static void refuse_foreign_ports(void)
{
	static const char others[] =
		"nft list map inet taskvpc ports4 | grep -q '8080 : 10.77.0.1 . 80' && "
		"nft list map inet taskvpc ports6 | grep -q '8080 : fd00:77::1 . 80'";
	struct scene *s = scene_begin(&drawings[FULL_BRIDGE]);
	struct err e;

	must(plan_apply(&s->plan, &s->io, &e), &e);
	must(plan_undo(&s->plan, &s->io, &e), &e);
	nft_wait_expired();
	fixture_run("nft add element inet taskvpc ports4 '{ tcp . 8080 : 10.77.0.1 . 80 }'");
	fixture_run("nft add element inet taskvpc ports6 '{ tcp . 8080 : fd00:77::1 . 80 }'");
	assert_int_equal(plan_apply(&s->plan, &s->io, &e), -EEXIST);
	assert_non_null(strstr(e.msg, "ports4 '{ 6 . 8080 : 10.88.0.2 . 80 }'"));
	assert_non_null(strstr(e.details, "delete element inet taskvpc ports4 '{ 6 . 8080 }'"));
	nft_wait_expired();
	fixture_run("%s", others);
	fixture_run("! ip link show vpc0123456789ab 2>/dev/null");
	/* Restored is what can be. */
	assert_int_equal(plan_apply_elements(&s->plan, &s->io, &e), -EEXIST);
	fixture_run(
		"nft get element inet taskvpc host_ports4 '{ 127.0.0.1 . tcp . 8081 }' >/dev/null");
	must(plan_undo(&s->plan, &s->io, &e), &e);
	nft_wait_expired();
	fixture_run("%s", others);
	fixture_run("nft delete table inet taskvpc");
	scene_undo_shared(s);
	scene_end(s, &drawings[FULL_BRIDGE]);
}

static void test_port_that_leads_elsewhere(void **state)
{
	(void)state;
	refuse_foreign_ports();
}

/* The same as if the kernel could not expire: there dropping is deleting, and by the key alone. */
static void test_port_that_leads_elsewhere_before_6_12(void **state)
{
	int was = personality(0xffffffff);

	(void)state;
	personality((unsigned long)was | UNAME26);
	refuse_foreign_ports();
	personality((unsigned long)was);
}

/* A route that no kernel takes, in front: undone last. */
static void begin_with_bad_route(struct plan *p)
{
	struct plan *scratch = calloc(1, sizeof(*scratch));
	const struct ifref lo = { "lo", 1 };
	struct route_spec bad = { .dst = { .len = 33 } };

	assert_non_null(scratch);
	ip_parse("198.51.100.1", &bad.dst.ip);
	plan_init(scratch, NULL);
	plan_route(scratch, -1, HOST, &lo, &bad);
	memmove(&p->steps[1], &p->steps[0], p->n * sizeof(p->steps[0]));
	p->steps[0] = scratch->steps[0];
	p->n++;
	for (unsigned i = 1; i < p->n; i++)
		p->steps[i].dies_with += p->steps[i].dies_with >= 0;
	free(scratch);
}

/* Elements that were given up together go one by one, also if a route is refused behind them. */
static void test_elements_behind_a_refusal(void **state)
{
	struct scene *s = scene_begin(&drawings[FULL_BRIDGE]);
	struct err e;

	(void)state;
	s->a.ports[1].protocol = IPPROTO_TCP; /* flows of UDP would part the elements */
	drawings[FULL_BRIDGE].mode->plan(&s->a, &s->plan);
	must(plan_apply(&s->plan, &s->io, &e), &e);
	fixture_run("nft delete element inet taskvpc ports4 '{ tcp . 8080 }'");
	fixture_run("nft add element inet taskvpc ports4 '{ tcp . 8080 : 10.77.0.1 . 80 }'");
	begin_with_bad_route(&s->plan);
	assert_int_equal(plan_undo(&s->plan, &s->io, &e), -EINVAL);
	nft_wait_expired();
	fixture_run("! nft get element inet taskvpc host_ports4 '{ 127.0.0.1 . tcp . 8081 }' "
		    ">/dev/null 2>&1");
	fixture_run("nft delete table inet taskvpc");
	scene_undo_shared(s);
	scene_end(s, &drawings[FULL_BRIDGE]);
}

/* The kernel refuses the whole by its first message, and says nothing of the others. */
static void test_stale_generation(void **state)
{
	struct nft_element el = { .set = "tasks", .n_key = 0 };
	struct batch_failure failure;
	struct attachment a = { .mode = "" };
	struct netlink *nl;
	struct plan_io io;
	uint32_t now, other;
	struct err e;

	(void)state;
	fixture_open(&io, NULL, &a);
	assert_int_equal(plan_io_nft(&io, &nl, &e), 0);
	assert_int_equal(nft_generation(nl, &now, &e), 0);
	nft_begin_at(io.batch, now + 1);
	nft_element_add(io.batch, "taskvpc", &el);
	nft_commit(io.batch);
	assert_int_equal(batch_send(io.batch, nl, &failure, &e), -ERESTART);
	/* And the socket is none the worse. */
	assert_int_equal(nft_generation(nl, &other, &e), 0);
	assert_int_equal(other, now);
	plan_io_close(&io);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_published_again),
		cmocka_unit_test(test_port_that_leads_elsewhere),
		cmocka_unit_test(test_port_that_leads_elsewhere_before_6_12),
		cmocka_unit_test(test_elements_behind_a_refusal),
		cmocka_unit_test(test_stale_generation),
	};

	fixture_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
