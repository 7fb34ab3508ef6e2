/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of arch/arm: where registers are in regs.w, and what the
 * decoders make of an instruction.  ARM and Thumb instructions become the same
 * form, so that there is one displacer and one executor. */
#ifndef MTRACE_ARCH_ARM_H
#define MTRACE_ARCH_ARM_H

#include "arch/abi.h"

/* The order of the kernel's struct pt_regs (arch/arm/include/uapi/asm/ptrace.h),
 * and of what a 64-bit kernel tells of a 32-bit task. */
enum arm_reg {
	ARM_R0, ARM_R1, ARM_R2, ARM_R3, ARM_R4, ARM_R5, ARM_R6, ARM_R7, ARM_R8, ARM_R9,
	ARM_R10, ARM_FP, ARM_IP, ARM_SP, ARM_LR, ARM_PC, ARM_CPSR, ARM_ORIG_R0, ARM_NREGS
};

/* CPSR: the flags, the Thumb bit, and the state of an IT block in two pieces
 * (ARM Architecture Reference Manual, ARMv7-A, B1.3.3). */
#define ARM_N 0x80000000u
#define ARM_Z 0x40000000u
#define ARM_C 0x20000000u
#define ARM_V 0x10000000u
#define ARM_T 0x20u
#define ARM_IT 0x0600fc00u

#define ARM_ALWAYS 14 /* the condition */

enum arm_op {
	ARM_INVALID,    /* no instruction, or one that works only where it is: an exclusive
			   access, which a stop in its loop would make fail for ever */
	ARM_PLAIN,      /* has nothing to do with the pc; no more is known of it */
	ARM_NOP,
	ARM_DATA,       /* rd = rn alu operand */
	ARM_MULTIPLY,   /* rd (and above it rs) = rn * rm, added to or taken from rs */
	ARM_TRANSFER,   /* loads or stores rd */
	ARM_DUAL,       /* … rd and rs */
	ARM_BLOCK,      /* … the registers of list */
	ARM_BRANCH,     /* to pc + imm */
	ARM_BRANCH_REG, /* to rm */
	ARM_COMPARE_BRANCH, /* cbz, cbnz: to pc + imm if (rn != 0) == negate */
	ARM_TABLE,      /* tbb, tbh: to pc + 2 * the size bytes at rn + rm * size */
	ARM_IF_THEN,    /* it: imm is the state */
	ARM_SVC,
	ARM_VLDR,       /* of a literal at pc + imm, aligned */
};

/* The field of ARM's data-processing instructions, and what only Thumb has or
 * only this decoder calls so. */
enum arm_alu {
	ALU_AND, ALU_EOR, ALU_SUB, ALU_RSB, ALU_ADD, ALU_ADC, ALU_SBC, ALU_RSC,
	ALU_TST, ALU_TEQ, ALU_CMP, ALU_CMN, ALU_ORR, ALU_MOV, ALU_BIC, ALU_MVN,
	ALU_ORN, ALU_MOVT, ALU_UXTB, ALU_UXTH, ALU_SXTB, ALU_SXTH,
	ALU_CLZ, ALU_UBFX, ALU_SBFX, /* of rm: imm bits from the amount on */
};

/* The field of ARM's multiplications; the long ones have rs for the upper half. */
enum arm_multiply { MUL_PLAIN, MUL_ADD, MUL_SUB = 3, MUL_ULONG, MUL_ULONG_ADD, MUL_SLONG, MUL_SLONG_ADD };

enum arm_shift { ARM_LSL, ARM_LSR, ARM_ASR, ARM_ROR, ARM_RRX };

struct arm_insn {
	enum arm_op op;
	uint8_t len;
	uint8_t cond;  /* of the instruction itself; in an IT block there is another */
	bool thumb;
	bool uses_pc;  /* reads it, so that it would do something else elsewhere */

	/* The operand of ARM_DATA, the offset of ARM_TRANSFER and ARM_DUAL: imm, or rm
	 * shifted by the amount or by the register rs. */
	bool is_imm, by_reg;
	bool imm_sets_carry; /* to bit 31, as rotated immediates do */
	uint8_t shift, amount;
	uint8_t rd, rn, rm, rs;
	uint32_t imm;

	uint8_t alu;
	bool sets_flags;
	bool unless_it;      /* …, but not in an IT block */
	bool align;          /* adr: of the pc the low two bits are not taken */

	bool load, sign, add, pre, wback;
	uint8_t size;
	uint16_t list;

	bool link, exchange; /* the target's instruction set is the other one */
	bool negate;
};

/* Decode up to len bytes; false: there are too few.  *out is ARM_INVALID, with a
 * length, where it is no instruction. */
bool arm_decode(taddr_t code, const uint8_t *insn, size_t len, struct arm_insn *out);
/* One of each instruction set; first and second are halfwords. */
void arm_decode_arm(uint32_t word, struct arm_insn *out);
void arm_decode_thumb16(unsigned half, struct arm_insn *out);
void arm_decode_thumb32(unsigned first, unsigned second, struct arm_insn *out);
/* Loads and stores of coprocessor registers; the same in both instruction sets. */
void arm_decode_coprocessor(struct arm_insn *out, uint32_t word);
/* The shift of an immediate amount, as it is encoded. */
void arm_set_shift(struct arm_insn *out, unsigned type, unsigned amount);

/* What reading the pc gives. */
static inline uint32_t arm_pc_value(taddr_t code, const struct arm_insn *d)
{
	return (uint32_t)(code & ~(taddr_t)1) + (d->thumb ? 4 : 8);
}
/* Where an ARM_BRANCH leads, a code pointer. */
static inline taddr_t arm_branch_target(taddr_t code, const struct arm_insn *d)
{
	uint32_t to = arm_pc_value(code, d) + d->imm;

	if (d->exchange && d->thumb)
		return to & ~3u;
	return d->exchange != d->thumb ? to | 1 : to;
}

int arm_displace(const struct abi *abi, taddr_t code, const uint8_t *insn, size_t len,
		 taddr_t slot, unsigned flags, struct displaced *out);
int arm_emulate(const struct abi *abi, const struct abi_memory *mem, taddr_t code,
		const uint8_t *insn, size_t len, struct regs *regs);
enum jump_kind arm_jump(const struct abi *abi, taddr_t code, const uint8_t *insn, size_t len,
			taddr_t *where);
unsigned arm_call_before(const struct abi *abi, taddr_t ra, const uint8_t *code, size_t len,
			 taddr_t *target);
bool arm_in_block(const struct abi *abi, taddr_t code, const uint8_t *before, size_t len);
int arm_insn_length(const struct abi *abi, taddr_t code, const uint8_t *insn, size_t len);
int arm_syscall_site(const struct abi *abi, const uint8_t *code, size_t len, unsigned *at);

#endif
