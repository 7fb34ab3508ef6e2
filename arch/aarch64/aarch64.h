/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of arch/aarch64: where registers are in regs.w (the order of
 * the kernel's struct user_pt_regs), and the decoder.  Encodings: Arm Architecture
 * Reference Manual for A-profile, chapter C4. */
#ifndef MTRACE_ARCH_AARCH64_H
#define MTRACE_ARCH_AARCH64_H

#include "arch/abi.h"

enum a64_reg {
	A64_X0, A64_X8 = 8, A64_X16 = 16, A64_X17, A64_FP = 29, A64_LR = 30,
	A64_SP, A64_PC, A64_PSTATE, A64_NREGS
};

#define A64_ZR 31 /* as a register of most instructions: reads as zero */

/* PSTATE as ptrace shows it. */
#define A64_N (1u << 31)
#define A64_Z (1u << 30)
#define A64_C (1u << 29)
#define A64_V (1u << 28)
#define A64_BTYPE (3u << 10) /* an indirect branch has just been taken */

/* What an instruction is to displace, emulate and jump. */
enum a64_kind {
	A64_PLAIN,     /* does not know where it stands */
	A64_NOTHING,   /* nop, bti, yield …: may be left out */
	A64_B,
	A64_BL,
	A64_COND,      /* b.cond, cbz, tbz …: else it goes on behind */
	A64_TO_REG,    /* br, ret, braa, retaa … */
	A64_CALL_REG,  /* blr, blraa … */
	A64_ADR,       /* adr, adrp: puts `target` into rd */
	A64_LITERAL,   /* ldr rd, target */
	A64_SYSCALL,
	A64_EXCLUSIVE, /* ldxr …: what follows must come to a stxr undisturbed */
	A64_WITH_PC,   /* signs or checks with the pc (FEAT_PAuth_LR) */
};

struct a64_insn {
	uint32_t w;
	enum a64_kind kind;
	taddr_t target;
	uint8_t rd, rn, rm; /* the fields of these names, whether used or not */
};

/* Little-endian whatever the data are. */
static inline uint32_t a64_word(const uint8_t *b)
{
	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

/* `n` bits from `at` on, as a signed number. */
static inline int64_t a64_signed(uint32_t w, unsigned at, unsigned n)
{
	return (int64_t)((uint64_t)w << (64 - at - n)) >> (64 - n);
}

static inline uint32_t a64_bits(uint32_t w, unsigned at, unsigned n)
{
	return w >> at & ((1u << n) - 1);
}

/* 0, or -EINVAL: not all of one, or none that the architecture has. */
int a64_decode(taddr_t addr, const uint8_t *insn, size_t len, struct a64_insn *out);

int a64_displace(const struct abi *abi, taddr_t addr, const uint8_t *insn, size_t len,
		 taddr_t slot, unsigned flags, struct displaced *out);
int a64_emulate(const struct abi *abi, const struct abi_memory *mem, taddr_t addr,
		const uint8_t *insn, size_t len, struct regs *regs);
enum jump_kind a64_jump(const struct abi *abi, taddr_t addr, const uint8_t *insn, size_t len,
			taddr_t *where);
unsigned a64_call_before(const struct abi *abi, taddr_t ra, const uint8_t *code, size_t len,
			 taddr_t *target);
int a64_insn_length(const struct abi *abi, taddr_t addr, const uint8_t *insn, size_t len);
int a64_syscall_site(const struct abi *abi, const uint8_t *code, size_t len, unsigned *at);
bool a64_sigreturn(const struct abi *abi, taddr_t pc, const uint8_t *code, size_t len,
		   struct abi_frame *out);
bool a64_tests_zero(const struct abi *abi, const uint8_t *code, size_t len);
bool a64_flag_zero(const struct regs *regs);

#endif
