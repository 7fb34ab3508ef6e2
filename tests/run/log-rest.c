/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls through pointers, which no guess follows where there is no call-frame
 * information: two ways to the same allocation. */
#include "expect.h"

typedef void work(int);

static void *volatile kept[4];

__attribute__((noinline)) static void leaf(int n)
{
	kept[n] = malloc((size_t)n + 10);
	KEEP(n);
}

__attribute__((noinline)) static void one_way(int n)
{
	work *volatile to = leaf;

	to(n);
	KEEP(n);
}

__attribute__((noinline)) static void other_way(int n)
{
	work *volatile to = leaf;

	to(n);
	KEEP(n);
}

int main(void)
{
	work *volatile to = one_way;

	to(1);
	to = other_way;
	to(2);
	expect_stack("leaf", "total_blocks", 2);
	expect_stack("one_way", "total_blocks", 1);
	expect_stack("other_way", "total_blocks", 1);
	expect_stack("main", "total_blocks", 2);
	expect("unwind.broken", 0);
	return 0;
}
