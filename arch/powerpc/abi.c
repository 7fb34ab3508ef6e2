/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <elf.h>
#include "arch/powerpc/powerpc.h"

/* Sources: System V ABI, PowerPC processor supplement (1995), chapter 3; the
 * kernel's asm/ptrace.h, asm/unistd_32.h and powerpc/syscall64-abi.rst; DWARF
 * numbers as gcc gives them out in .eh_frame and .debug_frame: the link register
 * is 65, in the supplement 108; 67 is the pc of an interrupted frame in the vdso's
 * trampolines (arch/powerpc/kernel/vdso/sigtramp32.S). */

#define CR0_SO 0x10000000u
#define DWARF_LR 32 /* floating-point registers are not looked at */
#define DWARF_PC 33

const struct abi abi_powerpc = {
	.name = "powerpc",
	.e_machine = EM_PPC,
	.e_class = ELFCLASS32,
	.e_data = ELFDATA2MSB,
	.word = 4,
	.regset_len = 48 * 4,

	.pc = PPC_NIP,
	.sp = PPC_R1,
	.fp = PPC_R31,
	.retval = PPC_R3,
	.retval_high = PPC_R4, /* the low half, in fact */
	.link = PPC_LR,
	.syscall_ret = PPC_R3,
	.orig_syscall = -1,
	.reg_arg = { PPC_R3, PPC_R4, PPC_R5, PPC_R6, PPC_R7, PPC_R8, PPC_R9, PPC_R10 },
	.nreg_args = 8,
	.stack_arg = 8, /* above the back chain and the place for lr */
	.malloc_align = 16,
	.sigaction_words = 3,
	.tls_above = true,
	.back_chain_ra = 4,

	.bp_insn = { 0x7f, 0xe0, 0x00, 0x08 }, /* trap */
	.bp_len = 4,
	.has_singlestep = true,

	.syscall_insn = { 0x44, 0x00, 0x00, 0x02 },
	.syscall_insn_len = 4,
	.syscall_nr = PPC_R0,
	.syscall_arg = { PPC_R3, PPC_R4, PPC_R5, PPC_R6, PPC_R7, PPC_R8 },
	.nr_mmap = 192,
	.nr_munmap = 91,
	.nr_madvise = 205,
	.nr_rt_sigaction = 173,
	.nr_rt_sigprocmask = 174,
	.nr_execve = 11,
	.nr_execveat = 362,
	.nr_exit = 1,
	.nr_restart = -1,
	.syscall_error_reg = PPC_CCR,
	.syscall_error_mask = CR0_SO,

	.ndwarf = DWARF_PC + 1,
	.dwarf_pc = DWARF_PC,
	.dwarf_sp = 1,
	.dwarf_fp = 31,
	.dwarf_reg = {
		0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22,
		23, 24, 25, 26, 27, 28, 29, 30, 31, [DWARF_LR] = PPC_LR, [DWARF_PC] = PPC_NIP,
		[DWARF_PC + 1 ... ABI_MAX_DWARF - 1] = -1,
	},
	/* r14 … r31; r2 and r13 are never changed. */
	.dwarf_preserved = 0xffffc000u | 1u << 2 | 1u << 13,
	.dwarf_alias = { { 65, DWARF_LR }, { 108, DWARF_LR }, { 67, DWARF_PC } },

	.mode_reg = -1,
	.max_insn = 32, /* a PLT stub is 16, a load and reserve with its store up to 28 */
	.insn_align = 4,
	.slot_reach = 1u << 25,
	.displace = ppc_displace,
	.emulate = ppc_emulate,
	.jump = ppc_jump,
	.call_before = ppc_call_before,
	.insn_length = ppc_insn_length,
	.syscall_site = ppc_syscall_site,
	.tests_zero = ppc_tests_zero,
	.flag_zero = ppc_flag_zero,
};
