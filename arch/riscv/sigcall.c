/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "arch/riscv/riscv.h"

#define LI_A7 (RV_OP_IMM | RV_A7 << 7) /* addi a7, zero, … */
#define NR_RT_SIGRETURN 139

/* `li a7, nr`; moves of arguments; `ecall`. */
int rv_syscall_site(const struct abi *abi, const uint8_t *code, size_t len, unsigned *at)
{
	struct rv_insn in;
	int nr;

	(void)abi;
	if (rv_decode(code, len, &in) || (in.w & 0xfffff) != LI_A7 || in.w >> 31)
		return -1;
	nr = (int)rv_imm_i(in.w);
	for (size_t i = in.len; i < len; i += in.len) {
		if (rv_decode(code + i, len - i, &in))
			return -1;
		if (in.w == RV_ECALL) {
			*at = (unsigned)i;
			return nr;
		}
		if (rv_op(in.w) == RV_BRANCH || rv_op(in.w) == RV_JAL || rv_op(in.w) == RV_JALR)
			return -1;
	}
	return -1;
}

/* The vdso's code to which signal handlers return.  The stack pointer points to
 * siginfo, 128 bytes; ucontext: flags, link, stack, mask and what is kept free, 176
 * bytes; pc, x1 … x31 (Linux, arch/riscv/include/uapi/asm/ucontext.h, sigcontext.h). */
bool rv_sigreturn(const struct abi *abi, taddr_t pc, const uint8_t *code, size_t len,
		  struct abi_frame *out)
{
	const int32_t regs = 128 + 176;
	struct rv_insn li, ecall;

	(void)abi, (void)pc;
	if (len < 8 || rv_decode(code, 4, &li) || rv_decode(code + 4, 4, &ecall) ||
	    li.w != (LI_A7 | (uint32_t)NR_RT_SIGRETURN << 20) || ecall.w != RV_ECALL)
		return false;
	*out = (struct abi_frame){ .signal = true, .base = RV_SP, .ra_reg = RV_RA, .ra_saved = true,
				   .ra = regs, .cfa = regs + 8 * RV_SP, .saved = UINT32_MAX - 1 };
	for (int reg = 1; reg < RV_NREGS; reg++)
		out->off[reg] = regs + 8 * reg;
	return true;
}
