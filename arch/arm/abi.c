/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <elf.h>
#include "arm.h"
#include "unwind.h"

/* Sources: Procedure Call Standard for the Arm Architecture (AAPCS32), sections
 * 6.1 and 6.4; DWARF for the Arm Architecture, table 1; the kernel's
 * arch/arm/include/uapi/asm/ptrace.h and arch/arm/tools/syscall.tbl (EABI); the
 * breakpoints that arch/arm/kernel/ptrace.c reports as SIGTRAP. */

const struct abi abi_arm = {
	.name = "ARM",
	.e_machine = EM_ARM,
	.e_class = ELFCLASS32,
	.e_data = ELFDATA2LSB,
	.word = 4,
	.regset_len = ARM_NREGS * 4,

	.tls_above = true,
	.pc = ARM_PC,
	.sp = ARM_SP,
	.fp = ARM_FP,
	.retval = ARM_R0,
	.retval_high = ARM_R1,
	.link = ARM_LR,
	.syscall_ret = ARM_R0,
	.orig_syscall = -1,
	.reg_arg = { ARM_R0, ARM_R1, ARM_R2, ARM_R3, -1, -1, -1, -1 },
	.nreg_args = 4,
	.stack_arg = 0,
	.ret_pops = 0,
	.malloc_align = 8,
	.sigaction_words = 3,

	.code_bit = 1,
	.mode_reg = ARM_CPSR,
	.mode_mask = ARM_T,
	.place_mask = ARM_IT,

	.bp_insn = { 0xf0, 0x01, 0xf0, 0xe7 },
	.bp_len = 4,
	.bp_alt_insn = { 0x01, 0xde },
	.bp_alt_len = 2,
	.bp_pc_adjust = 0,
	.has_singlestep = false,

	.syscall_insn = { 0, 0, 0, 0xef }, /* svc 0 */
	.syscall_insn_len = 4,
	.syscall_alt_insn = { 0, 0xdf },
	.syscall_alt_len = 2,
	.syscall_nr = ARM_R7,
	.syscall_arg = { ARM_R0, ARM_R1, ARM_R2, ARM_R3, ARM_R4, ARM_R5 },
	.nr_mmap = 192,
	.nr_munmap = 91,
	.nr_madvise = 220,
	.nr_rt_sigaction = 174,
	.nr_rt_sigprocmask = 175,
	.nr_execve = 11,
	.nr_execveat = 387,
	.nr_exit = 1,
	.nr_restart = 0,

	.ndwarf = 16,
	.dwarf_pc = 15,
	.dwarf_sp = 13,
	.dwarf_fp = 11,
	.dwarf_reg = {
		ARM_R0, ARM_R1, ARM_R2, ARM_R3, ARM_R4, ARM_R5, ARM_R6, ARM_R7,
		ARM_R8, ARM_R9, ARM_R10, ARM_FP, ARM_IP, ARM_SP, ARM_LR, ARM_PC,
		[16 ... ABI_MAX_DWARF - 1] = -1,
	},
	.dwarf_preserved = 0xff << 4, /* r4 to r11 */

	.max_insn = 20, /* linkers' stubs */
	.insn_align = 2,
	.slot_reach = 0,
	.displace = arm_displace,
	.emulate = arm_emulate,
	.jump = arm_jump,
	.call_before = arm_call_before,
	.insn_length = arm_insn_length,
	.in_block = arm_in_block,
	.syscall_site = arm_syscall_site,
	.exidx = arm_exidx,
	.prologue = arm_prologue,
	.sigreturn = arm_sigreturn,
};
