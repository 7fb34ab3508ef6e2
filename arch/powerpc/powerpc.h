/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of arch/powerpc: where registers are in regs.w (the order
 * of the kernel's struct pt_regs and PT_… numbers, asm/ptrace.h), and the fields
 * of instructions (Power ISA, book I, section 1.6). */
#ifndef MTRACE_ARCH_POWERPC_H
#define MTRACE_ARCH_POWERPC_H

#include "arch/abi.h"

enum ppc_reg {
	PPC_R0, PPC_R1, PPC_R2, PPC_R3, PPC_R4, PPC_R5, PPC_R6, PPC_R7, PPC_R8, PPC_R9,
	PPC_R10, PPC_R11, PPC_R12, PPC_R31 = 31, PPC_NIP, PPC_MSR, PPC_ORIG_R3, PPC_CTR,
	PPC_LR, PPC_XER, PPC_CCR, PPC_MQ, PPC_TRAP, PPC_DAR, PPC_DSISR, PPC_RESULT, PPC_NREGS
};

/* Numbers of special registers, with their halves in order. */
enum { PPC_SPR_XER = 1, PPC_SPR_LR = 8, PPC_SPR_CTR = 9 };

/* Primary opcodes, and extended ones of opcodes 19 and 31. */
enum ppc_opcode {
	PPC_OP_BC = 16, PPC_OP_SC = 17, PPC_OP_B = 18, PPC_OP_XL = 19, PPC_OP_X = 31,
	PPC_XL_BCLR = 16, PPC_XL_BCCTR = 528, PPC_X_MFSPR = 339, PPC_X_MTSPR = 467,
};

#define PPC_NOP 0x60000000u
#define PPC_BCTR 0x4e800420u
#define PPC_LINK 1u      /* sets the link register */
#define PPC_ABSOLUTE 2u  /* the target is not relative to the pc */
#define PPC_NO_CTR 4u    /* of BO: the count register is left alone */
#define PPC_NO_COND 16u  /* of BO: the condition is not looked at */

static inline uint32_t ppc_insn(const uint8_t *b)
{
	return (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];
}

static inline unsigned ppc_op(uint32_t i) { return i >> 26; }
static inline unsigned ppc_xo(uint32_t i) { return i >> 1 & 0x3ff; }
/* The three register fields; the first two are BO and BI of a branch. */
static inline unsigned ppc_rt(uint32_t i) { return i >> 21 & 31; }
static inline unsigned ppc_ra(uint32_t i) { return i >> 16 & 31; }
static inline unsigned ppc_rb(uint32_t i) { return i >> 11 & 31; }
static inline unsigned ppc_spr(uint32_t i) { return ppc_rb(i) << 5 | ppc_ra(i); }
static inline int32_t ppc_simm(uint32_t i) { return (int16_t)i; }

/* Where b and bc go. */
static inline uint32_t ppc_target(uint32_t i, taddr_t at)
{
	uint32_t d = ppc_op(i) == PPC_OP_B ? (uint32_t)((int32_t)(i << 6) >> 6) : (uint32_t)ppc_simm(i);

	d &= ~3u;
	return i & PPC_ABSOLUTE ? d : (uint32_t)at + d;
}

static inline bool ppc_always(uint32_t i)
{
	return (ppc_rt(i) & (PPC_NO_CTR | PPC_NO_COND)) == (PPC_NO_CTR | PPC_NO_COND);
}

/* Could it be an instruction of a 32-bit program that may be copied, if it is no
 * branch? */
bool ppc_is_plain(uint32_t insn);

int ppc_displace(const struct abi *abi, taddr_t addr, const uint8_t *insn, size_t len,
		 taddr_t slot, unsigned flags, struct displaced *out);
int ppc_emulate(const struct abi *abi, const struct abi_memory *mem, taddr_t addr,
		const uint8_t *insn, size_t len, struct regs *regs);
enum jump_kind ppc_jump(const struct abi *abi, taddr_t addr, const uint8_t *insn, size_t len,
			taddr_t *where);
unsigned ppc_call_before(const struct abi *abi, taddr_t ra, const uint8_t *code, size_t len,
			 taddr_t *target);
int ppc_insn_length(const struct abi *abi, taddr_t addr, const uint8_t *insn, size_t len);
bool ppc_tests_zero(const struct abi *abi, const uint8_t *code, size_t len);
bool ppc_flag_zero(const struct regs *regs);
int ppc_syscall_site(const struct abi *abi, const uint8_t *code, size_t len, unsigned *at);

#endif
