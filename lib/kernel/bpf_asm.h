/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An assembler of BPF for bpf_code.c: each macro is one instruction of the kernel's
 * Documentation/bpf/standardization/instruction-set.rst.
 */
#ifndef KERNEL_BPF_ASM_H
#define KERNEL_BPF_ASM_H

#include "kernel/bpf_code.h"

#include <string.h>

/* R1-R5 carry arguments and do not survive a call, R6-R9 do; FRAME points to the stack's top. */
enum {
	R0,
	R1,
	R2,
	R3,
	R4,
	SKB = 6,
	PACKET,
	END,
	FRAME = 10
};

/* Jumps lead forward, to one of these; land() puts the distance in. */
enum label {
	PASS = 0x7f00, /* the stack's */
	NEXT,          /* the other family */
	OWN,           /* the source address is the task's own */
};

#define INSN(c, d, s, o, i)                                                                        \
	{                                                                                          \
		.code = (c), .dst_reg = (d), .src_reg = (s), .off = (o), .imm = (i)                \
	}
#define MOVE(dst, src)                     INSN(BPF_ALU64 | BPF_MOV | BPF_X, dst, src, 0, 0)
#define SET(dst, value)                    INSN(BPF_ALU64 | BPF_MOV | BPF_K, dst, 0, 0, value)
#define ADD(dst, value)                    INSN(BPF_ALU64 | BPF_ADD | BPF_K, dst, 0, 0, value)
#define AND(dst, value)                    INSN(BPF_ALU64 | BPF_AND | BPF_K, dst, 0, 0, (int)(value))
#define LOAD(size, dst, src, off)          INSN(BPF_LDX | BPF_MEM | (size), dst, src, off, 0)
#define STORE(size, dst, off, src)         INSN(BPF_STX | BPF_MEM | (size), dst, src, off, 0)
#define STORE_VALUE(size, dst, off, value) INSN(BPF_ST | BPF_MEM | (size), dst, 0, off, value)
#define IF(op, reg, value, label)          INSN(BPF_JMP32 | (op) | BPF_K, reg, 0, label, (int)(value))
#define IF_REG(op, a, b, label)            INSN(BPF_JMP | (op) | BPF_X, a, b, label, 0)
#define GOTO(label)                        INSN(BPF_JMP | BPF_JA, 0, 0, label, 0)
#define CALL(helper)                       INSN(BPF_JMP | BPF_CALL, 0, 0, 0, BPF_FUNC_##helper)
#define RETURN()                           INSN(BPF_JMP | BPF_EXIT, 0, 0, 0, 0)
/* Two instructions long. */
#define SET64(dst, value)                                                                          \
	INSN(BPF_LD | BPF_IMM | BPF_DW, dst, 0, 0, (int)(uint32_t)(value)),                        \
		INSN(0, 0, 0, 0, (int)(uint32_t)((uint64_t)(value) >> 32))

#define BYTE  BPF_B
#define HALF  BPF_H
#define WORD  BPF_W
#define DWORD BPF_DW

static inline void append(struct bpf_code *c, const struct bpf_insn *insns, size_t n)
{
	if (c->n + n > BPF_CODE_MAX)
		return; /* the kernel refuses a program without an end */
	memcpy(&c->insns[c->n], insns, n * sizeof(*insns));
	c->n += (unsigned)n;
}
#define APPEND(c, ...)                                                                             \
	do {                                                                                       \
		const struct bpf_insn insns_[] = { __VA_ARGS__ };                                  \
		append(c, insns_, sizeof(insns_) / sizeof(insns_[0]));                             \
	} while (0)

/* All jumps to @label so far lead to what is appended next. */
static inline void land(struct bpf_code *c, enum label label)
{
	for (unsigned i = 0; i < c->n; i++) {
		unsigned class = BPF_CLASS(c->insns[i].code);

		if ((class == BPF_JMP || class == BPF_JMP32) && c->insns[i].off == (int)label)
			c->insns[i].off = (int16_t)(c->n - i - 1);
	}
}

#endif
