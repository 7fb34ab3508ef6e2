/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two ways to the same allocation, by calls through pointers, from a frame that is larger
 * than what is searched for a return address, and smaller than what is kept of a stack. */
#include <stdlib.h>
#include <string.h>

#include "expect.h"

typedef void work(int);

void *volatile rows_kept[4];

__attribute__((noinline)) static void leaf(int n)
{
	volatile char room[2400];

	memset((char *)room, n, sizeof room);
	rows_kept[n] = malloc((size_t)n + 10);
	KEEP(room[n]);
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

void rows_work(int n)
{
	work *volatile to = n == 1 ? one_way : other_way;

	to(n);
	KEEP(n);
}
