/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The code to which a signal handler returns, in the C library, in the
 * kernel's page of vectors or on the stack: it loads the number of sigreturn
 * or rt_sigreturn and enters the kernel. */
#include "arch/arm/unwind.h"

enum { NR_SIGRETURN = 119, NR_RT_SIGRETURN = 173 };

/* What the stack pointer points to (Linux, arch/arm/include/asm/ucontext.h):
 *
 *   rt_sigreturn:  siginfo, 128 bytes;
 *   both:          ucontext: flags, link, stack; sigcontext: trap_no,
 *                  error_code, oldmask, r0 … r15, cpsr
 */
enum { SIGINFO_BYTES = 128, UCONTEXT_R0 = 20 + 12 };

static uint32_t get32(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

/* The number that is loaded into r7; −1: something else. */
static int number(const uint8_t *p, size_t len, bool thumb)
{
	if (!thumb) /* mov r7, #n; svc 0, or the old ABI's */
		return len >= 8 && (get32(p) & 0xffffff00) == 0xe3a07000 &&
		       (get32(p + 4) & 0xff000000) == 0xef000000 ? p[0] : -1;
	if (len >= 4 && p[1] == 0x27 && get32(p) >> 16 == 0xdf00) /* movs r7, #n */
		return p[0];
	if (len >= 6 && (get32(p) & 0xff00ffff) == 0x0700f04f && p[4] == 0 && p[5] == 0xdf)
		return p[2]; /* mov.w r7, #n */
	return -1;
}

bool arm_sigreturn(const struct abi *abi, taddr_t pc, const uint8_t *code, size_t len,
		   struct abi_frame *out)
{
	int nr = number(code, len, pc & abi->code_bit);
	int32_t r0 = UCONTEXT_R0 + (nr == NR_RT_SIGRETURN ? SIGINFO_BYTES : 0);

	if (nr != NR_SIGRETURN && nr != NR_RT_SIGRETURN)
		return false;
	*out = (struct abi_frame){ .signal = true, .base = UNWIND_SP, .ra_saved = true };
	for (int reg = 0; reg < ABI_FRAME_REGS; reg++)
		out->off[reg] = r0 + 4 * reg;
	out->saved = (1u << UNWIND_PC) - 1;
	out->cfa = r0 + 4 * UNWIND_SP;
	out->ra = r0 + 4 * UNWIND_PC;
	out->mode = r0 + 4 * 16;
	return true;
}
