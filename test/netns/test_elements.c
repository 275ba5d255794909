/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Elements of sets and maps, and transactions of them, against the real kernel: what is published
 * again, what leads elsewhere, what was judged by a ruleset that is not there any more.
 */
#include "scene.h"

#include "kernel/nft_message.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

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
		cmocka_unit_test(test_stale_generation),
	};

	fixture_enter();
	return cmocka_run_group_tests(tests, NULL, NULL);
}
