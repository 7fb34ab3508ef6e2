/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A program without any allocation function: no C library. */
#include <sys/syscall.h>

__attribute__((noreturn)) void _start(void);

void _start(void)
{
#ifdef __x86_64__
	__asm__ volatile("syscall" : : "a"(SYS_exit), "D"(0));
#else
	__asm__ volatile("int $0x80" : : "a"(SYS_exit), "b"(0));
#endif
	__builtin_unreachable();
}
