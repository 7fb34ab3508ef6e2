/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pointers in thread-local variables are roots, on whichever side of the thread pointer
 * and however far from it they lie. */
#include "expect.h"

static __thread char far_off[12000];
static __thread void *first, *last[100];

__attribute__((noinline)) static void keep(void)
{
	char *p = far_off;

	KEEP(p);
	first = malloc(50);
	last[99] = malloc(60);
}

__attribute__((noinline)) static void lose(void)
{
	void *p = malloc(70);

	KEEP(p);
}

int main(void)
{
	lose();
	keep();
	for (int i = 0; i < 3; i++) {
		void *p = calloc(1, 8000);

		KEEP(p);
		free(p);
	}
	expect("leaks.definite.blocks", 1);
	expect("leaks.definite.bytes", 70);
	expect("leaks.indirect.blocks", 0);
	expect("leaks.possible.blocks", 0);
	expect("leaks.reachable.blocks >=", 2);
	return 0;
}
