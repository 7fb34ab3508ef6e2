/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of arch/x86: where registers are in regs.w (the order of
 * x86-64's struct user_regs_struct, for i386 too), and the decoder's hooks. */
#ifndef MTRACE_ARCH_X86_H
#define MTRACE_ARCH_X86_H

#include "arch/abi.h"

enum x86_reg {
	X86_R15, X86_R14, X86_R13, X86_R12, X86_BP, X86_BX, X86_R11, X86_R10, X86_R9,
	X86_R8, X86_AX, X86_CX, X86_DX, X86_SI, X86_DI, X86_ORIG_AX, X86_IP, X86_CS,
	X86_FLAGS, X86_SP, X86_SS, X86_FS_BASE, X86_GS_BASE, X86_DS, X86_ES, X86_FS,
	X86_GS, X86_NREGS
};

int x86_displace(const struct abi *abi, taddr_t addr, const uint8_t *insn, size_t len,
		 taddr_t slot, unsigned flags, struct displaced *out);
enum jump_kind x86_jump(const struct abi *abi, taddr_t addr, const uint8_t *insn, size_t len,
			taddr_t *where);
unsigned x86_call_before(const struct abi *abi, taddr_t ra, const uint8_t *code, size_t len,
			 taddr_t *target);
int x86_insn_length(const struct abi *abi, taddr_t addr, const uint8_t *insn, size_t len);
bool x86_64_tests_zero(const struct abi *abi, const uint8_t *code, size_t len);
bool x86_flag_zero(const struct regs *regs);
#define X86_MOV_EAX 0xb8 /* mov $imm32, %eax */
int x86_64_syscall_site(const struct abi *abi, const uint8_t *code, size_t len, unsigned *at);
int i386_syscall_site(const struct abi *abi, const uint8_t *code, size_t len, unsigned *at);

#endif
