/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program without any allocation function: no C library. */
#include <sys/syscall.h>

__attribute__((noreturn)) void _start(void);

void _start(void)
{
#ifdef __x86_64__
	__asm__ volatile("syscall" : : "a"(SYS_exit), "D"(0));
#elif defined __i386__
	__asm__ volatile("int $0x80" : : "a"(SYS_exit), "b"(0));
#elif defined __aarch64__
	__asm__ volatile("mov x8, %0\n\tmov x0, #0\n\tsvc #0" : : "i"(SYS_exit) : "x0", "x8");
#elif defined __arm__
	__asm__ volatile("mov r7, %0\n\tmov r0, #0\n\tsvc #0" : : "i"(SYS_exit) : "r0");
#elif defined __powerpc__
	__asm__ volatile("li 0, %0\n\tli 3, 0\n\tsc" : : "i"(SYS_exit) : "r0", "r3");
#endif
	__builtin_unreachable();
}
