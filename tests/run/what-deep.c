/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A deep recursion with large frames: the backtrace gets to main below it.
 * Run: -d 1024. */
#include "expect.h"

#define DEPTH 1000

__attribute__((noinline)) static void *deeper(int n)
{
	char large[300];
	char *at = large;
	void *p;

	KEEP(at);
	p = n ? deeper(n - 1) : malloc(77);
	KEEP(p); /* or it is a jump */
	return p;
}

int main(void)
{
	EXPECT_THAT(deeper(DEPTH));
	expect_stack("deeper", "total_blocks", 1);
	expect_stack("main", "total_blocks", 1);
	expect("unwind.cut", 0);
	expect("unwind.broken", 0);
	return 0;
}
