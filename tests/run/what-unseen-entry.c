/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Blocks that go back to the allocator's library by a function that nobody observes:
 * from two places, from one more often. */
#include "expect.h"

#define N 20

void quick_give(void *p);

__attribute__((noinline)) static void often(void)
{
	char *p = malloc(100);

	KEEP(p);
	quick_give(p);
}

__attribute__((noinline)) static void seldom(void)
{
	char *p = malloc(50);

	KEEP(p);
	quick_give(p);
}

int main(void)
{
	for (int i = 0; i < N; i++) {
		often();
		if (i % 4 == 0)
			seldom();
	}
	expect("unseen_releases", N + N / 4 - 1);
	expect("error_count", 0);
	return 0;
}
