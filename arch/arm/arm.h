/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Shared by the files of arch/arm: where registers are in regs.w, and what the
 * decoders make of an instruction.  ARM and Thumb instructions become the same
 * form, so that there is one displacer and one executor. */
#ifndef MTRACE_ARCH_ARM_H
#define MTRACE_ARCH_ARM_H

#include "arch/abi.h"

/* The order of the kernel's struct pt_regs (arch/arm/include/uapi/asm/ptrace.h),
 * and of what a 64-bit kernel tells of a 32-bit task. */
enum arm_reg {
	ARM_R0, ARM_R1, ARM_R2, ARM_R3, ARM_R4, ARM_R5, ARM_R6, ARM_R7, ARM_R8, ARM_R9,
	ARM_R10, ARM_FP, ARM_IP, ARM_SP, ARM_LR, ARM_PC, ARM_CPSR, ARM_ORIG_R0, ARM_NREGS
};

/* CPSR: the flags, the Thumb bit, and the state of an IT block in two pieces
 * (ARM Architecture Reference Manual, ARMv7-A, B1.3.3). */
#define ARM_N 0x80000000u
#define ARM_Z 0x40000000u
#define ARM_C 0x20000000u
#define ARM_V 0x10000000u
#define ARM_T 0x20u
#define ARM_IT 0x0600fc00u

#endif
