/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An allocator's function that begins with an exclusive load: `reserve` adds its argument
 * to a number and returns what that was.  With an argument it is called when the file of
 * that name is there. */
#include "expect.h"

unsigned reserved = 1000;
unsigned reserve(unsigned *number, unsigned by);

#ifdef __powerpc__
__asm__("	.text\n	.globl reserve\n	.type reserve, @function\n"
	"reserve:\n	lwarx 5, 0, 3\n	add 6, 5, 4\n	stwcx. 6, 0, 3\n	bne- reserve\n"
	"	mr 3, 5\n	blr\n	.size reserve, . - reserve\n");
#elif defined __aarch64__
__asm__("	.text\n	.globl reserve\n	.type reserve, @function\n"
	"reserve:\n	ldxr w3, [x0]\n	add w4, w3, w1\n	stxr w5, w4, [x0]\n	cbnz w5, reserve\n"
	"	mov w0, w3\n	ret\n	.size reserve, . - reserve\n");
#else
unsigned reserve(unsigned *number, unsigned by)
{
	return __atomic_fetch_add(number, by, __ATOMIC_RELAXED);
}
#endif

int main(int argc, char **argv)
{
	while (argc > 1 && access(argv[1], F_OK))
		usleep(10000);
	EXPECT_THAT(reserve(&reserved, 24) == 1000 && reserved == 1024);
	return 0;
}
