/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Linked with --wrap=main: overwrites what main and all that it called have left
 * below on the stack, where exit's own frames keep parts of it as they were. */
#include <string.h>

int __real_main(int argc, char **argv, char **envp);
int __wrap_main(int argc, char **argv, char **envp);

__attribute__((noinline)) static void scrub(void)
{
	char room[65536];
	char *p = room;

	memset(p, 0, sizeof room);
	__asm__ volatile("" : : "r"(p) : "memory");
}

int __wrap_main(int argc, char **argv, char **envp)
{
	int status = __real_main(argc, argv, envp);

	scrub();
	return status;
}
