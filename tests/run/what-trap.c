/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A function, never called, that begins with a breakpoint instruction of the program's. */
#include "expect.h"

void trapped(void);
__asm__("	.text\n	.globl trapped\n	.type trapped, @function\n"
	"trapped:\n	int3\n	ret\n	.size trapped, . - trapped\n");

int main(void)
{
	void *p = malloc(24);

	KEEP(p);
	free(p);
	expect("allocs", 1);
	expect("frees", 1);
	return 0;
}
