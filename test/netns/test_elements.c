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
	fixture_run("! ip link show eni0123456789ab 2>/dev/null");
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
		cmocka_unit_test(test_stale_generation),
	};

	fixture_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
