/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of arch/riscv: where registers are in regs.w (the order of the
 * kernel's struct user_regs_struct, where pc takes the place of x0), and the decoder.
 * Encodings: The RISC-V Instruction Set Manual, volume I, chapters "RV32/64G Instruction
 * Set Listings" and "C". */
#ifndef MTRACE_ARCH_RISCV_H
#define MTRACE_ARCH_RISCV_H

#include "arch/abi.h"

enum rv_reg {
	RV_PC, RV_RA, RV_SP, RV_T0 = 5, RV_T1, RV_FP = 8, RV_A0 = 10, RV_A1, RV_A7 = 17,
	RV_T3 = 28, RV_NREGS = 32
};

enum rv_opcode {
	RV_LOAD = 0x03, RV_FENCE = 0x0f, RV_OP_IMM = 0x13, RV_AUIPC = 0x17, RV_OP_IMM_32 = 0x1b,
	RV_STORE = 0x23, RV_AMO = 0x2f, RV_OP = 0x33, RV_LUI = 0x37, RV_OP_32 = 0x3b,
	RV_BRANCH = 0x63, RV_JALR = 0x67, RV_JAL = 0x6f, RV_SYSTEM = 0x73
};

#define RV_ECALL 0x00000073u
#define RV_C_EBREAK 0x9002u

/* A compressed instruction as the one of 32 bits that it stands for; w is 0 for those
 * of the floating-point registers, of which nothing more is asked. */
struct rv_insn {
	uint32_t w;
	uint8_t len;
};

static inline uint32_t rv_bits(uint32_t w, unsigned at, unsigned n)
{
	return w >> at & ((1u << n) - 1);
}

static inline unsigned rv_op(uint32_t w) { return w & 0x7f; }
static inline unsigned rv_rd(uint32_t w) { return rv_bits(w, 7, 5); }
static inline unsigned rv_rs1(uint32_t w) { return rv_bits(w, 15, 5); }
static inline unsigned rv_rs2(uint32_t w) { return rv_bits(w, 20, 5); }
static inline unsigned rv_f3(uint32_t w) { return rv_bits(w, 12, 3); }
static inline int64_t rv_imm_i(uint32_t w) { return (int32_t)w >> 20; }
static inline int64_t rv_imm_u(uint32_t w) { return (int32_t)(w & 0xfffff000); }

/* Where jal and branches go, from their own address. */
static inline int64_t rv_imm_j(uint32_t w)
{
	return (int32_t)(w & 0x80000000) >> 11 | (int32_t)(w & 0xff000) |
	       (int32_t)rv_bits(w, 20, 1) << 11 | (int32_t)rv_bits(w, 21, 10) << 1;
}

static inline int64_t rv_imm_b(uint32_t w)
{
	return (int32_t)(w & 0x80000000) >> 19 | (int32_t)rv_bits(w, 7, 1) << 11 |
	       (int32_t)rv_bits(w, 25, 6) << 5 | (int32_t)rv_bits(w, 8, 4) << 1;
}

/* 0, or -EINVAL: not all of one, or none that there is. */
int rv_decode(const uint8_t *b, size_t len, struct rv_insn *out);
/* Does it nothing, at most announce a landing pad (auipc x0)? */
bool rv_is_nop(const struct rv_insn *in);

int rv_displace(const struct abi *abi, taddr_t addr, const uint8_t *insn, size_t len,
		taddr_t slot, unsigned flags, struct displaced *out);
int rv_emulate(const struct abi *abi, const struct abi_memory *mem, taddr_t addr,
	       const uint8_t *insn, size_t len, struct regs *regs);
enum jump_kind rv_jump(const struct abi *abi, taddr_t addr, const uint8_t *insn, size_t len,
		       taddr_t *where);
unsigned rv_call_before(const struct abi *abi, taddr_t ra, const uint8_t *code, size_t len,
			taddr_t *target);
int rv_insn_length(const struct abi *abi, taddr_t addr, const uint8_t *insn, size_t len);
int rv_syscall_site(const struct abi *abi, const uint8_t *code, size_t len, unsigned *at);
bool rv_sigreturn(const struct abi *abi, taddr_t pc, const uint8_t *code, size_t len,
		  struct abi_frame *out);

#endif
