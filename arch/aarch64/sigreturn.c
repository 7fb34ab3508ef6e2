/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A signal handler returns to code in the vdso, of which the kernel tells no
 * call-frame information (arch/arm64/kernel/vdso/sigreturn.S says why): it enters the
 * kernel with the number of rt_sigreturn. */
#include "arch/aarch64/aarch64.h"

#define MOV_X8_139 0xd2801168
#define SVC_0 0xd4000001

/* What the stack pointer points to (Linux, arch/arm64/include/uapi/asm/ucontext.h and
 * sigcontext.h): siginfo, 128 bytes; ucontext: flags, link, stack, mask and what is kept
 * free, 176 bytes; sigcontext: fault_address, x0 … x30, sp, pc, pstate. */
enum { X0 = 128 + 176 + 8, DWARF_SP = 31, DWARF_PC = 32 };

bool a64_sigreturn(const struct abi *abi, taddr_t pc, const uint8_t *code, size_t len,
		   struct abi_frame *out)
{
	(void)abi, (void)pc;
	if (len < 8 || a64_word(code) != MOV_X8_139 || a64_word(code + 4) != SVC_0)
		return false;
	*out = (struct abi_frame){ .signal = true, .base = DWARF_SP, .ra_reg = DWARF_PC,
				   .ra_saved = true, .ra = X0 + 8 * DWARF_PC,
				   .cfa = X0 + 8 * DWARF_SP, .saved = UINT32_MAX };
	for (int reg = 0; reg <= DWARF_SP; reg++)
		out->off[reg] = X0 + 8 * reg;
	return true;
}
