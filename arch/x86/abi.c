/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <elf.h>
#include "x86.h"

/* Sources: System V ABI, AMD64 supplement, figures 3.4 and 3.36; System V ABI,
 * Intel386 supplement, table 2.14.  On i386 an unmapped or unsaved DWARF
 * register is the caller's, except the four that functions must keep. */

const struct abi abi_x86_64 = {
	.name = "x86-64",
	.e_machine = EM_X86_64,
	.e_class = ELFCLASS64,
	.e_data = ELFDATA2LSB,
	.word = 8,
	.regset_len = 27 * 8,

	.pc = X86_IP,
	.sp = X86_SP,
	.fp = X86_BP,
	.retval = X86_AX,
	.retval_high = X86_DX,
	.link = -1,
	.syscall_ret = X86_AX,
	.orig_syscall = X86_ORIG_AX,
	.reg_arg = { X86_DI, X86_SI, X86_DX, X86_CX, X86_R8, X86_R9, -1, -1 },
	.nreg_args = 6,
	.stack_arg = 8,
	.ret_pops = 8,

	.bp_insn = { 0xcc },
	.bp_len = 1,
	.bp_pc_adjust = 1,
	.has_singlestep = true,

	.syscall_insn = { 0x0f, 0x05 },
	.syscall_insn_len = 2,
	.syscall_nr = X86_AX,
	.syscall_arg = { X86_DI, X86_SI, X86_DX, X86_R10, X86_R8, X86_R9 },
	.nr_mmap = 9,
	.nr_munmap = 11,
	.nr_madvise = 28,
	.nr_rt_sigaction = 13,
	.nr_rt_sigprocmask = 14,

	.ndwarf = 17,
	.dwarf_pc = 16,
	.dwarf_sp = 7,
	.dwarf_fp = 6,
	.dwarf_reg = {
		X86_AX, X86_DX, X86_CX, X86_BX, X86_SI, X86_DI, X86_BP, X86_SP,
		X86_R8, X86_R9, X86_R10, X86_R11, X86_R12, X86_R13, X86_R14, X86_R15,
		X86_IP, [17 ... ABI_MAX_DWARF - 1] = -1,
	},
	.dwarf_preserved = 1 << 3 | 1 << 6 | 1 << 12 | 1 << 13 | 1 << 14 | 1 << 15,

	.max_insn = 15,
	.slot_reach = 1u << 30,
	.displace = x86_displace,
	.jump = x86_jump,
	.call_before = x86_call_before,
	.insn_length = x86_insn_length,
	.syscall_site = x86_64_syscall_site,
	.nr_load_byte = X86_MOV_EAX,
	.tests_zero = x86_64_tests_zero,
	.flag_zero = x86_flag_zero,
};

const struct abi abi_i386 = {
	.name = "i386",
	.e_machine = EM_386,
	.e_class = ELFCLASS32,
	.e_data = ELFDATA2LSB,
	.word = 4,
	.regset_len = 17 * 4,

	.pc = X86_IP,
	.sp = X86_SP,
	.fp = X86_BP,
	.retval = X86_AX,
	.retval_high = X86_DX,
	.link = -1,
	.syscall_ret = X86_AX,
	.orig_syscall = X86_ORIG_AX,
	.reg_arg = { -1, -1, -1, -1, -1, -1, -1, -1 },
	.nreg_args = 0,
	.stack_arg = 4,
	.ret_pops = 4,

	.bp_insn = { 0xcc },
	.bp_len = 1,
	.bp_pc_adjust = 1,
	.has_singlestep = true,

	.syscall_insn = { 0xcd, 0x80 },
	.syscall_insn_len = 2,
	.syscall_nr = X86_AX,
	.syscall_arg = { X86_BX, X86_CX, X86_DX, X86_SI, X86_DI, X86_BP },
	.nr_mmap = 192,
	.nr_munmap = 91,
	.nr_madvise = 219,
	.nr_rt_sigaction = 174,
	.nr_rt_sigprocmask = 175,

	.ndwarf = 9,
	.dwarf_pc = 8,
	.dwarf_sp = 4,
	.dwarf_fp = 5,
	.dwarf_reg = {
		X86_AX, X86_CX, X86_DX, X86_BX, X86_SP, X86_BP, X86_SI, X86_DI, X86_IP,
		[9 ... ABI_MAX_DWARF - 1] = -1,
	},
	.dwarf_preserved = 1 << 3 | 1 << 5 | 1 << 6 | 1 << 7,

	.max_insn = 15,
	.slot_reach = 0,
	.displace = x86_displace,
	.jump = x86_jump,
	.call_before = x86_call_before,
	.insn_length = x86_insn_length,
	.syscall_site = i386_syscall_site,
	.nr_load_byte = X86_MOV_EAX,
};
