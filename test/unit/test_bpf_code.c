/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The program of hostRouting, read instruction by instruction: a rule of verifiers older than ours.
 */
#include "kernel/bpf_code.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum {
	FRAME_POINTER = 10,
	SLOT = 8,
};

static int size_of(const struct bpf_insn *insn)
{
	switch (BPF_SIZE(insn->code)) {
	case BPF_B:
		return 1;
	case BPF_H:
		return 2;
	case BPF_W:
		return 4;
	default:
		return SLOT;
	}
}

static bool stores_on_stack(const struct bpf_insn *insn)
{
	unsigned class = BPF_CLASS(insn->code);

	return (class == BPF_ST || class == BPF_STX) && insn->dst_reg == FRAME_POINTER;
}

/*
 * Before Linux 6.8 a write at the beginning of an 8-byte slot marks the slot as a spilled register,
 * and without CAP_PERFMON the verifier then refuses each later write into a part of it.
 */
static void expect_no_write_after_spill(const struct bpf_code *code)
{
	bool spilled[512 / SLOT] = { false };

	for (unsigned i = 0; i < code->n; i++) {
		const struct bpf_insn *insn = &code->insns[i];
		int at = -insn->off;

		if (!stores_on_stack(insn))
			continue;
		assert_in_range(at, 1, 512);
		if (size_of(insn) < SLOT && spilled[(at - 1) / SLOT])
			fail_msg("instruction %u writes %d bytes at %d, into a spilled slot", i,
				 size_of(insn), insn->off);
		spilled[(at - 1) / SLOT] = at % SLOT == 0 && size_of(insn) < SLOT;
	}
}

static void test_no_write_after_spill(void **state)
{
	struct bpf_owner owner = { .n_ips = 1 };
	struct bpf_code code;

	(void)state;
	ip_parse("192.0.2.1", &owner.ips[0]);
	bpf_code_build(&owner, &code);
	expect_no_write_after_spill(&code);
	ip_parse("2001:db8::1", &owner.ips[owner.n_ips++]);
	bpf_code_build(&owner, &code);
	assert_in_range(code.n, 100, BPF_CODE_MAX);
	expect_no_write_after_spill(&code);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_no_write_after_spill),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
