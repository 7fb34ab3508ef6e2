/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Hooks of struct abi (arch/abi.h) that find a frame's caller, for both
 * instruction sets. */
#ifndef MTRACE_ARCH_ARM_UNWIND_H
#define MTRACE_ARCH_ARM_UNWIND_H

#include "arch/abi.h"

/* DWARF numbers are the numbers of registers (AADWARF32, section 4.1). */
enum { UNWIND_R7 = 7, UNWIND_R11 = 11, UNWIND_SP = 13, UNWIND_LR = 14, UNWIND_PC = 15 };

bool arm_exidx(const struct abi *, const uint8_t *ops, size_t n, struct abi_frame *out);
bool arm_prologue(const struct abi *, const struct abi_code *code, taddr_t pc,
		  struct abi_frame *out);
bool arm_sigreturn(const struct abi *, taddr_t pc, const uint8_t *code, size_t len,
		   struct abi_frame *out);

/* -- what an instruction does to a frame (prologue-thumb.c, prologue-arm.c) --- */

/* What is known of a register. */
enum what { ANYTHING, ON_STACK, CONSTANT, RETURN_ADDRESS };

struct value {
	uint8_t what; /* enum what */
	int32_t v;    /* ON_STACK: from the stack pointer at the function's entry */
};

/* What is known before an instruction is executed. */
struct frame_state {
	struct value reg[16];
	uint32_t saved;      /* bit n: what register n had at the entry is on the
				stack at slot[n] */
	int32_t slot[16];    /* from the stack pointer at the entry */
	uint8_t conditional; /* so many of the next instructions are (IT) */
	bool no_caller;      /* lr was made 0, or a thread begins */
	bool lr_is_next;     /* "mov lr, pc": a jump that follows is a call */
};

enum flow {
	FLOW_NEXT,   /* on to the next instruction */
	FLOW_CALL,   /* the same, if the function that it calls returns */
	FLOW_BRANCH, /* there or on */
	FLOW_JUMP,   /* there */
	FLOW_TABLE,  /* to one of a table's places */
	FLOW_AWAY,   /* through a register */
	FLOW_END,    /* a return, no instruction */
};

enum table_kind {
	TABLE_BYTES, TABLE_HALFWORDS, /* halfwords from the table on */
	TABLE_WORDS,                  /* addresses */
	TABLE_BRANCHES,               /* instructions that follow each other */
};

struct insn {
	enum flow flow;
	unsigned len;
	bool conditional;
	taddr_t to;            /* FLOW_BRANCH, FLOW_JUMP */
	taddr_t table;         /* FLOW_TABLE: where it is */
	enum table_kind kind;
};

/* What the instruction at `at` does to the state; false: it is not in the code. */
bool prologue_thumb_step(const struct abi_code *c, taddr_t at, struct frame_state *s, struct insn *out);
bool prologue_arm_step(const struct abi_code *c, taddr_t at, struct frame_state *s, struct insn *out);

/* -- effects, the same for both sets (prologue.c) ------------------------------ */

void frame_set(struct frame_state *s, unsigned reg, enum what what, int64_t v);
/* rd = rn + imm */
void frame_add(struct frame_state *s, unsigned rd, unsigned rn, int64_t imm);
/* rd = rn ± rm */
void frame_add_reg(struct frame_state *s, unsigned rd, unsigned rn, unsigned rm, bool minus);
void frame_move(struct frame_state *s, unsigned rd, unsigned rm);
/* The registers of a set are stored at rn + off and upwards, or loaded. */
void frame_store(struct frame_state *s, unsigned set, unsigned rn, int32_t off);
void frame_load(struct frame_state *s, unsigned set, unsigned rn, int32_t off);

bool code_u8(const struct abi_code *c, taddr_t at, uint32_t *v);
bool code_u16(const struct abi_code *c, taddr_t at, uint32_t *v);
bool code_u32(const struct abi_code *c, taddr_t at, uint32_t *v);

/* A system call that makes a thread makes one without a caller. */
void frame_syscall(struct frame_state *s);

/* Bits hi … lo of an instruction. */
static inline uint32_t bits(uint32_t insn, unsigned hi, unsigned lo)
{
	return insn >> lo & ((2u << (hi - lo)) - 1);
}

static inline int32_t sign_extend(uint32_t v, unsigned width)
{
	return (int32_t)(v << (32 - width)) >> (32 - width);
}

#endif
