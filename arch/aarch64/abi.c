/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <elf.h>

#include "arch/aarch64/aarch64.h"

/* Sources: Procedure Call Standard for the Arm 64-bit Architecture (AAPCS64),
 * section 6; DWARF for the Arm 64-bit Architecture (AADWARF64), section 4.1; system
 * calls: the kernel's asm-generic/unistd.h.  User addresses have at most 52 bits, and
 * their highest byte is ignored (tags) in pointers to data. */
const struct abi abi_aarch64 = {
	.name = "AArch64",
	.e_machine = EM_AARCH64,
	.e_class = ELFCLASS64,
	.e_data = ELFDATA2LSB,
	.word = 8,
	.regset_len = A64_NREGS * 8,
	.data_mask = ((uint64_t)1 << 56) - 1,

	.tls_above = true,
	.pc = A64_PC,
	.sp = A64_SP,
	.fp = A64_FP,
	.retval = A64_X0,
	.retval_high = A64_X0 + 1,
	.link = A64_LR,
	.syscall_ret = A64_X0,
	.orig_syscall = -1,
	.reg_arg = { 0, 1, 2, 3, 4, 5, 6, 7 },
	.nreg_args = 8,
	.stack_arg = 0,
	.ret_pops = 0,
	.malloc_align = 16,
	.sigaction_words = 3,

	.bp_insn = { 0x00, 0x00, 0x20, 0xd4 }, /* brk #0 */
	.bp_len = 4,
	.bp_pc_adjust = 0,
	.has_singlestep = true,

	.syscall_insn = { 0x01, 0x00, 0x00, 0xd4 }, /* svc #0 */
	.syscall_insn_len = 4,
	.syscall_nr = A64_X8,
	.syscall_arg = { 0, 1, 2, 3, 4, 5 },
	.nr_mmap = 222,
	.nr_munmap = 215,
	.nr_madvise = 233,
	.nr_rt_sigaction = 134,
	.nr_rt_sigprocmask = 135,
	.nr_execve = 221,
	.nr_execveat = 281,
	.nr_exit = 93,
	.nr_restart = 128,

	.ndwarf = 33,
	.dwarf_pc = 32,
	.dwarf_sp = 31,
	.dwarf_fp = 29,
	.dwarf_reg = {
		0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20,
		21, 22, 23, 24, 25, 26, 27, 28, A64_FP, A64_LR, A64_SP, A64_PC,
		[33 ... ABI_MAX_DWARF - 1] = -1,
	},
	.dwarf_preserved = (uint64_t)0x7ff << 19, /* x19 … x29 */

	.mode_reg = -1,
	.max_insn = 32, /* a PLT stub, a load-exclusive and its store */
	.insn_align = 4,
	.slot_reach = 1u << 27,
	.displace = a64_displace,
	.emulate = a64_emulate,
	.jump = a64_jump,
	.call_before = a64_call_before,
	.insn_length = a64_insn_length,
	.syscall_site = a64_syscall_site,
	.sigreturn = a64_sigreturn,
	.tests_zero = a64_tests_zero,
	.flag_zero = a64_flag_zero,
};
