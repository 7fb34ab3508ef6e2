/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <elf.h>

#include "arch/riscv/riscv.h"

/* The DWARF number of pc: none is defined, and that of ft11, which no function keeps,
 * is free for us. */
#define DWARF_PC 63

/* Sources: RISC-V ELF psABI, "Register Convention", "Procedure Calling Convention" and
 * "DWARF Register Numbers"; system calls: the kernel's asm-generic/unistd.h.  The
 * breakpoint is the compressed one, which fits over any instruction. */
const struct abi abi_riscv64 = {
	.name = "RISC-V 64",
	.e_machine = EM_RISCV,
	.e_class = ELFCLASS64,
	.e_data = ELFDATA2LSB,
	.word = 8,
	.regset_len = RV_NREGS * 8,

	.tls_above = true,
	.pc = RV_PC,
	.sp = RV_SP,
	.fp = RV_FP,
	.retval = RV_A0,
	.retval_high = RV_A1,
	.link = RV_RA,
	.syscall_ret = RV_A0,
	.orig_syscall = -1,
	.reg_arg = { 10, 11, 12, 13, 14, 15, 16, 17 },
	.nreg_args = 8,
	.malloc_align = 16,
	.sigaction_words = 2,

	.bp_insn = { RV_C_EBREAK & 0xff, RV_C_EBREAK >> 8 },
	.bp_len = 2,

	.syscall_insn = { 0x73, 0x00, 0x00, 0x00 }, /* ecall */
	.syscall_insn_len = 4,
	.syscall_nr = RV_A7,
	.syscall_arg = { 10, 11, 12, 13, 14, 15 },
	.nr_mmap = 222,
	.nr_munmap = 215,
	.nr_madvise = 233,
	.nr_rt_sigaction = 134,
	.nr_rt_sigprocmask = 135,
	.nr_execve = 221,
	.nr_execveat = 281,
	.nr_exit = 93,
	.nr_restart = -1,

	.ndwarf = DWARF_PC + 1,
	.dwarf_pc = DWARF_PC,
	.dwarf_sp = 2,
	.dwarf_fp = 8,
	.fp_pair = -16, /* psABI, "Frame Pointer Convention" */
	.dwarf_reg = {
		-1, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
		22, 23, 24, 25, 26, 27, 28, 29, 30, 31, [32 ... DWARF_PC - 1] = -1,
		[DWARF_PC] = RV_PC,
	},
	.dwarf_preserved = 3u << 8 | 0x3ffu << 18, /* s0, s1; s2 … s11 */

	.mode_reg = -1,
	.max_insn = 16, /* a PLT stub */
	.insn_align = 2,
	.displace = rv_displace,
	.emulate = rv_emulate,
	.jump = rv_jump,
	.call_before = rv_call_before,
	.insn_length = rv_insn_length,
	.syscall_site = rv_syscall_site,
	.sigreturn = rv_sigreturn,
};
