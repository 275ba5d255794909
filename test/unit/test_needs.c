/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an error says of a kernel that lacks a module. */
#include "plan/step.h"

#include "base/text.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void modules_are_named(void **state)
{
	static const struct nft_ruleset masquerade = { .name = "masquerade" };
	static const struct {
		struct step step;
		int error;
		const char *hint;
	} rows[] = {
		{ { .kind = &step_veth }, EOPNOTSUPP, "veth, or use a kernel with CONFIG_VETH" },
		{ { .kind = &step_bridge }, EOPNOTSUPP, "CONFIG_BRIDGE" },
		{ { .kind = &step_macvlan }, EOPNOTSUPP, "CONFIG_MACVLAN" },
		{ { .kind = &step_ifb }, EOPNOTSUPP, "ifb, or use a kernel with CONFIG_IFB" },
		{ { .kind = &step_qdisc }, ENOENT, "sch_tbf" },
		{ { .kind = &step_qdisc, .qdisc = { .ingress = true } }, ENOENT, "sch_ingress" },
		{ { .kind = &step_redirect }, ENOENT, "cls_u32 act_mirred" },
		{ { .kind = &step_bpf }, ENOENT, "CONFIG_NET_CLS_BPF" },
		{ { .kind = &step_ruleset, .ruleset = { .rules = &masquerade } },
		  ENOENT,
		  "CONFIG_NFT_MASQ" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		struct err e = { .sys = rows[i].error };

		plan_hint_need(&rows[i].step, &e);
		assert_non_null(strstr(e.details, "modprobe -a "));
		assert_non_null(strstr(e.details, rows[i].hint));
	}
}

static void other_errors_keep_their_hint(void **state)
{
	const struct step veth = { .kind = &step_veth }, route = { .kind = &step_route };
	struct err e = { .sys = ENOENT };

	(void)state;
	plan_hint_need(&veth, &e); /* an index that is gone, no kind */
	assert_string_equal(e.details, "");
	e.sys = EOPNOTSUPP;
	plan_hint_need(&route, &e);
	assert_string_equal(e.details, "");
	err_hint(&e, "said before");
	plan_hint_need(&veth, &e);
	assert_string_equal(e.details, "said before");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(modules_are_named),
		cmocka_unit_test(other_errors_keep_their_hint),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
